"""Regular expressions of rules, compiled when they are first asked: a scan of one file needs few of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable


class LatePattern:
    """Looks like a compiled pattern.  Get one from ``late_pattern``: the same text gives the same object."""

    search: Callable[[str], re.Match[str] | None]
    fullmatch: Callable[[str], re.Match[str] | None]

    def __init__(self, text: str) -> None:
        self.text = text

    def __getattr__(self, name: str) -> Callable[[str], re.Match[str] | None]:
        """The first question compiles; from then on the methods are attributes and this is not called."""
        if name not in ("search", "fullmatch"):
            raise AttributeError(name)
        compiled = re.compile(self.text)
        self.search, self.fullmatch = compiled.search, compiled.fullmatch
        return compiled.search if name == "search" else compiled.fullmatch


late_pattern = functools.cache(LatePattern)
