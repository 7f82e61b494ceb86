"""Whether this process uses OpenTelemetry. One that never imports it pays a look into a dict."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgrecall.telemetry.otel import Tracing


def tracing() -> Tracing | None:
    """Where spans and measurements go; None in a process that has not imported OpenTelemetry."""
    return _tracing() if "opentelemetry" in sys.modules else None


@cache
def _tracing() -> Tracing | None:
    try:
        from pgrecall.telemetry.otel import Tracing
    except ImportError:
        # Another part of its namespace, without the API.
        return None
    return Tracing()
