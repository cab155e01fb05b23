"""What the gateway counts and logs of each call; never a word of a prompt or an answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOGGER = logging.getLogger("glasshouse.gateway")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_encode = msgspec.json.Encoder().encode


class Measures:
    """The measurements of one worker."""

    def __init__(self, registry: CollectorRegistry, known_models: frozenset[str]) -> None:
        self._known = known_models
        self._calls = Counter(
            "glasshouse_calls", "Calls to models.", ["dialect", "model", "status", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "glasshouse_call_seconds", "Time of a call from its first byte to its last.", ["dialect"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.running = Gauge(
            "glasshouse_calls_running", "Calls under way.", registry=registry, multiprocess_mode="livesum"
        )

    def call(self, dialect: str, model: str, status: int, outcome: str, seconds: float, request_id: str) -> None:
        """Counts one call and writes one line about it."""
        shown = model if model in self._known else "other"
        self._calls.labels(dialect, shown, str(status), outcome).inc()
        self._seconds.labels(dialect).observe(seconds)
        if LOGGER.isEnabledFor(logging.INFO):
            LOGGER.info(
                "call",
                extra={"fields": {
                    "request_id": request_id, "dialect": dialect, "model": shown, "status": status,
                    "outcome": outcome, "ms": round(seconds * 1000, 2),
                }},
            )  # fmt: skip


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line |= fields
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return _encode(line).decode()
