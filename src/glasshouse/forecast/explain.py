"""Reasons of a forecast in words: how much each group of inputs moves the odds against a typical vulnerability."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, expm1, isnan

import numpy as np

from glasshouse.forecast.background import Background
from glasshouse.forecast.facts import Knowledge, iso
from glasshouse.forecast.features import GROUPS, name_text
from glasshouse.forecast.model import Model, Variant
from glasshouse.forecast.text import words
from glasshouse.words.forecast import Reason

MAX_REASONS = 5
MAX_TERMS = 4
SMALLEST_FACTOR = 1.15
_INPUT_GROUPS: tuple[str, ...] = (*GROUPS, "text")


def reasons(
    model: Model, known: Knowledge, row: Sequence[float], variant: Variant, background: Background
) -> tuple[Reason, ...]:
    """The groups that matter most.

    Each is replaced, alone, by what a typical vulnerability has; the change of the odds within 90 days is its factor.
    Groups act together in the trees, so factors do not multiply up to the whole.
    """
    typical = model.weights.variants[variant].typical
    groups = list(dict.fromkeys(_INPUT_GROUPS))
    table = np.array([row] * (len(groups) + 1), dtype=np.float64)
    for number, group in enumerate(groups, start=1):
        for column, own in enumerate(_INPUT_GROUPS):
            if own == group:
                table[number, column] = typical[column]
    values = model.probabilities(table, variant)[:, 1]
    log_odds = np.log(values) - np.log1p(-values)
    found = []
    for group, changed in zip(groups, log_odds[1:], strict=True):
        factor = exp(float(log_odds[0] - changed))
        if max(factor, 1 / factor) >= SMALLEST_FACTOR:
            found.append(Reason(group, factor, _words(group, model, known, row, background)))
    found.sort(key=lambda each: -abs(float(np.log(each.factor))))
    return tuple(found[:MAX_REASONS])


def _words(group: str, model: Model, known: Knowledge, row: Sequence[float], background: Background) -> str:
    if group == "text":
        found = [term for term, _ in model.text.contributions(words(name_text(known)), MAX_TERMS)]
        quoted = ", ".join(f"'{term}'" for term in found)
        return f"reads like listed ones: {quoted}" if found else "the description"
    if group == "attention":
        return _attention(known, row)
    if group == "history":
        names = background.names(words(name_text(known)))
        if not names.vendor_ever and not names.product_ever:
            return "neither vendor nor product was listed before"
        parts = [f"vendor '{names.vendor}': {names.vendor_ever} listed, {names.vendor_year} in the last year"]
        if names.product_ever:
            parts.append(f"product '{names.product}': {names.product_ever}, last {names.product_days} days ago")
        return "; ".join(parts)
    if group == "age":
        return f"first seen {iso(known.first_seen)}, {known.day - known.first_seen} days before"
    if group == "exploits":
        kinds = ", ".join(sorted("an index of proofs" if kind == "repository" else kind for kind in known.exploits))
        return f"public exploit or check: {kinds}" if kinds else "no public exploit or check known"
    if group == "severity":
        return f"CVSS {known.severity.score} {known.severity.vector}" if known.severity else "no CVSS known"
    return ", ".join(f"CWE-{number}" for number in known.cwes[:3]) or "no weakness class known"


def _attention(known: Knowledge, row: Sequence[float]) -> str:
    if not known.mentions:
        return "no mentions known"
    now = known.mentions[-1][1]
    gained = 0 if isnan(row[7]) else round(expm1(row[7]))
    return (
        f"{now.repositories} repositories mention it, {now.dedicated} are named after it, "
        f"{gained} more in the last 90 days"
    )
