"""A text of up to a million characters is kept whole and found by its end as by its beginning."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.domain.pieces import pieces
from pgrecall.testing import HashingEmbedder
from tests.database.conftest import Client, World

LENGTHS = (29_990, 30_050, 59_900, 348_853, 1_000_000)
NEEDLE = "The lighthouse keeper of Vlieland collects barometers. "
ASKED = "Who collects barometers in Vlieland?"
HAN_NEEDLE = "灯台守は気圧計を集めている。"


def prose(length: int, needle: str = NEEDLE) -> str:
    """A text of some length with the needle shortly before its end."""
    chosen = random.Random(length)
    words = [f"w{chosen.randrange(5000)}" for _ in range(length // 3)]
    return f"{' '.join(words)[: length - len(needle) - 20]} {needle}{'and so on. ' * 3}"[:length]


def han(length: int, needle: str = HAN_NEEDLE) -> str:
    chosen = random.Random(length)
    letters = "".join(chr(0x4E00 + chosen.randrange(20_000)) for _ in range(length))
    return letters[: length - len(needle) - 10] + needle + letters[:10]


def counted(world: World, table: str = "agent_memory.pieces") -> int:
    row = world.connection.execute(f"select count(*) as n from {table}".encode()).fetchone()
    return row["n"] if row else 0


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization(), "alpha")


def add_others(client: Client, count: int = 30) -> None:
    client.remember(*({"content": f"Note {n}: the ferry was late."} for n in range(count)))


@pytest.mark.parametrize(
    ("made", "length"),
    [*((prose, length) for length in LENGTHS), (han, 30_050), (han, 348_853), (han, 1_000_000)],
)
def test_a_sentence_near_the_end_is_found_by_its_words(
    client: Client, made: Callable[[int], str], length: int
) -> None:
    text = made(length)
    assert len(text) == length
    add_others(client)
    [answer] = client.remember({"content": text})
    assert answer["status"] == "added"
    for asked in (ASKED, "barometers") if made is prose else ("気圧計を集めている", "気圧計"):
        hit = client.recall(asked)[0]
        assert (hit["id"], hit["content"] == text) == (answer["id"], True)
        assert hit["lexical"] > 0.9


def test_one_letter_near_the_end_is_found(client: Client) -> None:
    add_others(client)
    [answer] = client.remember({"content": "犬" * 70_000 + "。茶が好き。"})
    assert client.recall("茶")[0]["id"] == answer["id"]


def test_what_is_too_long_is_refused_alone(client: Client) -> None:
    answers = client.remember(
        {"content": "Before."}, {"content": "x" * 1_000_001}, {"content": "y" * 1_000_000}
    )
    assert [answer["status"] for answer in answers] == ["added", "rejected", "added"]
    assert answers[1]["code"] == "too_long"
    assert answers[1]["reason"] == "content has 1000001 characters, more than 1,000,000; split it"
    with pytest.raises(psycopg.Error, match="more than 1,000,000") as caught:
        change = "select update_memory(%s, jsonb_build_object('content', repeat('x', 1000001)))"
        client.rows(change, answers[0]["id"])
    assert caught.value.sqlstate == "PM008"


MONSTERS = {
    "one letter": "x" * 1_000_000,
    "one Han letter": "茶" * 1_000_000,
    "hyphens": "a-" * 500_000,
    "dots": "a.b" * 333_333,
    "an address": f"http://a.example/{'b/' * 499_000}",
    "tags": "<a " * 333_333,
    "ampersands": "&" * 1_000_000,
    "line ends": "x" + "\n" * 999_998 + "y",
    "digits": "1." * 500_000,
    "what grows when normalised": "ﷺ" * 1_000_000,
    "letters outside the first plane": "".join(
        f"{chr(0x10330 + n % 26)}{chr(0x10330 + n // 26 % 26)}{chr(0x10330 + n // 676 % 26)} "
        for n in range(250_000)
    ),
    "distinct pairs": "".join(
        chr(0x4E00 + random.Random(n).randrange(20_000)) for n in range(200_000)
    ),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_stored_and_does_no_harm(client: Client, name: str) -> None:
    client.connection.execute("set statement_timeout = '60s'")
    [monster, after] = client.remember(
        {"content": MONSTERS[name][:1_000_000]}, {"content": "The ferry leaves at nine."}
    )
    assert monster["status"] == "added"
    assert client.recall("When does the ferry leave?")[0]["id"] == after["id"]
    client.connection.execute("reset statement_timeout")


@pytest.mark.parametrize("name", ["letters outside the first plane", "distinct pairs"])
def test_a_conversation_of_monsters_fits_into_its_windows(client: Client, name: str) -> None:
    """Four of these together have more words than a row of the index holds."""
    talk = {"kind": "message", "context_key": "t", "speaker": "Maria"}
    for turn in range(5):
        content = f"{turn} {MONSTERS[name][20_000 * turn : 20_000 * turn + 40_000]}"
        [answer] = client.remember({"content": content, **talk})
        assert answer["status"] == "added"
    [after] = client.remember({"content": "The ferry leaves at nine.", **talk})
    assert client.recall("When does the ferry leave?")[0]["id"] == after["id"]
    with client.connection.transaction():
        refresh = """
            select agent_memory.refresh_windows(organization_id, array[id])
            from ai_memory_contexts"""
        client.connection.execute(refresh.encode())


def test_updating_forgetting_and_restoring(world: World, client: Client) -> None:
    add_others(client)
    [told] = client.remember({"content": prose(100_000)})
    assert counted(world) == 3
    changed = prose(100_000, "The baker of Texel breeds tortoises. ")
    change = "select update_memory(%s, jsonb_build_object('content', %s::text))"
    client.rows(change, told["id"], changed)
    assert client.recall("Who breeds tortoises?")[0]["id"] == told["id"]
    assert client.recall("barometers")[0]["lexical"] == 0
    scope = json.dumps({"ids": [str(told["id"])]})
    client.rows("select forget_memories(%s::jsonb)", scope)
    assert client.recall("tortoises")[0]["lexical"] == 0
    client.rows("select restore_memories(%s::jsonb)", scope)
    assert client.recall("tortoises")[0]["id"] == told["id"]
    client.rows(change, told["id"], "Short by now.")
    assert counted(world) == 0


def test_erasing_leaves_no_piece(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    [told, _] = client.remember({"content": prose(348_853), "user_id": "maria"}, {"content": "A."})
    assert counted(world) > 0
    client.rows("select erase_memories(%s::jsonb)", json.dumps({"user_id": "maria"}))
    assert counted(world) == 0
    assert client.ids() and told["id"] not in client.ids()


def test_a_slot_keeps_long_values(world: World, client: Client) -> None:
    for length in (60_000, 90_000):
        client.remember({"content": prose(length), "slot": "manual"})
    [hit] = client.recall("barometers")
    assert len(hit["content"]) == 90_000
    assert counted(world) == 2 + 3


def test_import_keeps_long_texts(world: World, client: Client) -> None:
    items = [
        {"content": prose(60_000), "created_at": "2026-01-02T03:04:05Z"},
        {"content": prose(60_001), "forgotten_at": "2026-01-02T03:04:05Z"},
    ]
    answers = client.rows("select * from import_memories(%s::jsonb)", json.dumps(items))
    assert [answer["status"] for answer in answers] == ["added", "added"]
    assert counted(world) == 2 + 2
    assert [hit["id"] for hit in client.recall("barometers")] == [answers[0]["id"]]


def test_pieces_are_found_among_very_many(world: World, client: Client) -> None:
    """Where indexes choose candidates, a piece's words choose its memory."""
    world.connection.execute("set pgrecall.exact_limit = '100'")
    add_others(client, 400)
    [told] = client.remember({"content": prose(200_000)})
    world.connection.execute("analyze public.ai_memories")
    assert client.recall(ASKED)[0]["id"] == told["id"]
    # Both words in one piece, neither of them in the row itself.
    assert client.recall("barometers lighthouse")[0]["id"] == told["id"]


def test_an_organization_sees_no_pieces_of_another(world: World, client: Client) -> None:
    client.remember({"content": prose(100_000)})
    other = world.program(world.organization("other"), "alpha")
    add_others(other)
    assert {hit["lexical"] for hit in other.recall("barometers")} == {0}
    for table in ("agent_memory.pieces", "agent_memory.embeddings"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.rows(f"select * from {table}")


def vector(*at: int) -> list[float]:
    return [1.0 if place in at else 0.0 for place in range(4)]


def embeddings(world: World) -> list[int]:
    rows = "select piece from agent_memory.embeddings order by memory_id, piece"
    return [row["piece"] for row in world.connection.execute(rows.encode()).fetchall()]


def test_a_memory_is_as_near_as_its_nearest_piece(world: World, client: Client) -> None:
    if not world.has_vector:
        pytest.skip("no pgvector")
    model = {"embedding_model": "m"}
    long_one = {"content": prose(40_000), "embedding": vector(0), **model}
    [told, short] = client.remember(
        long_one | {"piece_embeddings": [vector(1), vector(2)]},
        {"content": "Short.", "embedding": vector(0, 2), **model},
    )
    asked = {"query_embedding": vector(2), "embedding_model": "m"}
    found = {hit["id"]: hit["semantic"] for hit in client.recall("nothing of it", **asked)}
    assert found == pytest.approx({told["id"]: 1.0, short["id"]: 0.7071}, abs=0.001)
    assert embeddings(world) == [0, 1, 2, 0]
    nearest = """
        select n.* from agent_memory.organizations as o
        cross join lateral agent_memory.nearest(o.organization_id, 'm', %s::real[], 5) as n"""
    # What a client has set for its own searches with pgvector stays.
    said = """
        select current_setting('hnsw.ef_search'),
               current_setting('hnsw.iterative_scan', true) as scan
    """
    with world.connection.transaction():
        world.connection.execute("set local hnsw.ef_search = 77")
        before = world.connection.execute(said.encode()).fetchall()
        rows = world.connection.execute(nearest.encode(), (vector(2),)).fetchall()
        assert world.connection.execute(said.encode()).fetchall() == before
    assert [row["memory_id"] for row in rows] == [told["id"], short["id"]]
    [status] = client.rows("select memories, vectors, missing from memory_models()")
    assert status == {"memories": 2, "vectors": 2, "missing": 0}
    # Other words have other vectors, or none.
    change = "select update_memory(%s, %s::jsonb)"
    client.rows(change, told["id"], json.dumps({"content": "Short by now."}))
    assert embeddings(world) == [0]
    again = {"content": prose(50_000), "embedding": vector(0), "piece_embeddings": [vector(3)]}
    client.rows(change, told["id"], json.dumps(again | model))
    assert embeddings(world) == [0, 1, 0]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"piece_embeddings": [[0, 0, 0, 0]]}, "must hold arrays of numbers"),
        ({"piece_embeddings": [None]}, "must hold arrays of numbers"),
        ({"piece_embeddings": ["tea"]}, "must hold arrays of numbers"),
        ({"piece_embeddings": {"a": 1}}, "must be an array of at most 2,000"),
        ({"piece_embeddings": [[1]] * 2001}, "must be an array of at most 2,000"),
        ({"piece_embeddings": [[1, 0, 0, 0]], "embedding": None}, "need embedding"),
    ],
)
def test_wrong_pieces_are_refused_alone(
    client: Client, wrong: dict[str, object], reason: str
) -> None:
    item = {"content": prose(40_000), "embedding": vector(0), "embedding_model": "m"}
    refused, added = client.remember(item | wrong, {"content": "Tea."})
    assert (refused["status"], added["status"]) == ("rejected", "added")
    assert reason in refused["reason"]


def test_a_client_embeds_the_pieces(pgrecall_dsn: str, world: World) -> None:
    has_vector = world.has_vector
    others = [f"Note {n}: the ferry to the island was late." for n in range(20)]
    name = str(uuid.uuid4())
    with Memory(pgrecall_dsn, agent_id=name, embedder=HashingEmbedder(256)) as memory:
        told = memory.remember([*others, prose(348_853), prose(1_000_000)])
        assert [item.status for item in told] == ["added"] * 22
        hits = memory.recall(ASKED, limit=2)
        if not has_vector:
            return
        assert {hit.id for hit in hits} == set(told.ids[-2:])
        assert min(hit.signals.semantic or 0 for hit in hits) > 0.12
        [status] = memory.embeddings.status()
        assert (status.memories, status.vectors, status.missing) == (22, 22, 0)
        changed = memory.update(hits[0].id, content=prose(50_000, "Goats like thistles a lot. "))
        assert (memory.recall("goats thistles")[0].signals.semantic or 0) > 0.12
        assert len(changed.content) == 50_000
    # Another model is filled in with its pieces.
    with Memory(pgrecall_dsn, agent_id=name, embedder=HashingEmbedder(128)) as memory:
        done = memory.embeddings.backfill()
        assert (done.stored, done.missing) == (22, 0)
        memory.embeddings.switch("hashing-128", allow_missing=0)
        found = {hit.id: hit.signals.semantic for hit in memory.recall(ASKED, limit=22)}
        assert (found[told.ids[-1]] or 0) > 0.12
        counted_by_model = "select model, count(*) as n from agent_memory.embeddings group by 1"
        rows = world.connection.execute(counted_by_model.encode()).fetchall()
        assert len({row["n"] for row in rows}) == 1
        assert memory.embeddings.drop("hashing-256").vectors == 22


def test_pieces_are_all_of_a_text() -> None:
    for text in (prose(348_853), han(40_000), "x" * 35_000, " " * 40_000 + "end"):
        parts = pieces(text)
        assert "".join("".join(parts).split()) == "".join(text.split())
        assert max(map(len, parts)) <= 1_000
        assert len(parts) <= 2_000
    assert pieces("Tea. " * 6_000) == ["Tea. " * 6_000]
