"""The development data set as facts: every value with the day on which it was known.

The data set lies beside the repository (see docs/reference/forecast-model.md for its make-up and licences).  Records
that entered a source because of later events are left out: enriched records of CVEs published before 2024-02.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as parquet

from glasshouse.forecast.background import Listing
from glasshouse.forecast.facts import (
    Affected,
    AnyClaim,
    Assigner,
    Day,
    Exploit,
    ExploitKind,
    Fact,
    Listed,
    Mentions,
    Severity,
    Text,
    Weaknesses,
    day,
    known_on,
)

DEFAULT = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "forecast"
ENRICHED_FROM = day("2024-02-01")
CUT = day("2025-03-31")
EXPLOIT_COLUMNS: tuple[tuple[str, ExploitKind], ...] = (
    ("nuclei", "nuclei"),
    ("msf", "metasploit"),
    ("edb", "exploitdb"),
    ("nomisec", "repository"),
)
"""Columns that say that a mention is an exploit, a check or the index of proof repositories."""
INDEX, RECORD, KEV = "mention-index", "enriched-record", "kev"


class Dataset(NamedTuple):
    """Facts per CVE; the day of listing per CVE; the day since which the mention index held the CVE."""

    facts: dict[str, list[Fact]]
    listed: dict[str, Day]
    indexed: dict[str, Day]

    def listings(self, moment: Day) -> tuple[Listing, ...]:
        """Listings as of a day, with the weakness classes that were known by then."""
        found = []
        for name, listed in self.listed.items():
            known = known_on(name, self.facts[name], moment) if listed <= moment else None
            if known is not None and known.listed is not None:
                found.append(Listing(listed, known.listed.vendor, known.listed.product, known.cwes))
        return tuple(sorted(found, key=lambda each: each.day))


def load(folder: Path) -> Dataset:
    """The whole data set, about 1.2 million facts."""
    facts: dict[str, list[Fact]] = {}
    listed: dict[str, Day] = {}
    indexed: dict[str, Day] = {}
    for row in parquet.read_table(folder / "cves.parquet").to_pylist():
        name = row["cve"]
        facts[name] = [Fact(name, moment, source, claim) for moment, source, claim in _claims(row)]
        if row["first_seen"]:
            indexed[name] = day(row["first_seen"])
        if row["kev_date"]:
            listed[name] = day(row["kev_date"])
    for name, moment, claim in _mentions(folder):
        facts[name].append(Fact(name, moment, INDEX, claim))
    return Dataset(facts, listed, indexed)


def _claims(row: dict[str, Any]) -> Iterator[tuple[Day, str, AnyClaim]]:
    seen = row["first_seen"]
    if seen:
        first = day(seen)
        if row["desc"]:
            yield first, INDEX, Text(row["desc"])
        if numbers := _numbers(row["cwes"]):
            yield first, INDEX, Weaknesses(numbers)
        if row["products"] and row["products"].lower() != "n/a":
            yield first, INDEX, Affected((("", row["products"]),))
    if row["cvss_asof"] and row["published_src"] == "cve_record" and day(row["published"]) >= ENRICHED_FROM:
        yield from _enriched(row, day(row["cvss_asof"]))
    for column, kind in (("pt_nuclei_date", "nuclei"), ("pt_metasploit_date", "metasploit")):
        if row[column]:
            yield day(row[column]), "module-list", Exploit(kind)  # type: ignore[arg-type]
    if row["kev_date"]:
        yield day(row["kev_date"]), KEV, Listed(row["kev_vendor"] or "", row["kev_product"] or "")


def _enriched(row: dict[str, Any], moment: Day) -> Iterator[tuple[Day, str, AnyClaim]]:
    for version, column in (("2.0", "cvss_v2"), ("3.0", "cvss_v30"), ("3.1", "cvss_v31"), ("4.0", "cvss_v4")):
        if row[column] is not None:
            yield moment, RECORD, Severity(version, row[f"{column}_vec"] or "", row[column])
    if numbers := _numbers(row["cwes_record"]):
        yield moment, RECORD, Weaknesses(numbers)
    pairs = [part.split("|", 1) for part in (row["vendor_product"] or "").split("; ") if "|" in part]
    if pairs:
        yield moment, RECORD, Affected(tuple((vendor.strip(), product.strip()) for vendor, product in pairs))
    if row["cna"]:
        yield moment, RECORD, Assigner(row["cna"])


def _mentions(folder: Path) -> Iterator[tuple[str, Day, AnyClaim]]:
    seen: dict[str, set[str]] = defaultdict(set)
    columns = ["cve", "date", "n_ref", "n_gh", "n_ded", *(column for column, _ in EXPLOIT_COLUMNS)]
    for row in parquet.read_table(folder / "mentions.parquet", columns=columns).to_pylist():
        name, moment = row["cve"], day(row["date"])
        yield name, moment, Mentions(row["n_ref"], row["n_gh"], row["n_ded"])
        for column, kind in EXPLOIT_COLUMNS:
            if row[column] and kind not in seen[name]:
                seen[name].add(kind)
                yield name, moment, Exploit(kind)


def _numbers(text: str | None) -> tuple[int, ...]:
    found = (part.strip().removeprefix("CWE-") for part in (text or "").replace(",", " ").replace(";", " ").split())
    return tuple(dict.fromkeys(int(part) for part in found if part.isdigit()))
