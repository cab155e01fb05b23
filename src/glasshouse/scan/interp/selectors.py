"""Which arguments of a call a rule speaks of, and what it asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from glasshouse.scan.interp.late_pattern import LatePattern, late_pattern
from glasshouse.scan.rules import schema


class Selector(NamedTuple):
    """A compiled argument selector.  kind: ``pos`` ``kw`` ``self`` ``any`` ``last`` ``from``.

    ``name``: the keyword under which a positional argument may be given, or several, separated by ``|``.
    """

    kind: str
    position: int
    name: str
    path: tuple[str, ...]


def compile_selector(text: str) -> Selector:
    """See the schema's module docstring for the forms."""
    head, _, rest = text.partition(".")
    path = tuple(rest.split(".")) if rest else ()
    position, _, name = head.partition("|")
    if position == "self":
        return Selector("self", 0, "", path)
    if position == "any":
        return Selector("any", 0, "", path)
    if position.endswith("+") and position[:-1].isdigit():
        return Selector("from", int(position[:-1]), name, path)
    if position.lstrip("-").isdigit():
        number = int(position)
        return Selector("pos" if number >= 0 else "last", abs(number), name, path)
    return Selector("kw", 0, position, path)


class CompiledCondition(NamedTuple):
    """A condition of a rule, ready to be asked."""

    selector: Selector
    condition: schema.Condition
    matches: LatePattern | None
    unmatched: LatePattern | None


def compile_conditions(conditions: Iterable[schema.Condition]) -> tuple[CompiledCondition, ...]:
    return tuple(
        CompiledCondition(
            compile_selector(item.arg),
            item,
            late_pattern(item.matches) if item.matches is not None else None,
            late_pattern(item.unmatched) if item.unmatched is not None else None,
        )
        for item in conditions
    )


def selected(selector: Selector, args: Sequence[Any], kwargs: dict[str, Any], receiver: Any) -> list[Any]:
    """The operands a selector names (fields not yet followed)."""
    kind = selector.kind
    if kind == "pos":
        if selector.position < len(args):
            return [args[selector.position]]
        if selector.name and kwargs:
            return [kwargs[name] for name in selector.name.split("|") if name in kwargs][:1]
        return []
    if kind == "kw":
        return [kwargs[selector.name]] if selector.name in kwargs else []
    if kind == "self":
        return [receiver] if receiver is not None else []
    if kind == "any":
        return [*args, *kwargs.values()]
    if kind == "last":
        return [args[-selector.position]] if selector.position <= len(args) else []
    found = list(args[selector.position :])
    if selector.name and selector.name in kwargs:
        found.append(kwargs[selector.name])
    return found
