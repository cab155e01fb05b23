"""Which versions of which package an advisory is about, in OSV's terms."""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """Versions from ``introduced`` (``0``: the first) up to, not including, ``fixed``, or including ``last_affected``.

    Both ends empty: every later version.
    """

    introduced: str
    fixed: str = ""
    last_affected: str = ""


class Advisory(msgspec.Struct, frozen=True):
    """One advisory about one package.

    ``aliases`` join it to CVE ids; ``versions`` are listed one by one.  ``score`` is the base score of the CVSS
    ``vector`` (0: none is given), ``rating`` the database's own word for the severity.  A ``withdrawn`` one affects
    nothing.
    """

    id: str
    ecosystem: str
    package: str
    modified: str
    aliases: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()
    versions: tuple[str, ...] = ()
    summary: str = ""
    malicious: bool = False
    withdrawn: bool = False
    score: float = 0.0
    vector: str = ""
    rating: str = ""
    weaknesses: tuple[int, ...] = ()
    reference: str = ""

    @property
    def cves(self) -> tuple[str, ...]:
        """The CVE ids that this advisory is about."""
        return tuple(name for name in (self.id, *self.aliases) if name.startswith("CVE-"))
