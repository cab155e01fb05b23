"""The heap: fields of objects, with a log of what was written so that joining costs only what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp.values import Bound, FuncRef, Obj, Value, join

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame


class Heap(dict[Any, dict[Any, Value]]):
    """Object -> fields.  Field dicts are never changed in place; all forks of one root share one log."""

    __slots__ = ("log",)

    def __init__(self, content: dict[Any, dict[Any, Value]] | None = None, log: list[Any] | None = None) -> None:
        dict.__init__(self, content or ())
        self.log: list[Any] = [] if log is None else log

    def __setitem__(self, obj: Any, fields: dict[Any, Value]) -> None:
        dict.__setitem__(self, obj, fields)
        self.log.append(obj)

    def fork(self) -> Heap:
        """A copy that can be written without changing this one."""
        return Heap(self, self.log)

    def take_over(self, later: Heap, base: dict[Any, dict[Any, Value]], around: Frame) -> None:
        """What code that runs at some later time wrote into a fork of its own may stand here as well.

        Of the objects that it made, only those that something here leads to: an object of this heap or of ``base``, or
        what is seen from ``around``, the function it stands in (what the code used for itself ends with it).
        """
        made = {obj for obj in later.log if obj not in self and obj not in base and obj in later}
        kept = reached(made, [*self, *(obj for obj in later.log if obj in base)], later, around) if made else made
        for obj in dict.fromkeys(later.log):
            written = later.get(obj)  # None: made on a way that has ended; all forks write into one log
            if written is None or (obj in made and obj not in kept):
                continue
            here = self.get(obj, base.get(obj))
            if here is None:
                self[obj] = written
            elif here is not written:
                both = {key: join(item, written[key]) for key, item in here.items() if key in written}
                self[obj] = {**here, **written, **both}


def reached(made: set[Any], known: list[Any], heap: Heap, around: Frame) -> set[Any]:
    """Those of the objects ``made`` that the ``known`` ones lead to, or variables that the frame ``around`` sees."""
    found: set[Any] = set()
    frames: set[Frame] = set()
    queue = [value for obj in dict.fromkeys(known) for value in heap.get(obj, {}).values()]
    queue.extend(variables(around, frames))
    queue.extend((around.module.env or {}).values())
    queue.extend(around.machine.ambient.values())
    while queue:
        for ref in queue.pop().refs:
            kind = ref.__class__
            if kind is Obj:
                if ref in made and ref not in found:
                    found.add(ref)
                    queue.extend(heap[ref].values())
            elif kind is Bound:
                queue.append(ref.receiver)
            elif kind is FuncRef:
                if ref.this is not None:
                    queue.append(ref.this)
                queue.extend(variables(ref.frame, frames))
    return found


def variables(frame: Frame | None, seen: set[Frame]) -> Iterator[Value]:
    """What the functions of a frame and of those around it hold, once."""
    while frame is not None and frame not in seen and frame.fn.ir.kind != "module":
        seen.add(frame)
        yield from frame.env.values()
        if frame.this is not None:
            yield frame.this
        frame = frame.closure
