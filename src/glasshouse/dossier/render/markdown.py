"""Markdown, with front matter where the document has some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.dossier.document import Document, Section, Table
from glasshouse.dossier.render.basis import basis_text, headline, provenance
from glasshouse.words.display import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(document: Document) -> str:
    """The document as CommonMark with tables; what it quotes cannot become mark-up."""
    lines = ["---", *document.front_matter.strip().splitlines(), "---", ""] if document.front_matter else []
    lines += [
        f"# {escape(document.title)}",
        "",
        escape(provenance(document)),
        "",
        f"**{escape(headline(document))}**",
        "",
    ]
    for section in document.sections:
        lines += _section(section)
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", visible(" ".join(text.split())))


def _section(section: Section) -> Iterator[str]:
    yield f"## {escape(section.title)}" + (f" ({escape(section.citation)})" if section.citation else "")
    yield ""
    if section.text:
        yield from (section.text, "")
    for field in section.fields:
        cited = f" ({escape(field.citation)})" if field.citation else ""
        yield f"- **{escape(field.asks)}**{cited}: {escape(field.value.text) or '-'}  "
        yield f"  _{escape(basis_text(field.value))}_"
    if section.fields:
        yield ""
    for table in section.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from (f"### {escape(table.title)}", "")
    if not table.rows:
        yield from (table.empty, "")
        return
    yield "| " + " | ".join([*(escape(name) for name in table.columns), "basis"]) + " |"
    yield "|" + " --- |" * (len(table.columns) + 1)
    for row in table.rows:
        bases = "; ".join(dict.fromkeys(escape(basis_text(value)) for value in row))
        yield "| " + " | ".join([*(escape(value.text) or "-" for value in row), bases]) + " |"
    yield ""
