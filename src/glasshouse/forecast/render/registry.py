"""Report formats by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from glasshouse.forecast.exposure.model import Exposure
from glasshouse.forecast.render import exposures, forecasts, html, trends
from glasshouse.forecast.trends.model import Trends
from glasshouse.words.forecast import Forecast

FORECASTS: dict[str, Callable[[Sequence[Forecast]], Iterator[str]]] = {
    "text": forecasts.text,
    "json": forecasts.json,
    "csv": forecasts.table,
    "html": html.forecasts,
}
EXPOSURES: dict[str, Callable[[Exposure], Iterator[str]]] = {
    "text": exposures.text,
    "json": exposures.json,
    "html": html.exposure,
    "register": exposures.register,
}
TRENDS: dict[str, Callable[[Trends], Iterator[str]]] = {"text": trends.text, "json": trends.json, "html": trends.html}
