"""EPSS scores as FIRST.org publishes them: a CSV a day, whose first line names the model version and the date."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.forecast.facts import Day, Epss, Fact
from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.interface import Document, Rejected, Yield
from glasshouse.forecast.importers.values import InvalidRecordError
from glasshouse.forecast.tabular import csv_rows

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})")


class EpssImporter:
    """EPSS scores, shown beside the forecast."""

    kind = "epss"
    about = "EPSS scores of a day (CSV, .csv.gz)"
    suffixes = (".csv",)

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        text = document.content.decode("utf-8-sig", "replace")
        head, _, rest = text.partition("\n")
        stated = _DATE.search(head if head.startswith("#") else document.name.rpartition("/")[2])
        try:
            since = values.moment(stated[1], "score_date") if stated else known_at
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))
            return
        rows = csv_rows(rest if head.startswith("#") else text)
        if not {"cve", "epss"} <= set(rows.fieldnames or ()):
            yield Rejected(document.name, "no columns `cve` and `epss`; is this an EPSS file?")
            return
        for number, row in enumerate(rows, start=1):
            try:
                score, percentile = float(row["epss"]), float(row.get("percentile") or "nan")
                if not 0 <= score <= 1:
                    raise InvalidRecordError(f"epss {score} is no probability")
                yield Fact(values.cve_id(row["cve"]), since, "epss", Epss(score, percentile))
            except (ValueError, TypeError) as error:
                yield Rejected(f"{document.name}#{number}", str(error))
