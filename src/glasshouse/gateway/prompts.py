"""What a request reads like: every text in it is scored, alone and together with what the session said before.

A harmful whole can be asked for in harmless parts, over the turns of one request or over several requests.  So the
caller's turns are also scored joined, and what a session said that was not plainly harmless is remembered for its
next request, in memory only.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from glasshouse.gateway.dialect.interface import Segment
from glasshouse.guard.misuse import Score, Screener

MAX_SCREENED_CHARACTERS = 1_000_000
MAX_JOINED_CHARACTERS = 2_000
CACHED_SCORES = 4_096
CACHED_SESSIONS = 4_096
REMEMBERED_FROM = 0.10
"""Score from which a text is kept for the session's next request."""


class PromptScore(msgspec.Struct, frozen=True):
    """The highest score of a request in per cent, its category, the characters looked at, and the model's digest.

    ``complete`` is false when a text was longer than what is looked at.
    """

    percent: int
    category: str
    characters: int
    complete: bool
    model: str


class _Known(msgspec.Struct, frozen=True):
    value: float
    category: str
    complete: bool


class PromptScreen:
    """Scores requests for one worker."""

    def __init__(self, screener: Screener) -> None:
        self._screener = screener
        self._scores: OrderedDict[bytes, _Known] = OrderedDict()
        self._sessions: OrderedDict[str, str] = OrderedDict()

    @property
    def model(self) -> str:
        """Digest of the weights."""
        return self._screener.digest

    def score(self, segments: Iterable[Segment], session: str) -> PromptScore:
        """The score of a request; ``session`` joins it with earlier ones (empty: with none)."""
        texts = joined(segments)
        known = [self._known(each.text) for each in texts]
        together = self._together([each.text for each in texts if each.role == "user"], session)
        if together:
            known.append(self._known(together))
        best = max(known, key=lambda each: each.value, default=_Known(0.0, "", True))
        return PromptScore(
            percent=percent(best.value),
            category=best.category,
            characters=sum(min(len(each.text), MAX_SCREENED_CHARACTERS) for each in texts),
            complete=all(each.complete for each in known),
            model=self._screener.digest,
        )

    def _together(self, said: list[str], session: str) -> str:
        """The last of what the session said, as one text; empty if that is nothing but one text scored already."""
        if not said:
            return ""
        before = self._sessions.get(session, "") if session else ""
        if session and self._known(said[-1]).value >= REMEMBERED_FROM and said[-1] not in before:
            self._sessions[session] = f"{before}\n{said[-1]}"[-MAX_JOINED_CHARACTERS:]
            self._sessions.move_to_end(session)
            if len(self._sessions) > CACHED_SESSIONS:
                self._sessions.popitem(last=False)
        if len(said) == 1 and not before:
            return ""
        return "\n".join([before, *said])[-MAX_JOINED_CHARACTERS:]

    def _known(self, text: str) -> _Known:
        """Conversations repeat themselves turn by turn, so most texts of a request were scored before."""
        name = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._scores.get(name)
        if known is None:
            score: Score = self._screener.score(text, max_characters=MAX_SCREENED_CHARACTERS)
            known = self._scores[name] = _Known(score.value, score.category, score.complete)
            if len(self._scores) > CACHED_SCORES:
                self._scores.popitem(last=False)
        else:
            self._scores.move_to_end(name)
        return known


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """Neighbours of one role as one text: a model reads them as one, however they are cut."""
    texts: list[tuple[str, list[str]]] = []
    for each in segments:
        if texts and texts[-1][0] == each.role:
            texts[-1][1].append(each.text)
        else:
            texts.append((each.role, [each.text]))
    return [Segment(role, "\n".join(parts)) for role, parts in texts]  # type: ignore[arg-type]


def percent(value: float) -> int:
    """A score as whole per cent, rounded down, so that a threshold means what it says."""
    return int(value * 100)
