"""The cache loses what it must, and never gives a wrong value or stops a scan."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.cache import CACHE_VERSION, Cache

NOBODY = 65534
BLOBS = {f"key{number}".encode(): bytes([number]) * (500 * number + 1) for number in range(40)}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    with Cache(tmp_path / "cache") as cache:
        cache.put_many("ir", BLOBS.items())
    return tmp_path / "cache"


def get_all(directory: Path) -> tuple[dict[bytes, bytes], str]:
    with Cache(directory) as cache:
        return cache.get_many("ir", list(BLOBS)), cache.note


def assert_only_right_values(directory: Path) -> int:
    found, _ = get_all(directory)
    assert all(BLOBS[key] == value for key, value in found.items())
    return len(found)


def test_what_was_put_is_found_later_and_in_its_namespace_only(filled: Path) -> None:
    assert get_all(filled) == (BLOBS, "")
    with Cache(filled) as cache:
        assert cache.get_many("summary", list(BLOBS)) == {}
        assert cache.get_many("ir", [b"unknown"]) == {}


def test_the_last_value_of_a_key_wins_and_deleted_keys_are_gone(filled: Path) -> None:
    with Cache(filled) as cache:
        cache.put_many("ir", [(b"key1", b"new")])
        cache.delete_many("ir", [b"key2"])
        assert cache.get_many("ir", [b"key1", b"key2"]) == {b"key1": b"new"}


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=200), max_size=20))
def test_any_bytes_are_keys_and_values(tmp_path_factory: pytest.TempPathFactory, blobs: dict[bytes, bytes]) -> None:
    with Cache(tmp_path_factory.mktemp("cache")) as cache:
        cache.put_many("n", blobs.items())
        assert cache.get_many("n", list(blobs)) == blobs


def test_more_keys_than_one_statement_takes_are_found(tmp_path: Path) -> None:
    blobs = {str(number).encode(): b"v%d" % number for number in range(2500)}
    with Cache(tmp_path) as cache:
        cache.put_many("n", blobs.items())
        assert cache.get_many("n", list(blobs)) == blobs


def test_pruning_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    with Cache(tmp_path, generation=1) as cache:
        cache.put_many("n", [(b"old", b"x" * 100), (b"loved", b"x" * 100)])
    with Cache(tmp_path, generation=2) as cache:
        cache.put_many("n", [(b"new", b"x" * 100)])
        cache.get_many("n", [b"loved"])
        assert cache.prune(200) == 1
        assert set(cache.get_many("n", [b"old", b"loved", b"new"])) == {b"loved", b"new"}
        assert cache.prune(200) == 0


@pytest.mark.parametrize("seed", range(25))
def test_flipped_bits_lose_values_and_never_change_them(filled: Path, seed: int) -> None:
    (path,) = filled.glob("*.sqlite")
    data = bytearray(path.read_bytes())
    dice = random.Random(seed)
    for _ in range(dice.choice([1, 20, 400])):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    assert_only_right_values(filled)
    with Cache(filled) as cache:
        cache.put_many("ir", BLOBS.items())
    with Cache(filled) as cache:
        cache.put_many("ir", BLOBS.items())
    assert assert_only_right_values(filled) == len(BLOBS)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_started_anew(filled: Path, share: float) -> None:
    (path,) = filled.glob("*.sqlite")
    os.truncate(path, int(path.stat().st_size * share))
    assert_only_right_values(filled)
    with Cache(filled) as cache:
        cache.put_many("ir", BLOBS.items())
    assert get_all(filled)[0] == BLOBS


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_replaced(filled: Path, content: bytes) -> None:
    (path,) = filled.glob("*.sqlite")
    path.write_bytes(content)
    with Cache(filled) as cache:
        cache.put_many("ir", [(b"k", b"v")])
        assert cache.get_many("ir", [b"k"]) == {b"k": b"v"}


def test_a_value_moved_to_another_key_is_not_believed(filled: Path) -> None:
    (path,) = filled.glob("*.sqlite")
    database = sqlite3.connect(path)
    database.execute(
        "UPDATE blobs SET sum = (SELECT sum FROM blobs WHERE key = ?), value = ?", (b"ir\0key3", BLOBS[b"key3"])
    )
    database.commit()
    database.close()
    assert set(get_all(filled)[0]) == {b"key3"}


def test_another_version_of_the_tables_is_dropped(filled: Path) -> None:
    (path,) = filled.glob("*.sqlite")
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version={CACHE_VERSION + 1}")
    database.close()
    assert get_all(filled) == ({}, "")


def test_a_locked_cache_is_done_without_and_says_so(filled: Path) -> None:
    (path,) = filled.glob("*.sqlite")
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    with Cache(filled, busy_ms=1) as cache:
        cache.put_many("ir", [(b"k", b"v")])
        assert "locked" in cache.note
        assert cache.get_many("ir", [b"key1"]) == {b"key1": BLOBS[b"key1"]}
    database.close()


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[None]:
    """Root may write everywhere; act as somebody who may not."""
    if os.geteuid() != 0:
        pytest.skip("needs to change the user")
    for parent in [tmp_path, *tmp_path.parents][:4]:
        if parent != Path("/tmp"):
            parent.chmod(0o755)
    yield
    os.seteuid(0)


def test_a_read_only_cache_is_read_and_says_so(filled: Path, nobody: None) -> None:
    filled.chmod(0o755)
    for path in filled.iterdir():
        path.chmod(0o644)
    os.seteuid(NOBODY)
    with Cache(filled) as cache:
        cache.put_many("ir", [(b"k", b"v")])
        assert cache.get_many("ir", [b"k", b"key1"]) == {b"key1": BLOBS[b"key1"]}
        assert "read-only" in cache.note


def test_a_directory_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file" / "cache") as cache:
        cache.put_many("n", [(b"k", b"v")])
        assert cache.get_many("n", [b"k"]) == {}
        assert "without cache" in cache.note


def test_a_cache_that_others_could_have_planted_is_not_used(filled: Path) -> None:
    filled.chmod(0o777)
    found, note = get_all(filled)
    assert found == {}
    assert "every user" in note


WRITER = """
import sys
from pathlib import Path
from glasshouse.scan.cache import Cache
who = sys.argv[2].encode()
with Cache(Path(sys.argv[1])) as cache:
    for number in range(60):
        cache.put_many("n", [(b"%s-%d" % (who, number), who * number), (b"shared-%d" % number, b"same" * number)])
        cache.get_many("n", [b"shared-%d" % other for other in range(60)])
    print(cache.note)
"""


def test_two_processes_may_use_one_cache_at_once(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), who] for who in ("a", "b")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    notes = [process.communicate(timeout=60)[0].strip() for process in running]
    assert notes == [b"", b""]
    with Cache(tmp_path) as cache:
        for who in (b"a", b"b"):
            wanted = {b"%s-%d" % (who, number): who * number for number in range(60)}
            assert cache.get_many("n", list(wanted)) == wanted


def test_a_cache_is_of_no_use_in_a_forked_child(filled: Path) -> None:
    with Cache(filled) as cache:
        child = os.fork()
        if child == 0:
            os._exit(len(cache.get_many("ir", list(BLOBS))))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert cache.get_many("ir", list(BLOBS)) == BLOBS
