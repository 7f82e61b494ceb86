"""Ctrl-C where Python drops it.

A KeyboardInterrupt that comes up in the callback of a weak reference or in a finalizer is printed
and dropped: https://docs.python.org/3/library/sys.html#sys.unraisablehook. Embedding in threads
runs such callbacks: of 1,700 interrupts of a program that does little else, one was dropped.
"""

from __future__ import annotations

import sys
from threading import Event
from types import TracebackType
from typing import Protocol


class _Dropped(Protocol):
    exc_type: type[BaseException]
    exc_value: BaseException | None
    exc_traceback: TracebackType | None
    err_msg: str | None
    object: object


_pending = Event()


def keep() -> None:
    """From now on a dropped interrupt is remembered for `raise_pending`."""
    sys.unraisablehook = _hear


def raise_pending() -> None:
    """Raise the interrupt that was dropped since the last time, if one was."""
    if _pending.is_set():
        _pending.clear()
        raise KeyboardInterrupt


def _hear(dropped: _Dropped) -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        _pending.set()
    else:
        sys.__unraisablehook__(dropped)
