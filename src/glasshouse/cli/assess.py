"""``glasshouse assess``: models, thresholds, evaluations, the risk register and the release gate."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.assess_files import load, load_framework
from glasshouse.cli.assess_gate import gate, override, watch
from glasshouse.cli.evidence import gathered, keep, read_file, recording
from glasshouse.cli.passing import say_receipt
from glasshouse.cli.progress import progress_bar
from glasshouse.words.display import counted

if TYPE_CHECKING:
    from glasshouse.assess.records import RunRecorded

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("assess", context_settings={"max_content_width": 110})
def command() -> None:
    """Assess a model before release: evaluations, risk register, and a gate over committed thresholds.

    \b
    Example:
      glasshouse assess model model.yaml
      glasshouse assess commit
      glasshouse assess run model.yaml
      glasshouse assess gate model.yaml --tier vetted
    """


command.add_command(gate)
command.add_command(override)
command.add_command(watch)


@command.command("suites")
def suites() -> None:
    """List the evaluation suites."""
    from glasshouse.assess.suite import SUITES

    for name, (_, _, what, kind) in SUITES.items():
        click.echo(f"{name}: {what} ({kind})")


@command.command("own")
@click.argument("name")
def own(name: str) -> None:
    """Print the model file of one of our own models.

    misuse-screener, scanner, forecaster, technique-ranker, incident-grouping.
    """
    from glasshouse.assess.own_models import model_file

    click.echo(model_file(name), nl=False)


@command.command("training")
@click.argument("file", type=FILE)
def training(file: Path) -> None:
    """Record what a training script wrote about its weights: digests, rows, sources, time (JSON)."""
    import msgspec

    from glasshouse.dossier.evidence import Training
    from glasshouse.dossier.records import TrainingRecorded
    from glasshouse.words.errors import EvidenceError

    try:
        record = msgspec.json.decode(read_file(file), type=Training)
    except (msgspec.MsgspecError, ValueError) as error:
        raise EvidenceError(f"not a training record: {str(error)[:200]}", where=str(file)) from error
    with recording(f"model:{record.model}", "record a training", [file]) as passage:
        entry = keep(passage, TrainingRecorded(msgspec.structs.replace(record, entry=-1)))
    click.echo(f"{record.model}: weights {record.weights_digest}, entry {entry}")
    say_receipt(passage)


@command.command("model")
@click.argument("file", type=FILE)
def model(file: Path) -> None:
    """Register the model that FILE (model.yaml) describes, by the digest of its weights or endpoint."""
    from glasshouse.assess.records import ModelRegistered

    found, digest = load(file)
    with recording(f"model:{found.identity.name}", "register a model file", [file]) as passage:
        entry = keep(passage, ModelRegistered(found, digest))
    click.echo(f"{found.identity.name} {found.identity.version}: registered under entry {entry}, file {digest}")
    say_receipt(passage)


@command.command("commit")
@click.option("--framework", "file", type=FILE, help="The framework.  [default: the shipped one]")
def commit(file: Path | None) -> None:
    """Commit thresholds and margins to the log; only runs that begin afterwards are judged by them."""
    from glasshouse.assess.framework import framework_digest
    from glasshouse.assess.records import FrameworkCommitted

    framework = load_framework(file)
    with recording("framework", "commit a framework", [file] if file else []) as passage:
        entry = keep(passage, FrameworkCommitted(framework))
    click.echo(f"framework {framework.name} {framework.version} committed under entry {entry}")
    click.echo(f"  {framework_digest(framework)}")
    say_receipt(passage)


@command.command("run")
@click.argument("file", type=FILE)
@click.option("--suite", "names", multiple=True, metavar="NAME", help="Run this suite only.  [default: the file's]")
@click.option("--seed", default=20260101, show_default=True, help="Seed of everything random.")
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(min=1, max=100), help="Repetitions.")
@click.option("--max-samples", default=0, type=click.IntRange(min=0), help="At most so many samples.  [default: all]")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the suite; repeat it.")
def run(
    file: Path, names: tuple[str, ...], seed: int, repeats: int, max_samples: int, options: tuple[str, ...]
) -> None:
    """Run evaluation suites on a model and keep every run in the log, samples and all."""
    from glasshouse.assess.conduct import conduct
    from glasshouse.assess.records import ModelRegistered
    from glasshouse.assess.suite import Setting
    from glasshouse.words.errors import SuiteError

    found, digest = load(file)
    chosen = names or found.suites
    if not chosen:
        raise SuiteError("the model file names no suites", hint="Add `suites:` to it, or pass --suite NAME.")
    for each in options:
        if "=" not in each:
            raise click.UsageError(f"--option takes NAME=VALUE, not `{each[:80]}`")
    setting = Setting(seed, repeats, max_samples, dict(each.split("=", 1) for each in options))
    lines: list[str] = []
    with recording(
        f"model:{found.identity.name}", f"run {counted(len(chosen), 'suite')}", [file], "model.assess"
    ) as passage:
        keep(passage, ModelRegistered(found, digest))
        for name in chosen:
            with progress_bar(shown=sys.stderr.isatty()) as bar:
                step = (lambda done, total, name=name: bar(name, done, total)) if bar is not None else _no_progress
                record = conduct(name, found, setting, _now, step)
            lines += _run_lines(record, keep(passage, record))
    for line in lines:
        click.echo(line)
    say_receipt(passage)


@command.command("import")
@click.argument("log", type=FILE)
@click.option("--model", "file", required=True, type=FILE, help="The model file.")
@click.option("--suite", "name", required=True, help="The suite's name in the framework, such as imported-cyber-tasks.")
def import_log(log: Path, file: Path, name: str) -> None:
    """Take in an Inspect evaluation log (.eval or .json) that was made elsewhere."""
    from glasshouse.assess.inspect_log import read_inspect_log

    found, _ = load(file)
    record = read_inspect_log(log, name, found)
    with recording(f"model:{found.identity.name}", "import an evaluation log", [log, file], "model.assess") as passage:
        entry = keep(passage, record)
    for line in _run_lines(record, entry):
        click.echo(line)
    say_receipt(passage)


@command.command("register")
@click.argument("name")
@click.option("--close", "closing", is_flag=True, help="Fail when the register cannot be closed yet.")
def register(name: str, closing: bool) -> None:
    """Show the risk register of model NAME, with every gap."""
    from glasshouse.assess.register import close
    from glasshouse.dossier.collect import evidence
    from glasshouse.duties.law import shipped_law
    from glasshouse.words.errors import RegisterError

    log, basis = gathered()
    found = evidence(log, name, basis, shipped_law()).register
    if found is None:
        raise RegisterError("no framework was committed", hint="glasshouse assess commit")
    for row in found.rows:
        click.echo(f"{row.id}: {row.title}; tier {row.tier_reached}")
        for estimate in row.estimates[-1:]:
            low, high = estimate.probability
            click.echo(f"  estimate {low:g} to {high:g} a year by {estimate.author} ({estimate.role})")
        if row.guards:
            click.echo(f"  guards, with live counts: {row.guards}")
        for gap in dict.fromkeys(row.gaps):
            click.echo(f"  gap: {gap}")
    if closing:
        close(found)


@command.command("estimate")
@click.argument("name")
@click.argument("risk")
@click.option("--probability", nargs=2, type=click.FloatRange(0, 1), required=True, help="A year: low and high.")
@click.option("--severity", nargs=2, type=click.IntRange(1, 5), required=True, help="1 to 5: low and high.")
@click.option("--author", required=True, help="Who judges.")
@click.option("--role", required=True, help="In which role.")
@click.option("--basis", required=True, help="On what the judgement rests.")
def estimate(
    name: str,
    risk: str,
    probability: tuple[float, float],
    severity: tuple[int, int],
    author: str,
    role: str,
    basis: str,
) -> None:
    """Record a judgement of RISK for model NAME as a range; earlier ones are kept."""
    from glasshouse.assess.records import EstimateRecorded
    from glasshouse.assess.register import Estimate
    from glasshouse.words.errors import EvidenceError, FrameworkError

    log, _ = gathered()
    if name not in log.models:
        raise EvidenceError(f"no model `{name}` is registered")
    known = [each.id for each in log.frameworks[log.newest_framework].risks] if log.newest_framework else []
    if risk not in known:
        raise FrameworkError(f"no risk `{risk}` in the committed framework; there are {', '.join(known) or 'none'}")
    low, high = sorted(probability)
    least, most = sorted(severity)
    judged = Estimate(risk, (low, high), (least, most), author, role, _now(), basis)
    with recording(f"model:{name}", f"estimate the risk {risk}") as passage:
        keep(passage, EstimateRecorded(judged, log.models[name][0].identity.digest))
    say_receipt(passage)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _no_progress(_done: int, _total: int) -> None:
    return


def _run_lines(record: RunRecorded, entry: int) -> list[str]:
    run = record.run
    lines = [f"{run.suite}: {run.samples} samples, entry {entry}"]
    for metric in run.metrics:
        lines.append(f"  {metric.name:<28} {metric.estimate:.3f}  [{metric.low:.3f}, {metric.high:.3f}]  n={metric.n}")
    return lines + [f"  note: {note}" for note in run.notes]
