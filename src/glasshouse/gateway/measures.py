"""What the gateway counts and logs of each call; never a word of a prompt or an answer."""

from __future__ import annotations

import logging
import time
from collections import Counter as Tally
from collections.abc import Mapping
from typing import Protocol, TextIO

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOGGER = logging.getLogger("glasshouse.gateway")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
MAX_NOTED = 10_000
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
        self._noted: list[tuple[CallFacts, float]] = []
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
        """Notes one call; it is counted and written down with the next `flush`."""
        if self._telemetry is not None:
            self._telemetry.call(facts)
        self._noted.append((facts, time.time()))
        if len(self._noted) >= MAX_NOTED:
            self.flush()

    def flush(self) -> None:
        """Counts the calls that were noted and writes a line about each, all at once."""
        if not self._noted:
            return
        noted, self._noted = self._noted, []
        calls: Tally[tuple[str, str, str, str]] = Tally()
        tokens: Tally[tuple[str, str]] = Tally()
        for facts, ended in noted:
            model = facts.model if facts.model in self._known else "other"
            calls[facts.dialect, model, str(facts.status), facts.outcome] += 1
            tokens[model, "input"] += facts.input_tokens or 0
            tokens[model, "output"] += facts.output_tokens or 0
            self._seconds.labels(facts.dialect).observe(facts.seconds)
            if LOGGER.isEnabledFor(logging.INFO):
                _write(facts if model != "other" else msgspec.structs.replace(facts, model=model), ended)
        for labels, number in calls.items():
            self._calls.labels(*labels).inc(number)
        for kind, number in tokens.items():
            self._tokens.labels(*kind).inc(number)
        for handler in LOGGER.handlers:
            handler.flush()

    def close(self) -> None:
        """Writes and sends what waits."""
        self.flush()
        if self._telemetry is not None:
            self._telemetry.close()


def _write(facts: CallFacts, ended: float) -> None:
    """One line about a call, at the time when it ended."""
    record = LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, "call", (), None)
    record.created, record.fields = ended, msgspec.structs.asdict(facts)
    LOGGER.handle(record)


class Lines(logging.StreamHandler[TextIO]):
    """Writes to standard error; what is no warning may wait for the next `flush`."""

    def __init__(self) -> None:
        super().__init__(open(2, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - standard error, with a buffer
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        try:
            self.stream.write(self.format(record) + self.terminator)
            if record.levelno >= logging.WARNING:
                self.flush()
        except Exception:  # noqa: BLE001 - a handler must not raise; logging has its own way of reporting
            self.handleError(record)


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
