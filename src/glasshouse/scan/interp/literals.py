"""Lists, tuples, sets and dicts as the code writes them, with what it spreads into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp import elements
from glasshouse.scan.interp.attributes import CERTAIN
from glasshouse.scan.interp.elements import MAX_FIELDS
from glasshouse.scan.interp.php import keys as php_keys
from glasshouse.scan.interp.values import NOT_CONST, UNKNOWN, Obj, Taint, Value, join, join_taint, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame


def make(frame: Frame, kind: str, items: list[Any], span: int) -> Value:
    """A list, tuple, set or dict literal."""
    machine = frame.machine
    obj = machine.new_obj(kind, frame, span)
    fields: dict[Any, Value] = {}
    taint: Taint | None = None
    count: int | None = 0
    last: set[Any] = set()  # keys after the last spread of something unknown
    for item in items[: MAX_FIELDS * 4]:
        if item.__class__ is list and item[0] == "*" and len(item) == 2:
            count = spread(frame, fields, frame.val(item[1]), kind, count)
            last.clear()
        elif kind == "dict":
            pair = item if item.__class__ is list else [None, item]  # no pair: the source is damaged
            key = UNKNOWN if pair[0] is None else frame.val(pair[0])
            if key.const is NOT_CONST and key.path:
                key = php_keys.named_key(frame, key)
            value = frame.val(pair[1])
            if key.const is NOT_CONST:
                add(fields, "*", value)
                taint = join_taint(taint, key.taint)
                if key.taint:
                    machine.check_key_write(frame, Value(refs=(obj,)), key, value, span)
            else:
                if key.const.__class__ is str:
                    machine.assigned(frame, key.const, value, span)
                    value = machine.sensitive(frame, key.const, value, span)
                    if key.const == "$eq" and value.taint:  # compares with the value, whatever its shape
                        value = with_taint(value, without(value.taint, machine.bit("nosql")))
                fields[key.const] = value
                last.add(key.const)
        else:
            value = frame.val(item)
            if count is None or kind == "set":
                add(fields, "*", value)
            else:
                fields[count] = value
                count += 1
    for item in items[MAX_FIELDS * 4 :]:  # too many to keep apart
        add(fields, "*", frame.val(item[-1] if item.__class__ is list else item))
        count = None
    if kind in ("list", "tuple"):
        fields["#len"] = Value(count) if count is not None else UNKNOWN
    elif last and "*" in fields:
        fields[CERTAIN] = Value(frozenset(last))
    machine.heap[obj] = fields
    return Value(taint=taint, refs=(obj,))


def add(fields: dict[Any, Value], name: Any, value: Value) -> None:
    have = fields.get(name)
    fields[name] = value if have is None else join(have, value)


def spread(frame: Frame, fields: dict[Any, Value], value: Value, kind: str, count: int | None) -> int | None:
    """Copy the elements or fields of a spread operand; the new count of positional elements (None: unknown)."""
    if kind == "dict":
        known = False
        for ref in value.refs:
            if ref.__class__ is Obj:
                known = not ref.open
                for name, item in (frame.machine.fields(ref) or {}).items():
                    if name != "#len" and name != CERTAIN:
                        fields[name] = item
        if value.taint or not known:
            add(fields, "*", Value(taint=value.taint))
            fields.pop(CERTAIN, None)
        return count
    items = elements.known_elements(frame, value, "values")
    if items is not None and count is not None and kind != "set":
        for item in items:
            fields[count] = item
            count += 1
        return count
    add(fields, "*", elements.element(frame, value, "values", 0))
    return None
