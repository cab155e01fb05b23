"""``glasshouse duty representative|request|complaint|grant``: registers beside incidents, each with its own clock."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.evidence import gathered, keep, read_file, recording
from glasshouse.cli.passing import say_receipt
from glasshouse.cli.times import instant, past_day
from glasshouse.words.digests import sha256_of

if TYPE_CHECKING:
    from glasshouse.duties.registers import RegisterRecord

FILE = click.Path(path_type=Path, dir_okay=False)
DAY = click.DateTime(["%Y-%m-%d"])
AT = click.option("--at", "when", required=True, help="When it happened: a time with its zone.")
NAME = click.option("--name", required=True, help="Who did it.")
ROLE = click.option("--role", required=True, help="In which role.")
MODEL = click.option("--model", default="", help="The model it is about.")


@click.group("representative")
def representative() -> None:
    """The authorised representative in the Union: mandate, yearly check, end."""


@representative.command("name")
@click.argument("ident", metavar="ID")
@click.option("--name", required=True, help="Name of the representative.")
@click.option("--country", required=True, metavar="CODE", help="Member State (ISO 3166-1, such as FR).")
@click.option("--contact", required=True, help="How to reach them.")
@click.option("--mandate", required=True, type=FILE, help="The written mandate; its digest is recorded.")
@click.option("--since", required=True, type=DAY, help="First day of the mandate.")
@MODEL
def named(ident: str, name: str, country: str, contact: str, mandate: Path, since: dt.datetime, model: str) -> None:
    """Record who was given the mandate."""
    from glasshouse.duties.registers import RepresentativeNamed

    digest = sha256_of(read_file(mandate))
    _keep(RepresentativeNamed(ident, name, country, contact, digest, past_day(since), model), mandate)


@representative.command("check")
@click.argument("ident", metavar="ID")
@AT
@NAME
@ROLE
def checked(ident: str, when: str, name: str, role: str) -> None:
    """Record that somebody checked the representative's documentation and contact data."""
    from glasshouse.duties.registers import RepresentativeChecked

    _keep(RepresentativeChecked(ident, instant(when), name, role))


@representative.command("end")
@click.argument("ident", metavar="ID")
@AT
@click.option("--reason", required=True, help="Why the mandate ended.")
@click.option("--told", help="When the AI Office was told: a time with its zone.  [default: not yet]")
def representative_ended(ident: str, when: str, reason: str, told: str | None) -> None:
    """Record the end of the mandate."""
    from glasshouse.duties.registers import RepresentativeEnded

    _keep(RepresentativeEnded(ident, instant(when), reason, None if told is None else instant(told)))


@click.group("request")
def request() -> None:
    """Requests of downstream providers, to be answered within 14 days."""


@request.command("receive")
@click.argument("ident", metavar="ID")
@click.option("--from", "who", required=True, help="Who asks.")
@click.option("--asks", required=True, help="What is asked for.")
@AT
@MODEL
def request_received(ident: str, who: str, asks: str, when: str, model: str) -> None:
    """Record a request."""
    from glasshouse.duties.registers import RequestReceived

    _keep(RequestReceived(ident, who, asks, instant(when), model))


@request.command("answer")
@click.argument("ident", metavar="ID")
@click.option("--sent", required=True, type=FILE, help="What was sent; its digest is recorded.")
@AT
@NAME
@ROLE
def request_answered(ident: str, sent: Path, when: str, name: str, role: str) -> None:
    """Record the answer."""
    from glasshouse.duties.registers import RequestAnswered

    _keep(RequestAnswered(ident, instant(when), sha256_of(read_file(sent)), name, role), sent)


@click.group("complaint")
def complaint() -> None:
    """Complaints, with their decision; one about screening that is upheld counts as a false alarm."""


@complaint.command("receive")
@click.argument("ident", metavar="ID")
@click.option("--from", "who", required=True, help="Who complains.")
@click.option(
    "--about", required=True, type=click.Choice(["copyright", "screening", "admission", "other"]), help="What about."
)
@click.option("--text", required=True, help="The complaint.")
@click.option(
    "--entry", "entries", multiple=True, type=click.IntRange(min=0), help="A log entry it is about; repeat it."
)
@AT
@MODEL
def complaint_received(
    ident: str, who: str, about: str, text: str, entries: tuple[int, ...], when: str, model: str
) -> None:
    """Record a complaint."""
    from glasshouse.duties.registers import ComplaintReceived

    _, basis = gathered()
    if entries and max(entries) >= basis.size:
        raise click.UsageError(f"there is no entry {max(entries)}: the log has {basis.size:,}")
    record = ComplaintReceived(ident, who, about, text, instant(when), model, entries)  # type: ignore[arg-type]
    _keep(record, text=text)


@complaint.command("decide")
@click.argument("ident", metavar="ID")
@click.option("--upheld/--rejected", required=True, help="Whether the complaint is right.")
@click.option("--reason", required=True, help="The reason that is given.")
@AT
@NAME
@ROLE
def complaint_decided(ident: str, upheld: bool, reason: str, when: str, name: str, role: str) -> None:
    """Record the decision."""
    from glasshouse.duties.registers import ComplaintDecided

    _keep(ComplaintDecided(ident, instant(when), upheld, reason, name, role), text=reason)


@click.group("grant")
def grant() -> None:
    """Access of independent evaluators: term, no training, embargo on findings."""


@grant.command("give")
@click.argument("ident", metavar="ID")
@click.option("--evaluator", required=True, help="Who evaluates.")
@click.option("--model", required=True, help="The model they may use.")
@click.option("--since", required=True, type=DAY, help="First day.")
@click.option("--until", required=True, type=DAY, help="Last day.")
@click.option("--engagement", default="", help="The engagement at the door that carries the access.")
@click.option("--may-train", is_flag=True, help="What they ask may be trained on.  [default: no]")
def granted(
    ident: str,
    evaluator: str,
    model: str,
    since: dt.datetime,
    until: dt.datetime,
    engagement: str,
    may_train: bool,
) -> None:
    """Record an access."""
    from glasshouse.duties.registers import AccessGranted

    if until < since:
        raise click.UsageError(f"--until {until.date()} lies before --since {since.date()}")
    _keep(AccessGranted(ident, evaluator, model, since.date(), until.date(), engagement, may_train))


@grant.command("findings")
@click.argument("ident", metavar="ID")
@click.option("--report", required=True, type=FILE, help="The findings; their digest is recorded.")
@AT
def findings(ident: str, report: Path, when: str) -> None:
    """Record that findings came in; the longest embargo counts from here."""
    from glasshouse.duties.registers import FindingsReceived

    _keep(FindingsReceived(ident, instant(when), sha256_of(read_file(report))), report)


@grant.command("end")
@click.argument("ident", metavar="ID")
@AT
@click.option("--reason", required=True, help="Why it ended.")
def access_ended(ident: str, when: str, reason: str) -> None:
    """Record that the access was withdrawn at the door."""
    from glasshouse.duties.registers import AccessEnded

    _keep(AccessEnded(ident, instant(when), reason))


COMMANDS = (representative, request, complaint, grant)


def _keep(record: RegisterRecord, file: Path | None = None, text: str = "") -> None:
    """Keeps a record that the registers as they stand take; otherwise nothing is recorded."""
    from glasshouse.dossier import vocabulary
    from glasshouse.duties.records import fold
    from glasshouse.duties.registers import Opening, taken
    from glasshouse.words.errors import DutyError

    vocabulary.check(text, "the text")
    duties = fold(gathered()[0].duties)
    if isinstance(record, Opening) and record.id in duties.cases:
        raise DutyError(f"`{record.id}` is the name of a case")
    try:
        taken(dict(duties.rows), record, -1)
    except DutyError as error:
        raise DutyError(error.what.replace("entry -1", "this")) from error
    with recording(f"duty:{record.id}", f"record a duty of {record.id}", [file] if file else []) as passage:
        keep(passage, record)
    say_receipt(passage)
