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
    """One advisory about one package.  ``aliases`` join it to CVE ids; ``versions`` are listed one by one."""

    id: str
    ecosystem: str
    package: str
    modified: str
    aliases: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()
    versions: tuple[str, ...] = ()
    summary: str = ""
    malicious: bool = False

    @property
    def cves(self) -> tuple[str, ...]:
        """The CVE ids that this advisory is about."""
        return tuple(name for name in (self.id, *self.aliases) if name.startswith("CVE-"))
