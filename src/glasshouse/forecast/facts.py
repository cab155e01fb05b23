"""What is known about a vulnerability, since when, and from whom; and the only way to ask: as of a day.

A ``Fact`` always carries the day on which its source made it known.  ``known_on`` turns the facts of one CVE into
``Knowledge`` as of a day and drops every later fact.  Everything that computes (features, background, trends) takes
``Knowledge`` and never a ``Fact``, so that nothing can look into the future of the day it speaks about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal, NewType

import msgspec

Day = NewType("Day", int)
"""A calendar day, counted as in ``datetime.date.toordinal``."""

CVE_ID = re.compile(r"CVE-(\d{4})-(\d{4,12})")
ExploitKind = Literal["metasploit", "exploitdb", "nuclei", "repository"]


ADVISORY = "osv"
"""The source of what advisories about packages tell."""


class InvalidDayError(ValueError):
    """Text that is no calendar day."""


def day(text: str) -> Day:
    """The day of an ISO 8601 date or date-time (the time of day is dropped)."""
    try:
        return Day(date.fromisoformat(text[:10]).toordinal())
    except (ValueError, TypeError) as error:
        raise InvalidDayError(f"no date: {str(text)[:40]!r}") from error


def iso(moment: int) -> str:
    """The day as YYYY-MM-DD."""
    return date.fromordinal(moment).isoformat()


class Claim(msgspec.Struct, frozen=True, tag_field="t"):
    """Base of what a source can state about one CVE."""


class Published(Claim, frozen=True, tag="pub"):
    """The record was published on the day on which this is known."""


class Withdrawn(Claim, frozen=True, tag="withdrawn"):
    """The record was rejected."""


class Text(Claim, frozen=True, tag="text"):
    """The description, in English."""

    description: str


class Weaknesses(Claim, frozen=True, tag="cwe"):
    """CWE numbers."""

    cwes: tuple[int, ...]


class Severity(Claim, frozen=True, tag="cvss"):
    """A CVSS base score; ``version`` is ``2.0``, ``3.0``, ``3.1`` or ``4.0``."""

    version: str
    vector: str
    score: float


class Affected(Claim, frozen=True, tag="affected"):
    """Pairs of vendor and product, as the record spells them."""

    products: tuple[tuple[str, str], ...]


class Assigner(Claim, frozen=True, tag="cna"):
    """Who assigned the CVE id (a CNA's short name)."""

    name: str


class Mentions(Claim, frozen=True, tag="mentions"):
    """Counts at that day: reference links to proofs, repositories that mention the CVE.

    And repositories named after it.
    """

    references: int
    repositories: int
    dedicated: int


class Exploit(Claim, frozen=True, tag="exploit"):
    """A public exploit or check exists.  No address of it is kept."""

    kind: ExploitKind


class Listed(Claim, frozen=True, tag="kev"):
    """Listed as known to be exploited on the day on which this is known."""

    vendor: str
    product: str


class Ssvc(Claim, frozen=True, tag="ssvc"):
    """Decision points of CISA's SSVC: none/poc/active, yes/no, partial/total."""

    exploitation: str
    automatable: str
    impact: str


class Epss(Claim, frozen=True, tag="epss"):
    """FIRST's EPSS score and percentile of that day; shown beside our forecast, never an input of it."""

    score: float
    percentile: float


AnyClaim = (
    Published
    | Withdrawn
    | Text
    | Weaknesses
    | Severity
    | Affected
    | Assigner
    | Mentions
    | Exploit
    | Listed
    | Ssvc
    | Epss
)


class Fact(msgspec.Struct, frozen=True):
    """One claim of one source about one CVE, and the day since which it was known."""

    cve: str
    known_at: Day
    source: str
    claim: AnyClaim


class Knowledge(msgspec.Struct, frozen=True):
    """What was known about one CVE at the end of ``day``; made by ``known_on`` alone.

    ``mentions`` is the history of counts, oldest first.  ``first_seen`` is the first day on which any source knew it.
    """

    cve: str
    day: Day
    first_seen: Day
    published: Day | None
    withdrawn: bool
    description: str
    cwes: tuple[int, ...]
    severity: Severity | None
    products: tuple[tuple[str, str], ...]
    assigner: str
    mentions: tuple[tuple[Day, Mentions], ...]
    exploits: dict[ExploitKind, Day]
    listed: Listed | None
    listed_on: Day | None
    ssvc: Ssvc | None
    epss: Epss | None
    epss_on: Day | None
    sources: tuple[str, ...]


def known_on(cve: str, facts: Iterable[Fact], moment: Day) -> Knowledge | None:
    """The facts of one CVE as they stood at the end of a day; None when nothing was known yet.

    Of two claims of the same kind the later known one holds; on the same day, the one whose source sorts last.  An
    advisory about one package describes a CVE only where no record of the CVE itself does.
    """
    past = [fact for fact in facts if fact.known_at <= moment]
    if not past:
        return None
    past.sort(key=_in_order)
    _settle(past)
    latest: dict[type, Fact] = {}
    history: dict[Day, Mentions] = {}
    exploits: dict[ExploitKind, Day] = {}
    severities: dict[str, Severity] = {}
    published: Day | None = None
    listed: Fact | None = None
    for fact in past:
        claim = fact.claim
        kind = type(claim)
        if kind is Text and fact.source == ADVISORY and kind in latest and latest[kind].source != ADVISORY:
            continue
        latest[kind] = fact
        if kind is Mentions:
            history[fact.known_at] = claim  # type: ignore[assignment]
        elif kind is Exploit:
            exploits.setdefault(claim.kind, fact.known_at)  # type: ignore[union-attr]
        elif kind is Severity:
            severities[claim.version] = claim  # type: ignore[union-attr,assignment]
        elif kind is Published and published is None:
            published = fact.known_at
        elif kind is Listed and listed is None:
            listed = fact

    def held(kind: type) -> AnyClaim | None:
        fact = latest.get(kind)
        return fact.claim if fact is not None else None

    text, cwes, affected, cna = held(Text), held(Weaknesses), held(Affected), held(Assigner)
    epss = latest.get(Epss)
    return Knowledge(
        cve=cve,
        day=moment,
        first_seen=past[0].known_at,
        published=published,
        withdrawn=Withdrawn in latest,
        description=text.description if isinstance(text, Text) else "",
        cwes=cwes.cwes if isinstance(cwes, Weaknesses) else (),
        severity=severities[max(severities, key=_version_rank)] if severities else None,
        products=affected.products if isinstance(affected, Affected) else (),
        assigner=cna.name if isinstance(cna, Assigner) else "",
        mentions=tuple(history.items()),
        exploits=exploits,
        listed=listed.claim if listed is not None and isinstance(listed.claim, Listed) else None,
        listed_on=listed.known_at if listed is not None else None,
        ssvc=held(Ssvc),  # type: ignore[arg-type]
        epss=epss.claim if epss is not None and isinstance(epss.claim, Epss) else None,
        epss_on=epss.known_at if epss is not None else None,
        sources=tuple(sorted({fact.source for fact in past})),
    )


def _in_order(fact: Fact) -> tuple[int, str]:
    return fact.known_at, fact.source


def _settle(past: list[Fact]) -> None:
    """Orders facts of one source and day by content, so that the order of import decides nothing."""
    start = 0
    for end in range(1, len(past) + 1):
        if end == len(past) or _in_order(past[end]) != _in_order(past[start]):
            if end - start > 1 and len({type(fact.claim) for fact in past[start:end]}) < end - start:
                past[start:end] = sorted(past[start:end], key=_content)
            start = end


def _content(fact: Fact) -> bytes:
    return _claim_bytes(fact.claim)


_claim_bytes = msgspec.msgpack.Encoder().encode
# CVSS 3.1 first: 4.0 is still rare, and the model was trained on what most records have.
_RANKS = {"3.1": 4, "3.0": 3, "4.0": 2, "2.0": 1}


def _version_rank(version: str) -> int:
    return _RANKS.get(version, 0)
