"""Screening of answers, whole or while they stream: no byte leaves before its text was looked at.

Events of a stream leave in the order and in exactly the bytes they came in, at most one sentence late, and always one
event late, so that the last one can wait until the outcome is in the log.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from itertools import accumulate

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

    def add_all(self, pieces: list[str]) -> list[int]:
        """Counts more pieces; where each ends, in bytes of the text."""
        whole = "".join(pieces)
        sizes = map(len, pieces) if whole.isascii() else map(len, map(_bytes, pieces))
        ends = list(accumulate(sizes, initial=self.fed))
        self.fed = ends[-1]
        self._pieces.append(whole)
        if len(self._pieces) >= PIECES_TOGETHER:
            self.digest()
        return ends[1:]

    def digest(self) -> bytes:
        """The digest of the text so far."""
        self._hash.update(_bytes("".join(self._pieces)))
        self._pieces.clear()
        return self._hash.digest()


class _Held(msgspec.Struct):
    """An event that has not left: its bytes, and up to where which channels must be cleared."""

    raw: bytes
    marks: list[tuple[_Channel, int]]


class _Run(msgspec.Struct):
    """Events that have not left and say nothing but the next parts of one text; the first ones may have left."""

    raws: list[bytes]
    ends: list[int]
    channel: _Channel
    left: int = 0


class AnswerScreen:
    """The screen of one answer."""

    def __init__(self, screener: Screener, dialect: Dialect, stop_at: float) -> None:
        self._screener, self._dialect, self._stop_at = screener, dialect, stop_at
        self._splitter = Splitter()
        self._alike = Alike(dialect)
        self._alike_channel: _Channel | None = None
        self._channels: dict[str, _Channel] = {}
        self._queue: deque[_Held | _Run] = deque()
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
        raws, at = self._splitter.cut(chunk), 0
        while at < len(raws):
            texts = self._alike.texts(raws, at) if self._alike_channel is not None else []
            if not texts:
                self._take(self._splitter.read(raws[at]))
                at += 1
            elif self._alike_channel is not None:
                self._follow(self._alike_channel, texts, raws[at : at + len(texts)])
                at += len(texts)
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

    def _hold(self, held: _Held | _Run, events: int, size: int) -> None:
        """Queues so many events of so many bytes."""
        self.events += events
        self._queue.append(held)
        self._held_bytes += size
        self._looked_at += size
        if self._held_bytes > MAX_HELD_BYTES:
            raise AnswerShapeError(f"more than {MAX_HELD_BYTES} bytes of the stream wait to be screened")

    def _follow(self, channel: _Channel, texts: list[str], raws: list[bytes]) -> None:
        """Queues events that only continue a text, up to one that stops the answer, and looks at them."""
        taken, steps = channel.screen.push_all(texts)
        self._hold(_Run(raws[:taken], channel.add_all(texts[:taken]), channel), taken, sum(map(len, raws[:taken])))
        for step in steps:
            self._judge(step.score)
            self.stopped = self.stopped or step.stopped

    def _take(self, event: Event) -> None:
        """Queues an event and looks at it."""
        held = _Held(event.raw, [])
        self._hold(held, 1, len(event.raw))
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
        channel.add(piece.text)
        held.marks.append((channel, channel.fed))
        release = channel.screen.push(piece.text)
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
        """What may leave of what waits, but for the last so many events."""
        ready: list[bytes] = []
        queue = self._queue
        while queue:
            held = queue[0]
            spare = keep if len(queue) == 1 else 0
            if isinstance(held, _Run):
                end = min(bisect_right(held.ends, held.channel.screen.released), len(held.raws) - spare)
                ready += held.raws[held.left : end]
                held.left = max(held.left, end)
                blocked = held.left < len(held.raws)
            else:
                blocked = spare > 0 or any(channel.screen.released < end for channel, end in held.marks)
                if not blocked:
                    ready.append(held.raw)
            if blocked:
                break
            queue.popleft()
        self._held_bytes -= sum(map(len, ready))
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
