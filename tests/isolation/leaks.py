"""What a caller can reach or learn without reading another's row, each as a search for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from typing import Any

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


LEAKS: dict[str, Callable[[Stage], Iterator[str]]] = {
    "claims that change": claims_that_change,
}


def leaks(stage: Stage) -> Iterator[str]:
    """All of them, in words."""
    for name, search in LEAKS.items():
        for found in search(stage):
            yield f"{name}: {found}"
