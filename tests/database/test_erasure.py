"""erase_memories(): what goes, what stays, who may, and what is remembered of it."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import Any

import psycopg
import pytest

from pgrecall.embedded import binary
from tests.database.conftest import Client, Rows, World
from tests.database.scan import places_of

# Made-up words, and a name, that nothing else holds; the stems too are looked for.
CANARIES = ("zanthorpling", "quillomarble", "maria-canary-7")
STEMS = ("zanthorpl", "quillomarbl", "maria-canari", "canari")


def erase(client: Client, dry_run: bool = False, **scope: Any) -> dict[str, Any]:
    [row] = client.rows("select erase_memories(%s, %s) as it", json.dumps(scope), dry_run)
    answer: dict[str, Any] = row["it"]
    return answer


def message(content: str, context: str = "thread", **more: Any) -> dict[str, Any]:
    return {"content": content, "kind": "message", "context_key": context, **more}


def vector(model: str = "m") -> dict[str, Any]:
    return {"embedding": [1, 0, 0, 0.5], "embedding_model": model}


@pytest.fixture
def alpha(world: World) -> Client:
    return world.program(world.organization(), "alpha")


def organization_of(client: Client) -> uuid.UUID:
    return uuid.UUID(client.claims["app_metadata"]["organization_id"])


def count(world: World, table: str) -> int:
    [row] = world.connection.execute(f"select count(*) as n from {table}".encode()).fetchall()
    n: int = row["n"]
    return n


def live_of_a_user(world: World, alpha: Client) -> None:
    """A user's memories after edits, forgets and a second model; hers hold the canaries."""
    organization = organization_of(alpha)
    maria, name = CANARIES[2], "Maria-Canary-7"
    said = alpha.remember(
        message("Good morning.", "shared", user_id=maria, **vector()),
        message("I keep zanthorplings at home.", "shared", user_id=maria, speaker=name),
        message("And another word.", "shared", user_id=maria, **vector()),
        {"content": "Likes zanthorpling tea.", "slot": "user:maria/tea", "user_id": maria,
         "idempotency_key": "quillomarble-key", "metadata": {"note": "quillomarble"}},
    )  # fmt: skip
    alpha.remember(
        {"content": "Likes quillomarble tea.", "slot": "user:maria/tea", "user_id": maria}
    )
    change = json.dumps({"content": "Zanthorplings again.", **vector()})
    alpha.rows("select update_memory(%s, %s)", said[0]["id"], change)
    alpha.rows("select forget_memories(%s)", json.dumps({"ids": [str(said[1]["id"])]}))
    if world.has_vector:
        alpha.rows("select add_memory_model('second', 4, 'alpha')")
        alpha.remember({"content": "A quillomarble fact.", "user_id": maria, **vector("second")})
    owner = world.member(organization, "boss", "owner")
    owner.rows("select set_private_memory_access(true)")
    owner.rows("select * from inspect_memories(%s, 'looking for quillomarble')", maria)


def test_of_an_erased_user_no_word_is_left_in_any_table(world: World, alpha: Client) -> None:
    live_of_a_user(world, alpha)
    alpha.remember({"content": "Jonas likes rain.", "user_id": "jonas", **vector()})
    assert {place.split(":")[0] for place in places_of(world, CANARIES)} == {
        "public.ai_memories",
        "agent_memory.audit",
        "public.ai_memory_contexts",
        "agent_memory.history",
    }
    owner = world.client("boss", organization_of(alpha))
    answer = erase(owner, user_id=CANARIES[2])
    assert answer["remaining"] == 0
    assert answer["memories"] >= 5
    assert places_of(world, (*CANARIES, *STEMS)) == []
    assert [row["content"] for row in alpha.rows("select content from ai_memories")] == [
        "Jonas likes rain."
    ]
    # What was looked at stays known, but not whose it was or why.
    [audit] = owner.rows("select * from memory_audit() where action = 'private_memories_read'")
    assert audit["details"] == {"user_id": None, "reason": None}
    assert audit["actor"] == "boss"


def test_of_an_erased_user_no_word_is_left_in_a_dump(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    def dumped() -> str:
        command = [str(binary("pg_dump")), "--dbname", pgrecall_dsn]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.lower()

    live_of_a_user(world, alpha)
    alpha.remember({"content": "Jonas likes rain.", "user_id": "jonas", **vector()})
    before = dumped()
    # The last one in the window of a neighbour; search_vector is generated, and not dumped.
    assert [word for word in (*CANARIES, "'zanthorpl':") if word not in before] == []
    erase(world.client("boss", organization_of(alpha)), user_id=CANARIES[2])
    after = dumped()
    assert [word for word in (*CANARIES, *STEMS) if word in after] == []
    assert "jonas likes rain." in after


def test_the_words_of_an_erased_message_leave_its_neighbours(world: World, alpha: Client) -> None:
    said = alpha.remember(*(message(f"Turn {n}.") for n in range(2)), message("zanthorpling!"))
    alpha.remember(*(message(f"Then {n}.") for n in range(4)))
    found = "select id from ai_memories where search_vector @@ to_tsquery('zanthorpling')"
    assert len(alpha.rows(found)) == 4
    answer = erase(alpha, ids=[str(said[2]["id"])])
    assert answer["counts"]["windows"] == 3
    assert answer["counts"]["contexts"] == 0
    assert alpha.rows(found) == []
    assert len(alpha.rows(found.replace("zanthorpling", "turn"))) == 5
    assert places_of(world, ("zanthorpl",)) == []


def test_a_dry_run_counts_the_same_and_changes_nothing(world: World, alpha: Client) -> None:
    live_of_a_user(world, alpha)
    before = places_of(world, CANARIES)
    tried = erase(alpha, dry_run=True, user_id=CANARIES[2])
    assert (tried["id"], tried["erased_at"], tried["receipt"]) == (None, None, None)
    assert places_of(world, CANARIES) == before
    assert count(world, "agent_memory.erasures") == count(world, "agent_memory.tombstones") == 0
    done = erase(alpha, user_id=CANARIES[2])
    assert done["counts"] == tried["counts"]
    assert done["counts"]["embeddings"] == (3 if world.has_vector else 0)
    assert done["counts"]["contexts"] == 1
    assert done["counts"]["history"] == 3


def test_the_receipt_is_over_ids_scope_and_counts_and_says_nothing(
    world: World, alpha: Client
) -> None:
    ids = [str(row["id"]) for row in alpha.remember(*({"content": f"N {n}."} for n in range(3)))]
    answer = erase(alpha, ids=ids[::-1])
    assert answer["scope"] == {"ids": sorted(ids), "agent_id": "alpha"}
    [own] = world.connection.execute(
        "select agent_memory.erasure_receipt(%s::uuid[], %s, %s) as it",
        (ids, json.dumps(answer["scope"]), json.dumps(answer["counts"])),
    ).fetchall()
    assert own["it"] == answer["receipt"]
    [kept] = world.connection.execute("select * from agent_memory.erasures").fetchall()
    assert str(kept["id"]) == answer["id"]
    assert kept["erased_by"] == "agent:alpha"
    assert kept["receipt"] == answer["receipt"]
    assert kept["counts"] == answer["counts"]
    assert not any(each in str(kept) for each in ids)


@pytest.mark.parametrize(
    "scope", [{}, {"ids": None}, {"user_id": ""}, {"everything": True}, {"ids": ["7"]}, []]
)
def test_a_scope_that_names_nothing_is_refused(alpha: Client, scope: Any) -> None:
    alpha.remember({"content": "Stays."})
    with pytest.raises(psycopg.Error) as refused:
        alpha.rows("select erase_memories(%s)", json.dumps(scope))
    assert refused.value.sqlstate == "PM006"
    assert len(alpha.ids()) == 1


def test_what_was_erased_can_be_remembered_again(alpha: Client) -> None:
    item = {"content": "Tea.", "slot": "s", "user_id": "maria", "idempotency_key": "k"}
    alpha.remember(item, message("Said.", user_id="maria"))
    erase(alpha, user_id="maria")
    answers = alpha.remember(item, message("Said.", user_id="maria"))
    assert [row["status"] for row in answers] == ["added", "added"]
    [hit] = alpha.recall("tea", user_id="maria")[:1]
    assert hit["content"] == "Tea."


# Slots ---------------------------------------------------------------------------------------


def slot(world: World, *values: str, **more: Any) -> list[str]:
    """The ids of the values that a slot had, one after the other."""
    alpha = world.client("agent:alpha", None)
    return [
        str(alpha.remember({"content": value, "slot": "s", **more})[0]["id"]) for value in values
    ]


def links(world: World) -> dict[str, str | None]:
    rows: Rows = world.connection.execute(
        "select content, superseded_by, (select n.content from ai_memories n"
        " where n.organization_id = m.organization_id and n.id = m.superseded_by) as next"
        " from ai_memories m order by valid_from"
    ).fetchall()
    return {row["content"]: row["next"] for row in rows}


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ([0], {"B": "C", "C": None}),
        # What the erased one had ended, stays ended, by none.
        ([1], {"A": None, "C": None}),
        ([2], {"A": "B", "B": None}),
        ([1, 2], {"A": None}),
        ([0, 2], {"B": None}),
    ],
)
def test_the_line_of_a_slot_closes_over_what_is_erased(
    world: World, alpha: Client, gone: list[int], left: dict[str, str | None]
) -> None:
    ids = slot(world, "A", "B", "C")
    erase(alpha, ids=[ids[place] for place in gone])
    assert links(world) == left
    for place in gone:
        assert places_of(world, (ids[place],)) == []
    is_current = 2 not in gone
    [told] = alpha.remember({"content": "D", "slot": "s"})
    assert told["status"] == ("superseded" if is_current else "added")
    assert links(world) == {**left, **({"C": "D"} if is_current else {}), "D": None}


def test_a_value_does_not_come_back_beside_a_newer_one(world: World, alpha: Client) -> None:
    old, forgotten = slot(world, "Old.", "Forgotten.")
    alpha.rows("select forget_memories(%s)", json.dumps({"ids": [forgotten]}))
    slot(world, "Newest.")
    erase(alpha, ids=[forgotten])
    assert links(world) == {"Old.": None, "Newest.": None}
    assert [hit["content"] for hit in alpha.recall("old forgotten newest")] == ["Newest."]
    assert len(alpha.rows("select * from memory_history(%s)", old)) == 3


# Who may -------------------------------------------------------------------------------------


def test_private_memories_of_others_remain_unless_the_organization_lets_admins_look(
    world: World, alpha: Client
) -> None:
    admin = world.member(organization_of(alpha), "head", "admin")
    owner = world.member(organization_of(alpha), "boss", "owner")
    alpha.remember(
        {"content": "Secret.", "user_id": "ann", "visibility": "private"},
        {"content": "Open.", "user_id": "ann", "visibility": "organization"},
    )
    answer = erase(admin, user_id="ann")
    assert (answer["memories"], answer["remaining"]) == (1, 1)
    # So the scope isn't erased, and the restore of a backup may bring the private one back.
    assert count(world, "agent_memory.tombstones") == 1
    owner.rows("select set_private_memory_access(true)")
    answer = erase(admin, user_id="ann")
    assert (answer["memories"], answer["remaining"]) == (1, 0)
    assert count(world, "agent_memory.tombstones") == 3


def test_members_and_programs_erase_their_own_share_of_a_scope(world: World) -> None:
    organization = world.organization()
    alpha, beta = (world.program(organization, name) for name in ("alpha", "beta"))
    ann, bob = (world.member(organization, name) for name in ("ann", "bob"))
    for agent in (alpha, beta):
        agent.remember(*({"content": f"Of {user}.", "user_id": user, "context_key": "c"}
                         for user in ("ann", "bob")))  # fmt: skip
    answer = erase(ann, context_key="c")
    assert answer["scope"] == {"user_id": "ann", "context_key": "c"}
    assert (answer["memories"], answer["remaining"]) == (2, None)
    answer = erase(alpha, user_id="bob")
    assert answer["scope"] == {"user_id": "bob", "agent_id": "alpha"}
    assert answer["memories"] == 1
    assert erase(bob, user_id="ann")["scope"] is None
    assert count(world, "ai_memories") == 1
    # Erased by the one it was about: that is nobody's name in clear.
    rows = world.connection.execute("select erased_by from agent_memory.erasures order by id")
    assert [row["erased_by"] for row in rows] == [None, "agent:alpha"]


def test_only_an_agent_as_a_whole_takes_its_statistics_along(world: World, alpha: Client) -> None:
    world.connection.execute(
        "insert into agent_memory_stats (organization_id, agent_id, hour) select organization_id,"
        " unnest(array['alpha', 'beta']), date_trunc('hour', now(), 'UTC')"
        " from agent_memory.organizations"
    )
    alpha.remember({"content": "Tea.", "user_id": "maria"})
    assert erase(alpha, user_id="maria")["counts"]["statistics"] == 0
    assert erase(alpha, agent_id="alpha")["counts"]["statistics"] == 1
    [left] = world.connection.execute("select agent_id from agent_memory_stats").fetchall()
    assert left["agent_id"] == "beta"


# Tombstones ----------------------------------------------------------------------------------


def is_erased(world: World, organization: uuid.UUID, *row: object) -> bool:
    found = world.connection.execute(
        "select agent_memory.is_erased(%s, %s, %s, %s, %s, %s) as it", (organization, *row)
    ).fetchone()
    return bool(found and found["it"])


PAST, FUTURE = "2026-01-01Z", "2099-01-01Z"


def test_ids_and_scopes_are_known_as_erased(world: World, alpha: Client) -> None:
    here = organization_of(alpha)
    [told] = alpha.remember({"content": "Tea.", "user_id": "maria", "context_key": "c"})
    assert not is_erased(world, here, told["id"], "maria", "alpha", "c", PAST)
    erase(alpha, user_id="maria")
    other = uuid.uuid4()
    assert is_erased(world, here, told["id"], None, "x", None, FUTURE)
    assert is_erased(world, here, other, "maria", "alpha", None, PAST)
    assert is_erased(world, here, other, "maria", "alpha", "c", PAST)
    assert not is_erased(world, here, other, "maria", "alpha", "c", FUTURE)
    # As a program it erased its own share.
    assert not is_erased(world, here, other, "maria", "beta", "c", PAST)
    assert not is_erased(world, here, other, "jonas", "alpha", "c", PAST)
    assert not is_erased(world, here, other, None, "alpha", "c", PAST)
    assert not is_erased(world, world.organization(), told["id"], "maria", "alpha", "c", PAST)


@pytest.mark.parametrize("named", ["user_id", "agent_id", "context_key"])
def test_each_scope_reaches_its_rows_and_no_others(world: World, named: str) -> None:
    organization = world.organization()
    boss = world.member(organization, "boss", "owner")
    row = {"user_id": "u", "agent_id": "a", "context_key": "c"}
    erase(boss, **{named: row[named]})
    for name in row:
        changed = {**row, name: "other"}
        expected = name != named
        asked = [uuid.uuid4(), *changed.values(), PAST]
        assert is_erased(world, organization, *asked) == expected
    assert is_erased(world, organization, uuid.uuid4(), *row.values(), PAST)


def test_many_are_asked_at_once(world: World, alpha: Client) -> None:
    ids = [row["id"] for row in alpha.remember(*({"content": f"N {n}."} for n in range(4)))]
    erase(alpha, ids=[str(ids[1]), str(ids[3])])
    rows = world.connection.execute(
        "select agent_memory.erased(%s, %s::uuid[], array_fill(null::text, '{4}'),"
        " array_fill('alpha'::text, '{4}'), array_fill(null::text, '{4}'),"
        " array_fill(now(), '{4}')) as place",
        (organization_of(alpha), ids),
    ).fetchall()
    assert [row["place"] for row in rows] == [2, 4]


def test_what_is_written_by_a_transaction_under_way_is_not_taken_for_erased(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    """It may have begun before the erasure, and store what it is told after it."""
    with psycopg.connect(pgrecall_dsn) as late:
        late.execute(
            "select set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', %s, true)",
            (json.dumps(alpha.claims),),
        )
        erase(alpha, user_id="maria")
        item = {"content": "Tea.", "user_id": "maria", "context_key": "c"}
        late.execute("select remember_memories(%s)", (json.dumps([item]),))
    [row] = world.connection.execute("select id, created_at from ai_memories").fetchall()
    [erasure] = world.connection.execute("select erased_at from agent_memory.erasures").fetchall()
    assert row["created_at"] < erasure["erased_at"]
    told = (row["id"], "maria", "alpha", "c", row["created_at"])
    assert not is_erased(world, organization_of(alpha), *told)
