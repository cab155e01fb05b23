"""What a request reads like: every text in it is scored, the caller's turns in the light of what the session said.

A harmful whole can be asked for in harmless parts, over the turns of one request or over several requests.  So what a
session's turns showed is remembered for its next ones, in memory only and never as text.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from glasshouse.gateway.dialect.interface import Segment
from glasshouse.gateway.profile import profile
from glasshouse.guard.misuse import Score, Screener, Session
from glasshouse.words.act import InputProfile

MAX_SCREENED_CHARACTERS = 1_000_000
CACHED_SCORES = 4_096
CACHED_SESSIONS = 4_096


class PromptScore(msgspec.Struct, frozen=True):
    """The highest score of a request in per cent, its category, the characters looked at, and the model's digest.

    ``complete`` is false when a text was longer than what is looked at.
    """

    percent: int
    category: str
    characters: int
    complete: bool
    model: str
    profile: InputProfile


class _Known(msgspec.Struct, frozen=True):
    value: float
    category: str
    complete: bool


_NEW = Session()
_NOTHING = _Known(0.0, "", True)


class PromptScreen:
    """Scores requests for one worker."""

    def __init__(self, screener: Screener) -> None:
        self._screener = screener
        self._scores: OrderedDict[bytes, _Known] = OrderedDict()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def score(self, segments: Iterable[Segment], session: str) -> PromptScore:
        """The score of a request; ``session`` joins it with earlier ones (empty: with none)."""
        talk = self._sessions.get(session, _NEW)
        best, asked, characters, screened, complete = _NOTHING, "", 0, 0, True
        for each in joined(segments):
            text = each.text
            characters += len(text)
            screened += min(len(text), MAX_SCREENED_CHARACTERS)
            if each.role == "user":
                asked = text
                talk, known = self._turn(talk, session, text)
            else:
                known = self._known(text, b"")
            complete = complete and known.complete
            if known.value > best.value:
                best = known
        if session:
            self._remember(session, talk)
        return PromptScore(
            percent=percent(best.value),
            category=best.category,
            characters=screened,
            complete=complete,
            model=self._screener.digest,
            profile=profile(asked, characters),
        )

    def _turn(self, talk: Session, session: str, text: str) -> tuple[Session, _Known]:
        """A turn of the caller.  Clients send earlier turns again; those were heard and scored then."""
        name = _name(text, session.encode())
        known = self._scores.get(name)
        if known is not None:
            self._scores.move_to_end(name)
            return talk, known
        if len(text) > MAX_SCREENED_CHARACTERS:
            return talk, self._known(text, b"")
        talk, score = self._screener.turn(talk, text)
        return talk, self._keep(name, _Known(score.value, score.category, score.complete))

    def _known(self, text: str, salt: bytes) -> _Known:
        name = _name(text, salt)
        known = self._scores.get(name)
        if known is not None:
            self._scores.move_to_end(name)
            return known
        score: Score = self._screener.score(text, max_characters=MAX_SCREENED_CHARACTERS)
        return self._keep(name, _Known(score.value, score.category, score.complete))

    def _keep(self, name: bytes, known: _Known) -> _Known:
        self._scores[name] = known
        if len(self._scores) > CACHED_SCORES:
            self._scores.popitem(last=False)
        return known

    def _remember(self, session: str, talk: Session) -> None:
        self._sessions[session] = talk
        self._sessions.move_to_end(session)
        if len(self._sessions) > CACHED_SESSIONS:
            self._sessions.popitem(last=False)


def _name(text: str, salt: bytes) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=salt).digest()


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """Neighbours of one role as one text: a model reads them as one, however they are cut."""
    found: list[Segment] = []
    parts: list[str] = []
    for each in segments:
        if found and found[-1].role == each.role:
            parts = parts or [found[-1].text]
            parts.append(each.text)
            continue
        if parts:
            found[-1] = Segment(found[-1].role, "\n".join(parts))
            parts = []
        found.append(each)
    if parts:
        found[-1] = Segment(found[-1].role, "\n".join(parts))
    return found


def percent(value: float) -> int:
    """A score as whole per cent, rounded down, so that a threshold means what it says."""
    return int(value * 100)
