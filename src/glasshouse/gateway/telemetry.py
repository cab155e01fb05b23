"""Traces and metrics over OpenTelemetry, one span a call, named as the conventions for generative AI say; no content.

Needs the extra ``otel``, and an endpoint in the settings.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from glasshouse import __version__
from glasshouse.gateway.measures import CallFacts, Telemetry
from glasshouse.words.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

SERVICE = "glasshouse"


class OpenTelemetry:
    """Turns calls into spans and measurements of two providers."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self._providers = (tracers, meters)
        self._tracer = tracers.get_tracer(SERVICE, __version__)
        meter = meters.get_meter(SERVICE, __version__)
        self._seconds = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")

    def call(self, facts: CallFacts) -> None:
        """One span and the measurements of one call."""
        from opentelemetry.trace import SpanKind, StatusCode

        ended = time.time_ns()
        shared = {"gen_ai.operation.name": facts.dialect, "gen_ai.request.model": facts.model}
        span = self._tracer.start_span(
            f"{facts.dialect} {facts.model}",
            kind=SpanKind.SERVER,
            start_time=ended - int(facts.seconds * 1e9),
            attributes={
                **shared,
                "http.response.status_code": facts.status,
                "glasshouse.outcome": facts.outcome,
                "glasshouse.request_id": facts.request_id,
            },
        )
        if facts.outcome != "done":
            span.set_status(StatusCode.ERROR, facts.outcome)
        for kind, tokens in (("input", facts.input_tokens), ("output", facts.output_tokens)):
            if tokens is not None:
                span.set_attribute(f"gen_ai.usage.{kind}_tokens", tokens)
                self._tokens.record(tokens, {**shared, "gen_ai.token.type": kind})
        self._seconds.record(facts.seconds, shared)
        span.end(ended)

    def close(self) -> None:
        """Sends what waits."""
        for provider in self._providers:
            shutdown = getattr(provider, "shutdown", None)
            if shutdown is not None:
                shutdown()


def open_telemetry(endpoint: str) -> Telemetry:
    """Telemetry that goes to an OTLP endpoint over HTTP."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(f"`otlp_endpoint` needs the extra: {error}", hint="pip install 'glasshouse[otel]'") from None
    base = endpoint.rstrip("/")
    resource = Resource.create({"service.name": SERVICE, "service.version": __version__})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{base}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{base}/v1/metrics"))
    return OpenTelemetry(tracers, MeterProvider(resource=resource, metric_readers=[reader]))
