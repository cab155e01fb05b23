"""Opening a log: its lock, its keys, its state compared with its entries; becoming the committer or joining it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from glasshouse.ledger.audit.notes import is_key_name, parse_note, signers
from glasshouse.ledger.audit.policy import Policy
from glasshouse.ledger.audit.proofs import TILE, Fault, leaf_hash
from glasshouse.ledger.audit.verify import DATABASE, OWN_POLICY, SERVER
from glasshouse.ledger.committer import Committer, Settings
from glasshouse.ledger.keys import (
    LOG_KINDS,
    EngagementKeys,
    Signer,
    new_signers,
    read_private,
    read_signers,
    write_private,
    write_signers,
)
from glasshouse.ledger.reader import LogReader
from glasshouse.ledger.receipt import SignedCheckpoint, checkpoint_body
from glasshouse.ledger.remote import CommitterServer, RemoteWriter
from glasshouse.ledger.requests import Writer
from glasshouse.ledger.retention import Approvers
from glasshouse.ledger.store.interface import State, Store
from glasshouse.ledger.store.sqlite import SqliteStore
from glasshouse.ledger.tree import Frontier
from glasshouse.words.errors import (
    LedgerBusyError,
    LedgerFullError,
    LedgerKeyError,
    LedgerStoppedError,
    PathError,
    UsageError,
    VerificationError,
)

if TYPE_CHECKING:
    from glasshouse.ledger.cosigning import Ask

MAX_ORIGIN_BYTES = 255
JOIN_PATIENCE_S = 10.0
JOIN_PAUSE_S = 0.01


class Places:
    """Where the parts of a log lie in its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / DATABASE
        self.keys = directory / "keys" / "log.key"
        self.server = directory / SERVER  # the address of a PostgreSQL server, which may hold a password
        self.engagements = directory / "keys" / "engagements"
        self.approvers = directory / "keys" / "approvers"
        self.policy = directory / OWN_POLICY
        self.lock = directory / "ledger.lock"
        self.stopped = directory / "ledger.stopped"
        self.socket = directory / "ledger.sock"


class Opening(NamedTuple):
    """How to open a log."""

    places: Places
    origin: str | None
    clock: Callable[[], int]  # milliseconds since 1970, UTC
    steady: Callable[[], float]  # seconds of a clock that nobody sets
    ask: Ask
    cosign_every_s: float
    server: str | None


class Opened(NamedTuple):
    """An open log: the way to its committer, a reader, and how to close both."""

    writer: Writer
    reader: LogReader
    close: Callable[[], None]


def join_or_become(opening: Opening) -> Opened:
    """Becomes the committer, or joins the one that runs; waits a moment while one takes over from another."""
    patience = time.monotonic() + JOIN_PATIENCE_S
    while True:
        try:
            return become_committer(opening)
        except LedgerBusyError:
            pass
        try:
            return _connect(opening.places)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > patience:
                raise LedgerBusyError(
                    "another process holds this log and does not answer", where=str(opening.places.directory)
                ) from None
        time.sleep(JOIN_PAUSE_S)


def _connect(places: Places) -> Opened:
    reader: LogReader | None = None

    def checkpoint_of_reader() -> SignedCheckpoint:
        assert reader is not None
        return reader.checkpoint()

    with contextlib.ExitStack() as closing:
        writer = RemoteWriter(places.socket, checkpoint_of_reader)
        closing.callback(writer.close)
        reader = closing.enter_context(open_reader(places.directory))
        return Opened(writer, reader, closing.pop_all().close)


def open_reader(directory: Path) -> LogReader:
    """A log for reading only."""
    places = Places(directory)
    if not places.database.exists() and not places.server.exists():
        raise PathError("there is no log here", where=str(directory), hint="Name the directory of a log.")
    return LogReader(_open_store(places, writable=False), directory)


def _open_store(places: Places, *, writable: bool) -> Store:
    if places.server.exists():
        from glasshouse.ledger.store.postgres import PostgresStore

        return PostgresStore(read_private(places.server).decode("utf-8", "replace").strip(), writable=writable)
    return SqliteStore(places.database, writable=writable)


def become_committer(opening: Opening) -> Opened:
    """Opens, or creates, the log as its one committer; raises ``LedgerBusyError`` when there is one."""
    places = opening.places
    places.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, _take_lock(places))
        _check_directory(places)
        if opening.server is not None and not places.keys.exists():
            write_private(places.server, f"{opening.server}\n".encode())
        store = _open_store(places, writable=True)
        closing.callback(store.close)
        state = store.load()
        if state is None:
            state, keys = _create(opening, store)
        else:
            keys = read_signers(places.keys)
        frontier = checked_frontier(store, state, keys, opening.origin)
        reader = LogReader(store, places.directory)
        policy = reader.policy()
        if not {key.key for key in keys} <= set(policy.logs):
            raise LedgerKeyError("does not name this log's own keys", where=str(places.policy))
        if state.cosigned is not None and not _cosigned_under(policy, state.cosigned):
            store.forget_cosigned()
            state = state._replace(cosigned=None)
        has_witnesses = policy.quorum != "none"
        settings = Settings(
            keys[0].key.name,
            keys,
            EngagementKeys(places.engagements),
            Approvers(places.approvers),
            places.stopped,
            has_witnesses,
            opening.clock,
            opening.steady,
        )
        cosigned = None
        if has_witnesses:  # nothing is signed before the witnesses have seen what was signed last
            cosigned = _first_cosigning(policy, reader, opening)
        committer = Committer(store, state, frontier, settings)
        closing.callback(committer.close)
        if has_witnesses:
            closing.callback(_start_cosigning(policy, reader, committer, store, opening, cosigned))
        closing.callback(CommitterServer(places.socket, committer).close)
        return Opened(committer, reader, closing.pop_all().close)


def _cosigned_under(policy: Policy, text: str) -> bool:
    """Whether a stored checkpoint has the quorum of this policy, and no signature of anybody else's."""
    try:
        note = parse_note(text.encode())
        signed = signers(note, [*policy.logs, *policy.witnesses.values()])
    except Fault:
        return False
    known = {(key.name, key.id) for key in signed}
    return policy.is_met_by(signed) and all((line.name, line.key_id) in known for line in note.lines)


def _first_cosigning(policy: Policy, reader: LogReader, opening: Opening) -> tuple[int, str] | None:
    from glasshouse.ledger.cosigning import Cosigning

    checkpoint = reader.checkpoint()
    asking = Cosigning(
        policy, reader, reader.checkpoint, lambda _size, _note: None, lambda _error: None, ask=opening.ask
    )
    note = asking.check_start(checkpoint)
    return None if note is None else (checkpoint.size, note)


def _start_cosigning(
    policy: Policy,
    reader: LogReader,
    committer: Committer,
    store: Store,
    opening: Opening,
    cosigned: tuple[int, str] | None,
) -> Callable[[], None]:
    from glasshouse.ledger.cosigning import Cosigning

    def keep(size: int, note: str) -> None:
        def write() -> None:
            with contextlib.suppress(LedgerFullError):  # the next cosigned checkpoint will find space, or the one after
                store.set_notes(size, cosigned=note)

        committer.run_between_batches(write)

    def newest() -> SignedCheckpoint:
        return committer.dated()

    if cosigned is not None:
        keep(*cosigned)
    asking = Cosigning(policy, reader, newest, keep, committer.stop, every=opening.cosign_every_s, ask=opening.ask)
    committer.after_commit = lambda _: asking.notice()
    asking.start()
    asking.notice()
    return asking.close


def _check_directory(places: Places) -> None:
    if places.stopped.exists():
        with places.stopped.open(errors="replace") as file:
            why = file.read(500).strip()
        raise LedgerStoppedError(f"this log has stopped: {why}", where=str(places.stopped))
    if places.keys.exists() and not places.database.exists() and not places.server.exists():
        raise LedgerKeyError(
            f"there are keys but no {DATABASE}: with these keys an empty log would be a rollback",
            where=str(places.directory),
            hint="Restore the database, or move the keys away to start a log with a new name.",
        )


def _take_lock(places: Places) -> int:
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LedgerBusyError("another committer holds this log", where=str(places.directory)) from None
    return descriptor


def _create(opening: Opening, store: Store) -> tuple[State, tuple[Signer, ...]]:
    places = opening.places
    name = opening.origin or f"glasshouse.invalid/{os.urandom(8).hex()}"
    if not is_key_name(name) or len(name.encode()) > MAX_ORIGIN_BYTES:
        raise UsageError(f"a log's name has 1 to {MAX_ORIGIN_BYTES} bytes, no space and no `+`", where=name[:80])
    keys = new_signers(name, LOG_KINDS)
    write_signers(places.keys, keys)
    root = Frontier().root()
    body = checkpoint_body(name, 0, root)
    note = body.decode() + "\n" + "".join(key.line(body, opening.clock() // 1000) for key in keys)
    if not places.policy.exists():
        places.policy.write_text("".join(f"log {key.key.vkey}\n" for key in keys) + "quorum none\n", encoding="utf-8")
    state = State(0, root, 0, note, None)
    store.create(state)
    return state, keys


def checked_frontier(store: Store, state: State, keys: tuple[Signer, ...], origin: str | None) -> Frontier:
    """The frontier recomputed from what is stored, compared with what was signed last under the log's own keys."""
    name = keys[0].key.name
    if origin is not None and origin != name:
        raise UsageError(f"this log is {name!r}, not {origin!r}", where="origin")
    try:
        note = parse_note(state.latest.encode())
        signed = signers(note, [key.key for key in keys])
    except Fault as fault:
        raise VerificationError(f"the last checkpoint: {fault}") from None
    if not signed:
        raise LedgerKeyError(f"the last checkpoint was not signed with the keys of {name}")
    if note.body != checkpoint_body(name, state.size, state.root):
        raise VerificationError("the signer's state is not what the last checkpoint says")
    frontier = Frontier(state.size, _open_tiles(store, state.size))
    if frontier.root() != state.root:
        raise VerificationError("the newest entries do not give the root that was signed last")
    return frontier


def _open_tiles(store: Store, size: int) -> list[list[bytes]]:
    tiles = [[leaf_hash(body) for body in store.bodies(size & -TILE, size)]]
    level = 1
    while hashes := size >> 8 * level:
        tiles.append(store.tile_roots(level - 1, hashes & -TILE, hashes))
        level += 1
    for level, found in enumerate(tiles):
        if len(found) != (size >> 8 * level) % TILE:
            raise VerificationError(f"hashes of level {level} are missing at the end of the log")
    return tiles
