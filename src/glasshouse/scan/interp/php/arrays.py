"""What PHP's functions on arrays, patterns and lists give; variables that a function fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import attributes, elements, patterns
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.php import builtins as php_builtins
from glasshouse.scan.interp.php import patterns as php_patterns
from glasshouse.scan.interp.values import (
    NOT_CONST,
    UNKNOWN,
    Value,
    join,
    join_all,
    join_taint,
    with_taint,
    without,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

NUMBER_TYPES = frozenset(["int", "integer", "float", "double", "bool", "boolean"])


def fields_of(frame: Frame, value: Value) -> dict[Any, Value] | None:
    """The elements of an array that is known as a whole, by key."""
    obj = php_builtins.only(value)
    if obj is None or not php_builtins.is_array(obj) or obj.open or value.taint:
        return None
    found = {name: item for name, item in (frame.machine.fields(obj) or {}).items() if php_builtins.real(name)}
    return None if "*" in found else found


def element(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``current``, ``end``, ``array_pop``: one of the elements."""
    if not given.pos:
        return None
    value = given.pos[0]
    found = elements.element(frame, value, "values", span)
    return with_taint(found, join_taint(found.taint, value.taint))


def values(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``array_values`` and others that keep elements, but not keys."""
    if not given.pos:
        return None
    known = fields_of(frame, given.pos[0])
    if known is not None:
        return php_builtins.made(frame, dict(enumerate(known.values())), span)
    taint = given.pos[0].taint
    item = elements.element(frame, given.pos[0], "values", span)
    return php_builtins.made(frame, {"*": with_taint(item, join_taint(item.taint, taint))}, span)


def keys(frame: Frame, given: Arguments, span: int) -> Value | None:
    known = fields_of(frame, given.pos[0]) if given.pos else None
    if known is None:
        return None if not given.pos else Value(taint=given.pos[0].taint)
    return php_builtins.made(frame, {number: Value(name) for number, name in enumerate(known)}, span)


def merged(frame: Frame, given: Arguments, span: int) -> Value:
    """``array_merge``: later keys win, numbers are counted anew."""
    fields: dict[Any, Value] = {}
    count = 0
    taint = None
    for value in given.all():
        known = fields_of(frame, value)
        if known is None:
            item = elements.element(frame, value, "values", span)
            item = with_taint(item, join_taint(item.taint, value.taint))
            fields["*"] = join(fields["*"], item) if "*" in fields else item
            taint = join_taint(taint, value.taint)
            continue
        for name, item in known.items():
            if name.__class__ is int:
                name, count = count, count + 1
            fields[name] = item
    return php_builtins.made(frame, fields, span, taint)


def mapped(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``array_map``."""
    from glasshouse.scan.interp import calls

    if len(given.pos) < 2:
        return None
    function, source = given.pos[0], given.pos[1]
    known = fields_of(frame, source)
    if known is not None and len(known) <= php_builtins.MAX_TURNS and len(given.pos) == 2:
        found = {name: calls.call_value(frame, function, Arguments([item], {}), span) for name, item in known.items()}
        return php_builtins.made(frame, found, span)
    items = [element(frame, type(given)([value], {}), span) or UNKNOWN for value in given.pos[1:]]
    result = calls.call_value(frame, function, Arguments(items, {}), span)
    return php_builtins.made(frame, {"*": result}, span, result.taint)


def filtered(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``array_filter``, ``usort`` and the like: the function sees elements, the array stays what it is."""
    from glasshouse.scan.interp import calls

    if not given.pos:
        return None
    if len(given.pos) > 1 and (given.pos[1].refs or given.pos[1].path):
        item = element(frame, given, span) or UNKNOWN
        calls.call_value(frame, given.pos[1], Arguments([item, item], {}), span)
    return given.pos[0]


def reduced(frame: Frame, given: Arguments, span: int) -> Value | None:
    from glasshouse.scan.interp import calls

    if len(given.pos) < 2:
        return None
    start = given.pos[2] if len(given.pos) > 2 else Value(None)
    item = element(frame, given, span) or UNKNOWN
    first = calls.call_value(frame, given.pos[1], Arguments([start, item], {}), span)
    return join(start, calls.call_value(frame, given.pos[1], Arguments([join(start, first), item], {}), span))


def exploded(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``explode``, ``str_split``, ``preg_split``."""
    if not given.pos:
        return None
    text = given.pos[1] if len(given.pos) > 1 else given.pos[0]
    if text.const.__class__ is str and given.pos[0].const.__class__ is str and given.pos[0].const:
        pieces = text.const.split(given.pos[0].const)[: php_builtins.MAX_KEPT]
        return php_builtins.made(frame, {number: Value(piece) for number, piece in enumerate(pieces)}, span)
    taint = attributes.deep_taint(frame.machine, text)
    return Value(taint=taint) if taint else UNKNOWN


def imploded(frame: Frame, given: Arguments, span: int) -> Value | None:
    from glasshouse.scan.interp.php import text as php_text

    if not given.pos:
        return None
    array, glue = given.pos[-1], given.pos[0] if len(given.pos) > 1 else Value("")
    if not any(php_builtins.is_array(ref) for ref in array.refs) and len(given.pos) > 1:
        array, glue = (glue, array) if glue.refs else (array, glue)
    known = fields_of(frame, array)
    if known is not None and len(known) <= php_builtins.MAX_TURNS:
        pieces: list[Value] = []
        for item in known.values():
            pieces.extend([glue, item] if pieces else [item])
        return php_text.concat(frame, pieces, span)
    taint = join_taint(attributes.deep_taint(frame.machine, array), glue.taint)
    return Value(taint=taint) if taint else UNKNOWN


def extracted(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``extract``: the fields of an array that is known become variables."""
    known = fields_of(frame, given.pos[0]) if given.pos else None
    for name, item in (known or {}).items():
        if name.__class__ is str and name.isidentifier() and name != "this":
            frame.store(name, item, span)
    return UNKNOWN


# --- patterns --------------------------------------------------------------------------------------------------------


def replaced(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``preg_replace``: what a pattern takes out is no longer there."""
    if len(given.pos) < 3:
        return None
    pattern, new, subject = given.pos[:3]
    taint = attributes.deep_taint(frame.machine, subject)
    known = php_patterns.parts(pattern)
    if known is not None and taint and new.const.__class__ is str:
        left = patterns.unmatched(known[0])
        added = set(new.const) & set(patterns.SPECIAL)
        if left is not None:
            taint = without(taint, patterns.harmless(frame, left | added))
        else:
            taint = without(taint, gone(frame, php_patterns.characters(known[0]) - added))
    taint = join_taint(taint, attributes.deep_taint(frame.machine, new))
    return Value(taint=taint) if taint else UNKNOWN


def gone(frame: Frame, removed: frozenset[str]) -> int:
    """The classes that need one of these characters to do harm, which are no longer in the text."""
    mask = 0
    for name, needed in patterns.CLASS_CHARACTERS.items():
        if removed and removed.issuperset(needed):
            mask |= frame.machine.bit(name)
    return mask


def text_replaced(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``str_replace`` with one text or a list of them."""
    if len(given.pos) < 3:
        return None
    old, new, subject = given.pos[:3]
    if all(item.const.__class__ is str for item in (old, new, subject)):
        return Value(subject.const.replace(old.const, new.const)[:4096])
    taint = attributes.deep_taint(frame.machine, subject)
    known = fields_of(frame, old)
    texts = [old] if old.const.__class__ is str else list((known or {}).values())
    if taint and new.const.__class__ is str:
        removed = {item.const for item in texts if item.const.__class__ is str and len(item.const) == 1}
        mask = gone(frame, frozenset(removed) - set(new.const))
        if "\n" in removed and "\n" not in new.const:
            mask |= frame.machine.bit("header") | frame.machine.bit("log") | frame.machine.bit("mail")
        taint = without(taint, mask)
    taint = join_taint(taint, attributes.deep_taint(frame.machine, new))
    return Value(taint=taint) if taint else UNKNOWN


def replaced_by(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``preg_replace_callback``."""
    from glasshouse.scan.interp import calls

    if len(given.pos) < 3:
        return None
    taint = attributes.deep_taint(frame.machine, given.pos[2])
    match = matched(frame, given.pos[0], Value(taint=taint))
    result = calls.call_value(frame, given.pos[1], Arguments([match], {}), span)
    return Value(taint=join_taint(taint, result.taint))


def matched(frame: Frame, pattern: Value, subject: Value) -> Value:
    """What a match holds: no other special characters than the pattern allows."""
    taint = attributes.deep_taint(frame.machine, subject)
    known = php_patterns.parts(pattern)
    if taint and known is not None:
        left = frozenset(char for char in patterns.SPECIAL if patterns.allows(known[0], char))
        taint = without(taint, patterns.harmless(frame, left))
    return Value(taint=taint) if taint else UNKNOWN


# --- variables that a function fills ---------------------------------------------------------------------------------


def output(frame: Frame, given: Arguments, span: int) -> Value:
    """``$output(function, place, result, arguments...)``: what is in the variable at that place afterwards."""
    name, result, rest = given.pos[0].const, given.pos[2], given.pos[3:]
    first = rest[0] if rest else UNKNOWN
    if name in ("preg_match", "preg_match_all") and len(rest) > 1:
        return matched(frame, first, rest[1])
    if name in ("mb_parse_str", "sscanf"):
        return Value(taint=first.taint)
    if name == "exec":
        return Value(taint=result.taint)
    if name == "settype":
        kind = str(rest[1].const).lower() if len(rest) > 1 else ""
        return Value(taint=without(first.taint, ~frame.machine.numeric)) if kind in NUMBER_TYPES else first
    if name in ("array_push", "array_unshift"):
        return pushed(frame, first, rest[1:], span)
    if name in ("array_pop", "array_shift", "array_walk"):
        return first
    if name == "array_splice":
        return join_all([first, *rest[3:]])
    if name == "proc_open":
        return Value(path="proc_open.pipes")
    return Value(taint=join_all(rest).taint) if rest else UNKNOWN


def pushed(frame: Frame, target: Value, items: list[Value], span: int) -> Value:
    target = php_builtins.array(frame, type_arguments(target), span)
    for item in items:
        php_builtins.push(frame, type_arguments(target, item), span)
    return target


def type_arguments(*values: Value) -> Arguments:
    return Arguments(list(values), {})


def counted(frame: Frame, given: Arguments, span: int) -> Value:
    known = fields_of(frame, given.pos[0]) if given.pos else None
    return Value(len(known)) if known is not None else UNKNOWN


def allowed(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``array_intersect``: only elements that are also in a list of the program's own."""
    if len(given.pos) > 1 and attributes.deep_taint(frame.machine, given.pos[-1]) is None and given.pos[-1].refs:
        return UNKNOWN
    return None


def searched(frame: Frame, given: Arguments, span: int) -> Value:
    """``array_search`` gives a key of the array."""
    taint = given.pos[1].taint if len(given.pos) > 1 else None
    return Value(NOT_CONST, taint)


Handler = Callable[["Frame", "Arguments", int], "Value | None"]
HANDLERS: dict[str, Handler] = {
    "$output": output,
    **dict.fromkeys("current reset end next prev array_pop array_shift array_rand each".split(), element),
    **dict.fromkeys("array_values array_reverse array_unique array_slice array_column".split(), values),
    "array_keys": keys,
    "array_merge": merged,
    "array_replace": merged,
    "array_map": mapped,
    "array_filter": filtered,
    **dict.fromkeys("array_walk usort uasort uksort".split(), filtered),
    "array_reduce": reduced,
    **dict.fromkeys("explode str_split preg_split mb_split".split(), exploded),
    "implode": imploded,
    "join": imploded,
    "extract": extracted,
    "preg_replace": replaced,
    "str_replace": text_replaced,
    "str_ireplace": text_replaced,
    "preg_replace_callback": replaced_by,
    "count": counted,
    "sizeof": counted,
    "array_intersect": allowed,
    "array_search": searched,
}
