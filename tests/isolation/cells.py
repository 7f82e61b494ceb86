"""Trying one cell of the matrix: what came of it, in the matrix's words. Nothing stays."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from tests.isolation.expectations import LETTERS, Row
from tests.isolation.matrix import BY_VISIBILITY, MATRIX, PRIVATE_TABLES, SERVED_TABLES
from tests.isolation.principals import Principal
from tests.isolation.stage import LABELS, Stage

ACT = "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)"
NEW_ID = "new id"
# What makes a copy of a row another row.
COPIES: dict[str, dict[str, Any]] = {
    "ai_memories": {"id": NEW_ID, "dedup_key": None},
    "ai_memory_contexts": {"id": NEW_ID, "context_key": "copy"},
    "agent_memory.history": {"id": NEW_ID},
    "agent_memory.audit": {"id": NEW_ID},
    "agent_memory.erasures": {"id": NEW_ID},
    "agent_memory.organizations": {"organization_id": NEW_ID},
    "agent_memory.members": {"user_id": "copy", "role": "member"},
    "agent_memory_config": {"agent_id": "copy"},
    "agent_memory.config_history": {"id": NEW_ID},
    "agent_memory.models": {"model": "copy"},
    "agent_memory_stats": {"agent_id": "copy"},
    "agent_memory.embeddings": {"model": "copy"},
    "agent_memory.pieces": {"ordinal": 2},
}
GRANTS = """
grant select, insert, update, delete on {target} to authenticated;
grant execute on function agent_memory.is_safe_json(jsonb), agent_memory.uuid_v7(timestamptz),
  agent_memory.text_config(text), agent_memory.paired(text), agent_memory.lexemes(text, text),
  agent_memory.now() to authenticated
"""
FINGERPRINT = """
select md5(string_agg(t.name || t.digest, ',' order by t.name)) as it from (
  select 'o' as name, md5(o::text) as digest
    from agent_memory.organizations o where organization_id = %(one)s
  union all select 'm', md5(string_agg(m::text, ',' order by user_id))
    from agent_memory.members m where organization_id = %(one)s
  union all select 'c', md5(string_agg(c::text, ',' order by id))
    from ai_memory_contexts c where organization_id = %(one)s
  union all select 'a', md5(string_agg(a::text, ',' order by id))
    from ai_memories a where organization_id = %(one)s
  union all select 'h', md5(string_agg(h::text, ',' order by id))
    from agent_memory.history h where organization_id = %(one)s
  union all select 'g', md5(string_agg(g::text, ',' order by agent_id))
    from agent_memory_config g where organization_id = %(one)s
  union all select 'i', md5(string_agg(i::text, ',' order by id))
    from agent_memory.config_history i where organization_id = %(one)s
  union all select 'b', md5(string_agg(b::text, ',' order by agent_id, model))
    from agent_memory.models b where organization_id = %(one)s
  union all select 'e', md5(string_agg(e::text, ',' order by id))
    from agent_memory.erasures e where organization_id = %(one)s
  union all select 't', md5(string_agg(t::text, ',' order by digest))
    from agent_memory.tombstones t where organization_id = %(one)s
  union all select 's', md5(string_agg(s::text, ',' order by agent_id, hour))
    from agent_memory_stats s where organization_id = %(one)s
  union all select 'k', md5(string_agg(k::text, ',' order by id))
    from agent_memory.keys k where organization_id = %(one)s
) as t
"""
Rows = list[dict[str, Any]]


GENERATED = """array(
    select attname::text from pg_attribute
    where attrelid = '{table}'::regclass and attgenerated <> '')
"""
"""Columns that no insert may name."""


def surprises(stage: Stage, rows: Iterable[Row] = MATRIX) -> Iterator[str]:
    """The cells that are not as declared, in words."""
    for row in rows:
        if row.needs_vector and not stage.has_vector:
            continue
        for name, principal in stage.principals.items():
            allowed = row.expected[name].split(" or ")
            for claims in principal.claims:
                found = attempt(stage, row, principal, claims)
                if found not in allowed:
                    yield f"{name}: {row.name}: {found} instead of {row.expected[name]}"


def attempt(stage: Stage, row: Row, principal: Principal, claims: str) -> str:
    with stage.connection.transaction(force_rollback=True):
        prepare(stage, row)
        asked = Asked(stage, row, principal, claims)
        if row.call:
            return asked.called()
        if row.measure == "reach":
            return asked.reached()
        return asked.table()


def prepare(stage: Stage, row: Row) -> None:
    if row.prepare:
        stage.connection.execute(row.prepare.encode())
    if row.operation.endswith("if granted"):
        stage.connection.execute(GRANTS.format(target=row.target).encode())
    if row.operation.endswith("usage granted") or (
        row.operation.endswith("if granted") and row.target in SERVED_TABLES
    ):
        stage.connection.execute("grant usage on schema agent_memory to authenticated")


class Asked:
    """One principal's attempt at one row of the matrix."""

    def __init__(self, stage: Stage, row: Row, principal: Principal, claims: str) -> None:
        self.stage, self.row, self.principal, self.claims = stage, row, principal, claims
        self.connection = stage.connection

    def run(self, sql: str, parameters: dict[str, Any] | None = None) -> Rows | str:
        """The rows, as the principal, or the SQLSTATE."""
        try:
            with self.connection.transaction():
                self.connection.execute(ACT, (self.principal.role, self.claims))
                cursor = self.connection.execute(sql.encode(), parameters)
                rows = cursor.fetchall() if cursor.description else [{}] * cursor.rowcount
                self.connection.execute("reset role")
                return rows
        except psycopg.Error as error:
            return str(error.sqlstate)

    # Functions

    def called(self) -> str:
        if not self.row.each:
            return self.one_call("P")
        return compose({letter: self.one_call(letter) for letter in LABELS})

    def one_call(self, letter: str) -> str:
        with self.connection.transaction(force_rollback=True):
            return self.result(self.parameters(letter))

    def result(self, parameters: dict[str, Any]) -> str:
        before = self.fingerprint() if self.row.measure == "changes" else None
        rows = self.run(self.row.call, parameters)
        if isinstance(rows, str):
            return rows
        if self.row.measure == "ids":
            return letters_of([row["id"] for row in rows], self.stage.one.memories)
        if self.row.measure == "rows":
            return self.compared({row["label"] for row in rows})
        happened = bool(rows) if before is None else self.fingerprint() != before
        return "yes" if happened else "nothing"

    def parameters(self, letter: str) -> dict[str, Any]:
        visibility, user, agent = LABELS[letter]
        key = self.stage.one.keys["recall"]
        known = {"letter": letter, "id": self.stage.one.memories[letter], "visibility": visibility}
        known |= {"user": user, "agent": agent, "key": key["id"], "secret": key["key"]}
        both = (self.stage.one, self.stage.two)
        known |= {"ids": [it for organization in both for it in organization.memories.values()]}
        return known | {"organization": str(self.stage.one.id)}

    def compared(self, found: set[Any]) -> str:
        """Rows beside those of the organization, and of the principal's own."""
        ours, own = (
            {row["label"] for row in self.connection.execute(self.row.whole.encode(), {"one": it})}
            for it in (self.stage.one.id, self.stage.home(self.principal.name).id)
        )
        assert ours and own
        if found - ours - own:
            return "everything"
        if not found & ours:
            return "nothing"
        return "all" if found >= ours else "some"

    def fingerprint(self) -> Any:
        found = self.connection.execute(FINGERPRINT, {"one": self.stage.one.id}).fetchone()
        return found and found["it"]

    def reached(self) -> str:
        """Whether rights let the principal run a private function, whatever comes of it."""
        found = self.connection.execute(
            "select array_agg(pronargs::integer) as counts from pg_proc"
            " where pronamespace = 'agent_memory'::regnamespace"
            " and 'agent_memory.' || proname = %s",
            (self.row.target,),
        ).fetchone()
        calls = [f"select {self.row.target}({', '.join(['null'] * n)})" for n in found["counts"]]
        return "42501" if all(self.run(call) == "42501" for call in calls) else "yes"

    # Tables

    def table(self) -> str:
        verb = self.row.operation.split()[0]
        if verb == "insert":
            return self.inserted()
        if self.row.target in PRIVATE_TABLES:
            rows = self.run(private_statement(self.connection, verb, self.row.target))
            return rows if isinstance(rows, str) else "yes"
        if verb == "truncate":
            rows = self.run(f"truncate {self.row.target}")
            return rows if isinstance(rows, str) else "yes"
        return self.touched(verb)

    def touched(self, verb: str) -> str:
        """Which rows were seen or changed."""
        label = BY_VISIBILITY.get(self.row.target, "null")
        known = f"organization_id, {label} as label"
        target = self.row.target
        rows = self.run(
            {
                "select": f"select {known} from {target}",
                "update": f"update {target} set organization_id = organization_id"
                f" where organization_id = %(one)s returning {known}",
                "delete": f"delete from {target} where organization_id = %(one)s returning {known}",
            }[verb],
            {"one": self.stage.one.id},
        )
        return rows if isinstance(rows, str) else self.described(rows)

    def described(self, rows: Rows) -> str:
        ours = [row for row in rows if row["organization_id"] == self.stage.one.id]
        home = self.stage.home(self.principal.name).id
        if any(row["organization_id"] not in (self.stage.one.id, home) for row in rows):
            return "everything"
        total = self.connection.execute(
            f"select count(*) as n from {self.row.target} where organization_id = %s".encode(),
            (self.stage.one.id,),
        ).fetchone()
        if not ours:
            return "nothing"
        if self.row.target in BY_VISIBILITY and self.principal.role != "service_role":
            return letters_of([row["label"] for row in ours], self.labels())
        return "all" if len(ours) >= (total or {"n": 0})["n"] else "some"

    def labels(self) -> dict[str, Any]:
        return (
            {letter: letter for letter in LABELS}
            if self.row.target == "ai_memory_contexts"
            else self.stage.one.memories
        )

    def inserted(self) -> str:
        if self.row.target in PRIVATE_TABLES:
            rows = self.run(f"insert into {self.row.target} default values")
            return rows if isinstance(rows, str) else "yes"
        results = {letter: self.insert(copy) for letter, copy in self.copies()}
        return compose(results) if self.row.target in BY_VISIBILITY else results["P"]

    def insert(self, copy: dict[str, Any]) -> str:
        names = ", ".join(copy)
        with self.connection.transaction(force_rollback=True):
            rows = self.run(
                f"insert into {self.row.target} ({names})"
                f" select {names} from jsonb_populate_record(null::{self.row.target}, %(copy)s)",
                {"copy": json.dumps(copy, default=str)},
            )
        return rows if isinstance(rows, str) else "yes"

    def copies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """For each letter a new row like the organization's own."""
        label = BY_VISIBILITY.get(self.row.target)
        generated = GENERATED.format(table=self.row.target)
        for letter in LABELS if label else "P":
            wanted = f" and {label}::text = %(label)s" if label else ""
            [found, *_] = self.connection.execute(
                f"select to_jsonb(t) - {generated} as it from {self.row.target} as t"
                f" where organization_id = %(one)s{wanted}".encode(),
                {"one": self.stage.one.id, "label": str(self.labels()[letter])},
            ).fetchall()
            copy = found["it"] | COPIES[self.row.target]
            yield letter, {k: uuid.uuid4() if v == NEW_ID else v for k, v in copy.items()}


def private_statement(connection: Any, verb: str, target: str) -> str:
    found = connection.execute(
        "select attname as it from pg_attribute where attrelid = %s::regclass and attnum = 1",
        (target,),
    ).fetchone()
    return {
        "select": f"select * from {target}",
        "update": f"update {target} set {found['it']} = {found['it']}",
        "delete": f"delete from {target}",
        "truncate": f"truncate {target}",
    }[verb]


def letters_of(found: list[Any], known: dict[str, Any]) -> str:
    return "".join(letter for letter in LETTERS if known[letter] in found) or "nothing"


def compose(results: dict[str, str]) -> str:
    """Letters where it went well, and the others by their SQLSTATEs."""
    if set(results.values()) == {"nothing"}:
        return "nothing"
    if len(set(results.values())) == 1 and "yes" not in results.values():
        return next(iter(results.values()))
    done = "".join(letter for letter, result in results.items() if result == "yes")
    refused: dict[str, str] = {}
    for letter, result in results.items():
        if result not in ("yes", "nothing"):
            refused[result] = refused.get(result, "") + letter
    return " ".join([done, *(f"{letters}:{code}" for code, letters in refused.items())]).strip()
