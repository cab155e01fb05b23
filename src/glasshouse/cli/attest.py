"""``glasshouse attest``: a signed statement by a named person, kept in the log and shown as a statement."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from glasshouse.cli.evidence import gathered, keep, read_file, recording, signed
from glasshouse.cli.passing import say_receipt
from glasshouse.words.digests import sha256_of

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("attest", context_settings={"max_content_width": 110})
@click.argument("field")
@click.option("--value", help="The statement.")
@click.option(
    "--file", "file", type=FILE, help="Instead of a value: this file, by its digest (`model-file`), or as it is."
)
@click.option(
    "--external", "title", help="Keep --file as an outside document with this title, unaltered, by its digest."
)
@click.option("--model", default="", help="The model it is about.  [default: the organisation]")
@click.option("--name", help="Who states it.")
@click.option("--role", help="In which role.")
@click.option("--key", "key_file", type=FILE, help="Your Ed25519 key file; `glasshouse access person key` makes one.")
def command(
    field: str,
    value: str | None,
    file: Path | None,
    title: str | None,
    model: str,
    name: str | None,
    role: str | None,
    key_file: Path | None,
) -> None:
    """Record a statement on FIELD, signed with your key.

    \b
    Examples:
      glasshouse attest limitations --model screen --value "English only" --name "O. Owner" --role owner --key me.key
      glasshouse attest model-file --file model.yaml --model screen --name "O. Owner" --role owner --key me.key
      glasshouse attest lab-report --file report.pdf --external "Evaluation by Lab" --model screen
    """
    _check_model(model)
    if title is not None:
        _external(field, title, file, model)
        return
    if name is None or role is None or key_file is None:
        raise click.UsageError("a statement needs --name, --role and --key")
    text = _statement(field, value, file)
    _signed(field, text, model, name, role, key_file, [file] if file else [])


def _check_model(name: str) -> None:
    """A statement on a model that the log does not know would stand in no document."""
    from glasshouse.dossier.collect import named

    if name:
        named(gathered()[0], name)


def _statement(field: str, value: str | None, file: Path | None) -> str:
    from glasshouse.dossier import vocabulary

    if (value is None) == (file is None):
        raise click.UsageError("give either --value or --file")
    if file is not None and field == "model-file":
        return sha256_of(read_file(file))
    text = value if value is not None else read_file(file).decode("utf-8", "replace") if file is not None else ""
    if not text.strip():
        raise click.UsageError("the statement is empty")
    vocabulary.check(text, f"the statement on {field}")
    return text


def _signed(field: str, text: str, model: str, name: str, role: str, key_file: Path, files: list[Path]) -> None:
    from glasshouse.dossier.evidence import Attestation
    from glasshouse.dossier.records import Attested, statement_bytes

    said = Attestation(field, text, name, role, dt.datetime.now(dt.UTC).replace(microsecond=0), model)
    record = Attested(said, *signed(statement_bytes(said), key_file))
    with recording(f"attest:{model or 'organisation'}:{field}", f"attest {field}", files) as passage:
        entry = keep(passage, record)
    click.echo(f"{field}: stated by {name} ({role}), entry {entry}")
    say_receipt(passage)


def _external(field: str, title: str, file: Path | None, model: str) -> None:
    from glasshouse.dossier import vocabulary
    from glasshouse.dossier.evidence import External
    from glasshouse.dossier.records import ExternalKept

    if file is None:
        raise click.UsageError("an outside document needs --file")
    vocabulary.check(title, "--external")
    digest = sha256_of(read_file(file))
    record = ExternalKept(External(field, title, digest, dt.datetime.now(dt.UTC), model))
    with recording(f"external:{field}", f"keep an outside document: {title}", [file]) as passage:
        entry = keep(passage, record)
    click.echo(f"{field}: {digest}, entry {entry}; keep the file itself")
    say_receipt(passage)
