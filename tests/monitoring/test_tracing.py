"""Spans and measurements by OpenTelemetry: of every operation, and of nobody's text."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from pgrecall import AsyncMemory, Memory
from pgrecall.errors import NotFoundError
from pgrecall.testing import HashingEmbedder


class Seen:
    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self.reader]))

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture(scope="module")
def providers() -> Seen:
    return Seen()


@pytest.fixture
def seen(providers: Seen) -> Iterator[Seen]:
    providers.exporter.clear()
    yield providers


def test_a_recall_is_a_tree(memory: Memory, seen: Seen) -> None:
    memory.remember("SECRET tea.", user_id="maria")
    seen.exporter.clear()
    memory.recall("SECRET question", user_id="maria")
    spans = seen.spans()
    top, call = spans["pgrecall recall"], spans["recall_in_context"]
    inner = [span for span in spans.values() if span is not top]
    assert top.parent is None and top.kind is SpanKind.INTERNAL
    assert {span.parent and span.parent.span_id for span in inner} == {top.context.span_id}
    assert call.kind is SpanKind.CLIENT
    assert call.attributes is not None
    assert call.attributes["db.system.name"] == "postgresql"
    assert call.attributes["db.operation.name"] == "recall_in_context"
    assert call.attributes["db.namespace"]
    for word in ("SECRET", "maria"):
        assert not any(word in span.to_json() for span in spans.values())


def test_an_error_is_told_without_its_message(memory: Memory, seen: Seen) -> None:
    with pytest.raises(NotFoundError):
        memory.update(uuid.uuid4(), content="SECRET")
    spans = seen.spans()
    assert spans["pgrecall update"].status.status_code is StatusCode.ERROR
    attributes = spans["update_memory"].attributes or {}
    assert attributes["error.type"] == attributes["db.response.status_code"] == "PM004"
    assert not any("SECRET" in span.to_json() or span.events for span in spans.values())


def test_durations_are_measured(memory: Memory, seen: Seen) -> None:
    memory.recall("tea")
    found = seen.reader.get_metrics_data()
    assert found is not None
    points = {
        (metric.name, dict(point.attributes or {}).get("db.operation.name"))
        for resource in found.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    assert ("db.client.operation.duration", "recall_in_context") in points
    assert ("pgrecall.operation.duration", None) in points


async def test_the_async_client_too(pgrecall_dsn: str, seen: Seen) -> None:
    async with AsyncMemory(pgrecall_dsn, embedder=HashingEmbedder()) as memory:
        await memory.remember("Tea.")
    top = seen.spans()["pgrecall remember"]
    call = seen.spans()["remember_memories"]
    assert call.parent is not None and call.parent.span_id == top.context.span_id


def test_without_opentelemetry_nothing_of_it_is_imported() -> None:
    code = (
        "import sys\nfrom pgrecall.telemetry.watch import Watch\n"
        "with Watch(is_counting=True).operation('get'): pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
