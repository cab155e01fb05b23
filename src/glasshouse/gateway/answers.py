"""Screening of answers, whole or while they stream: no byte leaves before its text was looked at.

Events of a stream leave in the order and in exactly the bytes they came in, at most one sentence late, and always one
event late, so that the last one can wait until the outcome is in the log.
"""

from __future__ import annotations

import hashlib
from collections import deque

import msgspec

from glasshouse.gateway.dialect.alike import Alike
from glasshouse.gateway.dialect.interface import AnswerShapeError, Dialect, EventView, Piece, Usage
from glasshouse.gateway.dialect.sse import Event, Splitter
from glasshouse.gateway.prompts import percent
from glasshouse.guard.misuse import Score, Screener, StreamScreen
from glasshouse.words.passage import ByteRange, Screened

MAX_CHANNELS = 1_024
MAX_HELD_BYTES = 16_777_216
PIECES_TOGETHER = 256
"""So many pieces of a text are hashed at once."""


class _Channel:
    """One text of an answer that arrives in pieces."""

    __slots__ = ("_hash", "_pieces", "fed", "screen")

    def __init__(self, screen: StreamScreen) -> None:
        self.screen = screen
        self.fed = 0
        """Bytes of the text that have come."""
        self._hash = hashlib.blake2b(digest_size=16)
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Counts one more piece."""
        self.fed += len(piece) if piece.isascii() else len(_bytes(piece))
        self._pieces.append(piece)
        if len(self._pieces) >= PIECES_TOGETHER:
            self.digest()

    def digest(self) -> bytes:
        """The digest of the text so far."""
        self._hash.update(_bytes("".join(self._pieces)))
        self._pieces.clear()
        return self._hash.digest()


class _Held(msgspec.Struct):
    """An event that has not left: its bytes, and up to where which channels must be cleared."""

    raw: bytes
    marks: list[tuple[_Channel, int]]


class AnswerScreen:
    """The screen of one answer."""

    def __init__(self, screener: Screener, dialect: Dialect, stop_at: float) -> None:
        self._screener, self._dialect, self._stop_at = screener, dialect, stop_at
        self._splitter = Splitter()
        self._alike = Alike(dialect)
        self._alike_channel: _Channel | None = None
        self._channels: dict[str, _Channel] = {}
        self._queue: deque[_Held] = deque()
        self._held_bytes = 0
        self._seen: set[bytes] = set()
        self._highest: Score | None = None
        self._looked_at = 0
        self.stopped = False
        """A text reached the limit: nothing that is held may leave."""
        self.ended = False
        """The event with which the dialect ends an answer has come."""
        self.failed = False
        """The upstream reported an error in the stream."""
        self.usage: Usage | None = None
        self.opaque_bytes = 0
        self.events = 0

    # --- streams

    def feed(self, chunk: bytes) -> list[bytes]:
        """What may leave now that ``chunk`` has come; `AnswerShapeError` for a stream that nobody can read."""
        splitter, alike = self._splitter, self._alike
        for raw in splitter.cut(chunk):
            text = alike.text(raw)
            if text is not None and self._alike_channel is not None:
                self._add(self._alike_channel, text, self._hold(raw))
            else:
                self._take(splitter.read(raw))
            if self.stopped:
                return []
        return self._released(keep=1)

    def finish(self) -> list[bytes]:
        """What may leave at the end of the stream, once the outcome is recorded."""
        rest = self._splitter.flush()
        if rest is not None:
            self._take(rest)
        if self.stopped or self._settle_channels():
            return []
        return self._released(keep=0)

    def _hold(self, raw: bytes) -> _Held:
        """Queues an event."""
        self.events += 1
        held = _Held(raw, [])
        self._queue.append(held)
        self._held_bytes += len(raw)
        self._looked_at += len(raw)
        if self._held_bytes > MAX_HELD_BYTES:
            raise AnswerShapeError(f"more than {MAX_HELD_BYTES} bytes of the stream wait to be screened")
        return held

    def _take(self, event: Event) -> None:
        """Queues an event and looks at it."""
        held = self._hold(event.raw)
        if not event.data:
            return
        view = self._dialect.event(event.name, event.data)
        self._note(view, held)
        if len(view.pieces) == 1 and not self.stopped and view == EventView(view.pieces):
            (piece,) = view.pieces
            if not piece.whole and piece.text and self._alike.learn(event.raw, piece):
                self._alike_channel = self._channels[piece.channel]

    def _note(self, view: EventView, held: _Held) -> None:
        if view.usage is not None:
            self.usage = self.usage.later(view.usage) if self.usage is not None else view.usage
        self.ended = self.ended or view.last
        self.failed = self.failed or view.failed
        self.opaque_bytes += view.opaque_bytes
        for piece in view.pieces:
            if piece.whole:
                self._whole(piece)
            elif piece.text:
                self._continue(piece, held)
            if self.stopped:
                return

    def _continue(self, piece: Piece, held: _Held) -> None:
        channel = self._channels.get(piece.channel)
        if channel is None:
            if self._settle_channels():  # a new text begins: what came before need not wait for it
                return
            if len(self._channels) >= MAX_CHANNELS:
                raise AnswerShapeError(f"the stream has more than {MAX_CHANNELS} texts")
            channel = self._channels[piece.channel] = _Channel(self._screener.stream(stop_at=self._stop_at))
        self._add(channel, piece.text, held)

    def _add(self, channel: _Channel, text: str, held: _Held) -> None:
        """Has the next part of a text looked at."""
        channel.add(text)
        held.marks.append((channel, channel.fed))
        release = channel.screen.push(text)
        if release.score is not None:
            self._judge(release.score)
            self.stopped = self.stopped or release.stopped

    def _settle_channels(self) -> bool:
        """Has what is held of every text looked at; true when that stopped the answer."""
        for channel in self._channels.values():
            if channel.screen.released < channel.fed:
                release = channel.screen.finish()
                self._judge(release.score)
                self.stopped = self.stopped or release.stopped
        return self.stopped

    def _released(self, keep: int) -> list[bytes]:
        ready: list[bytes] = []
        queue = self._queue
        while len(queue) > keep:
            held = queue[0]
            for channel, end in held.marks:
                if channel.screen.released < end:
                    return ready
            queue.popleft()
            ready.append(held.raw)
            self._held_bytes -= len(held.raw)
        return ready

    # --- whole texts

    def whole(self, body: bytes, pieces: tuple[Piece, ...], opaque_bytes: int) -> bool:
        """Looks at an answer that is no stream; true when it may leave."""
        self._looked_at = len(body)
        self._held_bytes = len(body)
        self.opaque_bytes = opaque_bytes
        for piece in pieces:
            self._whole(piece)
        if not self.stopped:
            self._held_bytes = 0
        return not self.stopped

    def _whole(self, piece: Piece) -> None:
        """A text that stands alone; one that only repeats what streamed before was looked at then."""
        name = hashlib.blake2b(_bytes(piece.text), digest_size=16).digest()
        if name in self._seen or any(channel.digest() == name for channel in self._channels.values()):
            return
        self._seen.add(name)
        score = self._screener.score(piece.text)
        if not score.complete:
            self.opaque_bytes += score.size - sum(span.end - span.start for span in score.screened)
        self._judge(score)
        self.stopped = self.stopped or score.value >= self._stop_at

    def _judge(self, score: Score | None) -> None:
        if score is not None and (self._highest is None or score.value > self._highest.value):
            self._highest = score

    # --- what the log says of it

    def screened(self) -> tuple[Screened, ...]:
        """The byte ranges of the answer that were looked at, and those of them that were withheld."""
        if not self._looked_at:
            return ()
        left = self._looked_at - self._held_bytes
        withheld = (ByteRange(left, self._looked_at),) if self._held_bytes else ()
        highest = self._highest
        category = highest.category if self.stopped and highest is not None else ""
        ranges = (ByteRange(0, self._looked_at),)
        most = percent(highest.value) if highest is not None else 0
        return (Screened(self._screener.digest, ranges, most, withheld, (category,) if category else ()),)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
