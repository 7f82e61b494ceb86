"""One client's operations as they pass: timed, and counted once they succeed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from pgrecall.recall.result import Recall
from pgrecall.telemetry.counts import counts_of
from pgrecall.telemetry.process import DONE, PROCESS, error_code
from pgrecall.telemetry.slow import note_slow
from pgrecall.telemetry.tally import Tally
from pgrecall.telemetry.tracing import tracing


def _ignore() -> None:
    pass


class Watch:
    """Where one client's operations are noted.

    `on_neglect` is called at the end of an operation if counts wait in `tally` and nobody sees to
    it that they are written. A recall that takes more than `slow_after` seconds is slow; 0 for
    none.
    """

    def __init__(self, *, is_counting: bool, slow_after: float = 0) -> None:
        self.tally = Tally()
        self._slow_after = slow_after or math.inf
        self.on_neglect: Callable[[], None] = _ignore
        self._is_counting = is_counting

    def operation(self, name: str) -> Operation:
        """Something that notes an operation while it is entered."""
        return Operation(self, name)

    def count(self, counts: Mapping[str, int], latency: float | None = None) -> None:
        """Add to the counts, with the milliseconds of a recall."""
        if counts and self._is_counting:
            self.tally.add(counts, latency)

    def recalled(self, answer: object, seconds: float) -> None:
        """Note a recall if it was slow."""
        if seconds > self._slow_after and isinstance(answer, Recall):
            note_slow(answer, seconds)


class Operation:
    """A running operation; whoever runs it leaves its answer here."""

    __slots__ = ("_began", "_span", "_watch", "answer", "name")

    def __init__(self, watch: Watch, name: str) -> None:
        self.name = name
        self.answer: object = None
        self._watch = watch

    def __enter__(self) -> Operation:
        found = tracing()
        self._span = None if found is None else found.operation(self.name)
        if self._span is not None:
            self._span.__enter__()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._began
        if error is None:
            counts = counts_of(self.name, self.answer)
            self._watch.count(counts, 1000 * seconds if self.name == "recall" else None)
            self._watch.recalled(self.answer, seconds)
        PROCESS.note(self.name, DONE if error is None else error_code(error), seconds)
        if self._span is not None:
            self._span.__exit__(kind, error, traceback)
        if self._watch.tally.is_neglected():
            self._watch.on_neglect()
