"""``glasshouse dossier``: documents computed from the log."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glasshouse.cli.evidence import gathered, keep, log_reader, read_file, recording
from glasshouse.cli.passing import say_receipt
from glasshouse.dossier.document import AUDIENCES
from glasshouse.dossier.kinds.registry import KINDS
from glasshouse.dossier.render.registry import FORMATS
from glasshouse.words.digests import sha256_of
from glasshouse.words.display import counted, visible

if TYPE_CHECKING:
    from glasshouse.dossier.document import Document
    from glasshouse.dossier.evidence import Evidence

EXPORTS = ("oscal", "cyclonedx")
PACK = "audit-pack"


class DossierCommand(click.Command):
    """A kind of document is an argument; ``diff`` and ``coverage`` in its place are commands of their own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in SUBCOMMANDS:
            return SUBCOMMANDS[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("dossier", cls=DossierCommand, context_settings={"max_content_width": 110})
@click.argument("kind", type=click.Choice([*KINDS, *EXPORTS, PACK]))
@click.option("--model", required=True, help="The registered model.")
@click.option("--audience", type=click.Choice(AUDIENCES), default="ai-office", show_default=True, help="For whom.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="Form of the document."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file.")
def command(kind: str, model: str, audience: str, form: str, output: Path | None) -> None:
    """Write a document computed from the log; every value says what it rests on.

    The same log gives the same bytes.  Each document made is recorded, and kept in $GLASSHOUSE_HOME/dossiers.

    \b
    Examples:
      glasshouse dossier model-card --model screen
      glasshouse dossier model-report --model screen --format pdf -o report.pdf
      glasshouse dossier audit-pack --model screen -o pack.zip
      glasshouse dossier diff old.json new.json
      glasshouse dossier coverage --model screen
    """
    found = _evidence(model)
    if kind in EXPORTS:
        body, digest = _export(kind, found), ""
    elif kind == PACK:
        if output is None:
            raise click.UsageError("an audit pack needs --output FILE")
        body, digest = _pack(found, audience), ""
    else:
        body, digest = _document(kind, found, audience, form)
    with recording(
        f"model:{model}", f"make the document {kind} for {audience}", capability="evidence.record"
    ) as passage:
        from glasshouse.dossier.records import DocumentMade

        keep(passage, DocumentMade(kind, model, audience, digest or sha256_of(body)))
    if output is None:
        sys.stdout.buffer.write(body)
    else:
        _write(output, body)
    say_receipt(passage)


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, dir_okay=False))
def diff_command(before: Path, after: Path) -> int:
    """Show what changed between two documents in JSON; exit 1 when something did."""
    from glasshouse.dossier.document import diff
    from glasshouse.dossier.render.basis import basis_text

    changes = diff(_read(before), _read(after))
    for change in changes:
        old = f"{change.before.text} ({basis_text(change.before)})" if change.before is not None else "not there"
        new = f"{change.after.text} ({basis_text(change.after)})" if change.after is not None else "gone"
        click.echo(f"{visible(change.place)}\n  - {visible(old)}\n  + {visible(new)}")
    click.echo(counted(len(changes), "change"), err=True)
    return 1 if changes else 0


@click.command("coverage")
@click.option("--model", required=True, help="The registered model.")
def coverage_command(model: str) -> None:
    """Show how much of the Form's 47 fields and the Code's 40 measures rests on what."""
    from glasshouse.dossier.kinds.registry import make
    from glasshouse.dossier.measures import measures
    from glasshouse.dossier.values import BASES, shares

    found = _evidence(model)
    form = make("documentation-form", found, "ai-office").shares()
    code = shares([each.value for each in measures(found)])
    for title, counts in (("Model Documentation Form", form), ("Code of Practice, measures", code)):
        parts = ", ".join(f"{getattr(counts, basis)} {basis}" for basis in BASES)
        click.echo(f"{title}: {counts.total}: {parts}")


SUBCOMMANDS: dict[str, click.Command] = {"diff": diff_command, "coverage": coverage_command}


# --- inside


def _evidence(model: str) -> Evidence:
    from glasshouse.dossier.collect import evidence
    from glasshouse.duties.law import shipped_law

    log, basis = gathered()
    return evidence(log, model, basis, shipped_law())


def _document(kind: str, found: Evidence, audience: str, form: str) -> tuple[bytes, str]:
    from glasshouse.dossier.kinds.registry import make
    from glasshouse.dossier.render.registry import render

    document = make(kind, found, audience)  # type: ignore[arg-type]
    _keep_version(document)
    return render(document, form), document.digest()


def _keep_version(document: Document) -> None:
    """Every version stays, under its own digest."""
    from glasshouse.door.home import home_folder
    from glasshouse.dossier.document import encode

    folder = home_folder(os.environ) / "dossiers" / document.kind
    _write(folder / f"{document.digest().removeprefix('sha256:')[:24]}.json", encode(document))


def _export(kind: str, found: Evidence) -> bytes:
    from glasshouse.dossier import vocabulary
    from glasshouse.dossier.exports.cyclonedx import cyclonedx
    from glasshouse.dossier.exports.oscal import oscal

    body = oscal(found) if kind == "oscal" else cyclonedx(found)
    vocabulary.check(body.decode(), f"{kind} of {found.model.identity.name}")
    return body


def _pack(found: Evidence, audience: str) -> bytes:
    from glasshouse.dossier.pack import audit_pack
    from glasshouse.ledger.audit.single_file import single_file
    from glasshouse.ledger.export import export

    with tempfile.TemporaryDirectory(prefix="glasshouse-pack-") as folder:
        reader = log_reader()
        try:
            checkpoint = reader.checkpoint()
            export(reader, Path(folder), checkpoint)
            proof = partial(reader.proof, checkpoint=checkpoint)
            return audit_pack(found, audience, Path(folder), single_file(), proof)  # type: ignore[arg-type]
        finally:
            reader.close()


def _read(file: Path) -> Document:
    import msgspec

    from glasshouse.dossier.document import Document
    from glasshouse.words.errors import EvidenceError

    try:
        return msgspec.json.decode(read_file(file), type=Document)
    except (msgspec.MsgspecError, ValueError) as error:
        raise EvidenceError(f"not a document in JSON: {str(error)[:200]}", where=str(file)) from error


def _write(file: Path, body: bytes) -> None:
    from glasshouse.words.errors import PathError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    except OSError as error:
        raise PathError(f"cannot write: {error.strerror}", where=str(file)) from error
