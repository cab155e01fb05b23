"""Whether a version lies in an advisory's intervals, by the rules of its ecosystem (univers).

A version or bound that cannot be read gives ``unknown``, never ``not affected``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, Literal, NamedTuple

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
    return next(iter(verdicts((version,), advisory)))


def verdicts(versions: Sequence[str], advisory: Advisory) -> Iterator[Verdict]:
    """The same for several versions; the advisory's own are parsed once."""
    if advisory.withdrawn:
        yield from repeat("not affected", len(versions))
        return
    family = advisory.ecosystem.partition(":")[0]
    bounds = [_bound(family, interval) for interval in advisory.intervals]
    silent: Verdict = "not affected" if advisory.versions else "unknown"
    for version in versions:
        if version in advisory.versions:
            yield "affected"
        elif not bounds:
            yield silent
        elif (own := parse(family, version)) is None:
            yield "unknown"
        else:
            yield _among(own, bounds)


def fixes(version: str, advisory: Advisory) -> tuple[str, ...]:
    """The first versions without the flaw for whoever uses this version, the nearest first."""
    family = advisory.ecosystem.partition(":")[0]
    own = parse(family, version)
    with_end = [each for each in advisory.intervals if each.fixed]
    if own is None:
        return tuple(dict.fromkeys(each.fixed for each in with_end))
    inside = [each.fixed for each in with_end if _among(own, [_bound(family, each)]) == "affected"]
    later = [(end, each.fixed) for each in with_end if (end := parse(family, each.fixed)) is not None]
    try:
        after = [text for end, text in sorted(later, key=lambda pair: pair[0]) if own < end]
    except (TypeError, ValueError):
        after = []
    return tuple(dict.fromkeys(inside or after))


class _Bound(NamedTuple):
    """An interval with its ends parsed; ``readable`` is false where one of them is no version."""

    start: Any
    end: Any
    closed: bool
    readable: bool


def _bound(family: str, interval: Interval) -> _Bound:
    start = None if interval.introduced == "0" else parse(family, interval.introduced)
    last = interval.fixed or interval.last_affected
    end = parse(family, last) if last else None
    readable = (start is not None or interval.introduced == "0") and (end is not None or not last)
    return _Bound(start, end, not interval.fixed, readable)


def _among(own: Any, bounds: list[_Bound]) -> Verdict:
    answer: Verdict = "not affected"
    for start, end, closed, readable in bounds:
        try:
            if not readable:
                answer = "unknown"
            elif (start is None or not own < start) and (end is None or own < end or (closed and own == end)):
                return "affected"
        except (TypeError, ValueError):
            answer = "unknown"
    return answer


@lru_cache(maxsize=200_000)
def parse(family: str, text: str) -> Any:
    """A version that can be compared with others of its family; None when it cannot be read."""
    name = _CLASSES.get(family)
    if name is None or not text or len(text) > MAX_VERSION:
        return None
    from univers import versions

    try:
        found = getattr(versions, name)(text.removeprefix("v") if family == "Go" else text)
        # The wrapper compares its value and nothing else, but slowly; Alpine's value is text, which it compares itself.
        return found if isinstance(found.value, str) else found.value
    except (versions.InvalidVersion, ValueError, TypeError, AttributeError, IndexError):
        return None
