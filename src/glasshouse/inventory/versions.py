"""Whether a version lies in an advisory's intervals, by the rules of its ecosystem (univers).

A version or bound that cannot be read gives ``unknown``, never ``not affected``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from glasshouse.inventory.advisory import Advisory, Interval

Verdict = Literal["affected", "not affected", "unknown"]

MAX_VERSION = 200
# ecosystem family (before any colon) -> class of versions in univers
_CLASSES = {
    "PyPI": "PypiVersion",
    "npm": "SemverVersion",
    "Maven": "MavenVersion",
    "Go": "SemverVersion",
    "crates.io": "SemverVersion",
    "RubyGems": "RubygemsVersion",
    "Packagist": "ComposerVersion",
    "NuGet": "NugetVersion",
    "Hex": "SemverVersion",
    "Pub": "SemverVersion",
    "Debian": "DebianVersion",
    "Ubuntu": "DebianVersion",
    "Alpine": "AlpineLinuxVersion",
    "Wolfi": "AlpineLinuxVersion",
    "Chainguard": "AlpineLinuxVersion",
    "Red Hat": "RpmVersion",
    "Rocky Linux": "RpmVersion",
    "AlmaLinux": "RpmVersion",
    "SUSE": "RpmVersion",
    "openSUSE": "RpmVersion",
}


def supported(ecosystem: str) -> bool:
    """Whether versions of the ecosystem can be compared."""
    return ecosystem.partition(":")[0] in _CLASSES


def verdict(version: str, advisory: Advisory) -> Verdict:
    """Whether the advisory is about this version."""
    if version in advisory.versions:
        return "affected"
    if not advisory.intervals:
        return "not affected" if advisory.versions else "unknown"
    family = advisory.ecosystem.partition(":")[0]
    own = parse(family, version)
    if own is None:
        return "unknown"
    answers = {_inside(own, family, interval) for interval in advisory.intervals}
    if "affected" in answers:
        return "affected"
    return "unknown" if "unknown" in answers else "not affected"


def _inside(own: Any, family: str, interval: Interval) -> Verdict:
    start = None if interval.introduced == "0" else parse(family, interval.introduced)
    end_text = interval.fixed or interval.last_affected
    end = parse(family, end_text) if end_text else None
    if (start is None and interval.introduced != "0") or (end is None and end_text):
        return "unknown"
    try:
        if start is not None and own < start:
            return "not affected"
        if end is None:
            return "affected"
        return "affected" if own < end or (not interval.fixed and own == end) else "not affected"
    except (TypeError, ValueError):
        return "unknown"


@lru_cache(maxsize=200_000)
def parse(family: str, text: str) -> Any:
    """A version that can be compared with others of its family; None when it cannot be read."""
    name = _CLASSES.get(family)
    if name is None or not text or len(text) > MAX_VERSION:
        return None
    from univers import versions

    try:
        return getattr(versions, name)(text.removeprefix("v") if family == "Go" else text)
    except (versions.InvalidVersion, ValueError, TypeError, AttributeError, IndexError):
        return None
