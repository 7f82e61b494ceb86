"""Who sees and changes what, said once more and otherwise than in SQL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

WRITERS = ("owner", "admin", "member", "agent")


@dataclass
class Memory:
    organization: uuid.UUID
    id: uuid.UUID
    agent: str
    user: str | None
    visibility: str
    context: str | None
    is_forgotten: bool = False


@dataclass(frozen=True)
class Caller:
    """Somebody with claims, for an organization that they may or may not belong to."""

    subject: str
    organization: uuid.UUID

    @property
    def program(self) -> str | None:
        return self.subject.removeprefix("agent:") if self.subject.startswith("agent:") else None


@dataclass
class Model:
    roles: dict[Caller, str] = field(default_factory=dict)
    memories: list[Memory] = field(default_factory=list)
    keys: set[tuple[uuid.UUID, str, str]] = field(default_factory=set)

    def role(self, caller: Caller) -> str | None:
        return self.roles.get(caller)

    def may_read(self, caller: Caller, memory: Memory) -> bool:
        if self.role(caller) is None or caller.organization != memory.organization:
            return False
        if memory.visibility == "organization":
            return True
        if caller.program is not None:
            return memory.agent == caller.program
        return memory.visibility == "agent" or memory.user == caller.subject

    def may_write(self, caller: Caller, memory: Memory) -> bool:
        role = self.role(caller)
        if role not in WRITERS or caller.organization != memory.organization:
            return False
        if role == "agent":
            return memory.agent == caller.program
        is_own = memory.user == caller.subject
        return is_own or (role != "member" and memory.visibility != "private")

    def refusal(self, caller: Caller) -> str | None:
        """The SQLSTATE of everything that writes."""
        role = self.role(caller)
        return "PM001" if role is None else None if role in WRITERS else "PM002"

    def readable(self, caller: Caller) -> list[Memory]:
        return [memory for memory in self.memories if self.may_read(caller, memory)]

    def changeable(self, caller: Caller, *, forgotten: bool = False) -> list[Memory]:
        """What forgetting or restoring reaches."""
        return [
            memory
            for memory in self.readable(caller)
            if self.may_write(caller, memory) and memory.is_forgotten == forgotten
        ]

    def find(self, organization: uuid.UUID, memory_id: uuid.UUID) -> Memory | None:
        found = (m for m in self.memories if (m.organization, m.id) == (organization, memory_id))
        return next(found, None)
