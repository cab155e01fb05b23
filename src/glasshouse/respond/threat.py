"""Vulnerabilities that an incident names, what the forecast says of them, and the order of incidents that follows.

Rules name vulnerabilities by tags (``cve.2021-44228``), events by the id in a field.  Only what a rule names moves an
incident, and only among those of its severity: the text of an event may be the attacker's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from glasshouse.words.forecast import Forecast
from glasshouse.words.incident import LEVEL_RANK, Incident, Threat

LookUp = Callable[[Sequence[str]], Mapping[str, Forecast]]
"""Forecasts for CVE ids; one about which nothing is known is left out."""
HORIZON_DAYS = 90
RAISING = 0.01
"""Chance within 90 days from which an incident goes before others of its severity."""
MAX_NAMED = 10
MAX_REASONS = 2
_TAG = re.compile(r"cve[.-](\d{4})[.-](\d{4,12})", re.IGNORECASE | re.ASCII)
_ID = re.compile(r"\b(?:CVE|cve)[-_](\d{4})[-_](\d{4,12})\b", re.ASCII)


def named(incident: Incident) -> dict[str, tuple[str, ...]]:
    """CVE ids, at most ``MAX_NAMED``, each with the titles of the rules that name it; none when only events do."""
    found: dict[str, dict[str, None]] = {}
    for each in incident.detections:
        for tag in each.rule.tags:
            if match := _TAG.fullmatch(tag):
                found.setdefault(_cve(match), {})[each.rule.title] = None
    for cve in _in_events(incident):
        if len(found) >= MAX_NAMED:
            break
        found.setdefault(cve, {})
    return {cve: tuple(titles) for cve, titles in islice(found.items(), MAX_NAMED)}


def _in_events(incident: Incident) -> Iterator[str]:
    for each in incident.detections:
        for _, value in each.evidence:
            if "CVE" in value or "cve" in value:
                yield from map(_cve, _ID.finditer(value))


def with_threats(incidents: Iterable[Incident], look_up: LookUp) -> tuple[Incident, ...]:
    """The incidents with the vulnerabilities they name, gravest first.

    Within a severity those go first of which a rule names a vulnerability that is listed as exploited or has a chance
    of ``RAISING``; then the score decides, and between equal scores the greater chance.
    """
    found = [(each, named(each)) for each in incidents]
    wanted = sorted({cve for _, names in found for cve in names})
    forecasts = look_up(wanted) if wanted else {}
    return tuple(
        sorted((msgspec.structs.replace(each, threats=_threats(names, forecasts)) for each, names in found), key=order)
    )


def _threats(names: Mapping[str, tuple[str, ...]], forecasts: Mapping[str, Forecast]) -> tuple[Threat, ...]:
    found = [_threat(cve, titles, forecasts.get(cve)) for cve, titles in names.items()]
    return tuple(sorted(found, key=lambda each: (-_weight(each), each.cve)))


def _threat(cve: str, titles: tuple[str, ...], forecast: Forecast | None) -> Threat:
    if forecast is None:
        return Threat(cve, titles)
    chance = next((each for each in forecast.probabilities if each.horizon_days == HORIZON_DAYS), None)
    return Threat(
        cve,
        titles,
        listed_on=forecast.listed_on,
        chance=chance.value if chance else None,
        low=chance.low if chance else None,
        high=chance.high if chance else None,
        as_of=forecast.day,
        reasons=tuple(each.words for each in forecast.reasons[:MAX_REASONS]),
    )


def _weight(threat: Threat) -> float:
    return 1.0 if threat.listed_on is not None else threat.chance or 0.0


def order(incident: Incident) -> tuple[int, bool, bool, bool, float, float, float, float, str]:
    """Sorts the gravest first; ``with_threats`` and ``stake.with_stakes`` say by what."""
    weight = max((_weight(each) for each in incident.threats if each.rules), default=0.0)
    return (
        -LEVEL_RANK[incident.severity],
        not any(each.cves for each in incident.stakes),
        weight < RAISING,
        not any(each.critical for each in incident.stakes),
        -incident.score,
        -weight,
        -max((each.criticality for each in incident.stakes), default=0.0),
        incident.first or 0.0,
        incident.id,
    )


def _cve(match: re.Match[str]) -> str:
    return f"CVE-{match[1]}-{match[2]}"


def told(threat: Threat) -> str:
    """What is known of a vulnerability and who names it, in one line without its id."""
    by = f"named by {', '.join(threat.rules)}" if threat.rules else "named in the events only"
    return f"{known(threat)}; {by}"


def known(threat: Threat) -> str:
    """What is known of a vulnerability, whoever names it."""
    if threat.listed_on is not None:
        return f"listed as exploited since {threat.listed_on}"
    if threat.chance is None:
        return "nothing is known about it (`glasshouse forecast import` brings records in)"
    span = f"{_percent(threat.chance)} [{_percent(threat.low or 0.0)}, {_percent(threat.high or 1.0)}]"
    reasons = f", because: {'; '.join(threat.reasons)}" if threat.reasons else ""
    return f"{span} chance of being listed as exploited within {HORIZON_DAYS} days{reasons}"


def _percent(value: float) -> str:
    return f"{100 * value:.2g} %"
