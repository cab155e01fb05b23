"""Incidents as the log saw them: linked acts, the approvals they used, near misses of the same keys, nothing else."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from glasshouse.dossier.involvement import NEAR_DAYS, Involvement, Looked, involvements

AT = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


def act(
    index: int, kind: str, key: str = "k1", days: float = 0, about: int | None = None, **unmapped: object
) -> Looked:
    """An entry so many days after the incident."""
    event = json.dumps({"policy": {"uid": "core.misuse", "version": "ab" * 32}, "unmapped": unmapped}).encode()
    return Looked(index, AT + dt.timedelta(days=days), kind, "permit", key, about, event)


def vote(index: int, request: str) -> Looked:
    """A vote on a request."""
    return act(index, "approval.vote", "k9", terms={"id": request}, vote={"approver": "eve"})


def of(*entries: Looked, linked: int = 10) -> Involvement:
    """The involvement of one case."""
    return involvements({"inc-1": frozenset({linked})}, entries)["inc-1"]


def test_the_outcome_of_a_linked_act_belongs_to_it() -> None:
    found = of(act(10, "act.request"), act(11, "act.outcome", about=10), act(12, "act.outcome", about=9))
    assert [each.entry for each in found.acts] == [10, 11]


def test_only_the_votes_on_the_approval_that_was_used_are_shown() -> None:
    found = of(vote(4, "r1"), vote(5, "r2"), act(10, "act.request", approval="r2"))
    assert [(each.entry, each.approver) for each in found.votes] == [(5, "eve")]


def test_a_near_miss_is_of_the_same_key_and_of_the_days_before() -> None:
    found = of(
        act(1, "act.denied", days=-NEAR_DAYS - 1),
        act(2, "act.denied", days=-1),
        act(3, "act.asked", days=-1),
        act(4, "act.denied", key="k2", days=-1),
        act(10, "act.request"),
        act(20, "act.denied", days=1),
    )
    assert [each.entry for each in found.near] == [2, 3]
    assert found.near[0].rules == ("core.misuse",)


def test_a_linked_act_whose_event_was_erased_is_shown_as_erased() -> None:
    (seen,) = of(Looked(10, AT, "act.request", "permit", "k1", erased=True)).acts
    assert seen.erased
    assert seen.models == ()


def test_a_linked_record_never_had_an_event_and_is_not_called_erased() -> None:
    (seen,) = of(Looked(10, AT, "assess.model", "none", "k1")).acts
    assert not seen.erased


def test_the_digest_of_no_answer_is_no_material() -> None:
    empty, full = hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"an answer").hexdigest()
    found = of(
        act(10, "act.request"),
        act(11, "act.outcome", about=10, result_digest=empty),
        act(12, "act.outcome", about=10, result_digest=full),
    )
    assert [each.result_digest for each in found.acts] == ["", "", full]


def test_entries_that_are_not_there_involve_nothing() -> None:
    assert of(act(9, "act.request"), linked=10) == Involvement()
