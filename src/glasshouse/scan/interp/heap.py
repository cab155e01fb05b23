"""The heap: fields of objects, with a log of what was written so that joining costs only what changed."""

from __future__ import annotations

from typing import Any

from glasshouse.scan.interp.values import Value


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
