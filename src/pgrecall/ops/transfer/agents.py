"""Writing for several agents, as each of them."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from pgrecall._sync.memory import Memory
from pgrecall._sync.transfer import Transfer


class Agents:
    """The ways in for the memories of agents, opened when they are first needed.

    A program may write for itself alone, so what several agents remembered is written as each of
    them. `own` is the caller's memory, `dsn`, `organization` and `embedder` are as it has them.
    """

    def __init__(
        self, own: Memory, agent_id: str, dsn: str | None, organization: str, embedder: str | None
    ) -> None:
        self._own_agent = agent_id
        self._others = ExitStack()
        self._memories = {agent_id: own}
        self._dsn, self._organization, self._embedder = dsn, organization, embedder

    def way(self, agent_id: str | None) -> Transfer:
        """The way in for an agent's memories; for None the caller's own.

        Raises NoOrganizationError where the agent is no member and can't be made one.
        """
        name = self._own_agent if agent_id is None else agent_id
        if name not in self._memories:
            memory = Memory(
                self._dsn,
                organization=self._organization,
                agent_id=name,
                embedder=self._embedder,
            )
            self._memories[name] = self._others.enter_context(memory)
        return self._memories[name].transfer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._others.close()
