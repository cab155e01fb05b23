"""What rules and models say of one call, one attribute or one assignment, compiled."""

from __future__ import annotations

from typing import NamedTuple

from glasshouse.scan.interp.late_pattern import LatePattern
from glasshouse.scan.interp.selectors import CompiledCondition, Selector, compile_conditions, compile_selector
from glasshouse.scan.rules import schema


class SinkModel(NamedTuple):
    """What a rule says of one sink."""

    rule: schema.Rule
    bit: int
    selectors: tuple[Selector, ...]
    where: tuple[CompiledCondition, ...]
    safe_when: tuple[CompiledCondition, ...]
    label: str
    confidence: str | None
    name: str
    guards: tuple[ProtocolUse, ...] = ()  # receivers in a safe state of these make the call harmless
    safe_prefix: LatePattern | None = None
    checked_by: frozenset[str] = frozenset()
    part: bool = False


class MatchModel(NamedTuple):
    """A use that a rule reports, whatever the data."""

    rule: schema.Rule
    where: tuple[CompiledCondition, ...]
    unless: tuple[CompiledCondition, ...]
    confidence: str | None
    imports: tuple[str, ...]


class SanitizerModel(NamedTuple):
    """A call that makes data harmless for the weaknesses in ``mask``."""

    mask: int
    guard: str | None
    arg: Selector
    cleans: tuple[Selector, ...]
    where: tuple[CompiledCondition, ...]
    safe_prefix: LatePattern | None = None


class PropagatorModel(NamedTuple):
    """How a call passes data on."""

    frm: tuple[Selector, ...]
    to: tuple[Selector | str, ...]
    callback: Selector | None
    callback_args: tuple[Selector, ...]
    callback_to: str
    normal: bool = False
    callback_types: tuple[str, ...] = ()


class SourceModel(NamedTuple):
    """``label``: ``source`` (any rule) or ``private`` (only the rule whose id is ``kind``)."""

    label: str
    kind: str
    text: str
    mask: int
    taints: tuple[Selector, ...]
    where: tuple[CompiledCondition, ...]


class ProtocolUse(NamedTuple):
    """One role of a call in a protocol: ``create``, ``secure``, ``unsafe``, ``derive`` or ``use``.

    ``group`` numbers the matches of ``secured``.
    """

    role: str
    rule: schema.Rule
    protocol: schema.Protocol
    key: tuple[str, int]
    group: int
    where: tuple[CompiledCondition, ...]
    unless: tuple[CompiledCondition, ...]
    selector: Selector  # of ``use_arg`` or ``derive_arg``
    outside: Selector | None


def protocol_use(
    role: str,
    rule: schema.Rule,
    protocol: schema.Protocol,
    key: tuple[str, int],
    match: schema.Match | None = None,
    group: int = 0,
) -> ProtocolUse:
    """One role of a call in a protocol, its conditions and selectors compiled."""
    conditions = {"create": protocol.where, "use": protocol.use_where}.get(role, ())
    return ProtocolUse(
        role,
        rule,
        protocol,
        key,
        group,
        compile_conditions(match.where if match else conditions),
        compile_conditions(match.unless if match else ()),
        compile_selector(protocol.derive_arg if role == "derive" else protocol.use_arg),
        compile_selector(protocol.outside) if protocol.outside else None,
    )


class StoreUse(NamedTuple):
    """One role of a call in a store: ``get``, ``set``, ``put`` or ``make``."""

    role: str
    store: str
    variable: bool
    selector: Selector
    key: int


class CallModel:
    """Everything known about one callee path."""

    __slots__ = (
        "matches",
        "propagators",
        "protocol",
        "registers",
        "returns",
        "sanitizers",
        "sinks",
        "sources",
        "stores",
    )

    def __init__(self) -> None:
        self.sinks: list[SinkModel] = []
        self.matches: list[MatchModel] = []
        self.sources: list[SourceModel] = []
        self.sanitizers: list[SanitizerModel] = []
        self.propagators: list[PropagatorModel] = []
        self.registers: list[tuple[schema.Entry, Selector]] = []
        self.protocol: list[ProtocolUse] = []
        self.stores: list[StoreUse] = []
        self.returns = ""

    def only_sanitizers(self) -> CallModel:
        """What makes harmless does so on a type of which something else is known, too."""
        found = CallModel()
        found.sanitizers = self.sanitizers
        return found

    def add(self, other: CallModel) -> None:
        for name in ("sinks", "matches", "sources", "sanitizers", "registers", "protocol", "stores"):
            mine = getattr(self, name)
            mine.extend(item for item in getattr(other, name) if item not in mine)
        if not self.propagators:
            self.propagators = list(other.propagators)
        self.returns = self.returns or other.returns


class ReadModel(NamedTuple):
    """Everything the rules say of reading one attribute."""

    sources: tuple[SourceModel, ...]
    matches: tuple[MatchModel, ...]
    returns: str
    store: str = ""
    clean: int = 0  # the classes for which the value is harmless
