"""PDF through typst: the template reads the document's JSON, and the date is that of the evidence, so bytes repeat."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path

import msgspec

from glasshouse.dossier.document import Document, Section
from glasshouse.dossier.render.basis import basis_text, headline, provenance
from glasshouse.dossier.values import Value
from glasshouse.words.display import visible_lines
from glasshouse.words.errors import MissingExtraError


def pdf(document: Document) -> bytes:
    """The document as PDF/A-2b.  Raises `MissingExtraError` where typst is not installed."""
    try:
        import typst
    except ImportError as error:
        raise MissingExtraError("PDF needs the extra `reports`", hint="pip install 'glasshouse[reports]'") from error
    template = (files("glasshouse.dossier") / "data" / "document.typ").read_bytes()
    with tempfile.TemporaryDirectory(prefix="glasshouse-pdf-") as folder:
        Path(folder, "document.typ").write_bytes(template)
        Path(folder, "document.json").write_bytes(msgspec.json.encode(_plain(document)))
        made = typst.compile(str(Path(folder, "document.typ")), root=folder, pdf_standards="a-2b")
    assert isinstance(made, bytes)
    return made


def _plain(document: Document) -> dict[str, object]:
    """What the template shows: texts only, so that nothing in a value is markup."""
    at = document.basis.as_of
    return {
        "title": visible_lines(document.title),
        "provenance": provenance(document),
        "headline": headline(document),
        "shares": msgspec.to_builtins(document.shares()),
        "date": [at.year, at.month, at.day],
        "sections": [_section(section) for section in document.sections],
    }


def _section(section: Section) -> dict[str, object]:
    return {
        "title": section.title,
        "citation": section.citation,
        "text": section.text,
        "fields": [
            [each.asks, each.citation, visible_lines(each.value.text), each.value.basis, basis_text(each.value)]
            for each in section.fields
        ],
        "tables": [
            {
                "title": table.title,
                "empty": table.empty,
                "columns": [*table.columns, "basis"],
                "rows": [[*(visible_lines(value.text) for value in row), _bases(row)] for row in table.rows],
            }
            for table in section.tables
        ],
    }


def _bases(row: tuple[Value, ...]) -> str:
    return "; ".join(dict.fromkeys(basis_text(value) for value in row))
