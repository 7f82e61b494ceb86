"""Random organizations, members and operations, each answer compared with the model's."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any, ClassVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.database.conftest import Client, World
from tests.isolation.model import Caller, Memory, Model

PEOPLE = ("ann", "bob", "cy")
AGENTS = ("alpha", "beta")
SUBJECTS = (*PEOPLE, "dora", *(f"agent:{agent}" for agent in AGENTS))
VISIBILITIES = ("private", "agent", "organization")
FIRST_MEMBERS = {
    "ann": "owner",
    "bob": "member",
    "cy": "viewer",
    "agent:alpha": "agent",
    "agent:beta": "agent",
}
ADMINS = ("owner", "admin")
CONTEXTS = (None, "thread", "task")

BY_ID = (
    "select * from memory_history(%s)",
    "select * from memory_changes(array[%s::uuid])",
    "select update_memory(%s, '{\"importance\": 1}')",
    "select revoke_memory_key(%s)",
    "select forget_memories(jsonb_build_object('ids', jsonb_build_array(%s::uuid)))",
)

pick = st.integers(min_value=0, max_value=10**6)
subjects = st.sampled_from(SUBJECTS)


class Isolation(RuleBasedStateMachine):
    """Three organizations that share all names; two by two their ids, keys and contexts."""

    connection: ClassVar[psycopg.Connection[dict[str, Any]]]
    operations: ClassVar[int] = 0

    @initialize(seed=pick)
    def settle(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world, self.model = World(self.connection), Model()
        self.organizations = [self.world.organization("acme") for _ in range(3)]
        self.number = 0
        for organization in self.organizations:
            for subject, role in FIRST_MEMBERS.items():
                self.appoint(organization, subject, role)
            for agent in AGENTS:
                self.fill(organization, agent)

    def appoint(self, organization: uuid.UUID, subject: str, role: str) -> None:
        self.world.member(organization, subject, role)
        self.model.roles[Caller(subject, organization)] = role

    def fill(self, organization: uuid.UUID, agent: str) -> None:
        """Memories of every visibility, about two people; alpha's ids are those of all three."""
        for number, visibility in enumerate(VISIBILITIES * 2):
            self.number += 1
            known = uuid.UUID(int=number + 1) if agent == "alpha" else self.an_id(1)
            context = CONTEXTS[number % 3]
            memory = Memory(organization, known, agent, PEOPLE[number // 3], visibility, context)
            client = self.client(Caller(f"agent:{agent}", organization))
            assert client.remember(self.item(memory, None))[0]["status"] == "added"
            self.model.memories.append(memory)

    def caller(self, subject: str, which: int) -> Caller:
        return Caller(subject, self.organizations[which % 3])

    def client(self, caller: Caller) -> Client:
        return self.world.client(caller.subject, caller.organization)

    def ask(self, caller: Caller, sql: str, *parameters: object) -> Any:
        """The rows, or the error's SQLSTATE and all its words."""
        type(self).operations += 1
        try:
            return self.client(caller).rows(sql, *parameters)
        except psycopg.Error as error:
            told = error.diag
            return (error.sqlstate, str(error), told.message_detail, told.constraint_name)

    def code(self, answer: Any) -> str | None:
        return answer[0] if isinstance(answer, tuple) else None

    # Operations

    @rule(subject=subjects, which=pick, role=st.sampled_from(["admin", "member", "viewer", None]))
    def change_member(self, subject: str, which: int, role: str | None) -> None:
        owner, target = self.caller("ann", which), self.caller(subject, which)
        if subject == "ann":
            return
        role = "agent" if role and target.program else role
        answer = self.ask(owner, "select set_memory_member(%s, %s)", subject, role)
        assert self.code(answer) is None
        self.model.roles.pop(target, None)
        if role:
            self.model.roles[target] = role

    @rule(subject=subjects, which=pick, visibility=st.sampled_from(VISIBILITIES),
          user=st.sampled_from((None, *PEOPLE)), agent=st.sampled_from(AGENTS),
          context=st.sampled_from(CONTEXTS), key=st.sampled_from((None, None, "k1", "k2")),
          again=pick)  # fmt: skip
    def remember(self, subject: str, which: int, visibility: str, user: str | None, agent: str,
                 context: str | None, key: str | None, again: int) -> None:  # fmt: skip
        caller = self.caller(subject, which)
        self.number += 1
        told = user or (None if caller.program else caller.subject)
        memory = Memory(caller.organization, self.an_id(again), agent, told, visibility, context)
        answer = self.ask(
            caller, "select * from remember_memories(%s::jsonb)",
            json.dumps([self.item(memory, key)]),
        )  # fmt: skip
        assert self.code(answer) == self.model.refusal(caller)
        if not isinstance(answer, tuple):
            assert answer[0]["status"] == self.expected_status(caller, memory, key)
            if answer[0]["status"] == "added":
                self.model.memories.append(memory)
                self.model.keys |= {(memory.organization, agent, key)} if key else set()

    def an_id(self, again: int) -> uuid.UUID:
        """Sometimes one that is there already, in this organization or another."""
        known = self.model.memories
        if known and again % 3 == 0:
            return known[again % len(known)].id
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def item(self, memory: Memory, key: str | None) -> dict[str, Any]:
        item = {"id": memory.id, "agent_id": memory.agent, "user_id": memory.user}
        item |= {"visibility": memory.visibility, "context_key": memory.context}
        item |= {"content": f"note {self.number}", "idempotency_key": key}
        return json.loads(json.dumps(item, default=str))

    def expected_status(self, caller: Caller, memory: Memory, key: str | None) -> str:
        is_told_to_nobody = memory.visibility == "private" and memory.user is None
        if is_told_to_nobody or not self.model.may_write(caller, memory):
            return "rejected"
        if (memory.organization, memory.agent, key) in self.model.keys:
            return "rejected"
        return "rejected" if self.model.find(memory.organization, memory.id) else "added"

    @rule(subject=subjects, which=pick, aim=pick, visibility=st.sampled_from(VISIBILITIES))
    def update(self, subject: str, which: int, aim: int, visibility: str) -> None:
        caller = self.caller(subject, which)
        memory_id = self.target_id(aim)
        answer = self.ask(
            caller, "select update_memory(%s, %s)", memory_id,
            json.dumps({"visibility": visibility}),
        )  # fmt: skip
        memory = self.model.find(caller.organization, memory_id)
        expected = self.model.refusal(caller) or self.update_refusal(caller, memory, visibility)
        assert self.code(answer) == expected
        if expected is None and memory:
            memory.visibility = visibility

    def update_refusal(self, caller: Caller, memory: Memory | None, visibility: str) -> str | None:
        if memory is None or not self.model.may_read(caller, memory):
            return "PM004"
        if not self.model.may_write(caller, memory):
            return "PM002"
        if visibility == "private" and memory.user is None:
            return "PM003"
        after = Memory(memory.organization, memory.id, memory.agent, memory.user, visibility, None)
        return None if self.model.may_write(caller, after) else "PM002"

    def target_id(self, number: int) -> uuid.UUID:
        known = self.model.memories
        return known[number % len(known)].id if known else uuid.UUID(int=number)

    @rule(subject=subjects, which=pick, aim=pick, forget=st.booleans(),
          by=st.sampled_from(["ids", "user_id", "agent_id", "context_key"]))  # fmt: skip
    def forget(self, subject: str, which: int, aim: int, forget: bool, by: str) -> None:
        caller = self.caller(subject, which)
        scope = self.scope(aim, by)
        verb = "forget_memories" if forget else "restore_memories"
        answer = self.ask(caller, f"select {verb}(%s) as it", json.dumps(scope))
        assert self.code(answer) == self.model.refusal(caller)
        if not isinstance(answer, tuple):
            reached = self.in_scope(caller, scope, forgotten=not forget)
            assert answer[0]["it"]["memories"] == len(reached)
            for memory in reached:
                memory.is_forgotten = forget

    def scope(self, aim: int, by: str) -> dict[str, Any]:
        return {
            "ids": {"ids": [str(self.target_id(aim)), str(self.target_id(aim + 1))]},
            "user_id": {"user_id": PEOPLE[aim % 3]},
            "agent_id": {"agent_id": AGENTS[aim % 2], "user_id": PEOPLE[aim % 3]},
            "context_key": {"context_key": CONTEXTS[1 + aim % 2]},
        }[by]

    def in_scope(self, caller: Caller, scope: dict[str, Any], *, forgotten: bool) -> list[Memory]:
        return [
            m
            for m in self.model.changeable(caller, forgotten=forgotten)
            if ("ids" not in scope or str(m.id) in scope["ids"])
            and scope.get("user_id", m.user) == m.user
            and scope.get("agent_id", m.agent) == m.agent
            and scope.get("context_key", m.context) == m.context
        ]

    # Comparisons, each with one caller of one organization

    @rule(subject=subjects, which=pick)
    def look(self, subject: str, which: int) -> None:
        caller = self.caller(subject, which)
        seen = self.ask(caller, "select organization_id, id from ai_memories")
        expected = {memory.id for memory in self.model.readable(caller)}
        assert {row["id"] for row in seen} == expected
        assert {row["organization_id"] for row in seen} <= {caller.organization}

    @rule(subject=subjects, which=pick, filtered=pick)
    def recall(self, subject: str, which: int, filtered: int) -> None:
        caller = self.caller(subject, which)
        user = (None, None, *PEOPLE)[filtered % 5]
        context = CONTEXTS[filtered % 3] if user else None
        found = self.ask(
            caller, "select id from recall_memories('note', user_id => %s, context_key => %s,"
            " match_limit => 1000)", user, context,
        )  # fmt: skip
        if self.model.role(caller) is None:
            assert self.code(found) == "PM001"
            return
        assert {row["id"] for row in found} == {
            m.id
            for m in self.model.readable(caller)
            if not m.is_forgotten and user in (None, m.user) and context in (None, m.context)
        }

    @rule(subject=subjects, which=pick)
    def count(self, subject: str, which: int) -> None:
        caller = self.caller(subject, which)
        role = self.model.role(caller)
        contexts = self.ask(caller, "select organization_id as it from ai_memory_contexts")
        assert {row["it"] for row in contexts} <= ({caller.organization} if role else set())
        ids = [memory.id for memory in self.model.memories]
        changes = self.ask(caller, "select memory_id as it from memory_changes(%s)", ids)
        members = self.ask(caller, "select user_id, role from list_memory_members()")
        if role is None:
            assert self.code(changes) == self.code(members) == "PM001"
        else:
            assert {row["it"] for row in changes} <= {m.id for m in self.model.readable(caller)}
            assert {row["user_id"]: row["role"] for row in members} == {
                member.subject: held
                for member, held in self.model.roles.items()
                if member.organization == caller.organization
            }
        for read in ("memory_audit(1000)", "memory_erasures(1000)"):
            answer = self.ask(caller, f"select id from {read}")
            expected = "PM001" if role is None else None if role in ADMINS else "PM002"
            assert self.code(answer) == expected

    @rule(subject=subjects, which=pick, aim=pick)
    def foreign_ids_are_no_ids(self, subject: str, which: int, aim: int) -> None:
        """An id that only others have gets word for word what an id that nobody has gets."""
        caller = self.caller(subject, which)
        there, nowhere = self.target_id(aim), uuid.UUID(int=self.random.getrandbits(128))
        memory = self.model.find(caller.organization, there)
        if memory and self.model.may_read(caller, memory):
            return
        for sql in BY_ID:
            answers = [self.ask(caller, sql, it) for it in (there, nowhere)]
            assert str(answers[0]).replace(str(there), str(nowhere)) == str(answers[1])

    @invariant()
    def nobody_sees_what_strangers_may_not(self) -> None:
        if self.number and self.number % 5 == 0:
            stranger = Caller("nobody", self.organizations[self.number % 3])
            assert self.ask(stranger, "select 1 from ai_memories") == []
