"""Counting use, month by month, from what passed the door: requests, verdicts of people, screening, what prompts were.

A month is a value; counting an entry gives the next one.  Nothing here keeps an event.
"""

from __future__ import annotations

from typing import Any

import msgspec

from glasshouse.dossier.events import VOTE, Event
from glasshouse.dossier.evidence import Month

REQUESTS = {"act.request": "requests", "act.denied": "denied", "act.asked": "asked"}
ENDINGS = {"stopped": "stopped", "interrupted": "interrupted", "withheld": "withheld"}
DECIDED = {"approved": "approved", "denied": "refused"}  # state of a request after a vote -> what is counted
WITH_EVENTS = frozenset({*REQUESTS, VOTE})
MISUSE_POLICIES = frozenset({"core.misuse", "ask.misuse"})
LENGTHS = (200, 1_000, 4_000, 16_000, 64_000)  # upper ends of classes of prompt length, in characters
CODE = (0, 20, 50, 80)  # upper ends of classes of the share of code, in per cent


def counted(month: Month, index: int, kind: str, decision: str, event: Event | None) -> Month:
    """The month with one entry more.  An erased vote counts as nothing: what it decided is not known."""
    changes: dict[str, Any] = {"span": (month.span[0], index)}
    counter = REQUESTS.get(kind, "")
    if kind == "act.outcome":
        counter = ENDINGS.get(decision, "")
    elif kind == VOTE and event is not None:
        counter = DECIDED.get(event.unmapped.state, "")
    if counter:
        changes[counter] = getattr(month, counter) + 1
    if event is not None and kind in REQUESTS:
        changes |= _read(month, kind, event)
    if event is not None and counter == "approved" and MISUSE_POLICIES & set(event.unmapped.terms.policies):
        month = with_false_alarm(month)  # screening asked for people, and people said yes
    return msgspec.structs.replace(month, **changes)


def with_false_alarm(month: Month) -> Month:
    """The month with a false alarm more: somebody was stopped wrongly, and people said so."""
    return msgspec.structs.replace(month, false_alarms=month.false_alarms + 1)


def _read(month: Month, kind: str, event: Event) -> dict[str, Any]:
    """Scores, categories and what the prompt was, of one request."""
    said = event.unmapped
    changes: dict[str, Any] = {}
    if said.misuse is not None:
        bins = list(month.scores or (0,) * 10)
        bins[min(9, max(0, said.misuse) // 10)] += 1
        changes["scores"] = tuple(bins)
        for category in said.misuse_categories or ("none",):
            changes["categories"] = _more(changes.get("categories", month.categories), category)
    if said.input is not None:
        changes["lengths"] = _more(month.lengths, length_class(said.input.characters))
        changes["languages"] = _more(month.languages, said.input.language)
        changes["code"] = _more(month.code, code_class(said.input.code))
    if kind == "act.denied":
        for category in said.misuse_categories:
            changes["misuse"] = _more(changes.get("misuse", month.misuse), category)
    return changes


def _more(counts: dict[str, int], name: str) -> dict[str, int]:
    return counts | {name: counts.get(name, 0) + 1}


def length_class(characters: int) -> str:
    """The class of a prompt's length."""
    end = next((end for end in LENGTHS if characters <= end), 0)
    return f"to {end:,}" if end else f"over {LENGTHS[-1]:,}"


def code_class(per_cent: int) -> str:
    """The class of a prompt's share of code."""
    end = next((end for end in CODE if per_cent <= end), 100)
    return "none" if end == 0 else f"to {end} %"
