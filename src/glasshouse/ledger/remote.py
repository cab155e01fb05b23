"""Appending from other processes of the machine: the committer listens on a Unix socket that only its user can open.

Messages are MessagePack with a length in front.  A committer that ends says so first: its clients stop asking, get the
answers to what they asked, and hang up; one of them becomes the committer.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from glasshouse.ledger.receipt import Receipt, SignedCheckpoint
from glasshouse.ledger.requests import Request, Waiter, Writer, answer, new_future
from glasshouse.words import errors
from glasshouse.words.errors import EntryError, LedgerError, LedgerOutcomeUnknownError
from glasshouse.words.process import own_number

MAX_MESSAGE_BYTES = 128 << 20
MAX_CLIENTS = 64
HELLO, GOODBYE = -1, 0
HELLO_S = 5.0  # a client waits so long to be accepted, before it has sent anything
FAREWELL_S = 5.0  # a committer that ends waits so long for its clients to hang up
_MAX_PATH = 100  # the system's limit is 108 bytes


class Question(msgspec.Struct, frozen=True, array_like=True):
    """A request with a number from 1 on."""

    number: int
    request: Request


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The receipts, or the error: code, what, where, hint; number -1 says hello, 0 goodbye."""

    number: int
    receipts: tuple[Receipt, ...] = ()
    error: tuple[str, str, str, str] | None = None


_encode = msgspec.msgpack.Encoder().encode


@cache
def _decoder(kind: type[Question] | type[Answer]) -> Any:
    """Made when it is first needed: most processes never meet another one."""
    return msgspec.msgpack.Decoder(kind)


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">I", len(message)) + message)


def _receive(connection: socket.socket) -> bytes | None:
    head = _exactly(connection, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    return _exactly(connection, length) if length <= MAX_MESSAGE_BYTES else None


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    parts = bytearray()
    try:
        while len(parts) < length:
            part = connection.recv(min(1 << 20, length - len(parts)))
            if not part:
                return None
            parts += part
    except OSError:
        return None
    return bytes(parts)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """The path as a socket address, also when it is longer than addresses may be."""
    if len(os.fsencode(path)) <= _MAX_PATH:
        yield str(path)
        return
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


class CommitterServer:
    """Takes requests of other processes to the committer of this one."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path, self._writer = path, writer
        self._connections: dict[threading.Thread, tuple[socket.socket, queue.SimpleQueue[bytes | None]]] = {}
        self._lock = threading.Lock()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _reachable(path) as address:
            self._listener.bind(address)
        os.chmod(path, 0o600)
        self._listener.listen(MAX_CLIENTS)
        self._accepting = threading.Thread(target=self._accept, name="glasshouse-log-accept", daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            with self._lock:
                if uid != os.geteuid() or len(self._connections) >= MAX_CLIENTS:
                    connection.close()
                    continue
                outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
                thread = threading.Thread(target=self._listen, args=(connection, outgoing), daemon=True)
                self._connections[thread] = (connection, outgoing)
            outgoing.put(_encode(Answer(HELLO)))
            threading.Thread(target=self._speak, args=(connection, outgoing), daemon=True).start()
            thread.start()

    def _listen(self, connection: socket.socket, outgoing: queue.SimpleQueue[bytes | None]) -> None:
        while (message := _receive(connection)) is not None:
            try:
                question = _decoder(Question).decode(message)
            except msgspec.MsgspecError:
                break
            self._pass_on(question, outgoing)
        with self._lock:
            self._connections.pop(threading.current_thread(), None)
        outgoing.put(None)

    def _pass_on(self, question: Question, outgoing: queue.SimpleQueue[bytes | None]) -> None:
        def done(future: Any) -> None:
            error = future.exception()
            outgoing.put(_encode(_error(question.number, error) if error else Answer(question.number, future.result())))

        try:
            future = new_future()
            future.add_done_callback(done)
            self._writer.submit(question.request, Waiter(future))
        except LedgerError as error:
            outgoing.put(_encode(_error(question.number, error)))

    def _speak(self, connection: socket.socket, outgoing: queue.SimpleQueue[bytes | None]) -> None:
        with connection, contextlib.suppress(OSError):  # the client has gone: its entries stay, nobody reads the answer
            while (message := outgoing.get()) is not None:
                _send(connection, message)

    def close(self) -> None:
        """Says goodbye, answers what was asked, and stops listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self._path.unlink(missing_ok=True)
        with self._lock:
            connections = dict(self._connections)
        for _, outgoing in connections.values():
            outgoing.put(_encode(Answer(GOODBYE)))
        for thread, (connection, _) in connections.items():
            thread.join(FAREWELL_S)
            if thread.is_alive():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
                thread.join()


def _error(number: int, error: BaseException) -> Answer:
    if isinstance(error, LedgerError):
        return Answer(number, (), (error.code, error.what, error.where, error.hint))
    return Answer(number, (), (LedgerError.code, f"{type(error).__name__}: {error}", "", LedgerError.hint))


class NotSentError(Exception):
    """The committer ended before it could take the request; asking another one is safe."""


class RemoteWriter:
    """The way to the committer in another process."""

    def __init__(self, path: Path, newest: Callable[[], SignedCheckpoint]) -> None:
        self._newest, self._process = newest, own_number()
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.settimeout(HELLO_S)
            with _reachable(path) as address:
                self._connection.connect(address)
            if _receive(self._connection) is None:
                raise ConnectionRefusedError("the committer ended before it accepted this client")
            self._connection.settimeout(None)
        except OSError:
            self._connection.close()
            raise
        self._lock = threading.Lock()
        self._waiting: dict[int, Waiter] = {}
        self._number = 0
        self._ending = False
        self._thread = threading.Thread(target=self._listen, name="glasshouse-log-client", daemon=True)
        self._thread.start()

    def submit(self, request: Request, waiter: Waiter) -> None:
        """Sends a request; raises ``NotSentError`` when this committer takes no more."""
        with self._lock:
            if self._ending:
                raise NotSentError
            if not waiter.start():
                return
            self._number += 1
            message = _encode(Question(self._number, request))
            if len(message) > MAX_MESSAGE_BYTES:
                raise EntryError(f"the call has {len(message)} bytes; {MAX_MESSAGE_BYTES} fit")
            self._waiting[self._number] = waiter
            try:
                _send(self._connection, message)
            except OSError:
                del self._waiting[self._number]  # an incomplete message is never carried out
                self._ending = True
                raise NotSentError from None

    def checkpoint(self) -> SignedCheckpoint:
        """What the log has signed last, read from the store."""
        return self._newest()

    def is_alive(self) -> bool:
        """Whether the committer still takes requests of this process."""
        return not self._ending and own_number() == self._process

    def _listen(self) -> None:
        while (message := _receive(self._connection)) is not None:
            found = _decoder(Answer).decode(message)
            with self._lock:
                if found.number == GOODBYE:
                    self._ending = True
                waiter = self._waiting.pop(found.number, None)
                hang_up = self._ending and not self._waiting
            if waiter is not None:
                answer([(waiter, _result(found))])
            if hang_up:
                break
        with self._lock:
            self._ending = True
            lost, self._waiting = list(self._waiting.values()), {}
        self._connection.close()
        unknown = LedgerOutcomeUnknownError("the committer went away before it answered")
        answer([(waiter, unknown) for waiter in lost])

    def close(self) -> None:
        """Waits for the answers to what was asked, and hangs up."""
        with self._lock:
            self._ending = True
            idle = not self._waiting
        if idle:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()


def _result(found: Answer) -> Any:
    if found.error is None:
        return found.receipts
    code, what, where, hint = found.error
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LedgerError)]
    kind = next((each for each in kinds if each.code == code), LedgerError)
    return kind(what, where=where, hint=hint)
