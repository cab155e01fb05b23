"""Forecast: which vulnerabilities will be exploited, what is rising, and what that would hit.

``FactStore`` keeps dated facts, ``answer`` forecasts as of a day, ``by_weakness`` and ``priority`` order other results.
Values in, values out: nothing is fetched, and numpy is loaded only when something is scored.
"""

from __future__ import annotations

from glasshouse.forecast.priority import by_weakness, priority

__all__ = ["by_weakness", "priority"]
