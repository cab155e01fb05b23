"""``glasshouse log``: look into a log, prove, publish, and keep or erase payloads."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glasshouse.cli.log_place import appending, log_directory, reading, take_up_policy, with_log
from glasshouse.cli.log_retention import RETENTION_COMMANDS
from glasshouse.cli.progress import progress_bar
from glasshouse.cli.terminal import write_file
from glasshouse.words.display import counted

if TYPE_CHECKING:
    from glasshouse.ledger import Entry

FOLLOW_PAUSE_S = 0.2
AS_JSON = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)


@click.group("log", context_settings={"max_content_width": 110})
def command() -> None:
    """Look into the log, prove what it holds, publish it, keep or erase payloads.

    Example: glasshouse log prove 17 -o 17.tlog-proof
    """


@command.command("init", short_help="Begin a log.")
@with_log
@click.option("--origin", metavar="NAME", help="The log's name, such as log.example.com/2026.  [default: a random one]")
@click.option("--server", metavar="URL", help="Keep the entries in this PostgreSQL database instead of an SQLite file.")
def init(place: Path | None, origin: str | None, server: str | None) -> None:
    """Begin a log: its keys, its database, and log.policy, the public keys that others verify with."""
    from glasshouse.ledger import Ledger

    directory = log_directory(place)
    with Ledger.open(directory, origin=origin, server=server) as ledger:
        click.echo(f"log {ledger.reader.origin} in {directory}; give {directory / 'log.policy'} to those who verify")


@command.command("witnesses", short_help="Name the witnesses that must cosign.")
@click.argument("lines", metavar="LINE...", nargs=-1, required=True)
@with_log
@click.option("--need", type=click.IntRange(min=1), required=True, help="How many of them make the quorum.")
def witnesses(lines: tuple[str, ...], place: Path | None, need: int) -> None:
    """Name the witnesses that must cosign, by the lines that `glasshouse witness serve` prints.

    Takes effect when the log is opened the next time, which this does unless another process holds the log. Give the
    new log.policy to those who verify.
    """
    from glasshouse.ledger.witness_policy import set_witnesses

    directory = log_directory(place)
    reading(place).close()
    set_witnesses(directory, lines, need)
    take_up_policy(directory)
    click.echo(
        f"{need} of {counted(len(lines), 'witness', 'witnesses')} must cosign; "
        f"give {directory / 'log.policy'} to those who verify"
    )


@command.command("checkpoint", short_help="Print what the log has signed last.")
@with_log
@AS_JSON
def checkpoint(place: Path | None, form: str) -> None:
    """Print what the log has signed last."""
    with reading(place) as reader:
        found = reader.checkpoint()
    if form == "json":
        _echo_json({"size": found.size, "root": found.root.hex(), "note": found.note})
    else:
        click.echo(found.note, nl=False)


@command.command("show", short_help="Show one entry, or its payload.")
@click.argument("index", type=click.IntRange(min=0))
@with_log
@click.option("--payload", "name", metavar="NAME", help="Write the content of this payload instead.")
@AS_JSON
def show(index: int, place: Path | None, name: str | None, form: str) -> None:
    """Show one entry."""
    with reading(place) as reader:
        if name is not None:
            sys.stdout.buffer.write(reader.payload(index, name))
            return
        entry = reader.entry(index)
        if form == "json":
            _echo_json(_as_object(index, entry))
            return
        click.echo(_line(index, entry))
        for payload in entry.payloads:
            click.echo(f"  payload {payload.name}: sealed SHA-256 {payload.ciphertext}")
        for text, by in (("payloads erased", reader.erased_by(index)), ("legal hold", reader.held_by(index))):
            if by is not None:
                click.echo(f"  {text} under entry {by}")


@command.command("tail", short_help="Print the newest entries.")
@with_log
@click.option("-n", "--lines", type=click.IntRange(min=0), default=20, show_default=True, help="How many entries.")
@click.option("--follow", "-f", is_flag=True, help="Go on with new entries until interrupted.")
@AS_JSON
def tail(place: Path | None, lines: int, follow: bool, form: str) -> None:
    """Print the newest entries."""
    with reading(place) as reader:
        first = max(0, reader.checkpoint().size - lines)
        while True:
            for index, entry in reader.entries(first):
                click.echo(json.dumps(_as_object(index, entry)) if form == "json" else _line(index, entry))
                first = index + 1
            if not follow:
                return
            sys.stdout.flush()
            time.sleep(FOLLOW_PAUSE_S)


@command.command("prove", short_help="Print the receipt of an entry.")
@click.argument("index", type=click.IntRange(min=0))
@with_log
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the receipt to FILE.")
def prove(index: int, place: Path | None, output: Path | None) -> None:
    """Print the receipt of an entry, a .tlog-proof that `glasshouse verify` checks offline."""
    with reading(place) as reader:
        text = reader.proof(index)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_file(output, [text])


@command.command("consistency", short_help="Print the proof that the first OLD entries are unchanged.")
@click.argument("old", type=click.IntRange(min=1))
@with_log
def consistency(old: int, place: Path | None) -> None:
    """Print the hashes that prove that the log contains its first OLD entries unchanged."""
    import base64

    with reading(place) as reader:
        size = reader.checkpoint().size
        if old > size:
            raise click.UsageError(f"the log has {size} entries, not {old}")
        for each in reader.consistency(old, size):
            click.echo(base64.b64encode(each).decode())


@command.command("export", short_help="Publish the log as static files.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@with_log
@click.option("--progress/--no-progress", "shown", default=None, help="Show a progress bar.  [default: on a terminal]")
def export_log(directory: Path, place: Path | None, shown: bool | None) -> None:
    """Publish the log as static files in DIRECTORY: tiles, entry bundles, checkpoint; payloads never.

    Run it again to add what is new.
    """
    from glasshouse.ledger.export import export

    with appending(place) as ledger:
        newest = ledger.reader.cosigned_checkpoint() or ledger.dated_checkpoint()
        with progress_bar(shown=sys.stderr.isatty() if shown is None else shown) as bar:
            step = None if bar is None else lambda done, total: bar("publishing", done, total)
            added = export(ledger.reader, directory, newest, step)
    click.echo(f"published {counted(added, 'new entry', 'new entries')}, {newest.size:,} in all, in {directory}")


@command.command("index", short_help="Write the node files, for quick proofs.")
@with_log
def index_log(place: Path | None) -> None:
    """Write the node files, which make proofs in a log of millions of entries quicker."""
    with reading(place) as reader:
        click.echo(f"{counted(reader.index(), 'entry', 'entries')} indexed")


for _each in RETENTION_COMMANDS:
    command.add_command(_each)


def _echo_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))


def _as_object(index: int, entry: Entry) -> dict[str, Any]:
    import msgspec

    return {"index": index, **msgspec.to_builtins(entry)}


def _line(index: int, entry: Entry) -> str:
    from datetime import UTC, datetime

    when = datetime.fromtimestamp(entry.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    about = "" if entry.about is None else f" about {entry.about}"
    what = f"{entry.kind} {entry.decision}{about}"
    return f"{index:>8}  {when}  {what}  {entry.organisation}/{entry.key} #{entry.count}"
