"""What a condition says about the items in it, where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Sequence

from glasshouse.scan.language.cobol.state import State
from glasshouse.scan.language.cobol.tokens import Token

_ORDER = frozenset({"<", ">", "<=", ">="})


def refine(state: State, condition: Sequence[Token], *, holds: bool) -> None:
    """Names compared with constants, tested to be numeric or by a condition name, and compared by order.

    A part joined by OR says nothing where the whole holds, unless all parts compare one item with constants.
    """
    words = [token for token in condition if not token.word("IS", "THEN", "TO", "THAN", "EQUALS")]
    state.check(_ordered(words))
    has_or = any(token.word("OR") for token in words)
    has_and = any(token.word("AND") for token in words)
    for at, token in enumerate(words):
        if token.kind != "word":
            continue
        following = words[at + 1 : at + 4]
        negative = bool(following) and following[0].word("NOT")
        rest = following[1:] if negative else following
        before = words[at - 1] if at else None
        negated = before is not None and before.word("NOT")
        # With AND all parts hold where the whole does; with OR none holds where the whole does not.
        means = (negative != negated) != holds
        certain = not has_or if holds else not has_and
        if rest and rest[0].word("NUMERIC"):
            if means and certain:
                state.numeric(token.text)
        elif token.text in state.data.conditions:
            if means and (certain or _all_conditions(words, state)):
                state.clear(state.data.conditions[token.text])
        elif len(rest) > 1 and (rest[0].mark("=") or rest[0].word("EQUAL")) and rest[1].kind in ("literal", "number"):
            if means and (certain or _one_subject(words, token.text)):
                state.clear(token.text)


def _ordered(words: Sequence[Token]) -> frozenset[str]:
    """Items of conditions that compare by order."""
    orders = any(
        (token.kind == "mark" and token.text in _ORDER) or token.word("GREATER", "LESS", "THRU", "THROUGH")
        for token in words
    )
    return frozenset(token.text for token in words if token.kind == "word") if orders else frozenset()


def _one_subject(words: Sequence[Token], name: str) -> bool:
    """Whether all alternatives are constants for the same item: ``A = 'X' OR 'Y' OR A = 'Z'``."""
    names = {token.text for token in words if token.kind == "word" and not token.word("OR", "EQUAL", "AND", "NOT")}
    return names == {name}


def _all_conditions(words: Sequence[Token], state: State) -> bool:
    names = [token.text for token in words if token.kind == "word" and not token.word("OR")]
    return len({state.data.conditions.get(name, name) for name in names}) == 1
