"""``glasshouse duty``: cases, registers and their legal clocks: open, note, file, list, calendar."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.duty_registers import COMMANDS
from glasshouse.cli.evidence import gathered, keep, read_file, recording
from glasshouse.cli.passing import say_receipt
from glasshouse.cli.terminal import write_file
from glasshouse.cli.times import MOMENT, instant
from glasshouse.words.digests import sha256_of
from glasshouse.words.display import counted, visible

if TYPE_CHECKING:
    from glasshouse.duties.clock import Clock
    from glasshouse.duties.records import Case, Duties, DutyRecord

EXIT_OVERDUE = 1
MAX_LINKED = 1_000
AS_JSON = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)


@click.group("duty", context_settings={"max_content_width": 110})
def command() -> None:
    """Legal clocks: which report is due when, to whom, and whether it was filed.

    Example: glasshouse duty open inc-7 --title "Weights copied" --rule cop93_cyber
    """


for each in COMMANDS:
    command.add_command(each)


@command.command("rules")
@click.argument("text", required=False, default="")
@AS_JSON
def rules(text: str, form: str) -> None:
    """List the rules, or those that hold TEXT, with deadline, recipient and citation."""
    from glasshouse.duties.law import shipped_law

    law = shipped_law()
    found = [each for each in law.rules.values() if text.lower() in f"{each.id} {each.regime} {each.stage}".lower()]
    if form == "json":
        _echo_json(found)
        return
    for rule in found:
        figures = " or ".join(
            f"{counted(p.value, p.unit.replace('_', ' ').removesuffix('s'))} from {p.anchor}"
            for p in rule.deadline.periods()
        )
        click.echo(f"{rule.id}: {law.regimes[rule.regime].title}: {rule.stage}: {figures or 'no figure'}")
        click.echo(f"  {rule.citation} ({rule.confidence}); to: {rule.recipient}")
    click.echo(f"{counted(len(found), 'rule')} as of {law.as_of}; not legal advice", err=True)


@command.command("scope")
@click.option("--applies", multiple=True, metavar="REGIME", help="A regime that your organisation is under.")
@click.option("--not", "applies_not", multiple=True, metavar="REGIME", help="A regime that it is not under.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Such as trust_service_provider.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Such as annex_iii.")
@click.option("--calendar", default="", metavar="NAME", help="Name of the holiday calendar.")
@click.option("--holiday", "holidays", multiple=True, type=click.DateTime(["%Y-%m-%d"]), help="A day off; repeat it.")
def scope(
    applies: tuple[str, ...],
    applies_not: tuple[str, ...],
    roles: tuple[str, ...],
    kinds: tuple[str, ...],
    calendar: str,
    holidays: tuple[dt.datetime, ...],
) -> None:
    """Declare which regimes apply; without it no clock runs."""
    from glasshouse.duties.law import shipped_law
    from glasshouse.duties.records import ScopeDeclared

    known = shipped_law().regimes
    for name in (*applies, *applies_not):
        if name not in known:
            raise click.UsageError(f"no regime `{name}`; there are {', '.join(known)}")
    if set(applies) & set(applies_not):
        raise click.UsageError("a regime cannot both apply and not apply")
    declared = dict.fromkeys(applies, True) | dict.fromkeys(applies_not, False)
    _keep("scope", ScopeDeclared(declared, roles, kinds, calendar, tuple(each.date() for each in holidays)))


@command.command("open")
@click.argument("case")
@click.option("--title", required=True, help="What it is, in a line.")
@click.option(
    "--rule", "names", multiple=True, required=True, metavar="RULE", help="A rule it may be under; repeat it."
)
@click.option("--model", default="", help="The model it is about.")
@click.option("--at", "anchors", multiple=True, metavar="ANCHOR=WHEN", help=f"An event: {MOMENT}; repeat it.")
def open_case(case: str, title: str, names: tuple[str, ...], model: str, anchors: tuple[str, ...]) -> None:
    """Open a case under rules, with the events that are known."""
    from glasshouse.duties.law import shipped_law
    from glasshouse.duties.records import CaseOpened, fold
    from glasshouse.words.errors import DutyError

    law = shipped_law()
    lost = [name for name in names if name not in law.rules]
    if lost:
        raise DutyError(f"no rule {', '.join(lost)}")
    known = {anchor for name in names for anchor in law.rules[name].deadline.anchors()}
    records = [_anchor(case, text, known) for text in anchors]
    duties = fold(gathered()[0].duties)
    if case in duties.cases or case in duties.rows:
        raise DutyError(f"`{case}` is open already")
    _keep(case, CaseOpened(case, title, names, model), *records)


@command.command("note")
@click.argument("case")
@click.argument("point")
@click.option("--text", required=True, help="The statement.")
@click.option("--name", required=True, help="Who states it.")
@click.option("--role", required=True, help="In which role.")
def note(case: str, point: str, text: str, name: str, role: str) -> None:
    """State one point of a report, such as harm or root_cause."""
    from glasshouse.dossier import vocabulary
    from glasshouse.dossier.kinds.incident_report import NINE_POINTS
    from glasshouse.duties.records import Noted

    if point not in NINE_POINTS:
        raise click.UsageError(f"no point `{point}`; there are {', '.join(NINE_POINTS)}")
    vocabulary.check(text, "--text")
    _existing(case)
    _keep(case, Noted(case, point, text, name, role))


@command.command("anchor")
@click.argument("case")
@click.argument("events", nargs=-1, required=True, metavar="ANCHOR=WHEN...")
def anchor(case: str, events: tuple[str, ...]) -> None:
    """Record when events of a case happened."""
    from glasshouse.duties.law import shipped_law

    found, _ = _existing(case)
    law = shipped_law()
    known = {each for name in found.opened.rules for each in law.rules[name].deadline.anchors()}
    _keep(case, *(_anchor(case, text, known) for text in events))


@command.command("link")
@click.argument("case")
@click.argument("entries", nargs=-1, required=True, metavar="ENTRY...")
def link(case: str, entries: tuple[str, ...]) -> None:
    """Name the log entries that a case is about (12, or 40-44); reports read the rest from them.

    Model, inputs and answers by digest, policy, approvals, and near misses of the same keys come from the log.
    """
    from glasshouse.duties.records import Linked

    _existing(case)
    size = gathered()[1].size
    _keep(case, Linked(case, tuple(number for text in entries for number in _numbers(text, size))))


@command.command("file")
@click.argument("case")
@click.argument("rule")
@click.option("--report", required=True, type=click.Path(path_type=Path), help="What was sent; its digest is recorded.")
@click.option("--recipient", required=True, help="To whom it was sent.")
@click.option("--at", "when", required=True, help="When it was sent: a time with its zone.")
def file(case: str, rule: str, report: Path, recipient: str, when: str) -> None:
    """Record that a report was sent; the receipt is the proof of when that was recorded."""
    from glasshouse.duties.records import Filed
    from glasshouse.words.errors import DutyError

    found, _ = _existing(case)
    if rule not in found.opened.rules:
        raise DutyError(f"case `{case}` is not under `{rule}`; it is under {', '.join(found.opened.rules)}")
    digest = sha256_of(read_file(report))
    _keep(case, Filed(case, rule, instant(when), recipient, digest))


@command.command("close")
@click.argument("case")
@click.option("--reason", required=True, help="Why nothing more is due.")
def close(case: str, reason: str) -> None:
    """Close a case: what recurs ends."""
    from glasshouse.duties.records import CaseClosed

    _existing(case)
    _keep(case, CaseClosed(case, reason))


@command.command("list")
@click.argument("case", required=False)
@AS_JSON
def list_cases(case: str | None, form: str) -> int:
    """Show where every duty of every case and register stands now, or those of one; exit 1 when one is overdue."""
    standing = _standing(case)
    if form == "json":
        _echo_json([{"case": found, "title": title, "clock": clock} for found, title, clock in standing])
    else:
        for line in _lines(standing):
            click.echo(line)
    return EXIT_OVERDUE if any(clock.state == "overdue" for _, _, clock in standing) else 0


@command.command("calendar")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="The .ics file to write.")
def calendar(output: Path) -> None:
    """Write the open deadlines as an iCalendar file."""
    from glasshouse.duties.icalendar import icalendar
    from glasshouse.duties.law import shipped_law

    entries = [(title, clock) for _, title, clock in _standing(None)]
    write_file(output, [icalendar(entries, shipped_law(), _now())])


# --- inside


def _numbers(text: str, size: int) -> range:
    """The entries that a text names, all of them in the log."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise click.UsageError(f"`{text[:40]}` is neither an entry nor a range of entries such as 40-44")
    found = range(int(first), int(last or first) + 1)
    if not 0 < len(found) <= MAX_LINKED or found[-1] >= size:
        raise click.UsageError(f"`{text}`: name 1 to {MAX_LINKED:,} entries below {size:,}, the size of the log")
    return found


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _keep(subject: str, *records: DutyRecord) -> None:
    with recording(f"duty:{subject}", f"record a duty of {subject}") as passage:
        for record in records:
            keep(passage, record)
    say_receipt(passage)


def _duties() -> Duties:
    from glasshouse.duties.records import fold

    return fold(gathered()[0].duties)


def _existing(case: str) -> tuple[Case, Duties]:
    from glasshouse.words.errors import DutyError

    duties = _duties()
    if case not in duties.cases:
        raise DutyError(f"no case `{case}`; there are {', '.join(duties.cases) or 'none'}")
    return duties.cases[case], duties


def _standing(name: str | None) -> list[tuple[str, str, Clock]]:
    """Every clock, or those of one case or register row: name, title, clock."""
    from glasshouse.duties.law import shipped_law
    from glasshouse.duties.records import all_clocks
    from glasshouse.words.errors import DutyError

    duties = _duties()
    if name is not None and name not in {*duties.cases, *duties.rows}:
        raise DutyError(f"nothing is called `{name}`; there are {', '.join([*duties.cases, *duties.rows]) or 'none'}")
    return [each for each in all_clocks(duties, shipped_law(), _now()) if name in (None, each[0])]


def _lines(standing: list[tuple[str, str, Clock]]) -> list[str]:

    if not standing:
        return ["no case is open; begin one: glasshouse duty open CASE --title ... --rule RULE"]
    lines = []
    for name, _, clock in standing:
        due = clock.due.isoformat(timespec="minutes") if clock.due is not None else "-"
        late = " (late)" if clock.late else ""
        state = clock.state.replace("_", " ")
        lines.append(f"{visible(name)}  {clock.rule}  {state}{late}  {due}  {visible(clock.reason)}")
    return lines


def _anchor(case: str, text: str, known: set[str]) -> DutyRecord:
    from glasshouse.duties.records import AnchorRecorded

    name, _, when = text.partition("=")
    if name not in known:
        raise click.UsageError(f"no event `{name}` in these rules; there are {', '.join(sorted(known))}")
    if when == "unrecorded":
        return AnchorRecorded(case, name)
    if len(when) == len("2026-11-27"):
        return AnchorRecorded(case, name, day=instant(f"{when}T00:00+00:00").date())
    at = instant(when)
    return AnchorRecorded(case, name, time=at)


def _echo_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
