"""Several compiled rule sets as one; a rule that comes twice counts once."""

from __future__ import annotations

from collections.abc import Sequence

from glasshouse.respond.sigma.ir import (
    FORMAT,
    And,
    CompiledRule,
    Correlation,
    Expression,
    Leaf,
    Not,
    Or,
    Predicate,
    RuleSet,
)
from glasshouse.words.incident import RuleProblem


def joined(sets: Sequence[RuleSet]) -> RuleSet:
    """One rule set with the predicates of all, numbered anew."""
    if len(sets) == 1:
        return sets[0]
    numbers: dict[Predicate, int] = {}
    rules: dict[str, CompiledRule] = {}
    correlations: dict[str, Correlation] = {}
    problems: list[RuleProblem] = []
    for each in sets:
        new = [numbers.setdefault(item, len(numbers)) for item in each.predicates]
        for rule in each.rules:
            if rule.ref.id not in rules:
                tree = _renumbered(rule.expression, new)
                rules[rule.ref.id] = CompiledRule(rule.ref, rule.name, tree, rule.routes, rule.output, rule.fields)
        for item in each.correlations:
            correlations.setdefault(item.ref.id, item)
        problems += each.problems
    files = sum(each.files for each in sets)
    return RuleSet(FORMAT, tuple(numbers), tuple(rules.values()), tuple(correlations.values()), tuple(problems), files)


def _renumbered(node: Expression, new: Sequence[int]) -> Expression:
    match node:
        case Leaf():
            return Leaf(new[node.at])
        case And():
            return And(tuple(_renumbered(arg, new) for arg in node.args))
        case Or():
            return Or(tuple(_renumbered(arg, new) for arg in node.args))
        case Not():
            return Not(_renumbered(node.arg, new))
