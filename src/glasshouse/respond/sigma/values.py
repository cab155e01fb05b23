"""Sigma values as predicates: pySigma's parsed value types become questions about one field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from glasshouse.respond.sigma.ir import KEYWORD_FIELD, MARK, STAR, Expression, Kind, Not, Or, Predicate

MAX_PATTERN_CHARACTERS = 16_384


class NotCompilableError(ValueError):
    """The rule uses something that cannot be evaluated; the message says what."""


Leafer = Callable[[Predicate], Expression]


def predicate(field: str, value: Any, leaf: Leafer) -> Expression:
    """The expression for ``field`` having ``value``; ``leaf`` interns a predicate."""
    match value:
        case SigmaExpansion():
            return Or(tuple(predicate(field, each, leaf) for each in value.values))
        case SigmaString():
            return leaf(_string(field, value, cased=isinstance(value, SigmaCasedString)))
        case SigmaTimestampPart():
            unit = value.timestamp_part.name.lower()
            return leaf(Predicate("part", field, str(value.number), option=unit))
        case SigmaNumber():
            return leaf(_equal(field, number_text(value.number)))
        case SigmaBool():
            return leaf(_equal(field, "true" if value.boolean else "false"))
        case SigmaRegularExpression():
            return leaf(_regex(field, value))
        case SigmaCIDRExpression():
            return leaf(Predicate("cidr", field, str(value.network)))
        case SigmaCompareExpression():
            return _compare(field, value, leaf)
        case SigmaNull():
            return leaf(Predicate("null", field, ""))
        case SigmaExists():
            found = leaf(Predicate("exists", field, ""))
            return found if value.exists else Not(found)
        case SigmaFieldReference():
            mode = "starts" if value.starts_with else "ends" if value.ends_with else "eq"
            return leaf(Predicate("fieldref", field, value.field, option=mode))
        case _:
            raise NotCompilableError(f"value of type {type(value).__name__} is not supported")


def number_text(number: int | float) -> str:
    """A number as logs write it: ``4688``, not ``4688.0``."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _equal(field: str, text: str) -> Predicate:
    return Predicate("contains" if field == KEYWORD_FIELD else "eq", field, text)


def _compare(field: str, value: SigmaCompareExpression, leaf: Leafer) -> Expression:
    kinds: dict[str, Kind] = {"LT": "lt", "LTE": "lte", "GT": "gt", "GTE": "gte", "NEQ": "neq"}
    return leaf(Predicate(kinds[value.op.name], field, number_text(value.number.number)))


def _regex(field: str, value: SigmaRegularExpression) -> Predicate:
    flags = "".join(sorted(flag.name[0].lower() for flag in value.flags))  # i, m, d (dot matches all)
    parts = value.regexp.s
    if any(isinstance(part, Placeholder) for part in parts):
        raise NotCompilableError(_placeholder(parts))
    text = value.regexp.original
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise NotCompilableError(f"regular expression longer than {MAX_PATTERN_CHARACTERS} characters")
    _check_regex(text)
    return Predicate("re", field, text, option=flags)


def _check_regex(text: str) -> None:
    import regex

    try:
        regex.compile(text)
    except regex.error as error:
        raise NotCompilableError(f"invalid regular expression: {error}") from None


def _placeholder(parts: Any) -> str:
    names = [f"%{part.name}%" for part in parts if isinstance(part, Placeholder)]
    return f"placeholder {', '.join(names)} has no values; give them with --placeholders FILE"


def _string(field: str, value: SigmaString, *, cased: bool) -> Predicate:
    parts = list(value.s)
    if any(isinstance(part, Placeholder) for part in parts):
        raise NotCompilableError(_placeholder(parts))
    texts = [part if isinstance(part, str) else STAR if part is SpecialChars.WILDCARD_MULTI else MARK for part in parts]
    if not cased:
        texts = [part.lower() if part not in (STAR, MARK) else part for part in texts]
    plain = [part for part in texts if part != STAR]
    if not texts:
        return Predicate("null", field, "")
    if not plain:
        return Predicate("any", field, "")
    if len("".join(texts)) > MAX_PATTERN_CHARACTERS:
        raise NotCompilableError(f"value longer than {MAX_PATTERN_CHARACTERS} characters")
    kind, text = _shape(texts, plain)
    if field == KEYWORD_FIELD and kind in ("eq", "starts", "ends"):
        kind = "contains"  # a keyword may stand anywhere in the event
    if field == KEYWORD_FIELD and kind == "glob":
        text = f"{STAR}{text.removeprefix(STAR).removesuffix(STAR)}{STAR}"
    return Predicate(kind, field, text, cased)


def _shape(texts: list[str], plain: list[str]) -> tuple[Kind, str]:
    if MARK in texts or len(plain) > 1:
        return "glob", "".join(texts)
    before, after = texts[0] == STAR, texts[-1] == STAR
    if before and after:
        return "contains", plain[0]
    if before:
        return "ends", plain[0]
    return ("starts" if after else "eq"), plain[0]
