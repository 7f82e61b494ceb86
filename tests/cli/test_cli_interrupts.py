"""Ctrl-C ends what shows its progress, also where Python drops the exception."""

from __future__ import annotations

import gc
import signal
import sys
import weakref
from collections.abc import Iterator

import pytest

from pgrecall.cli import interrupts
from pgrecall.cli.output import progress, steps


class Watched:
    """Something that weak references can be made to."""


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    interrupts.keep()
    # A test run in the background is told to ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_where_it_is_dropped() -> None:
    """Ctrl-C during the callback of a weak reference."""
    watched = Watched()
    kept = weakref.ref(watched, lambda _: signal.raise_signal(signal.SIGINT))
    del watched
    gc.collect()
    assert kept() is None


def test_a_bar_raises_a_dropped_interrupt_once() -> None:
    with progress("Embedding") as bar:
        bar(1, 3)
        interrupt_where_it_is_dropped()
        with pytest.raises(KeyboardInterrupt):
            bar(2, 3)
        bar(3, 3)


def test_steps_raise_a_dropped_interrupt() -> None:
    with steps() as tell:
        interrupt_where_it_is_dropped()
        with pytest.raises(KeyboardInterrupt):
            tell("Restoring", 1, 2)


def test_another_dropped_exception_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    watched = Watched()
    kept = weakref.ref(watched, lambda _: 1 / 0)
    del watched
    gc.collect()
    assert kept() is None
    assert "ZeroDivisionError" in capsys.readouterr().err
    with progress("Embedding") as bar:
        bar(1, 1)
