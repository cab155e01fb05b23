"""The model card: what the model is for, how it was measured, what it does not do; with Hugging Face front matter."""

from __future__ import annotations

import json

from glasshouse.dossier.document import Audience, Document, Field, Section
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.kinds.run_tables import overrides_table, runs_table, verdicts_table
from glasshouse.dossier.values import computed

HUB_LICENCES = frozenset(
    "afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsl-1.0 cc-by-4.0 cc-by-nc-4.0 cc-by-sa-4.0"
    " cc0-1.0 epl-2.0 eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 mit mpl-2.0 openrail unlicense zlib".split()
)
"""Licence identifiers of the Hugging Face Hub that are likely here; others are named in full."""


def make(evidence: Evidence, audience: Audience) -> Document:
    """The card for one audience."""
    model = evidence.model
    name = model.identity.name
    sections = (
        Section("details", "Model details", _details(evidence)),
        Section(
            "use",
            "Intended use",
            (
                Field("intended_uses", "What is it for?", evidence.stated(model.intended_use, "intended_uses")),
                Field("not_for", "What is it not for?", evidence.stated(model.not_for, "not_for")),
                Field("limitations", "Known limitations", evidence.attested("limitations")),
            ),
        ),
        Section("evaluation", "Evaluation", tables=(runs_table(evidence),)),
        Section("release", "Release decisions", tables=(verdicts_table(evidence), overrides_table(evidence))),
        Section(
            "ethics",
            "Considerations",
            (
                Field("risks", "Risks and harms", evidence.attested("risks")),
                Field("contact", "Whom to ask", evidence.stated(model.contact, "contact")),
            ),
        ),
    )
    title = f"Model card: {name}"
    return Document("model-card", title, name, audience, evidence.basis, sections, front_matter(evidence))


def _details(evidence: Evidence) -> tuple[Field, ...]:
    model = evidence.model
    identity = computed(evidence.digest, digest=evidence.digest)
    fields = [
        Field(
            "name", "Name and version", evidence.stated(f"{model.identity.name} {model.identity.version}", "model_name")
        ),
        Field("digest", "Digest of what was assessed", identity),
        Field("provider", "Provider", evidence.stated(model.provider, "provider_legal_name")),
        Field("architecture", "Architecture", evidence.stated(model.architecture, "architecture")),
        Field("licence", "Licence", evidence.stated(model.licence, "licence_link")),
    ]
    training = evidence.training()
    if training is not None:
        sources = "; ".join(f"{name} ({licence}): {rows:,}" for name, licence, rows in training.sources)
        rows = ", ".join(f"{use} {count:,}" for use, count in sorted(training.split.items()))
        fields += [
            Field("data", "Training data", computed(sources, (training.entry,), training.data_digest)),
            Field("rows", "Rows by use", computed(rows, (training.entry,), training.data_digest)),
        ]
    return tuple(fields)


def _licence(name: str) -> list[str]:
    """An identifier that model hubs know, or ``other`` with the name as it is given."""
    known = name.lower()
    if known in HUB_LICENCES:
        return [f"license: {known}"]
    return ["license: other", f"license_name: {json.dumps(name or 'not given')}"]


def front_matter(evidence: Evidence) -> str:
    """The YAML head that model hubs read: licence, tags, and each metric as a result of ``model-index``.

    JSON strings are valid YAML, so nothing that a value holds can break out of its place.
    """
    model = evidence.model
    lines = [*_licence(model.licence), "tags:", "- glasshouse", "- security"]
    runs = [(run, [each for each in run.metrics if each.estimate == each.estimate]) for run in evidence.my_runs()]
    if not any(metrics for _, metrics in runs):
        return "\n".join(lines)
    lines += ["model-index:", f"- name: {json.dumps(model.identity.name)}", "  results:"]
    for run, metrics in runs:
        lines += [
            "  - task:",
            "      type: text-classification" if "text" in model.inputs else "      type: other",
            "    dataset:",
            f"      name: {json.dumps(run.suite)}",
            f"      type: {json.dumps(run.data_digest)}",
            "    metrics:" if metrics else "    metrics: []",
        ]
        for metric in metrics:
            lines += [f"    - type: {json.dumps(metric.name)}", f"      value: {metric.estimate:.6g}"]
    return "\n".join(lines)
