"""One self-contained page: no script, no request, readable in dark and light, fit to print."""

from __future__ import annotations

import html as markup
from functools import cache
from importlib.resources import files

from glasshouse.dossier.document import Document, Field, Section, Table
from glasshouse.dossier.render.basis import basis_text, headline, provenance
from glasshouse.dossier.render.chart import svg
from glasshouse.dossier.values import BASES, Value
from glasshouse.words.display import visible_lines

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(document: Document) -> str:
    """The document as a page."""
    body = "".join(_section(section) for section in document.sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{_style()}</style></head><body><main>"
        f'<h1>{escape(document.title)}</h1><p class="soft">{escape(provenance(document))}</p>{_shares(document)}'
        f"{body}</main></body></html>\n"
    )


def escape(text: str) -> str:
    """Text that a page shows as it is, without characters that reorder or hide others."""
    return markup.escape(visible_lines(text))


@cache
def _style() -> str:
    return (files("glasshouse.dossier") / "data" / "document.css").read_text()


def _shares(document: Document) -> str:
    counts = document.shares()
    bar = "".join(
        f'<span style="width:{counts.percent(basis):.2f}%;background:var(--{basis})"></span>'
        for basis in BASES
        if getattr(counts, basis)
    )
    legend = "".join(
        f'<span><i class="mark" style="background:var(--{basis})"></i>{getattr(counts, basis)} {basis}</span>'
        for basis in BASES
    )
    label = escape(headline(document))
    drawn = f'<div class="bar" role="img" aria-label="{label}">{bar}</div><p class="legend">{legend}</p>'
    return f'{drawn}<p class="soft">{label}</p>'


def _section(section: Section) -> str:
    cited = f' <span class="soft">{escape(section.citation)}</span>' if section.citation else ""
    text = f"<p>{escape(section.text)}</p>" if section.text else ""
    fields = f"<dl>{''.join(_field(field) for field in section.fields)}</dl>" if section.fields else ""
    charts = "".join(svg(chart) for chart in section.charts)
    tables = "".join(_table(table) for table in section.tables)
    head = f"<h2>{escape(section.title)}{cited}</h2>"
    return f'<section id="{escape(section.id)}">{head}{text}{fields}{charts}{tables}</section>'


def _field(field: Field) -> str:
    cited = f' <span class="soft">{escape(field.citation)}</span>' if field.citation else ""
    value = field.value
    text = f'<span class="text">{escape(value.text) or "not given"}</span>'
    return f'<dt>{escape(field.asks)}{cited}</dt><dd class="{value.basis}">{text}<br>{_basis(value)}</dd>'


def _basis(value: Value) -> str:
    return f'<span class="basis {value.basis}">{escape(basis_text(value))}</span>'


def _table(table: Table) -> str:
    if not table.rows:
        return f'<h3>{escape(table.title)}</h3><p class="soft">{escape(table.empty)}</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (*table.columns, "basis"))
    rows = "".join(_row(row) for row in table.rows)
    caption = f"<caption>{escape(table.title)}</caption>"
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(row: tuple[Value, ...]) -> str:
    bases = {(value.basis, basis_text(value)): _basis(value) for value in row}
    cells = "".join(f"<td>{escape(value.text) or '-'}</td>" for value in row)
    return f"<tr>{cells}<td>{'<br>'.join(bases.values())}</td></tr>"
