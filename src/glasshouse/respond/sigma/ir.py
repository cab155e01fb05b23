"""Compiled Sigma rules: predicates over one field each, boolean expressions over predicates, routes to log sources.

A rule set is plain data (msgspec structs, arrays on the wire), so that it can be cached without pickle.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from glasshouse.words.incident import RuleProblem, RuleRef

FORMAT = 6
"""Version of the compiled form; a cache of another version is made anew."""

Kind = Literal[
    "eq", "contains", "starts", "ends", "glob", "any", "null", "exists", "re", "cidr",
    "lt", "lte", "gt", "gte", "neq", "fieldref", "part",
]  # fmt: skip

STRING_KINDS = frozenset({"eq", "contains", "starts", "ends", "glob"})
KEYWORD_FIELD = ""
"""The field name of predicates that look at every value of an event."""

STAR, MARK = "\x00*", "\x00?"
"""Wildcards inside a ``glob`` value; NUL occurs in no rule text."""


class Predicate(msgspec.Struct, frozen=True, array_like=True):
    """A question about the value of one field.

    ``value`` is lower case for string kinds unless ``cased``.  ``option`` carries what the kind needs besides: flags of
    a regular expression, the mode of a field reference, the part of a timestamp.
    """

    kind: Kind
    field: str
    value: str
    cased: bool = False
    option: str = ""


class Leaf(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """True where predicate number ``at`` holds."""

    at: int


class And(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """True where every argument is."""

    args: tuple[Leaf | And | Or | Not, ...]


class Or(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """True where some argument is."""

    args: tuple[Leaf | And | Or | Not, ...]


class Not(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """True where the argument is not."""

    arg: Leaf | And | Or | Not


Expression = Leaf | And | Or | Not


class Route(msgspec.Struct, frozen=True, array_like=True):
    """Where a rule looks: Windows channels and event ids, or a product, service and category; and its field names.

    ``channels`` empty: not a Windows event log.  ``event_ids`` empty: any.  ``fields`` maps the rule's name of a field
    to the name in this log source; names that are not listed are the same.
    """

    channels: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    product: str = ""
    service: str = ""
    category: str = ""
    fields: dict[str, str] = {}


class CompiledRule(msgspec.Struct, frozen=True, array_like=True):
    """A rule ready to run; ``output`` is False for rules that only feed a correlation."""

    ref: RuleRef
    name: str
    expression: Expression
    routes: tuple[Route, ...]
    output: bool = True
    fields: tuple[str, ...] = ()


CorrelationKind = Literal[
    "event_count", "value_count", "temporal", "temporal_ordered",
    "value_sum", "value_avg", "value_percentile", "value_median",
]  # fmt: skip


class Correlation(msgspec.Struct, frozen=True, array_like=True):
    """A correlation over the matches of other rules; ``aliases`` maps alias -> rule key -> field name.

    ``rules`` are keys (ids or names) of rules or of other correlations.  ``condition`` is the extended condition of a
    temporal correlation in postfix order, or empty.
    """

    ref: RuleRef
    name: str
    kind: CorrelationKind
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan: float
    operator: str
    threshold: float
    fields: tuple[str, ...] = ()
    percentile: float = 50.0
    aliases: dict[str, dict[str, str]] = {}
    condition: tuple[str, ...] = ()
    output: bool = True


class RuleSet(msgspec.Struct, frozen=True):
    """Everything that a run needs to know about its rules; ``problems`` lists the rules that could not be compiled."""

    format: int
    predicates: tuple[Predicate, ...]
    rules: tuple[CompiledRule, ...]
    correlations: tuple[Correlation, ...]
    problems: tuple[RuleProblem, ...]
    files: int = 0
