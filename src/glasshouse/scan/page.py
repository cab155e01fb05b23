"""Where in a page a piece of output lands: text, a quoted attribute, a script, ...

PHP prints a page in pieces.  Literal pieces, in the order of the source, tell what the next piece of data is: between
quotes, escaped text is harmless; in a script, a style or without quotes it is not.
"""

from __future__ import annotations

import re

TEXT = "text"
QUOTED = "quoted"  # an attribute's value between quotes, or text: escaping is enough
UNQUOTED = "unquoted"  # a value without quotes, the name of a tag or attribute, a style
SCRIPT = "script"  # code
URL = "url"  # the beginning of an address: its scheme is not decided yet

_TAG = re.compile(r"</?([a-zA-Z][\w:-]*)?")
_NAME = re.compile(r"[^\s=<>\"'/]+")
_SPACE = re.compile(r"[\s/]+")
_UNQUOTED_VALUE = re.compile(r"[^\s>]+")
_ADDRESSES = frozenset("href src action formaction data poster background manifest cite".split())
_CODE = frozenset(["script", "style"])
_CLOSING = {name: re.compile(f"</{name}", re.IGNORECASE) for name in _CODE}
MAX_FED = 1_000_000


class Page:
    """A page as far as it is written.  ``place`` says what data printed now would be."""

    __slots__ = ("_attribute", "_quote", "_state", "_string", "_tag", "_value")

    def __init__(self) -> None:
        self._state = TEXT  # text, tag, attribute, value, quoted, comment, script, style
        self._tag = ""
        self._attribute = ""
        self._quote = ""
        self._string = ""  # the quote of the text literal we are in, inside a script
        self._value = ""  # beginning of the attribute's value

    def place(self) -> str:
        """What data printed here is."""
        if self._state == "script":
            return QUOTED if self._string else SCRIPT
        if self._state in ("style", "tag", "attribute", "unquoted"):
            return UNQUOTED
        if self._state == "value":
            return UNQUOTED
        if self._state == "quoted":
            if self._attribute.startswith("on"):
                return SCRIPT
            if self._attribute == "style":
                return UNQUOTED
            if self._attribute in _ADDRESSES:
                return URL if not self._value.strip() else SCRIPT if script_link(self._value) else QUOTED
            return QUOTED
        return TEXT

    def data(self) -> None:
        """Data of unknown content has been printed."""
        if self._state == "value":
            self._state = "unquoted"
        elif self._state == "quoted":
            self._value += "?"

    def feed(self, text: str) -> None:
        """Literal text has been printed."""
        position, text = 0, text[:MAX_FED]
        while position < len(text):
            position = getattr(self, _STEPS[self._state])(text, position)

    # --- one step of each state: the position after it --------------------------------------------------------------

    def _text(self, text: str, position: int) -> int:
        start = text.find("<", position)
        if start < 0:
            return len(text)
        if text.startswith("<!--", start):
            self._state = "comment"
            return start + 4
        found = _TAG.match(text, start)
        name = found[1] if found is not None else None
        if name is None and start + 1 < len(text) and text[start + 1] not in "/":
            return start + 1
        closing = text.startswith("</", start)
        self._tag, self._state = "" if closing else (name or "").lower(), "tag"
        return found.end() if found is not None else start + 1

    def _in_tag(self, text: str, position: int) -> int:
        char = text[position]
        if char == ">":
            self._state = self._tag if self._tag in _CODE else TEXT
            self._string = ""
            return position + 1
        if char.isspace() or char == "/":
            self._state = "attribute"
            found = _SPACE.match(text, position)
            return found.end() if found is not None else position + 1
        found = _NAME.match(text, position)
        if found is None:
            return position + 1
        if self._state == "attribute":
            self._attribute = found[0].lower()
        return found.end()

    def _in_attribute(self, text: str, position: int) -> int:
        if text[position] == "=":
            self._state, self._value = "value", ""
            return position + 1
        return self._in_tag(text, position)

    def _in_value(self, text: str, position: int) -> int:
        char = text[position]
        if char.isspace():
            return position + 1
        if char in "\"'":
            self._state, self._quote = "quoted", char
            return position + 1
        if char == ">":
            self._state = "attribute"
            return position
        self._state = "unquoted"
        return position

    def _in_unquoted(self, text: str, position: int) -> int:
        found = _UNQUOTED_VALUE.match(text, position)
        if found is not None:
            return found.end()
        self._state = "attribute"
        return position

    def _in_quoted(self, text: str, position: int) -> int:
        end = text.find(self._quote, position)
        self._value = (self._value + text[position : end if end >= 0 else None])[:200]
        if end < 0:
            return len(text)
        self._state = "attribute"
        return end + 1

    def _in_comment(self, text: str, position: int) -> int:
        end = text.find("-->", position)
        if end < 0:
            return len(text)
        self._state = TEXT
        return end + 3

    def _in_code(self, text: str, position: int) -> int:
        """Scripts and styles, up to their closing tag; quotes open and close text."""
        found = _CLOSING[self._state].search(text, position)
        self._scan_strings(text[position : found.start() if found is not None else None])
        if found is None:
            return len(text)
        self._tag, self._state = "", "tag"
        return found.end()

    def _scan_strings(self, code: str) -> None:
        skip = False
        for char in code:
            if skip:
                skip = False
            elif char == "\\":
                skip = True
            elif self._string:
                if char == self._string or (char == "\n" and self._string != "`"):
                    self._string = ""
            elif char in "\"'`":
                self._string = char


def script_link(value: str) -> bool:
    return value.strip().lower().startswith(("javascript:", "vbscript:", "data:"))


_STEPS = {
    TEXT: "_text",
    "tag": "_in_tag",
    "attribute": "_in_attribute",
    "value": "_in_value",
    "unquoted": "_in_unquoted",
    "quoted": "_in_quoted",
    "comment": "_in_comment",
    "script": "_in_code",
    "style": "_in_code",
}
