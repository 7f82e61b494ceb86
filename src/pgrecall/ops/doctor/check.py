"""What a check is: it reads, with little I/O, and then judges what it read, with none."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pgrecall.domain.diagnosis import Sign
from pgrecall.ops.doctor.database import CheckedDatabase

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Check(Generic[Facts]):
    """One check. `judge` is pure: the same facts give the same signs.

    Where there is not what it `needs`, it is left out, since another check says so.
    """

    name: str
    title: str
    read: Callable[[CheckedDatabase], Facts]
    judge: Callable[[Facts], Iterable[Sign]]
    needs: Literal["nothing", "database", "schema"] = "schema"

    @property
    def about(self) -> str:
        """What the documentation says of it: the docstring of its file."""
        module = inspect.getmodule(self.judge)
        return inspect.cleandoc((module and module.__doc__) or "")

    def examine(self, database: CheckedDatabase) -> tuple[Sign, ...]:
        """What it says of a database."""
        return tuple(self.judge(self.read(database)))
