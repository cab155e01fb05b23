"""The frame of an HTML report: self-contained, no script, everything escaped.

A content security policy that allows nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from glasshouse.words.display import visible

STYLE = Path(__file__).parent / "assets" / "report.css"


def frame(title: str, subtitle: str, body: Iterator[str]) -> Iterator[str]:
    """A whole page around a body."""
    style = STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:,">\n<title>{safe(title)} - Glasshouse</title>\n<style>{style}</style>\n</head>\n'
        f'<body>\n<header><p class="brand">Glasshouse</p><h1>{safe(title)}</h1>'
        f'<p class="quiet">{safe(subtitle)}</p></header>\n<main>\n'
    )
    yield from body
    yield "</main>\n</body>\n</html>\n"


def safe(text: object, limit: int = 400) -> str:
    """Untrusted text, bounded and escaped."""
    raw = str(text)
    return escape(visible(raw if len(raw) <= limit else raw[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"), quote=True)


def tiles(facts: Sequence[tuple[str, str]]) -> str:
    """Large numbers with their names."""
    items = "".join(f'<li><span class="count">{safe(value)}</span>{safe(name)}</li>' for name, value in facts)
    return f'<ul class="tiles">{items}</ul>\n'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int] = frozenset()) -> str:
    """A table of cells that are HTML already; ``numeric`` columns stand right."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if column in numeric else f"<{tag}>{cell}</{tag}>"
            for column, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{cells(head, "th")}</tr></thead><tbody>\n{body}</tbody></table></div>\n'
    )
