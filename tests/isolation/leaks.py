"""What a caller can reach or learn without reading another's row, each as a search for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.database.conftest import Client
from tests.isolation.cells import GRANTS
from tests.isolation.stage import Stage

SECRET = "s" * 32
CLAIM = """concat(set_config('request.jwt.claims', %(claims)s, true),
  set_config('pgrecall.claims_expire', %(expires)s, true),
  set_config('pgrecall.claims_signature', %(signature)s, true))"""
# In a condition, in what an index is searched for before a row is seen, and in what is written.
SWAPS = (
    f"select id from ai_memories where {CLAIM} is not null",
    "select id from ai_memories where id = any (array("
    f" select unnest(%(ids)s::uuid[]) where {CLAIM} is not null))",
    f"delete from ai_memories where {CLAIM} is not null returning id",
)


def signed(claims: dict[str, Any], secret: str = SECRET) -> dict[str, str]:
    """Claims with a signature that is good for three minutes, as parameters of `CLAIM`."""
    text, expires, key = json.dumps(claims), str(int(time.time()) + 180), secret.encode()
    signature = sha256(key + sha256(key + f"{expires}\n{text}".encode()).digest()).hexdigest()
    return {"claims": text, "expires": expires, "signature": signature}


def claims_that_change(stage: Stage) -> Iterator[str]:
    """A statement whose signed claims change while it runs sees no more than either caller alone.

    Claims whose signature is wrong see nothing.
    """
    connection = stage.connection
    ids = [*stage.one.memories.values(), *stage.two.memories.values()]
    names = ("ann", "member", "alpha", "beta", "other_owner", "other_program")

    def seen(look: str, first: str, second: str, secret: str = SECRET) -> set[Any]:
        with connection.transaction(force_rollback=True):
            connection.execute("set local role authenticated")
            connection.execute(f"select {CLAIM}".encode(), signed(stage.client(first).claims))
            parameters = {"ids": ids} | signed(stage.client(second).claims, secret)
            return {row["id"] for row in connection.execute(look.encode(), parameters)}

    with connection.transaction(force_rollback=True):
        connection.execute(GRANTS.format(target="ai_memories").encode())
        connection.execute("select agent_memory.require_signed_claims(%s)", (SECRET,))
        for look in SWAPS:
            alone = {name: seen(look, name, name) for name in names}
            for first, second in product(names, names):
                if not seen(look, first, second) <= alone[first] | alone[second]:
                    yield f"{first}, who turns into {second}, sees more in: {look}"
                if not seen(look, first, second, "x" * 32) <= alone[first]:
                    yield f"{first} takes the rights of {second} in: {look}"


def vectors_of_another_dimension(stage: Stage) -> Iterator[str]:
    """A member's vector under a name that all share ends nobody's recall."""
    if not stage.has_vector:
        return
    item = {"content": "Mine.", "agent_id": "own", "user_id": "member", "embedding_model": "m"}
    item |= {"visibility": "organization"}
    with stage.connection.transaction(force_rollback=True):
        try:
            stage.client("member").remember(item | {"embedding": [1, 2]})
        except psycopg.Error as error:
            if error.sqlstate != "PM005":
                yield f"refused with {error.sqlstate}"
            return
        try:
            stage.client("ann").recall("safe", query_embedding=[1, 0, 0, 0], embedding_model="m")
        except psycopg.Error as error:
            yield f"recall ends with {error.sqlstate}"


def open_transactions(stage: Stage) -> Iterator[str]:
    """Who writes, and never ends the transaction, can be removed."""
    with (
        psycopg.connect(stage.connection.info.dsn, row_factory=dict_row) as other,
        other.transaction(force_rollback=True),
    ):
        member = Client(other, stage.client("member").claims)
        member.remember({"content": "Mine.", "user_id": "member"})
        try:
            with stage.connection.transaction(force_rollback=True):
                stage.connection.execute("set local lock_timeout = '200ms'")
                stage.client("owner").rows("select set_memory_member('member', null)")
        except psycopg.errors.LockNotAvailable:
            yield "the removal waits"


def keys_to_private_history(stage: Stage) -> Iterator[str]:
    """An admin who may not look gets no key to what was private when it was written."""
    with stage.connection.transaction(force_rollback=True):
        ann, admin = stage.client("ann"), stage.client("admin")
        item = {"content": "Swordfish.", "agent_id": "own", "user_id": "ann"}
        [added] = ann.remember(item | {"visibility": "private"})
        for change in ({"content": "Changed."}, {"visibility": "organization"}):
            ann.rows("select update_memory(%s, %s)", added["id"], json.dumps(change))
        try:
            admin.rows("select create_memory_key('mine', 'own')")
        except psycopg.Error as error:
            if error.sqlstate == "PM002":
                return
        yield "a key was made"


def keys_of_others(stage: Stage) -> Iterator[str]:
    """An idempotency key means something to who gave it alone, of one agent and user."""
    item = {"content": "A note.", "idempotency_key": "k", "agent_id": "alpha", "user_id": "ann"}
    ended = {"valid_from": "2000-01-01T00:00:00Z", "valid_to": "2001-01-01T00:00:00Z"}
    ended |= {"content": "Another."}
    with stage.connection.transaction(force_rollback=True):
        stage.client("alpha").remember(item | {"visibility": "private"})
        for name, more in (
            ("ann", {}),
            ("owner", {"visibility": "organization"}),
            ("member", {"user_id": "member", "visibility": "agent"}),
            ("beta", {"agent_id": "beta"}),
            ("alpha", {"user_id": "vic"}),
        ):
            statuses = [row["status"] for row in stage.client(name).remember(item | ended | more)]
            if statuses != ["added"]:
                yield f"{name} is told {statuses}"


def neighbours_of_others(stage: Stage) -> Iterator[str]:
    """Vectors of another organization that are nearer to a question cost none of one's own."""
    if not stage.has_vector:
        return
    near = [1.0] + 255 * [0.0]
    item = {"content": "A note.", "embedding_model": "wide", "agent_id": "wide", "user_id": "owner"}

    def vector(first: float, place: int) -> list[float]:
        return [first, *(0.1 if n == place else 0.001 for n in range(255))]

    with stage.connection.transaction(force_rollback=True):
        for name, first in (("other_owner", 1.0), ("owner", -1.0)):
            items = [item | {"content": f"Note {n}.", "embedding": vector(first, n)}
                     for n in range(100)]  # fmt: skip
            stage.client(name).remember(*items)
        stage.connection.execute("reset role")
        stage.connection.execute(
            "update agent_memory.embeddings set is_indexed = true where model = 'wide'"
        )
        # So that the index is used, and gives up after the first vectors.
        for setting in (
            "hnsw.ef_search = 1",
            "pgrecall.ef_search = 1",
            "hnsw.max_scan_tuples = 1",
            "enable_sort = off",
        ):
            stage.connection.execute(f"set local {setting}".encode())
        found = stage.connection.execute(
            "select count(*) as it from agent_memory.nearest(%s, 'wide', %s::real[], 20)",
            (stage.one.id, near),
        ).fetchone()
        if found != {"it": 20}:
            yield f"of 20 were found {found}"


LEAKS: dict[str, Callable[[Stage], Iterator[str]]] = {
    "claims that change": claims_that_change,
    "vectors of another dimension": vectors_of_another_dimension,
    "open transactions": open_transactions,
    "keys to private history": keys_to_private_history,
    "keys of others": keys_of_others,
    "neighbours of others": neighbours_of_others,
}


def leaks(stage: Stage) -> Iterator[str]:
    """All of them, in words."""
    for name, search in LEAKS.items():
        for found in search(stage):
            yield f"{name}: {found}"
