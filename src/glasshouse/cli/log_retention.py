"""``glasshouse log hold``, ``release``, ``approver``, ``approve``, ``erase``, ``scrub``: what becomes of payloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.log_place import appending, log_directory, reading, with_log
from glasshouse.cli.terminal import write_file

if TYPE_CHECKING:
    from glasshouse.ledger import Ledger

_INDEX = click.argument("index", type=click.IntRange(min=0))
_BASIS = click.option(
    "--basis", required=True, metavar="TEXT", help="The legal basis, one line; kept sealed in the log."
)


@click.command("hold", short_help="Put payloads under a legal hold.")
@_INDEX
@with_log
@_BASIS
def hold(index: int, place: Path | None, basis: str) -> None:
    """Put the payloads of an entry under a legal hold: erasing them is refused."""
    with appending(place) as ledger:
        click.echo(f"legal hold on entry {index}: entry {ledger.hold(index, basis).index}")


@click.command("release", short_help="Release payloads from a legal hold.")
@_INDEX
@with_log
@_BASIS
def release(index: int, place: Path | None, basis: str) -> None:
    """Release the payloads of an entry from a legal hold."""
    with appending(place) as ledger:
        click.echo(f"hold on entry {index} released: entry {ledger.hold(index, basis, release=True).index}")


@click.command("approver", short_help="Name an approver of erasures, with a new key.")
@click.argument("name")
@with_log
@click.option(
    "--key", "file", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Write the key here."
)
def approver(name: str, place: Path | None, file: Path) -> None:
    """Name an approver of erasures: make a key for NAME, and note its public side in the log's directory."""
    from glasshouse.ledger.audit.notes import is_key_name
    from glasshouse.ledger.keys import APPROVER_KINDS, new_signers, write_signers
    from glasshouse.ledger.opening import Places
    from glasshouse.ledger.retention import Approvers

    if not is_key_name(name):
        raise click.UsageError("an approver's name has no space and no `+`")
    keys = new_signers(name, APPROVER_KINDS)
    write_signers(file, keys)
    Approvers(Places(log_directory(place)).approvers).add(keys[0].key)
    click.echo(f"approver {name}: hand {file} to that person alone")


@click.command("approve", short_help="Sign an approval to erase payloads.")
@_INDEX
@with_log
@_BASIS
@click.option(
    "--key", "file", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The approver's key."
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the approval to FILE.")
def approve(index: int, place: Path | None, basis: str, file: Path, output: Path | None) -> None:
    """Sign an approval to erase the payloads of an entry on this basis."""
    from glasshouse.ledger.keys import read_signers
    from glasshouse.ledger.retention import erasure_text

    with reading(place) as reader:
        text = erasure_text(reader.origin, index, reader.body(index), basis)
    note = text.decode() + "\n" + "".join(signer.line(text, 0) for signer in read_signers(file))
    if output is None:
        click.echo(note, nl=False)
    else:
        write_file(output, [note])


@click.command("erase", short_help="Destroy payloads for good; every proof stays.")
@_INDEX
@with_log
@_BASIS
@click.option(
    "--approval",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A signed approval; two.",
)
def erase(index: int, place: Path | None, basis: str, files: tuple[Path, ...]) -> None:
    """Destroy the payloads of an entry for good; the entry and every proof stay.

    Two approvers must have signed: see `glasshouse log approve`.  Records that a rule keeps for years (incidents,
    assessments, statements, documents) are put under a hold instead, and the refusal is logged.
    """
    from glasshouse.ledger.audit.notes import MAX_NOTE_BYTES
    from glasshouse.ledger.audit.proofs import Fault
    from glasshouse.ledger.audit.sources import read_bounded
    from glasshouse.words.errors import PathError

    try:
        approvals = [read_bounded(file, MAX_NOTE_BYTES).decode("utf-8", "replace") for file in files]
    except Fault as fault:
        raise PathError(fault.what, where=fault.where) from None
    with appending(place) as ledger:
        _hold_what_must_be_kept(ledger, index)
        click.echo(f"payloads of entry {index} erased under entry {ledger.erase(index, basis, approvals).index}")


def _hold_what_must_be_kept(ledger: Ledger, index: int) -> None:
    """A hold on a record whose retention period runs; the erasure is then refused and the refusal logged."""
    import datetime as dt

    from glasshouse.duties.law import shipped_law
    from glasshouse.duties.retention import kept

    entry = ledger.reader.entry(index)
    written = dt.datetime.fromtimestamp(entry.time / 1000, dt.UTC).date()
    found = kept(entry.kind, written, shipped_law())
    today = dt.datetime.now(dt.UTC).date()
    if found is not None and today <= found.until and ledger.reader.held_by(index) is None:
        ledger.hold(index, found.basis())


@click.command("scrub", short_help="Empty the write-ahead log after an erasure.")
@with_log
def scrub(place: Path | None) -> None:
    """Empty the write-ahead log again, in case a reader prevented that after an erasure."""
    with appending(place) as ledger:
        ledger.scrub()
    click.echo("the write-ahead log holds nothing that was erased")


RETENTION_COMMANDS = (hold, release, approver, approve, erase, scrub)
