"""What the gateway counts and logs of each call; never a word of a prompt or an answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOGGER = logging.getLogger("glasshouse.gateway")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_encode = msgspec.json.Encoder().encode


class CallFacts(msgspec.Struct, frozen=True):
    """What is measured of one call.  ``model`` is ``other`` where it is none of the configured ones."""

    request_id: str
    dialect: str
    model: str
    status: int
    outcome: str
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None


class Telemetry(Protocol):
    """Where else measurements go."""

    def call(self, facts: CallFacts) -> None:
        """One call is over."""
        ...

    def close(self) -> None:
        """Sends what waits."""
        ...


class Measures:
    """The measurements of one worker."""

    def __init__(
        self, registry: CollectorRegistry, known_models: frozenset[str], telemetry: Telemetry | None = None
    ) -> None:
        self._known, self._telemetry = known_models, telemetry
        self._calls = Counter(
            "glasshouse_calls", "Calls to models.", ["dialect", "model", "status", "outcome"], registry=registry
        )
        self._tokens = Counter(
            "glasshouse_tokens", "Tokens as upstreams report them.", ["model", "direction"], registry=registry
        )
        self._seconds = Histogram(
            "glasshouse_call_seconds", "Time of a call from its first byte to its last.", ["dialect"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.running = Gauge(
            "glasshouse_calls_running", "Calls under way.", registry=registry, multiprocess_mode="livesum"
        )

    def call(self, facts: CallFacts) -> None:
        """Counts one call and writes one line about it."""
        if facts.model not in self._known:
            facts = msgspec.structs.replace(facts, model="other")
        self._calls.labels(facts.dialect, facts.model, str(facts.status), facts.outcome).inc()
        self._seconds.labels(facts.dialect).observe(facts.seconds)
        self._tokens.labels(facts.model, "input").inc(facts.input_tokens or 0)
        self._tokens.labels(facts.model, "output").inc(facts.output_tokens or 0)
        if self._telemetry is not None:
            self._telemetry.call(facts)
        if LOGGER.isEnabledFor(logging.INFO):
            LOGGER.info("call", extra={"fields": msgspec.structs.asdict(facts)})

    def close(self) -> None:
        """Sends what waits to be sent."""
        if self._telemetry is not None:
            self._telemetry.close()


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
