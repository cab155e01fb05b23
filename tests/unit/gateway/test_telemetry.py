"""Spans and measurements carry what was measured, and nothing of what was said."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from glasshouse.gateway.measures import CallFacts
from glasshouse.gateway.telemetry import OpenTelemetry


def test_a_call_is_one_span_with_its_tokens_and_its_time() -> None:
    spans, reader, tracers = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = OpenTelemetry(tracers, MeterProvider(metric_readers=[reader]))
    telemetry.call(CallFacts("req_1", "openai.chat", "m", 200, "done", 1.5, 10, 20))
    telemetry.call(CallFacts("req_2", "openai.chat", "m", 502, "failed", 0.5))
    first, second = spans.get_finished_spans()
    assert first.name == "openai.chat m"
    assert first.attributes is not None
    assert first.attributes["gen_ai.usage.output_tokens"] == 20
    assert first.end_time is not None
    assert first.start_time is not None
    assert first.end_time - first.start_time == 1_500_000_000
    assert not second.status.is_ok
    data = reader.get_metrics_data()
    assert data is not None
    names = {metric.name for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics}
    assert names == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    telemetry.close()
