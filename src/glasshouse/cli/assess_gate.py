"""``glasshouse assess gate`` and ``override``: the verdict, its record, and the four eyes that may pass a no."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.assess_files import load, load_framework
from glasshouse.cli.evidence import gathered, keep, recording
from glasshouse.cli.passing import say_receipt

if TYPE_CHECKING:
    from glasshouse.assess.gate import Verdict

FILE = click.Path(path_type=Path, dir_okay=False)
EXIT_REFUSED = 1


@click.command("gate")
@click.argument("file", type=FILE)
@click.option("--tier", required=True, help="The access tier, such as vetted.")
@click.option("--framework", "framework_file", type=FILE, help="The committed framework.  [default: the shipped one]")
@click.option(
    "--baseline",
    metavar="MODEL",
    help="Also show what changed since the last verdict on MODEL.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the verdict.")
def gate(file: Path, tier: str, framework_file: Path | None, baseline: str | None, form: str) -> int:
    """Say whether the model of FILE may be offered at a tier: exit 0 or 1.

    Judged by the thresholds minus their margins that were committed before the runs; what was not measured fails.
    """
    from glasshouse.assess.gate import decide
    from glasshouse.assess.records import ModelRegistered, VerdictRecorded

    model, digest = load(file)
    framework = load_framework(framework_file)
    access = framework.access(tier)
    log, _ = gathered()
    identity = model.identity
    now = dt.datetime.now(dt.UTC)
    verdict = decide(framework, log.commitments, log.runs, (identity.name, identity.digest), tier, now)
    with recording(f"model:{identity.name}", f"gate {tier}", [file], "model.assess") as passage:
        keep(passage, ModelRegistered(model, digest))
        entry = keep(passage, VerdictRecorded(verdict))
        why = f"the release gate refused it at tier {tier} (entry {entry})"
        passage.decide_release(identity.name, access.engagement_tiers, passed=verdict.passed, reason=why)
    if not verdict.passed and access.engagement_tiers:
        shown = ", ".join(map(str, access.engagement_tiers))
        click.echo(f"the door lets no engagement of tier {shown} call {identity.name} until the gate passes", err=True)
    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(verdict)).decode())
    else:
        for line in lines(verdict, entry):
            click.echo(line)
    if baseline is not None:
        _show_changes(verdict, [each for each, _ in log.verdicts], baseline)
    say_receipt(passage)
    return 0 if verdict.passed else EXIT_REFUSED


def lines(verdict: Verdict, entry: int) -> list[str]:
    """The verdict for a terminal, what failed first."""
    said = "PASSED" if verdict.passed else "REFUSED"
    shown = [
        f"{said}: {verdict.model} at tier {verdict.tier} (entry {entry}, thresholds of entry {verdict.commitment})"
    ]
    for check in sorted(verdict.checks, key=lambda check: check.ok):
        mark = "ok  " if check.ok else "FAIL"
        where = f" (entries {', '.join(map(str, check.entries))})" if check.entries else ""
        shown.append(f"  {mark} {check.id}: {check.says}{where}")
    return shown


def _show_changes(verdict: Verdict, earlier: list[Verdict], baseline: str) -> None:
    """What changed against the newest earlier verdict on the same tier; ``baseline`` is a name or a digest's start."""
    fitting = [
        each
        for each in earlier
        if each.tier == verdict.tier
        and (each.model == baseline or each.model_digest.removeprefix("sha256:").startswith(baseline))
    ]
    if not fitting:
        click.echo(f"no earlier verdict on `{baseline}` at tier {verdict.tier}")
        return
    before = {check.id: check for check in fitting[-1].checks}
    for check in verdict.checks:
        old = before.get(check.id)
        if old is None or (old.ok, old.says) != (check.ok, check.says):
            was = "not checked" if old is None else f"{'ok' if old.ok else 'FAIL'}: {old.says}"
            click.echo(f"  changed {check.id}: was {was}")


@click.command("override")
@click.argument("name")
@click.option("--tier", required=True, help="The access tier of the refused verdict.")
@click.option("--reason", required=True, help="Why it is passed all the same; listed in every later report.")
def override(name: str, tier: str, reason: str) -> None:
    """Pass a refused gate by name: asks for approval by another person first.

    The first call prints the id of the request; after `glasshouse approve ID`, set GLASSHOUSE_APPROVAL=ID and call it
    again.
    """
    from glasshouse.assess.records import OverrideRecorded
    from glasshouse.dossier import vocabulary
    from glasshouse.words.errors import EvidenceError

    vocabulary.check(reason, "--reason")
    log, _ = gathered()
    refused = [(v, entry) for v, entry in log.verdicts if v.model == name and v.tier == tier and not v.passed]
    if not refused:
        raise EvidenceError(f"no refused verdict on `{name}` at tier `{tier}` is recorded")
    verdict, entry = refused[-1]
    approval = os.environ.get("GLASSHOUSE_APPROVAL", "")
    subject = f"release:{name}:{tier}:{verdict.model_digest.removeprefix('sha256:')[:16]}"
    with recording(subject, f"override the gate for {name} at {tier}: {reason}", (), "release.override") as passage:
        names = passage.approvers(approval)
        entry = keep(passage, OverrideRecorded(name, verdict.model_digest, tier, names, reason, entry))
        tiers = log.frameworks[verdict.framework].access(tier).engagement_tiers
        passage.decide_release(name, tiers, passed=True, reason=f"override under entry {entry}")
    click.echo(f"overridden by {', '.join(names)}; listed in every later report")
    say_receipt(passage)


@click.command("watch")
@click.argument("name")
def watch(name: str) -> int:
    """Compute the fail conditions for model NAME; one that became true opens a case with a clock.  Exit 1 then.

    Run it from a timer: a case is opened once per condition and verdict.
    """
    from glasshouse.dossier.collect import evidence
    from glasshouse.dossier.watch import case_name
    from glasshouse.dossier.watch import watch as look
    from glasshouse.duties.law import shipped_law
    from glasshouse.duties.records import AnchorRecorded, CaseOpened

    log, basis = gathered()
    found = evidence(log, name, basis, shipped_law())
    fired = look(found)
    opened = {each.id for each in found.incidents}
    fresh = [each for each in fired if each.true and case_name(found, each.condition) not in opened]
    for each in fired:
        state = "TRUE" if each.true else "no  "
        click.echo(
            f"{state} {each.condition.id}: {each.condition.figure} {each.value:.3g}, above {each.condition.above:g}"
        )
    if not fresh:
        return EXIT_REFUSED if any(each.true for each in fired) else 0
    now = dt.datetime.now(dt.UTC)
    with recording(f"model:{name}", "open a new assessment") as passage:
        for each in fresh:
            case = case_name(found, each.condition)
            keep(passage, CaseOpened(case, f"{name}: {each.condition.means}", ("house_reassess",), name))
            keep(passage, AnchorRecorded(case, "fail_condition_true", time=now))
    for each in fresh:
        click.echo(f"opened {case_name(found, each.condition)}: {each.condition.means}")
    say_receipt(passage)
    return EXIT_REFUSED
