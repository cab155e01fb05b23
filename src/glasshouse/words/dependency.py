"""Software that a tree depends on, and the published flaw that a version of it has."""

from __future__ import annotations

import msgspec

from glasshouse.words.location import Location


class Dependency(msgspec.Struct, frozen=True):
    """One component at the place that lists it.

    ``direct`` is None where the file does not tell.  ``version`` is empty when unknown.  ``source`` says what kind of
    file it was read from.
    """

    purl: str
    ecosystem: str
    name: str
    version: str
    location: Location
    direct: bool | None = None
    source: str = ""


class PublishedFlaw(msgspec.Struct, frozen=True):
    """The advisory that a finding is about, and the component that has the flaw.

    ``fixed`` are the first versions without it, ``chance`` that of being listed as known exploited within 90 days
    (None: no forecast), ``exploited`` whether it is listed.  ``score`` is the CVSS base score (0: none is given).
    """

    advisory: str
    aliases: tuple[str, ...]
    purl: str
    name: str
    version: str
    fixed: tuple[str, ...] = ()
    direct: bool | None = None
    score: float = 0.0
    chance: float | None = None
    exploited: bool = False
    reference: str = ""
