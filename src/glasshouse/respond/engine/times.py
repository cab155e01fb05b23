"""Event times: the many ways logs write them, as seconds since 1970 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from glasshouse.respond.engine.texts import Event, lookup

TIME_FIELDS = (
    "TimeCreated", "@timestamp", "eventTime", "ts", "time", "UtcTime", "SystemTime", "timestamp", "TimeGenerated",
    "time_dt", "published", "createdDateTime", "activityDateTime", "CreationTime", "date", "datetime", "EventTime",
)  # fmt: skip

_LONG_FRACTION = re.compile(r"(\.\d{6})\d+")
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?")
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
MAX_SECONDS = 253_402_300_799.0
"""The end of the year 9999."""


def seconds(value: Any) -> float | None:
    """A time as seconds since 1970 UTC; text without a zone is UTC; numbers may be seconds, ms, us or ns."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _scaled(float(value))
    text = str(value).strip()
    if not text or len(text) > 64:
        return None
    if _NUMBER.fullmatch(text):
        return _scaled(float(text))
    text = _LONG_FRACTION.sub(r"\1", text)
    try:
        when = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _scaled(number: float) -> float | None:
    for limit, scale in _SCALES:
        if abs(number) >= limit:
            number /= scale
            break
    return number if 0 <= number <= MAX_SECONDS else None


def event_time(event: Event) -> float | None:
    """When the event happened, from the first time field it has."""
    for name in TIME_FIELDS:
        value = event.get(name)
        if value is not None:
            found = seconds(value)
            if found is not None:
                return found
    return seconds(lookup(event, "event.created"))
