"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable

from glasshouse.dossier import vocabulary
from glasshouse.dossier.document import Document, encode, for_audience

FORMATS = ("md", "html", "pdf", "json")


def render(document: Document, form: str) -> bytes:
    """What its audience may see of the document, in a format of `FORMATS`.

    Raises `VocabularyError` for words that no document uses."""
    shown = for_audience(document, document.audience)
    vocabulary.check(encode(shown).decode(), f"{document.kind} of {document.subject}")
    return _renderer(form)(shown)


def _renderer(form: str) -> Callable[[Document], bytes]:
    if form == "md":
        from glasshouse.dossier.render.markdown import markdown

        return lambda document: markdown(document).encode()
    if form == "html":
        from glasshouse.dossier.render.html import html

        return lambda document: html(document).encode()
    if form == "pdf":
        from glasshouse.dossier.render.pdf import pdf

        return pdf
    return lambda document: encode(document) + b"\n"
