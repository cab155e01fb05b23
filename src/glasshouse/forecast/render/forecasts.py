"""Forecasts as text, JSON and CSV.  Untrusted text is shown without characters that act on a terminal."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from glasshouse.forecast.render.numbers import factor, percent
from glasshouse.words.display import visible
from glasshouse.words.forecast import Forecast

WIDTH = 100
SCHEMA = "glasshouse/forecast/1"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "cve", "day", "p30", "p90", "p90_low", "p90_high", "p365", "percentile", "evidence", "listed_on", "published",
    "cvss", "epss", "epss_day", "ssvc", "model", "description",
)  # fmt: skip


def text(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """One page a CVE when there are few, one line a CVE when there are many."""
    if not forecasts:
        yield "No vulnerability that fits was known and open on that day; what is listed already is not forecast.\n"
        yield "`glasshouse forecast sources` says what was imported, and for which days.\n"
        return
    if len(forecasts) <= 3:
        for forecast in forecasts:
            yield "\n".join(page(forecast)) + "\n"
        return
    yield f"{'rank':>4}  {'CVE':<17} {'90 days':>9}  {'90 % interval':<19} {'EPSS':>8}  why\n"
    for rank, each in enumerate(forecasts, start=1):
        yield row(rank, each) + "\n"
    yield f"\nAs of {forecasts[0].day}, model {forecasts[0].model}.\n"
    yield "Chance of being listed as known exploited (CISA KEV), not of harm to you.\n"


def row(rank: int, forecast: Forecast) -> str:
    """One line of the list."""
    why = "; ".join(visible(reason.words) for reason in forecast.reasons[:2])
    epss = percent(forecast.epss) if forecast.epss is not None else "-"
    if forecast.listed_on is not None:
        return f"{rank:>4}  {forecast.cve:<17} {'listed':>9}  {forecast.listed_on:<19} {epss:>8}"
    if not forecast.probabilities:
        return f"{rank:>4}  {forecast.cve:<17} {'withdrawn':>9}"
    middle = next(each for each in forecast.probabilities if each.horizon_days == 90)
    span = f"{percent(middle.low)} to {percent(middle.high)}"
    return f"{rank:>4}  {forecast.cve:<17} {percent(middle.value):>9}  {span:<19} {epss:>8}  {why}"[: WIDTH + 40]


def page(forecast: Forecast) -> Iterator[str]:
    """Everything about one CVE."""
    yield f"{forecast.cve} as of {forecast.day}"
    if forecast.description:
        shortened = textwrap.shorten(visible(" ".join(forecast.description.split())), 400, placeholder=" ...")
        yield textwrap.fill(shortened, WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""
    if forecast.listed_on is not None:
        yield f"  listed as known exploited since {forecast.listed_on}: nothing left to forecast"
    for each in forecast.probabilities:
        span = f"(90 % interval {percent(each.low)} to {percent(each.high)})"
        yield f"  within {each.horizon_days:>3} days  {percent(each.value):>9}  {span}"
    if forecast.percentile is not None:
        yield f"  ranks above    {forecast.percentile:>7.2f} % of all that are open"
    if forecast.without_mentions is not None:
        yield f"  without counts of mentions, within 90 days: {percent(forecast.without_mentions)}"
    beside = [f"{name} {value}" for name, value in _beside(forecast) if value]
    if beside:
        yield f"  beside it: {', '.join(beside)}"
    if forecast.reasons:
        yield "  why (odds against a typical one):"
        for reason in forecast.reasons:
            yield f"    {factor(reason.factor):>12}  {visible(reason.words)}"
    for caveat in forecast.caveats:
        yield f"  note: {visible(caveat)}"
    yield f"  model {forecast.model}; evidence: {forecast.evidence}"


def _beside(forecast: Forecast) -> Iterator[tuple[str, str]]:
    yield "CVSS", "" if forecast.cvss is None else f"{forecast.cvss}"
    yield "EPSS", "" if forecast.epss is None else f"{percent(forecast.epss)} ({forecast.epss_day})"
    yield "SSVC", forecast.ssvc or ""


def json(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """One object with all forecasts; fields are only added within a version of the schema."""
    body = {"schema": SCHEMA, "forecasts": forecasts}
    yield msgspec.json.format(msgspec.json.encode(body)).decode() + "\n"


def table(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """CSV; a cell that a spreadsheet would run as a formula is quoted."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in forecasts:
        values = {each_.horizon_days: each_ for each_ in each.probabilities}
        middle = values.get(90)
        cells = (
            each.cve, each.day, _number(values.get(30)), _number(middle), middle.low if middle else "",
            middle.high if middle else "", _number(values.get(365)), each.percentile, each.evidence, each.listed_on,
            each.published, each.cvss, each.epss, each.epss_day, each.ssvc, each.model,
            " ".join(each.description.split()),
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    yield stream.getvalue()


def safe_cell(value: object) -> str:
    """A cell's text; one that starts like a formula gets a quote before it."""
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: object) -> object:
    return getattr(value, "value", "")
