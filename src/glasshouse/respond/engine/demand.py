"""What a rule needs in order to match at all: values that a field must have, and predicates of which one must hold."""

from __future__ import annotations

from collections.abc import Sequence

from glasshouse.respond.sigma.ir import KEYWORD_FIELD, STRING_KINDS, And, Expression, Leaf, Not, Or, Predicate

COMMON_LENGTH = 4
"""Literals shorter than this say little; witnesses prefer longer ones."""
ROUTING_FIELDS = frozenset({"EventID", "Channel"})


def required_values(node: Expression, predicates: Sequence[Predicate], field: str) -> frozenset[str] | None:
    """The values one of which ``field`` must equal, or None when the rule does not demand any."""
    match node:
        case Leaf():
            each = predicates[node.at]
            return frozenset((each.value.lower(),)) if each.field == field and each.kind == "eq" else None
        case And():
            found = [values for arg in node.args if (values := required_values(arg, predicates, field)) is not None]
            return frozenset.intersection(*found) if found else None
        case Or():
            each_one = [required_values(arg, predicates, field) for arg in node.args]
            known = [values for values in each_one if values is not None]
            return frozenset().union(*known) if len(known) == len(each_one) else None
        case Not():
            return None


def witnesses(node: Expression, predicates: Sequence[Predicate]) -> frozenset[int] | None:
    """Predicates of which at least one must hold, few and specific; None when a rule may match without any."""
    found = _clause(node, predicates)
    return found[1] if found else None


def _clause(node: Expression, predicates: Sequence[Predicate]) -> tuple[float, frozenset[int]] | None:
    match node:
        case Leaf():
            each = predicates[node.at]
            if each.kind not in STRING_KINDS or each.field in ROUTING_FIELDS:
                return None
            return _commonness(each), frozenset((node.at,))
        case And():
            found = [clause for arg in node.args if (clause := _clause(arg, predicates)) is not None]
            return min(found, key=lambda clause: (clause[0], len(clause[1]))) if found else None
        case Or():
            each_one = [_clause(arg, predicates) for arg in node.args]
            known = [clause for clause in each_one if clause is not None]
            if len(known) < len(each_one):
                return None
            return sum(clause[0] for clause in known), frozenset().union(*(clause[1] for clause in known))
        case Not():
            return None


def _commonness(each: Predicate) -> float:
    length = len(each.value)
    weight = 1.0 / max(length - COMMON_LENGTH, 0.5) ** 2
    if each.value.endswith((".exe", ".dll")):
        weight *= 3.0  # names of programs are met more often than arguments of the same length
    return weight * (4.0 if each.field == KEYWORD_FIELD else 1.0)


def cheapest_first(node: Expression, predicates: Sequence[Predicate]) -> Expression:
    """The same expression with cheap parts before slow ones."""
    match node:
        case And():
            return And(tuple(sorted((cheapest_first(arg, predicates) for arg in node.args), key=_cost(predicates))))
        case Or():
            return Or(tuple(sorted((cheapest_first(arg, predicates) for arg in node.args), key=_cost(predicates))))
        case Not():
            return Not(cheapest_first(node.arg, predicates))
        case Leaf():
            return node


def _cost(predicates: Sequence[Predicate]):  # type: ignore[no-untyped-def]
    def cost(node: Expression) -> float:
        match node:
            case Leaf():
                each = predicates[node.at]
                if each.kind in STRING_KINDS:
                    return 1.0
                return 2.0 if each.kind in ("null", "exists", "any") else 1e4 if each.kind == "re" else 1e3
            case Not():
                return cost(node.arg) + 0.5
            case And() | Or():
                return sum(cost(arg) for arg in node.args)

    return cost
