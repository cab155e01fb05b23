"""Matches as detections: who, where, when, and the fields that the rule looked at."""

from __future__ import annotations

from glasshouse.respond.engine.entities import entities_of, host_of
from glasshouse.respond.engine.run import Match
from glasshouse.respond.engine.texts import everything, lookup, texts
from glasshouse.respond.engine.times import event_time
from glasshouse.respond.sigma.ir import KEYWORD_FIELD, And, Expression, Leaf, Not, Or, RuleSet
from glasshouse.words.incident import Detection

MAX_FIELDS = 24
MAX_VALUE = 500
SHOWN = (
    "Channel", "EventID", "Image", "NewProcessName", "CommandLine", "ParentImage", "ParentCommandLine", "User",
    "TargetFilename", "TargetObject", "Details", "DestinationIp", "DestinationPort", "QueryName", "IpAddress",
    "TargetUserName", "ServiceName", "eventName", "eventSource", "sourceIPAddress", "userAgent", "userIdentity.arn",
    "program", "message", "api.operation", "src_endpoint.ip",
)  # fmt: skip


class Detections:
    """Makes detections of matches of one rule set."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._fields: dict[int, tuple[str, ...]] = {}

    def of(self, match: Match) -> Detection:
        """The detection of a match."""
        event = match.event
        host = host_of(event)
        return Detection(
            rule=self._rules.rules[match.rule].ref,
            time=event_time(event),
            host=host,
            source=match.source,
            record=match.record,
            entities=entities_of(event, host),
            evidence=self._evidence(match),
        )

    def _evidence(self, match: Match) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        for field in (*self._read(match.rule), *SHOWN):
            name = match.names.get(field, field)
            if name in found or len(found) >= MAX_FIELDS:
                continue
            values = everything(match.event) if field == KEYWORD_FIELD else texts(lookup(match.event, name))
            joined = " | ".join(values)
            if joined:
                found[name or "(all fields)"] = joined[:MAX_VALUE]
        return tuple(found.items())

    def _read(self, rule: int) -> tuple[str, ...]:
        known = self._fields.get(rule)
        if known is None:
            names: dict[str, None] = {}
            self._collect(self._rules.rules[rule].expression, names)
            known = self._fields[rule] = tuple(sorted(names))
        return known

    def _collect(self, node: Expression, names: dict[str, None]) -> None:
        match node:
            case Leaf():
                names[self._rules.predicates[node.at].field] = None
            case And() | Or():
                for arg in node.args:
                    self._collect(arg, names)
            case Not():
                return  # what must not be there explains little
