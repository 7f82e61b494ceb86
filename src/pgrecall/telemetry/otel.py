"""Spans and metrics by OpenTelemetry's API; what becomes of them, the process's SDK decides.

Names are those of its semantic conventions for databases and embeddings. No attribute holds a
text, a user or an organization, and no exception is recorded, since its message could.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import TypeAlias

from opentelemetry import metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import SpanKind, Status, StatusCode

from pgrecall.telemetry.process import BOUNDS, error_code

Attributes: TypeAlias = "Mapping[str, str | int]"


class Tracing:
    """The tracer and the instruments of pgrecall. Each span lasts while it is entered."""

    def __init__(self) -> None:
        release = version("pgrecall")
        meter = metrics.get_meter("pgrecall", release)
        self._tracer = trace.get_tracer("pgrecall", release)
        self._operations, self._calls = (
            meter.create_histogram(
                name, unit="s", description=said, explicit_bucket_boundaries_advisory=BOUNDS
            )
            for name, said in (
                ("pgrecall.operation.duration", "How long operations took."),
                ("db.client.operation.duration", "How long the database took for them."),
            )
        )

    def operation(self, name: str) -> AbstractContextManager[None]:
        """The span of an operation, such as a recall; those of what it does are inside."""
        attributes = {"pgrecall.operation": name}
        return self._span(f"pgrecall {name}", SpanKind.INTERNAL, attributes, self._operations)

    def call(self, name: str, where: Attributes) -> AbstractContextManager[None]:
        """The span of a transaction, by the name of its statement."""
        attributes = {**where, "db.operation.name": name, "db.query.summary": name}
        return self._span(name, SpanKind.CLIENT, attributes, self._calls)

    def embedding(self, model: str, dimension: int) -> AbstractContextManager[None]:
        """The span of an embedder's work."""
        attributes: Attributes = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": model,
            "gen_ai.embeddings.dimension.count": dimension,
        }
        return self._span(f"embeddings {model}", SpanKind.CLIENT, attributes, None)

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Attributes, durations: Histogram | None
    ) -> Iterator[None]:
        began, measured = time.perf_counter(), dict(attributes)
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False,
            set_status_on_exception=False,
        ) as span:  # fmt: skip
            try:
                yield
            except BaseException as error:
                measured["error.type"] = error_code(error)
                span.set_attribute("error.type", measured["error.type"])
                sqlstate = getattr(error.__cause__, "sqlstate", None)
                if kind is SpanKind.CLIENT and sqlstate:
                    span.set_attribute("db.response.status_code", sqlstate)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                measured.pop("db.query.summary", None)
                if durations is not None:
                    durations.record(time.perf_counter() - began, measured)
