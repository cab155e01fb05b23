"""Text put together from constants and other data: filled templates, and statements known by how they begin.

A text that begins like a statement (``Models.texts``) keeps that type while more is added to it.  What is put into it
and is neither constant nor known to be harmless makes it a source for rules that ask for that (``put_into``).
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes, elements, stores
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import (
    LITERAL,
    NOT_CONST,
    UNKNOWN,
    Bound,
    Label,
    Obj,
    Step,
    Taint,
    Value,
    join_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

CONVERSION = re.compile(r"%(?:\((\w*)\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[hlL]?([a-zA-Z%])")
NUMERIC_CONVERSIONS = frozenset("dioxXeEfFgGu")
MAX_PIECES = 60
SKELETON = 300  # characters of a text that decide its type
HARMLESS_RESULTS = frozenset(
    """int float len round abs sum hash id ord time count monotonic date strftime isoformat timestamp uuid1 uuid4
    hexdigest today now utcnow randint getrandbits token_hex escape quote escape_string quote_ident quote_name
    Identifier Literal total_seconds""".split()
)


def built(frame: Frame, pieces: Sequence[Value], taint: Taint | None, span: int, kind: str = "") -> Value:
    """The text made of these pieces, which together carry ``taint``.  ``kind``: its type, where that is known."""
    matcher = frame.machine.matcher(frame)
    if not matcher.texts:
        return Value(taint=taint) if taint else UNKNOWN
    first = pieces[0]
    kind = kind or (first.path if first.path in matcher.text_types else matcher.text_type(skeleton(pieces)))
    if not kind:
        if taint is None and all(literal(piece) for piece in pieces):
            return Value(path=LITERAL)
        return Value(taint=taint) if taint else UNKNOWN
    for source, not_after in matcher.put_into.get(kind, ()):
        before = ""
        for piece in pieces:
            if piece.const is NOT_CONST and piece.path not in matcher.text_types:
                excepted = not_after is not None and not_after.search(before)
                if not excepted and unknown_origin(frame, piece, source.mask):
                    place = (frame.module.index, span)
                    label = frame.machine.source_label("private", source.kind, source.text, place)
                    taint = join_taint(taint, {label: (source.mask, Step(*place, source.text, None))})
                    break
            before = str(piece.const) if piece.const is not NOT_CONST else ""
    return Value(taint=taint, path=kind)


def skeleton(pieces: Sequence[Value]) -> str:
    """The constant parts, with a question mark for each other part."""
    text = ""
    for piece in pieces:
        text += piece.const if piece.const.__class__ is str else "?"
        if len(text) > SKELETON:
            break
    return text[:SKELETON]


def literal(value: Value) -> bool:
    """Whether a value is text made of nothing but the program's own constants, or a number."""
    return value.const is not NOT_CONST or value.path == LITERAL or (harmless(value.path) and not value.taint)


def harmless(path: str) -> bool:
    return path[-2:] == "()" and path[:-2].rpartition(".")[2] in HARMLESS_RESULTS


def unknown_origin(frame: Frame, value: Value, mask: int) -> bool:
    """Whether nothing is known that makes a value harmless, nor any source or parameter it comes from."""
    taint = attributes.deep_taint(frame.machine, value) if value.refs else value.taint
    if taint:
        left = [label for label, (bits, _) in taint.items() if bits & mask]
        return bool(left) and all(own_field(frame, label) for label in left)
    if value.path:
        last = value.path.rpartition(".")[2]
        return not (harmless(value.path) or value.path == LITERAL or last.isupper() or last[:2] == "__")
    return all(ref.__class__ is Bound and not ref.name.isupper() for ref in value.refs)


def own_field(frame: Frame, label: Label) -> bool:
    """Whether a label is a field of the receiver (such as ``self.name``), or of what is kept for a request."""
    params = frame.machine.root.fn.ir.params
    if label.source == stores.STORED:
        return True  # nothing is known of who writes there
    if label.kind != "param" or not label.path or label.path[-1].isupper():
        return False
    return label.index < 0 or (label.index < len(params) and params[label.index].kind == "self")


# --- templates -------------------------------------------------------------------------------------------------------


def percent(frame: Frame, template: str, value: Value, span: int) -> Value:
    """``template % value``."""
    pieces: list[Value] = []
    taint: Taint | None = None
    values = operands(frame, value)
    position = end = 0
    for match in CONVERSION.finditer(template):
        name, conversion = match.group(1), match.group(2)
        if conversion == "%":
            continue
        pieces.append(Value(template[end : match.start()]))
        end = match.end()
        if name is not None:
            item = elements.get_item(frame, value, Value(name), span)
        elif values is not None:
            item = values[position] if position < len(values) else UNKNOWN
        else:
            item = value
        position += 1
        if conversion in NUMERIC_CONVERSIONS:
            pieces.append(Value(path=LITERAL))
            continue
        pieces.append(item)
        taint = join_taint(taint, piece_taint(frame, pieces, item))
        if len(pieces) > MAX_PIECES:
            return Value(taint=attributes.deep_taint(frame.machine, value))
    pieces.append(Value(template[end:]))
    return built(frame, pieces, taint, span)


def operands(frame: Frame, value: Value) -> list[Value] | None:
    """The operands of ``%``, one by one; None if they are not known."""
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "tuple":
            return elements.known_elements(frame, value, "values") if len(value.refs) == 1 else None
    return [value]


def piece_taint(frame: Frame, pieces: list[Value], item: Value) -> Taint | None:
    """Taint of the last piece, considering constant text in front of all that is not constant."""
    taint = attributes.deep_taint(frame.machine, item) if item.refs else item.taint
    if taint and len(pieces) == 2 and pieces[0].const:
        return frame.machine.after_prefix(pieces[0].const, taint)
    return taint


def braces(frame: Frame, template: str, given: Arguments, span: int) -> Value:
    """``template.format(...)``."""
    try:
        parts = list(string.Formatter().parse(template))[:MAX_PIECES]
    except ValueError:
        parts = []
    pieces: list[Value] = []
    taint: Taint | None = None
    number = 0
    for text, field, spec, _ in parts:
        pieces.append(Value(text))
        if field is None:
            continue
        name = re.split(r"[.\[]", field, maxsplit=1)[0]
        item = field_value(given, name or str(number))
        number += not name
        if spec and spec[-1:] in "dxXobeEfFgG%":
            item = Value(path=LITERAL)
        pieces.append(item)
        taint = join_taint(taint, piece_taint(frame, pieces, item))
    if not pieces:
        for item in given.all():
            taint = join_taint(taint, attributes.deep_taint(frame.machine, item))
        pieces = [Value(template)]
    return built(frame, pieces, taint, span)


def field_value(given: Arguments, name: str) -> Value:
    if name.isdigit():
        index = int(name)
        return given.pos[index] if index < len(given.pos) else given.rest or UNKNOWN
    return given.kw.get(name) or given.kw.get("**") or UNKNOWN


def repeated(a: Value, b: Value) -> Value | None:
    """``"?, " * count``; None when neither side is constant text."""
    if (a.const.__class__ is str or a.path == LITERAL) and not (a.taint or b.taint):
        return Value(path=LITERAL)
    if (b.const.__class__ is str or b.path == LITERAL) and not (a.taint or b.taint):
        return Value(path=LITERAL)
    return None


def joined(frame: Frame, value: Value) -> Value:
    """``", ".join(value)``."""
    taint = attributes.deep_taint(frame.machine, value)
    if taint:
        return Value(taint=taint)
    if value.path == LITERAL:
        return value
    element = elements.element(frame, value, "values", 0) if value.refs else UNKNOWN
    return Value(path=LITERAL) if literal(element) else UNKNOWN
