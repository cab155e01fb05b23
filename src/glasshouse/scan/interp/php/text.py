"""Text that PHP puts together: what was escaped for one place is dangerous again in another.

Escaping works between quotes.  The class ``context`` stays with data that was escaped: where such data lands outside
quotes - a number in a statement, an attribute without quotes, a script - it is as dangerous as before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes, elements, texts
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import LITERAL, NOT_CONST, UNKNOWN, Taint, Value, join_taint, without
from glasshouse.scan.page import QUOTED, SCRIPT, TEXT, URL, Page

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

MAX_TEXT = 4096
OWN_PATH = "the path of this request"  # as the source describes it
SQL, HTML, LOCATION = "$sql", "$html", "$location"
HEADER = re.compile(r"(?i)^\s*(?:location|refresh)\s*:\s*(?:\d+\s*;\s*url=)?")
REASONS = {
    SQL: "put into the statement outside quotes, where escaping does not help",
    HTML: "put where escaping for text does not help",
    "script": "lands in a script, where escaping for text does not help",
    "unquoted": "lands outside quotes, where escaping does not help",
    "url": "decides what kind of address it is, which escaping does not change",
}
NAMED = re.compile(r"\w{3}$")
FOLDER = re.compile(r"[^:'\"<>?#/]*[\w.-][/?#=]")  # a path of the own site or machine
CONVERSION = re.compile(r"%(?:(\d++)\$)?(?:[-+ 0]|'.)*+\d*+(?:\.\d++)?([bcdeEfFgGhHosuxX%])")
TEXT_CONVERSIONS = frozenset("sS")


def shown(const: object) -> str:
    """A constant as text."""
    if const is None or const is False:
        return ""
    return "1" if const is True else str(const)


def concat(frame: Frame, parts: Sequence[Value], span: int) -> Value:
    """The parts as one text."""
    if not parts:
        return Value("")
    if all(part.const is not NOT_CONST and not part.taint for part in parts):
        text = "".join(shown(part.const) for part in parts)
        return Value(text) if len(text) <= MAX_TEXT else Value(path=LITERAL)
    matcher = frame.machine.matcher(frame)
    pieces = [Value(shown(part.const), part.taint) if part.const is not NOT_CONST else part for part in parts]
    first = pieces[0]
    kind = first.path if first.path in matcher.text_types else matcher.text_type(texts.skeleton(pieces))
    taint: Taint | None = None
    prefix: str | None = ""
    place = Place(kind, first.const is NOT_CONST and first.path == kind)
    for number, piece in enumerate(pieces):
        found = attributes.deep_taint(frame.machine, piece) if piece.refs else piece.taint
        if found:
            found = behind(frame.machine, kind, pieces[:number], prefix, found)
            if found and (piece.path != kind or not kind):
                found = explained(frame, found, place.settle(frame.machine, found), span, REASONS.get(kind, ""))
            taint = join_taint(taint, found)
        if piece.const is not NOT_CONST:
            place.feed(str(piece.const))
            prefix = prefix + str(piece.const) if prefix is not None else None
        else:
            place.data(piece.path == kind)
            prefix = None
    return texts.built(frame, pieces, taint, span, kind)


def explained(frame: Frame, before: Taint, after: Taint | None, span: int, reason: str) -> Taint | None:
    """Taint with one more step where escaped data lands in a place in which escaping does not help."""
    if not after or not reason:
        return after
    if all(not bits & ~before.get(label, (0, None))[0] for label, (bits, _) in after.items()):
        return after
    from glasshouse.scan.interp import external

    return external.mark(frame, after, span, reason)


def behind(machine: Machine, kind: str, before: Sequence[Value], prefix: str | None, taint: Taint) -> Taint | None:
    """Taint of a piece behind others: whoever sends it no longer chooses the host, once that has been said."""
    hosts = machine.bit("ssrf") | machine.bit("redirect")
    if prefix and NAMED.search(prefix):  # a function or class whose name begins so
        taint = without(taint, machine.bit("reflection")) or {}
    if prefix:
        start = HEADER.sub("", prefix) if kind == LOCATION else prefix
        if FOLDER.match(start):
            return without(taint, hosts)
        return machine.after_prefix(start, taint) if start else taint
    if not before:
        return taint
    last = before[-1]
    if last.const.__class__ is str:  # behind something unknown: the host is open only right after its slashes
        return taint if last.const.endswith(("://", "//", "@")) else without(taint, hosts)
    return without(taint, hosts)


class Place:
    """Where in a statement or page the next piece of a text lands."""

    __slots__ = ("_kind", "_page", "_quote", "_unknown")

    def __init__(self, kind: str, unknown: bool) -> None:
        self._kind = kind
        self._page = Page()
        self._quote = ""
        self._unknown = unknown  # the text goes on from one whose end is not known

    def feed(self, text: str) -> None:
        if self._kind == HTML:
            self._page.feed(text)
            return
        if self._unknown and text[:1] in ("'", '"'):
            self._quote = text[0]
        self._unknown = False
        self._scan(text)

    def _scan(self, text: str) -> None:
        skip = False
        for char in text:
            if skip:
                skip = False
            elif char == "\\":
                skip = True
            elif self._quote:
                if char == self._quote:
                    self._quote = ""
            elif char in "'\"":
                self._quote = char

    def data(self, same: bool) -> None:
        if self._kind == HTML and not same:
            self._page.data()

    def settle(self, machine: Machine, taint: Taint) -> Taint | None:
        """Taint of a piece that lands here; from here on its place is decided."""
        if self._kind == SQL:
            return settled(taint, machine.bit("sql"), machine.bit("context"), not self._quote, False)
        if self._kind == HTML:
            return placed(machine, taint, self._page.place())
        return between_quotes(machine, taint) if self._quote == "'" else taint


def between_quotes(machine: Machine, taint: Taint) -> Taint | None:
    """Between single quotes, text without a quote ends no word of a command, and text whose quotes and backslashes
    are escaped ends no text of a program.  (A shell does not know a backslash there.)
    """
    quote, sql = machine.bit("quote"), machine.bit("sql")
    code, command = machine.bit("code"), machine.bit("command")
    result: Taint = {}
    for label, (bits, step) in taint.items():
        bits &= ~((0 if bits & quote else command) | (0 if bits & sql else code))
        if bits:
            result[label] = (bits, step)
    return result or None


def placed(machine: Machine, taint: Taint | None, place: str) -> Taint | None:
    """Taint of data that lands at a place of a page."""
    if not taint:
        return taint
    if place == URL:  # the path of this request begins with a slash: it is no other kind of address
        own = {label: mark for label, mark in taint.items() if label.text == OWN_PATH}
        if own:
            others = {label: mark for label, mark in taint.items() if label.text != OWN_PATH}
            return join_taint(placed(machine, own, QUOTED), placed(machine, others, place))
    outside = place not in (TEXT, QUOTED)
    return settled(taint, machine.bit("xss"), machine.bit("context"), outside, place == SCRIPT)


def settled(taint: Taint, harm: int, context: int, outside: bool, only: bool) -> Taint | None:
    """Outside quotes, escaped data does harm; ``only``: harm is what was not made harmless for that very place."""
    result: Taint = {}
    for label, (bits, step) in taint.items():
        escaped = bits & context
        if outside and only:
            bits = (bits & ~harm) | (harm if escaped else 0)
        elif outside and escaped:
            bits |= harm
        bits &= ~context
        if bits:
            result[label] = (bits, step)
    return result or None


# --- formats ---------------------------------------------------------------------------------------------------------


def formatted(frame: Frame, template: Value, values: Sequence[Value] | None, rest: Value | None, span: int) -> Value:
    """``sprintf``: text with the values put in; what is written as a number is one."""
    text = template.const
    if text.__class__ is not str:
        taint = template.taint
        for value in [*(values or ()), *([rest] if rest is not None else [])]:
            taint = join_taint(taint, attributes.deep_taint(frame.machine, value))
        return Value(taint=taint) if taint else UNKNOWN
    pieces: list[Value] = []
    end = number = 0
    for match in CONVERSION.finditer(text):
        before = text[end : match.start()] + ("%" if match[2] == "%" else "")
        if before:
            pieces.append(Value(before))
        end = match.end()
        if match[2] == "%":
            continue
        index = int(match[1]) - 1 if match[1] else number
        number += not match[1]
        given = values[index] if values is not None and 0 <= index < len(values) else rest or UNKNOWN
        pieces.append(given if match[2] in TEXT_CONVERSIONS else Value(path=LITERAL))
        if len(pieces) > texts.MAX_PIECES:
            break
    if text[end:]:
        pieces.append(Value(text[end:]))
    return concat(frame, pieces, span)


def sprintf(frame: Frame, given: Arguments, span: int) -> Value | None:
    return formatted(frame, given.pos[0], given.pos[1:], given.rest, span) if given.pos else None


def vsprintf(frame: Frame, given: Arguments, span: int) -> Value | None:
    if len(given.pos) < 2:
        return None
    known = elements.known_elements(frame, given.pos[1], "values")
    rest = None if known is not None else elements.element(frame, given.pos[1], "values", span)
    return formatted(frame, given.pos[0], known, rest, span)
