"""Tables that several documents share: evaluation runs, random samples, gate verdicts."""

from __future__ import annotations

from glasshouse.assess.runs import Metric, Run
from glasshouse.dossier.document import Table
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.render.basis import short
from glasshouse.dossier.values import Value, computed

MIN_SAMPLES = 5  # per evaluation, Code of Practice, Measure 7.3


def interval(metric: Metric) -> str:
    """An estimate with its 95 % interval."""
    return f"{metric.estimate:.3g} [{metric.low:.3g}, {metric.high:.3g}]"


def runs_table(evidence: Evidence) -> Table:
    """One row per metric of every run on this model."""
    columns = ("suite", "metric", "result, 95 % interval", "samples", "safeguards", "when", "code", "data")
    rows = [_row(run, metric) for run in evidence.my_runs() for metric in run.metrics]
    return Table("runs", "Evaluation runs", columns, tuple(rows), empty="No evaluation of this model is recorded.")


def _row(run: Run, metric: Metric) -> tuple[Value, ...]:
    texts = (
        run.suite,
        metric.name,
        interval(metric),
        metric.n,
        "on" if run.safeguards else "off",
        run.ended.date().isoformat(),
        short(run.code_digest),
        short(run.data_digest),
    )
    return tuple(computed(text, (run.entry,), run.samples_digest) for text in texts)


def samples_table(evidence: Evidence) -> Table:
    """Random samples per evaluation, drawn by a recorded seed so that nobody can pick them."""
    rows = []
    for run in evidence.my_runs():
        for sample in evidence.drawn.get(run.entry, ()):
            texts = (run.suite, sample.id, sample.input, sample.output, f"{sample.score:.3g}" if sample.scored else "-")
            rows.append(tuple(computed(text, (run.entry,), run.samples_digest) for text in texts))
    columns = ("suite", "sample", "input", "output", "score")
    title = f"Random samples, at least {MIN_SAMPLES} per evaluation"
    return Table("samples", title, columns, tuple(rows), ("ai-office",), "No sample is kept.")


def verdicts_table(evidence: Evidence) -> Table:
    """Every verdict of the gate on this model."""
    rows = []
    for verdict, entry in evidence.verdicts:
        if verdict.model_digest == evidence.digest:
            failed = [check.id for check in verdict.checks if not check.ok]
            says = "passed" if verdict.passed else "refused: " + ", ".join(failed)
            texts = (verdict.tier, says, verdict.at.date().isoformat(), short(verdict.framework))
            rows.append(tuple(computed(text, (entry, verdict.commitment)) for text in texts))
    return Table("verdicts", "Release gate", ("tier", "verdict", "when", "framework"), tuple(rows))


def overrides_table(evidence: Evidence) -> Table:
    """Every failed gate that people passed by name."""
    mine = [each for each in evidence.overrides if each.model == evidence.model.identity.name]
    rows = tuple(
        tuple(computed(text, (each.entry,)) for text in (each.tier, ", ".join(each.names), each.reason, each.at.date()))
        for each in mine
    )
    columns = ("tier", "approved by", "reason", "when")
    return Table("overrides", "Overrides of the gate", columns, rows, empty="No override is recorded.")
