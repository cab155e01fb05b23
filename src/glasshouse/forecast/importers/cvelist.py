"""CVE records in the CVE List's JSON 5 format, with CISA's additions (Vulnrichment: SSVC, CVSS, CWE) where present.

A file holds the record's present text, so its content is known since the container's last update, not since
publication.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasshouse.forecast.facts import (
    Affected,
    AnyClaim,
    Assigner,
    Day,
    Fact,
    Published,
    Severity,
    Ssvc,
    Text,
    Weaknesses,
    Withdrawn,
)
from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.interface import Document, Rejected, Yield
from glasshouse.forecast.importers.values import InvalidRecordError, items, table

_METRICS = (("cvssV4_0", "4.0"), ("cvssV3_1", "3.1"), ("cvssV3_0", "3.0"), ("cvssV2_0", "2.0"))


class CveListImporter:
    """CVE List V5 and Vulnrichment."""

    kind = "cvelist"
    about = "CVE records, JSON 5 (cvelistV5, Vulnrichment)"
    suffixes = (".json",)

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        try:
            found = values.parse_json(document.content)
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))
            return
        if isinstance(found, dict) and found.get("dataType") not in ("CVE_RECORD", None):
            yield Rejected(document.name, "not a CVE record")
            return
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, dict) and "fetchTime" in first:
            return  # the list's own log of changes (delta.json, deltaLog.json), which lies among the records
        for record in found if isinstance(found, list) else [found]:
            try:
                yield from _facts(table(record))
            except InvalidRecordError as error:
                yield Rejected(document.name, str(error))


def _facts(record: dict[str, Any]) -> list[Fact]:
    meta = table(record.get("cveMetadata"))
    name = values.cve_id(meta.get("cveId"))
    if meta.get("state") == "REJECTED":
        rejected = meta.get("dateRejected") or meta.get("dateUpdated") or meta.get("datePublished")
        return [Fact(name, values.moment(rejected, "dateRejected"), "cvelist", Withdrawn())]
    published = values.moment(meta.get("datePublished"), "datePublished")
    containers = table(record.get("containers"))
    own = table(containers.get("cna"))
    found = [Fact(name, published, "cvelist", Published())]
    found += _container(name, own, _updated(own, meta, published), "cvelist")
    if assigner := values.text(meta.get("assignerShortName")):
        found.append(Fact(name, published, "cvelist", Assigner(assigner)))
    for extra in items(containers.get("adp"))[:20]:
        provider = values.text(table(table(extra).get("providerMetadata")).get("shortName"), 40) or "adp"
        found += _container(name, table(extra), _updated(table(extra), meta, published), f"adp:{provider}")
    return found


def _updated(container: dict[str, Any], meta: dict[str, Any], published: Day) -> Day:
    """Since when the container's present content is known; never before publication."""
    stated = table(container.get("providerMetadata")).get("dateUpdated") or meta.get("dateUpdated")
    return max(values.moment(stated, "dateUpdated"), published) if stated else published


def _container(name: str, container: dict[str, Any], since: Day, source: str) -> list[Fact]:
    claims: list[AnyClaim] = []
    if description := _english(container.get("descriptions")):
        claims.append(Text(description))
    problems = [
        table(entry)
        for part in items(container.get("problemTypes"))
        for entry in items(table(part).get("descriptions"))
    ]
    numbers = values.cwe_numbers([problem.get(key) for problem in problems for key in ("cweId", "description")])
    if numbers:
        claims.append(Weaknesses(numbers))
    pairs = tuple(
        dict.fromkeys(
            (values.text(table(each).get("vendor")), values.text(table(each).get("product")))
            for each in items(container.get("affected"))[: values.MAX_PRODUCTS]
        )
    )
    if any(vendor or product for vendor, product in pairs):
        claims.append(Affected(pairs))
    for metric in items(container.get("metrics"))[:20]:
        claims += _metric(table(metric))
    return [Fact(name, since, source, claim) for claim in claims]


def _metric(metric: dict[str, Any]) -> Iterator[AnyClaim]:
    for key, version in _METRICS:
        body = table(metric.get(key))
        score = body.get("baseScore")
        if isinstance(score, int | float) and 0 <= score <= 10:
            yield Severity(version, values.text(body.get("vectorString")), float(score))
    other = table(metric.get("other"))
    if other.get("type") == "ssvc":
        options: dict[str, Any] = {}
        for option in items(table(other.get("content")).get("options")):
            options.update(table(option))
        chosen = [values.text(options.get(key)).lower() for key in ("Exploitation", "Automatable", "Technical Impact")]
        if any(chosen):
            yield Ssvc(*chosen)


def _english(descriptions: Any) -> str:
    for each in items(descriptions):
        language = values.text(table(each).get("lang")).lower()
        if language in ("", "en") or language.startswith(("en-", "en_")):
            return values.text(table(each).get("value"), values.MAX_TEXT)
    return ""
