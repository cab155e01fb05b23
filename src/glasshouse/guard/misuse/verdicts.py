"""What screening says of a text: a score, where it comes from, and which bytes were looked at."""

from __future__ import annotations

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


class Score(msgspec.Struct, frozen=True):
    """The misuse score of a text.

    ``value`` lies between 0 and 1 and is calibrated on the development data at equal numbers of misuse and legitimate
    texts.  It is a signal, one input of policy beside identity and engagement, not a decision.
    """

    value: float
    category: str
    """The likeliest of `CATEGORIES`; empty for a low value, which is not explained."""
    categories: tuple[CategoryScore, ...]
    """All categories, likeliest first; empty for a low value."""
    windows: tuple[Window, ...]
    """The windows with the highest values, highest first, a bounded number of them; empty for a low value."""
    reasons: tuple[Reason, ...]
    """What spoke most for the value, strongest first.  May quote words of the text: keep it as private as the text."""
    screened: tuple[Span, ...]
    """The bytes that were looked at, ascending.  What lies outside was not screened."""
    size: int
    """Bytes of the whole text in UTF-8."""
    model: str
    """``sha256:`` and the digest of the weights."""

    @property
    def complete(self) -> bool:
        """Whether every byte was looked at."""
        return self.size == 0 or self.screened == (Span(0, self.size),)
