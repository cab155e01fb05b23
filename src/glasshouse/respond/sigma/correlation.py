"""Sigma correlation rules (specification 2.1) as values."""

from __future__ import annotations

from typing import Any, cast

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionItem,
    CorrelationConditionOR,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)

from glasshouse.respond.sigma.correlation_signs import AND, NOT, OR
from glasshouse.respond.sigma.ir import Correlation, CorrelationKind
from glasshouse.respond.sigma.values import NotCompilableError
from glasshouse.words.incident import RuleRef


def correlation(rule: SigmaCorrelationRule, ref: RuleRef) -> Correlation:
    """The correlation as a value; raises NotCompilableError for what the specification forbids."""
    if rule.timespan is None:
        raise NotCompilableError("the correlation has no type or no timespan")
    kind = cast(CorrelationKind, rule.type.name.lower())
    condition: tuple[str, ...] = ()
    operator, threshold, percentile = "GTE", 1.0, 50.0
    fields: tuple[str, ...] = ()
    names = [each.reference for each in rule.rules or []]
    if isinstance(rule.condition, SigmaExtendedCorrelationCondition):
        condition = tuple(_postfix(rule.condition.parsed))
        names = names or rule.condition.get_referenced_rules()
    elif rule.condition is not None:
        operator, threshold = rule.condition.op.name, float(rule.condition.count)
        field = rule.condition.fieldref
        fields = () if field is None else (field,) if isinstance(field, str) else tuple(field)
        percentile = float(rule.condition.percentile if rule.condition.percentile is not None else 50)
    if kind.startswith("value_") and not fields:
        raise NotCompilableError(f"{kind} needs the name of a field in its condition")
    return Correlation(
        ref, rule.name or "", kind, tuple(names), tuple(rule.group_by or ()), float(rule.timespan.seconds), operator,
        threshold, fields, percentile, _aliases(rule), condition, True,
    )  # fmt: skip


def _aliases(rule: SigmaCorrelationRule) -> dict[str, dict[str, str]]:
    aliases = rule.aliases.aliases
    return {name: {ref.reference: field for ref, field in alias.mapping.items()} for name, alias in aliases.items()}


def _postfix(node: Any) -> list[str]:
    if isinstance(node, SigmaRuleReference):
        return [node.reference]
    assert isinstance(node, CorrelationConditionItem)
    if len(node.args) == 1:
        return [*_postfix(node.args[0]), NOT]
    sign = AND if isinstance(node, CorrelationConditionAND) else OR
    assert sign == AND or isinstance(node, CorrelationConditionOR)
    words = _postfix(node.args[0])
    for each in node.args[1:]:
        words += [*_postfix(each), sign]
    return words
