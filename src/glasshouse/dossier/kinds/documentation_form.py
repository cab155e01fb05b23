"""The Model Documentation Form (GPAI Code of Practice, Transparency Chapter, Measure 1.1), 47 fields."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from glasshouse.dossier.document import Audience, Document, Field, Section
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.forms import FormField, documentation_form
from glasshouse.dossier.values import Value, computed, counted, missing

Filler = Callable[[Evidence], Value]
SIZE_BOUNDS = (500e6, 5e9, 15e9, 50e9, 100e9, 500e9, 1e12)
TRAINING_DAYS = ((30.0, "< 1 month"), (91.0, "1-3 months"), (182.0, "3-6 months"))
NOTE = "The questions are paraphrased, some from the third draft of the form: compare them with the official one."


def make(evidence: Evidence, audience: Audience) -> Document:
    """The form for one audience; a field that no record supports says how to give it."""
    form = documentation_form()
    sections = tuple(
        Section(each.id, each.title, tuple(_field(field, evidence) for field in each.fields), text=NOTE * (not place))
        for place, each in enumerate(form.sections)
    )
    name = evidence.model.identity.name
    return Document("documentation-form", f"Model Documentation Form: {name}", name, audience, evidence.basis, sections)


def _field(field: FormField, evidence: Evidence) -> Field:
    filler = FILLERS.get(field.id)
    value = filler(evidence) if filler is not None else evidence.attested(field.id)
    if field.words and len(value.text.split()) > field.words:
        note = f"longer than the {field.words} words that the form recommends"
        value = msgspec.structs.replace(value, text=f"{value.text} [{note}]")
    citation = "; ".join(("Measure 1.1", *(f"Annex {each}" for each in field.annex)))
    return Field(field.id, field.asks, value, citation, field.audience.names())


def _stated(field: str, read: Callable[[Evidence], object]) -> Filler:
    return lambda evidence: evidence.stated(read(evidence), field)


def _updated(evidence: Evidence) -> Value:
    return counted(evidence.basis.as_of.date().isoformat(), (0, evidence.basis.size - 1))


def _version(evidence: Evidence) -> Value:
    earlier = [each for each in evidence.versions if each.kind == "documentation-form"]
    entries = tuple(each.entry for each in earlier)
    return computed(len(earlier) + 1, entries) if earlier else counted(1, (0, evidence.basis.size - 1))


def _authenticity(evidence: Evidence) -> Value:
    training = evidence.training()
    if training is None:
        return evidence.stated(evidence.digest, "model_authenticity")
    return computed(f"weights {training.weights_digest}", (training.entry,), training.weights_digest)


def _size(evidence: Evidence) -> Value:
    training = evidence.training()
    if training is not None and training.parameters:
        return computed(f"{training.parameters:,}", (training.entry,), training.weights_digest)
    return evidence.stated(evidence.model.parameters, "total_size_exact")


def _size_range(evidence: Evidence) -> Value:
    size = _size(evidence)
    digits = size.text.replace(",", "")
    if not digits.isdigit():
        return size
    names = ("1-500M", "500M-5B", "5B-15B", "15B-50B", "50B-100B", "100B-500B", "500B-1T", ">1T")
    chosen = names[sum(float(digits) > bound for bound in SIZE_BOUNDS)]
    return msgspec.structs.replace(size, text=chosen)


def _policy(evidence: Evidence) -> Value:
    """A person's statement: the rules that the door enforces are not the terms that users were given."""
    enforced = f"the door enforces policy set {evidence.policy_hash[:16]}, entry {evidence.policy_entry}"
    return evidence.attested("acceptable_use_policy", enforced if evidence.policy_hash else "")


def _points(figures: int | None) -> Filler:
    """Rows by use: exact to two significant figures for the AI Office, as an order of magnitude for authorities."""

    def fill(evidence: Evidence) -> Value:
        training = evidence.training()
        if training is None:
            counts: dict[str, int] = {source.use: 0 for source in evidence.model.data}
            for source in evidence.model.data:
                counts[source.use] += source.rows
            return evidence.stated(_counts(counts, figures), "data_points_aio" if figures else "data_points_nca")
        return computed(_counts(training.split, figures), (training.entry,), training.data_digest)

    return fill


def _counts(counts: dict[str, int], figures: int | None) -> str:
    if not any(counts.values()):
        return ""
    return ", ".join(f"{use} {_rounded(rows, figures)} rows" for use, rows in sorted(counts.items()))


def _rounded(rows: int, figures: int | None) -> str:
    if rows <= 0:
        return "0"
    magnitude = len(str(rows)) - 1
    if figures is None:
        return f"order of 10^{magnitude}"
    scale = 10 ** max(0, magnitude - figures + 1)
    return f"{round(rows / scale) * scale:,}"


def _provenance(evidence: Evidence) -> Value:
    training = evidence.training()
    if training is not None and training.sources:
        named = "; ".join(f"{name} ({licence}, {rows:,})" for name, licence, rows in training.sources)
        return computed(named, (training.entry,), training.data_digest)
    return evidence.stated(tuple(f"{each.name} ({each.kind})" for each in evidence.model.data), "data_provenance")


def _training_time(evidence: Evidence) -> Value:
    training = evidence.training()
    if training is not None and training.seconds:
        on = f" on {training.hardware}" if training.hardware else ""
        text = f"{training.seconds / 86_400:.2g} days wall clock{on}"
        return computed(text, (training.entry,), training.weights_digest)
    days = evidence.model.compute.wall_clock_days
    return evidence.stated("" if days is None else f"{days:g} days wall clock", "training_time_exact")


def _training_range(evidence: Evidence) -> Value:
    training = evidence.training()
    days = training.seconds / 86_400 if training is not None and training.seconds else None
    if days is None:
        days = evidence.model.compute.wall_clock_days
        return evidence.stated("" if days is None else _range(days), "training_time_range")
    assert training is not None
    return computed(_range(days), (training.entry,), training.weights_digest)


def _range(days: float) -> str:
    return next((name for bound, name in TRAINING_DAYS if days < bound), "> 6 months")


def _operations(exact: bool) -> Filler:
    def fill(evidence: Evidence) -> Value:
        operations = evidence.model.compute.operations
        text = "" if operations is None else f"{operations:.1e}" if exact else f"10^{len(str(int(operations))) - 1}"
        return evidence.stated(text, "compute_exact" if exact else "compute_magnitude")

    return fill


def _biases(evidence: Evidence) -> Value:
    rows = [(run, m) for run in evidence.my_runs() for m in run.metrics if m.name.startswith(("bias_", "gap_"))]
    if not rows:
        return missing("glasshouse assess run with a suite that measures bias, or glasshouse attest data_biases")
    text = "; ".join(f"{run.suite}: {m.name} {m.estimate:.3g} [{m.low:.3g}, {m.high:.3g}]" for run, m in rows)
    return computed(text, tuple(run.entry for run, _ in rows))


def _union_date(evidence: Evidence) -> Value:
    placing = evidence.model.placing
    text = placing.date.isoformat() if placing.on_union_market and placing.date else "not placed on the Union market"
    return evidence.stated(text, "union_release_date")


FILLERS: dict[str, Filler] = {
    "date_updated": _updated,
    "version": _version,
    "provider_legal_name": _stated("provider_legal_name", lambda e: e.model.provider),
    "model_name": _stated("model_name", lambda e: f"{e.model.identity.name} {e.model.identity.version}"),
    "model_authenticity": _authenticity,
    "union_release_date": _union_date,
    "model_dependencies": _stated("model_dependencies", lambda e: e.model.identity.depends_on or "none"),
    "architecture": _stated("architecture", lambda e: e.model.architecture),
    "input_modalities": _stated("input_modalities", lambda e: e.model.inputs),
    "output_modalities": _stated("output_modalities", lambda e: e.model.outputs),
    "total_size_exact": _size,
    "total_size_range": _size_range,
    "channels_authorities": _stated("channels_authorities", lambda e: e.model.placing.channels),
    "channels_downstream": _stated("channels_downstream", lambda e: e.model.placing.channels),
    "licence_link": _stated("licence_link", lambda e: e.model.licence),
    "licence_category": _stated("licence_category", lambda e: e.model.licence),
    "acceptable_use_policy": _policy,
    "intended_uses": _stated("intended_uses", lambda e: e.model.intended_use),
    "data_modalities": _stated("data_modalities", lambda e: e.model.inputs),
    "data_provenance": _provenance,
    "data_points_nca": _points(None),
    "data_points_aio": _points(2),
    "data_biases": _biases,
    "training_time_range": _training_range,
    "training_time_exact": _training_time,
    "compute_magnitude": _operations(exact=False),
    "compute_exact": _operations(exact=True),
    "compute_method": _stated("compute_method", lambda e: e.model.compute.method),
    "energy_training": _stated("energy_training", lambda e: e.model.compute.energy_mwh),
}
