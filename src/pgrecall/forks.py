"""What a process that was forked off makes anew: of the parent's threads, it has none.

A lock that one of them held would never be given back, and what it was about to write is the
parent's to write.
"""

from __future__ import annotations

import logging
import os
from typing import Protocol
from weakref import WeakSet


class Inherited(Protocol):
    """Something that a child must not go on with as it was."""

    def after_fork(self) -> None:
        """Begin anew; called in the child, before anything else runs there."""


_inherited: WeakSet[Inherited] = WeakSet()


def renew_in_child(each: Inherited) -> None:
    """Have it begin anew in every process that is forked off, for as long as it is in use."""
    _inherited.add(each)


def _renew_all() -> None:
    for each in list(_inherited):
        _renew(each)


def _renew(each: Inherited) -> None:
    try:
        each.after_fork()
    except Exception:
        # The others hold the parent's connections and locks: they begin anew all the same.
        logging.getLogger(__name__).exception("%r did not begin anew in a child", each)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
