"""What screening says of a text: a score, where it comes from, and which bytes were looked at."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

CATEGORIES = (
    "malware",
    "credential-theft",
    "intrusion",
    "evasion",
    "exfiltration",
    "fraud",
    "prompt-injection",
    "jailbreak",
    "other-harm",
)
"""What a misuse can be of; ``intrusion`` is of third parties, ``other-harm`` is outside the cyber domain."""


class Span(msgspec.Struct, frozen=True, order=True):
    """Bytes ``start`` (included) to ``end`` (excluded) of the text in UTF-8."""

    start: int
    end: int

    def moved(self, by: int) -> Span:
        """The same span, so many bytes further on."""
        return Span(self.start + by, self.end + by)


class Window(msgspec.Struct, frozen=True):
    """One sentence or decoded piece of the text with its own score."""

    span: Span
    value: float
    """Calibrated, 0 to 1; see `Score.value`."""
    layers: tuple[str, ...] = ()
    """The disguises taken off before scoring, outermost first: ``base64``, ``leetspeak``, ``homoglyphs``, ..."""


class CategoryScore(msgspec.Struct, frozen=True):
    """How much of the suspicion belongs to one category; the values of a score's categories sum to 1."""

    name: str
    value: float


class Reason(msgspec.Struct, frozen=True):
    """A feature of the text and what it added to the score, in log odds."""

    feature: str
    weight: float


class Explanation(msgspec.Struct, frozen=True):
    """Why a score is what it is."""

    categories: tuple[CategoryScore, ...] = ()
    windows: tuple[Window, ...] = ()
    reasons: tuple[Reason, ...] = ()


_NOTHING = Explanation()


class Score:
    """The misuse score of a text.

    ``value`` lies between 0 and 1 and is calibrated on the development data at equal numbers of misuse and legitimate
    texts.  It is a signal, one input of policy beside identity and engagement, not a decision.  What explains it is
    worked out when it is first asked for; until then the score keeps the text.
    """

    __slots__ = ("_explain", "_looked_at", "_offset", "model", "size", "value")

    def __init__(
        self, value: float, size: int, looked_at: int, model: str, explain: Callable[[], Explanation] | None
    ) -> None:
        self.value = value
        self.size = size
        """Bytes of the whole text in UTF-8."""
        self.model = model
        """``sha256:`` and the digest of the weights."""
        self._looked_at = looked_at
        self._offset = 0
        self._explain: Callable[[], Explanation] | Explanation = explain or _NOTHING

    @property
    def _explanation(self) -> Explanation:
        if not isinstance(self._explain, Explanation):
            self._explain = self._explain()
        return self._explain

    @property
    def category(self) -> str:
        """The likeliest of `CATEGORIES`; empty for a low value, which is not explained."""
        categories = self.categories
        return categories[0].name if categories else ""

    @property
    def categories(self) -> tuple[CategoryScore, ...]:
        """All categories, likeliest first; empty for a low value."""
        return self._explanation.categories

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows with the highest values, highest first, a bounded number of them; empty for a low value."""
        found, by = self._explanation.windows, self._offset
        if not by:
            return found
        return tuple(
            [Window(Span(each.span.start + by, each.span.end + by), each.value, each.layers) for each in found]
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What spoke most for the value, strongest first.  May quote words of the text: as private as the text."""
        return self._explanation.reasons

    @property
    def screened(self) -> tuple[Span, ...]:
        """The bytes that were looked at, ascending.  What lies outside was not screened."""
        return (Span(0, self._looked_at),) if self._looked_at else ()

    @property
    def complete(self) -> bool:
        """Whether every byte was looked at."""
        return self._looked_at == self.size

    def moved(self, by: int) -> Score:
        """The score of a part as one of the whole text up to its end; the part begins ``by`` bytes into it."""
        found = Score(self.value, self.size + by, self._looked_at + by, self.model, None)
        found._explain, found._offset = self._explain, self._offset + by
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Score) and self._shown() == other._shown()

    def __hash__(self) -> int:
        return hash((self.value, self.size, self.model))

    def __repr__(self) -> str:
        return f"Score(value={self.value}, category={self.category!r}, size={self.size})"

    def _shown(self) -> tuple[object, ...]:
        return self.value, self.size, self._looked_at, self.model, self.categories, self.windows, self.reasons
