"""JSP pages as Java text of the same length, so that every position stays right.

Scriptlets and declarations are copied, ``<%= e %>`` becomes ``$e( e );``, an expression-language hole ``${e}``
becomes the statement ``$l;`` (its text is looked up by position), other text becomes an empty statement.
"""

from __future__ import annotations

import re

import msgspec

_PIECE = re.compile(
    rb"<%--.*?(?:--%>|\Z)|<%(?P<kind>[!=@]?)(?P<code>.*?)(?:%>|\Z)|(?<!\\)[$#]\{(?P<el>[^{}]*)\}"
    rb"|<(?P<tag>/?[A-Za-z][\w-]*:[\w-]+)|<jsp:scriptlet>(?P<script>.*?)</jsp:scriptlet>",
    re.DOTALL,
)
_IMPORT = re.compile(rb"import\s*=\s*[\"']([^\"']*)[\"']")
_ESCAPE_OFF = re.compile(rb"escapeXml\s*=\s*[\"']false[\"']")

IMPLICIT = (
    ("request", "javax.servlet.http.HttpServletRequest"),
    ("response", "javax.servlet.http.HttpServletResponse"),
    ("session", "javax.servlet.http.HttpSession"),
    ("application", "javax.servlet.ServletContext"),
    ("out", "javax.servlet.jsp.JspWriter"),
    ("pageContext", "javax.servlet.jsp.PageContext"),
    ("config", "javax.servlet.ServletConfig"),
)


class Page(msgspec.Struct, frozen=True):
    """``java``: the page as Java.  ``holes``: expression-language text by byte offset.  ``imports``: (path, offset)."""

    java: bytes
    holes: dict[int, str]
    imports: tuple[tuple[str, int], ...]


def is_page(path: str) -> bool:
    """Whether a path names a JSP page, fragment or tag file."""
    return path.lower().endswith((".jsp", ".jspf", ".jspx", ".tag", ".tagx"))


def read_page(source: bytes) -> Page:
    """Extract the Java of a page."""
    java = bytearray(_blank(source))
    holes: dict[int, str] = {}
    imports: list[tuple[str, int]] = []
    at = quiet_until = 0
    for match in _PIECE.finditer(source):
        start, end = match.span()
        if start < at:
            continue
        _separator(source, java, at, start)
        at = end
        if match["tag"] is not None:
            quiet_until = max(quiet_until, _tag_end(source, end, match["tag"]))
        elif match["el"] is not None:
            if start >= quiet_until and match["el"].strip():
                java[start : start + 3] = b"$l;"
                holes[start] = match["el"].decode("utf-8", "replace").strip()[:1000]
        elif match["kind"] == b"@":
            for found in _IMPORT.finditer(match["code"]):
                imports.extend((name.strip().decode("utf-8", "replace"), start) for name in found[1].split(b","))
        else:
            _code(java, match)
    _separator(source, java, at, len(source))
    return Page(bytes(java), holes, tuple(imports))


def _blank(source: bytes) -> bytes:
    return re.sub(rb"[^\n]", b" ", source)


def _code(java: bytearray, match: re.Match[bytes]) -> None:
    group = "script" if match["script"] is not None else "code"
    code = match[group]
    if code is None:
        return
    start, end = match.span(group)
    java[start:end] = code
    if match["kind"] == b"=":
        java[start - 3 : start] = b"$e("
        if match.end() - end == 2:
            java[end : end + 2] = b");"


def _separator(source: bytes, java: bytearray, start: int, end: int) -> None:
    """Page text between two pieces is a statement (it writes itself)."""
    text = source[start:end]
    stripped = text.strip()
    if stripped:
        java[start + text.index(stripped[:1])] = 59  # ";"


def _tag_end(source: bytes, start: int, tag: bytes) -> int:
    """Up to where expression-language holes are arguments of a custom tag and not page output."""
    end = source.find(b">", start)
    end = len(source) if end < 0 else end
    if tag == b"c:out" and _ESCAPE_OFF.search(source, start, end):
        return start
    return end
