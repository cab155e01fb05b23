"""Colours of the terminal formats; severity is always a word too, never only a colour."""

from __future__ import annotations

from glasshouse.words.finding import Severity

_CODES = {
    "critical": "1;35",
    "high": "1;31",
    "medium": "1;33",
    "low": "1;36",
    "frame": "34",
    "bold": "1",
    "dim": "2",
    "good": "32",
    "added": "32",
    "removed": "31",
}


class Style:
    """Wraps text in escape sequences, or leaves it alone."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def paint(self, text: str, role: str) -> str:
        if not self._color or not text:
            return text
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m"

    def severity(self, text: str, severity: Severity) -> str:
        return self.paint(text, severity)

    def frame(self, text: str) -> str:
        return self.paint(text, "frame")

    def bold(self, text: str) -> str:
        return self.paint(text, "bold")

    def dim(self, text: str) -> str:
        return self.paint(text, "dim")
