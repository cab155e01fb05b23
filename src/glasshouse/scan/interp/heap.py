"""The heap: fields of objects, with a log of what was written so that joining costs only what changed."""

from __future__ import annotations

from typing import Any

from glasshouse.scan.interp.values import Value, join


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

    def take_over(self, later: Heap) -> None:
        """What code that runs at some later time wrote into a fork of its own may stand here as well."""
        for obj in dict.fromkeys(later.log):
            written = later[obj]
            here = self.get(obj)
            if here is None:
                self[obj] = written
            elif here is not written:
                both = {key: join(item, written[key]) for key, item in here.items() if key in written}
                self[obj] = {**here, **written, **both}
