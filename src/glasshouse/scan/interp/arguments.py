"""The evaluated arguments of a call."""

from __future__ import annotations

from glasshouse.scan.interp.values import Value


class Arguments:
    """Evaluated arguments.  ``rest`` stands for any further positional ones (from spreading something unknown)."""

    __slots__ = ("kw", "pos", "rest")

    def __init__(self, pos: list[Value], kw: dict[str, Value], rest: Value | None = None) -> None:
        self.pos = pos
        self.kw = kw
        self.rest = rest

    def all(self) -> list[Value]:
        values = [*self.pos, *self.kw.values()]
        if self.rest is not None:
            values.append(self.rest)
        return values

    def without(self, values: list[Value]) -> Arguments:
        """The arguments but for these values."""
        gone = {id(value) for value in values if value.refs}
        return Arguments([value for value in self.pos if id(value) not in gone], self.kw, self.rest) if gone else self


NO_ARGUMENTS = Arguments([], {})
