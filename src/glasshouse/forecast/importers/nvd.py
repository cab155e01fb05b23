"""NVD records: API 2.0 pages and yearly feeds, one record a file as mirrors keep them, and the older 1.1 feeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

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
            records = _records(document.content)
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))
            return
        for number, entry in enumerate(records):
            try:
                record = table(values.parse_json(entry))
                inner = table(record["cve"]) if "cve" in record else record
                yield from _old(record, inner) if "CVE_data_meta" in inner else _facts(inner)
            except InvalidRecordError as error:
                yield Rejected(f"{document.name}#{number}", str(error))


class _Feed(msgspec.Struct):
    """A page or a feed; its records stay text until their turn, for as objects a year's take a gigabyte."""

    vulnerabilities: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    cve_items: list[msgspec.Raw] | None = None
    CVE_Items: list[msgspec.Raw] | None = None
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _records(content: bytes) -> Sequence[msgspec.Raw | bytes]:
    """The records of a document, each as JSON."""
    try:
        feed = msgspec.json.decode(content, type=_Feed)
    except msgspec.ValidationError as error:
        raise InvalidRecordError("no NVD records in it") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRecordError(f"not valid JSON: {error}") from error
    if found := feed.vulnerabilities or feed.cve_items or feed.CVE_Items:
        return found
    if feed.id is not msgspec.UNSET:
        return [content]
    if feed.vulnerabilities is msgspec.UNSET:
        raise InvalidRecordError("no NVD records in it")
    return []


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
