"""Numbers that the model reads, made from what was known about a CVE on a day.

``vector`` takes ``Knowledge`` and a ``Background`` of the same day, so nothing later than the day can enter.  A
number that the sources could not tell is ``nan``, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p, nan
from typing import Literal

from glasshouse.forecast.background import Background
from glasshouse.forecast.facts import ExploitKind, Knowledge, Mentions

Group = Literal["age", "attention", "history", "exploits", "severity", "weakness", "text"]

MENTION_CAP = 2_000
"""Counts above this say nothing more; a farm of empty repositories gains nothing by adding to them."""
AGE_CAP_DAYS = 1_100
HISTORY_DAYS = (7, 30, 90, 365)
EXPLOITS: tuple[ExploitKind, ...] = ("metasploit", "exploitdb", "nuclei", "repository")

FEATURES: tuple[tuple[str, Group], ...] = (
    ("age_seen", "age"),
    ("age_id_years", "age"),
    ("references", "attention"),
    ("repositories", "attention"),
    ("dedicated", "attention"),
    ("repositories_7d", "attention"),
    ("repositories_30d", "attention"),
    ("repositories_90d", "attention"),
    ("repositories_365d", "attention"),
    ("dedicated_30d", "attention"),
    ("dedicated_90d", "attention"),
    ("changes_90d", "attention"),
    ("since_change", "attention"),
    ("repositories_per_month", "attention"),
    ("vendor_year", "history"),
    ("vendor_ever", "history"),
    ("product_year", "history"),
    ("product_ever", "history"),
    ("product_days", "history"),
    ("metasploit", "exploits"),
    ("exploitdb", "exploits"),
    ("nuclei", "exploits"),
    ("repository", "exploits"),
    ("cvss", "severity"),
    ("cvss_network", "severity"),
    ("cvss_no_privileges", "severity"),
    ("cvss_no_interaction", "severity"),
    ("cvss_high_impacts", "severity"),
    ("weakness_recent", "weakness"),
    ("weakness_ever", "weakness"),
    ("text_length", "text"),
)
NAMES: tuple[str, ...] = tuple(name for name, _ in FEATURES)
GROUPS: tuple[Group, ...] = tuple(group for _, group in FEATURES)


def vector(known: Knowledge, background: Background, tokens: Sequence[str]) -> list[float]:
    """The numbers in the order of ``FEATURES``.  ``tokens`` are the words of description and product names."""
    if known.day != background.day:
        raise ValueError("knowledge and background must be of the same day")
    return [
        *_age(known),
        *_attention(known),
        *_history(background, tokens),
        *_exploits(known),
        *_severity(known),
        *_weakness(known, background),
        log1p(len(tokens)) if tokens else nan,
    ]


def name_text(known: Knowledge) -> str:
    """Description and product names: the text in which names are looked for."""
    return " ".join([known.description, *(f"{vendor} {product}" for vendor, product in known.products)])


def _age(known: Knowledge) -> tuple[float, float]:
    seen = min(known.day - known.first_seen, AGE_CAP_DAYS)
    year = int(known.cve[4:8])
    return log1p(seen), min(max((known.day - (year - 1) * 365.2425 - 1) / 365.2425, 0.0), 12.0)


def _attention(known: Knowledge) -> list[float]:
    history = known.mentions
    if not history:
        return [nan] * 12
    now = history[-1][1]
    gains = [_gain(known, span) for span in HISTORY_DAYS]
    changes = sum(1 for moment, _ in history if moment > known.day - 90 and moment > history[0][0])
    months = max((known.day - history[0][0]) / 30.4, 0.5)
    rate = (now.repositories - history[0][1].repositories) / months if len(history) > 1 else now.repositories / months
    return [
        log1p(min(now.references, MENTION_CAP)),
        log1p(min(now.repositories, MENTION_CAP)),
        log1p(min(now.dedicated, MENTION_CAP)),
        *(log1p(max(repositories, 0)) for repositories, _ in gains),
        log1p(max(gains[1][1], 0)),
        log1p(max(gains[2][1], 0)),
        log1p(changes),
        log1p(known.day - history[-1][0]),
        log1p(max(rate, 0.0)),
    ]


def _gain(known: Knowledge, span: int) -> tuple[int, int]:
    """Repositories and dedicated repositories gained in the last ``span`` days."""
    before: Mentions | None = None
    for moment, counts in known.mentions:
        if moment > known.day - span:
            break
        before = counts
    now = known.mentions[-1][1]
    if before is None:
        return min(now.repositories, MENTION_CAP), min(now.dedicated, MENTION_CAP)
    return now.repositories - before.repositories, now.dedicated - before.dedicated


def _history(background: Background, tokens: Sequence[str]) -> list[float]:
    found = background.names(tokens)
    days = nan if found.product_days is None else log1p(found.product_days)
    counts = (found.vendor_year, found.vendor_ever, found.product_year, found.product_ever)
    return [*(log1p(count) for count in counts), days]


def _exploits(known: Knowledge) -> list[float]:
    return [1.0 if kind in known.exploits else 0.0 for kind in EXPLOITS]


def _severity(known: Knowledge) -> list[float]:
    if known.severity is None:
        return [nan] * 5
    metrics = dict(part.split(":", 1) for part in known.severity.vector.split("/") if ":" in part)
    privileges = metrics.get("PR", metrics.get("Au", ""))
    high = sum(1 for name in ("C", "I", "A", "VC", "VI", "VA") if metrics.get(name) in ("H", "C"))
    return [
        known.severity.score,
        float(metrics.get("AV") == "N"),
        float(privileges == "N"),
        float(metrics.get("UI", "N") == "N"),
        float(high),
    ]


def _weakness(known: Knowledge, background: Background) -> tuple[float, float]:
    counted = background.weakness(known.cwes)
    return (nan, nan) if counted is None else (log1p(counted[0]), log1p(counted[1]))
