"""What one handler of a request keeps for another: ``g.user``, ``res.locals.user``, ``c.set("user", ...)``.

Who writes and who reads are run apart, in any order.  So a read gives data of a source of its own that names the place,
a write notes what was kept there, and both are brought together when everything has run (``scan.store_flows``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import Label, Obj, Step, Taint, Value, join_taint, with_taint

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.interp.models import StoreUse

STORED = "stored"  # kind of the source that stands for a place; the text of its label is the place
DEPTH = 4  # names of a place: the store, the name in it, fields of what is kept there
NAME = "name"  # field of a context variable


def place_of(store: str, *names: str) -> str:
    """The text of a place: names divided by dots."""
    return ".".join((store, *(name.replace(".", "_") for name in names)))


def read(frame: Frame, store: str, name: str, value: Value, span: int) -> Value:
    """The value of a name in a store: data of whoever has written it."""
    machine, index = frame.machine, frame.module.index
    label = machine.source_label("source", STORED, place_of(store, name), (index, span))
    step = Step(index, span, f"kept for the request as `{name}`", None)
    return with_taint(value, join_taint({label: (machine.everything, step)}, value.taint))


def below(machine: Machine, label: Label, name: str) -> Label:
    """The label of a field of what is kept at a place."""
    if label.text.count(".") >= DEPTH - 1:
        return label
    return machine.source_label("source", STORED, place_of(label.text, name), label.place)


def written(frame: Frame, target: Value, name: str, value: Value, span: int) -> None:
    """``target.name = value``: noted if the object is a store."""
    model = frame.machine.matcher(frame).read(f"{target.path}.{name}")
    if model is not None and model.store:
        keep(frame, place_of(model.store, name), value, span)


def keep(frame: Frame, place: str, value: Value, span: int) -> None:
    """Note what is kept at a place, and in the fields of the object that is kept there."""
    note(frame, place, value.taint, span)
    if place.count(".") >= DEPTH - 1:
        return
    for ref in value.refs:
        if ref.__class__ is Obj:
            for name, item in (frame.machine.fields(ref) or {}).items():
                if name.__class__ is str and (item.taint or item.refs):
                    keep(frame, place_of(place, name), item, span)


def note(frame: Frame, place: str, taint: Taint | None, span: int) -> None:
    for label, (mask, step) in (taint or {}).items():
        if label.kind == "source" and not (label.source == STORED and label.text == place):
            step = Step(frame.module.index, span, f"kept as `{place.partition('.')[2]}`", step)
            frame.machine.record_kept(place, label, (mask, step))


def called(frame: Frame, use: StoreUse, receiver: Value | None, given: Arguments, result: Value, span: int) -> Value:
    """A call that reads or writes a store, or makes a context variable."""
    first = given.pos[0] if given.pos else Value()
    if use.role == "make":
        obj = frame.machine.new_obj("extern", frame, span)
        frame.machine.write(obj, NAME, first)
        return Value(result.const, result.taint, (*result.refs, obj), result.path)
    if use.role == "put":
        from glasshouse.scan.interp import conditions

        for value in conditions.pick(frame, use.selector, receiver, given):
            keep(frame, use.store, value, span)
        return result
    at = use.key if use.role == "set" else 0
    key = given.pos[at] if len(given.pos) > at else Value()
    name = named_by(key) if not use.variable else name_of(frame, receiver)
    if name.__class__ is not str:
        return result
    if use.role == "get":
        return read(frame, use.store, name, result, span)
    values = given.pos if use.variable else given.pos[at + 1 :]
    if values:
        keep(frame, place_of(use.store, name), values[0], span)
    return result


def named_by(key: Value) -> object:
    """What a key stands for: its text, or its type where a value of a type of its own is the key (as in Go)."""
    if key.const.__class__ is str:
        return key.const
    for ref in key.refs:
        if ref.__class__ is Obj and ref.cls is not None:
            return ref.cls.name
    return None


def name_of(frame: Frame, receiver: Value | None) -> object:
    """The name of a context variable."""
    for ref in receiver.refs if receiver is not None else ():
        if ref.__class__ is Obj and ref.kind == "extern":
            found = (frame.machine.fields(ref) or {}).get(NAME)
            if found is not None:
                return found.const
    return None
