"""How well monthly listings are forecast: rolling origins, three months ahead, MASE and CRPS, all methods in one run.

python bench/forecast_trends.py KEV.json|KEV.csv [--until YYYY-MM]

The catalogue was filled with old cases until June 2022, so the series begins in July 2022.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from glasshouse.forecast.facts import Fact, day
from glasshouse.forecast.importers.interface import Document
from glasshouse.forecast.importers.kev import KevImporter
from glasshouse.forecast.trends.backtest import backtest, best_method
from glasshouse.forecast.trends.run import month_name, month_number

FIRST = 2022 * 12 + 6


def listings(file: Path) -> Counter[int]:
    """Listings by month, each CVE once."""
    if file.suffix == ".parquet":
        import pyarrow.parquet as parquet

        dates = parquet.read_table(file, columns=["kev_date"]).column(0).to_pylist()
        return Counter(month_number(day(text)) for text in dates if text)
    found = KevImporter().read(Document(file.name, file.read_bytes()), day("2100-01-01"))
    first = {each.cve: each.known_at for each in found if isinstance(each, Fact)}
    return Counter(month_number(moment) for moment in first.values())


def main() -> None:
    """Prints a Markdown table for 12 and 18 origins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kev", type=Path, help="the catalogue, or cves.parquet of the development data")
    parser.add_argument("--until", default="", help="last month, YYYY-MM (default: the last in the file)")
    options = parser.parse_args()
    counts = listings(options.kev)
    last = month_number(day(f"{options.until}-01")) if options.until else max(counts)
    values = [counts[month] for month in range(FIRST, last + 1)]
    print(f"{month_name(FIRST)} to {month_name(last)}, {sum(values)} listings.\n")
    print("| method | MASE, 12 origins | CRPS | MASE, 18 origins | CRPS |\n| --- | --- | --- | --- | --- |")
    for short, long in zip(backtest(values, 12), backtest(values, 18), strict=True):
        print(f"| {short.method} | {short.mase:.2f} | {short.crps:.2f} | {long.mase:.2f} | {long.crps:.2f} |")
    print(f"\nChosen by its own past: {best_method(backtest(values, 12))}.")


if __name__ == "__main__":
    main()
