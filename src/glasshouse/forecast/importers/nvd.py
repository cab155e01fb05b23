"""NVD records: API 2.0 pages and yearly feeds, one record a file as mirrors keep them, and the older 1.1 feeds."""

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
    Text,
    Weaknesses,
    Withdrawn,
)
from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.interface import Document, Rejected, Yield
from glasshouse.forecast.importers.values import InvalidRecordError, items, table

_METRICS = (("cvssMetricV40", "4.0"), ("cvssMetricV31", "3.1"), ("cvssMetricV30", "3.0"), ("cvssMetricV2", "2.0"))


class NvdImporter:
    """The National Vulnerability Database's JSON."""

    kind = "nvd"
    about = "NVD records, JSON (API 2.0, feeds 2.0 and 1.1)"
    suffixes = (".json",)

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        try:
            found = table(values.parse_json(document.content))
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))
            return
        records = items(found.get("vulnerabilities")) or items(found.get("cve_items")) or items(found.get("CVE_Items"))
        if not records and "id" in found:
            records = [found]
        if not records and "vulnerabilities" not in found:
            yield Rejected(document.name, "no NVD records in it")
        for number, entry in enumerate(records):
            record = table(entry)
            inner = table(record["cve"]) if "cve" in record else record
            try:
                yield from _old(record, inner) if "CVE_data_meta" in inner else _facts(inner)
            except InvalidRecordError as error:
                yield Rejected(f"{document.name}#{number}", str(error))


def _facts(record: dict[str, Any]) -> list[Fact]:
    name = values.cve_id(record.get("id"))
    published = values.moment(record.get("published"), "published")
    since = max(values.moment(record.get("lastModified") or record.get("published"), "lastModified"), published)
    if record.get("vulnStatus") == "Rejected":
        return [Fact(name, since, "nvd", Withdrawn())]
    claims: list[AnyClaim] = []
    for each in items(record.get("descriptions")):
        if table(each).get("lang") == "en" and (description := values.text(table(each).get("value"), values.MAX_TEXT)):
            claims.append(Text(description))
            break
    problems = [
        table(part) for each in items(record.get("weaknesses")) for part in items(table(each).get("description"))
    ]
    if numbers := values.cwe_numbers([problem.get("value") for problem in problems]):
        claims.append(Weaknesses(numbers))
    claims += _severities(table(record.get("metrics")))
    if pairs := _products(items(record.get("configurations"))):
        claims.append(Affected(pairs))
    if source := values.text(record.get("sourceIdentifier")):
        claims.append(Assigner(source))
    return [Fact(name, published, "nvd", Published()), *(Fact(name, since, "nvd", claim) for claim in claims)]


def _severities(metrics: dict[str, Any]) -> Iterator[Severity]:
    for key, version in _METRICS:
        entries = sorted(
            (table(each) for each in items(metrics.get(key))), key=lambda each: each.get("type") != "Primary"
        )
        body = table(entries[0].get("cvssData")) if entries else {}
        score = body.get("baseScore")
        if isinstance(score, int | float) and 0 <= score <= 10:
            yield Severity(version, values.text(body.get("vectorString")), float(score))


def _products(configurations: list[Any]) -> tuple[tuple[str, str], ...]:
    nodes = [table(node) for each in configurations for node in items(table(each).get("nodes"))]
    found: dict[tuple[str, str], None] = {}
    for node in nodes:
        for match in items(node.get("cpeMatch")):
            parts = values.text(table(match).get("criteria"), 400).split(":")
            if len(parts) > 4 and len(found) < values.MAX_PRODUCTS and table(match).get("vulnerable", True):
                found[(parts[3].replace("_", " "), parts[4].replace("_", " "))] = None
    return tuple(found)


def _old(entry: dict[str, Any], inner: dict[str, Any]) -> list[Fact]:
    """A record of the 1.1 feeds."""
    descriptions = items(table(inner.get("description")).get("description_data"))
    problems = [
        {"description": items(table(each).get("description"))}
        for each in items(table(inner.get("problemtype")).get("problemtype_data"))
    ]
    impact = table(entry.get("impact"))
    three, two = (
        table(table(impact.get("baseMetricV3")).get("cvssV3")),
        table(table(impact.get("baseMetricV2")).get("cvssV2")),
    )
    version = "cvssMetricV30" if three.get("version") == "3.0" else "cvssMetricV31"
    metrics = {key: [{"cvssData": body}] for key, body in ((version, three), ("cvssMetricV2", two)) if body}
    return _facts(
        {
            "id": table(inner.get("CVE_data_meta")).get("ID"),
            "published": entry.get("publishedDate"),
            "lastModified": entry.get("lastModifiedDate"),
            "descriptions": descriptions,
            "weaknesses": problems,
            "metrics": metrics,
            "sourceIdentifier": table(inner.get("CVE_data_meta")).get("ASSIGNER"),
        }
    )
