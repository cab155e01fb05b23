"""CISA's catalogue of known exploited vulnerabilities, JSON or CSV.

The ransomware note has no date of its own and changes later, so it is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasshouse.forecast.facts import Day, Fact, Listed, Weaknesses
from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.interface import Document, Rejected, Yield
from glasshouse.forecast.importers.values import InvalidRecordError, items, table
from glasshouse.forecast.tabular import csv_rows


class KevImporter:
    """Known exploited vulnerabilities: the label."""

    kind = "kev"
    about = "CISA KEV catalogue (JSON, CSV)"
    suffixes = (".json", ".csv")

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        try:
            rows = _rows(document)
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))
            return
        for number, row in enumerate(rows, start=1):
            try:
                name = values.cve_id(row.get("cveID"))
                since = values.moment(row.get("dateAdded"), "dateAdded")
            except InvalidRecordError as error:
                yield Rejected(f"{document.name}#{number}", str(error))
                continue
            vendor, product = values.text(row.get("vendorProject")), values.text(row.get("product"))
            yield Fact(name, since, "kev", Listed(vendor, product))
            raw = row.get("cwes")
            if numbers := values.cwe_numbers(raw if isinstance(raw, list) else [raw]):
                yield Fact(name, since, "kev", Weaknesses(numbers))


def _rows(document: Document) -> list[dict[str, Any]]:
    if document.name.lower().endswith(".csv"):
        text = document.content.decode("utf-8-sig", "replace")
        return list(csv_rows(text))
    found = table(values.parse_json(document.content))
    if "vulnerabilities" not in found:
        raise InvalidRecordError("no `vulnerabilities` in it; is this the KEV catalogue?")
    return [table(row) for row in items(found["vulnerabilities"])]
