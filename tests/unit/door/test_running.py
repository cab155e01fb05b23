"""The journal of running acts: what a dead process left open is known, what a living one runs is left alone."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from glasshouse.door.running import FIRST_PLACES, GRACE_MS, Journal, Remains


def test_what_runs_here_is_not_taken_for_interrupted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begins(7)
    assert Remains(tmp_path).interrupted([(7, 0), (8, 0)], GRACE_MS + 1) == [8]
    journal.ends(7)
    assert Remains(tmp_path).interrupted([(7, 0)], GRACE_MS + 1) == [7]
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_closed_journal_still_lists_is_interrupted_at_once_and_the_journal_goes(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for index in range(3 * FIRST_PLACES):
        journal.begins(index)
    for index in range(0, 3 * FIRST_PLACES, 2):
        journal.ends(index)
    journal.close()
    remains = Remains(tmp_path)
    open_ones = [(index, 0) for index in range(3 * FIRST_PLACES)]
    assert remains.interrupted(open_ones, 0) == list(range(1, 3 * FIRST_PLACES, 2))
    remains.clear()
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200))
def test_a_damaged_journal_breaks_no_start(tmp_path_factory: object, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("running")  # type: ignore[attr-defined]
    (folder / "1-damaged").write_bytes(data)
    assert Remains(folder).interrupted([], 0) == []
