"""Recall in scopes of every size, with and without vectors, and by what surrounds a message."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import product

import psycopg
import pytest

from tests.database.conftest import Client, World

WORDS = """
amber basil cedar delta ember fjord grove haven inlet jolly kayak lemon maple north olive
""".split()  # noqa: SIM905


def vector(rng: random.Random, dimension: int = 384) -> str:
    return "[" + ",".join(f"{rng.gauss(0, 1):.3f}" for _ in range(dimension)) + "]"


def fill(client: Client, count: int, *, vectors: bool) -> str:
    """Many memories of four words and a number; the vector of the last one."""
    rng = random.Random(count)
    items = []
    for number in range(count):
        item = {
            "content": f"{' '.join(rng.choices(WORDS, k=4))} {number}",
            "user_id": f"u{number % 40}",
        }
        if vectors:
            item |= {"embedding": vector(rng), "embedding_model": "m"}
        items.append(item)
    for start in range(0, count, 2000):
        answers = client.remember(*items[start : start + 2000])
        assert {row["status"] for row in answers} == {"added"}
    return str(items[-1].get("embedding"))


@pytest.mark.parametrize("vectors", [False, True])
def test_never_fewer_hits_than_exist(world: World, vectors: bool) -> None:
    client = world.program(world.organization())
    last = fill(client, 6000, vectors=vectors)
    asked = {"query_embedding": json.loads(last), "embedding_model": "m"} if vectors else {}
    for words in ("amber", "amber 17", "nothingofthesort", "the"):
        assert len(client.recall(words, match_limit=50, **asked)) == 50
    if not vectors:
        with world.connection.transaction():
            assert {row["content"].split()[-1] for row in client.recall("17")} > {"17"}
            said = world.connection.execute(
                "select (current_setting('pgrecall.last_recall')::jsonb ->> 'compared')::int as n"
            ).fetchone()
        assert said is not None and said["n"] < 100, "a rare word has the whole scope compared"
    # A filter that the index knows nothing of.
    assert len(client.recall("amber", match_limit=500, user_id="u7", **asked)) == 150
    assert len(client.recall("amber", match_limit=10, metadata=json.dumps({"a": 1}), **asked)) == 0
    [best] = client.recall("5999", match_limit=1, **asked)
    assert best["content"].endswith(" 5999")


def test_a_message_is_found_by_what_it_answers(world: World) -> None:
    client = world.program(world.organization())
    client.remember(
        {
            "content": "Hello there!",
            "kind": "message",
            "context_key": "t",
            "trust": "assistant",
        },
        {
            "content": "Which scarf do you want for Christmas?",
            "kind": "message",
            "context_key": "t",
            "trust": "assistant",
        },
        {"content": "The blue one.", "kind": "message", "context_key": "t"},
        {"content": "It is raining.", "kind": "message", "context_key": "other"},
    )
    assert client.recall("scarf")[0]["content"] == "The blue one."


def test_forgotten_words_find_nothing_around_them(world: World) -> None:
    client = world.program(world.organization())
    question, _ = client.remember(
        {"content": "The password is swordfish.", "kind": "message", "context_key": "t"},
        {"content": "Thank you, noted.", "kind": "message", "context_key": "t"},
    )
    assert client.recall("swordfish")[0]["lexical"] > 0
    client.rows("select forget_memories(%s::jsonb)", json.dumps({"ids": [str(question["id"])]}))
    [left] = client.recall("swordfish")
    assert left["content"] == "Thank you, noted."
    assert left["lexical"] == 0


def test_validity_and_expiry(world: World) -> None:
    client = world.program(world.organization())
    past = datetime.now(UTC) - timedelta(days=10)
    client.remember(
        {"content": "tea in winter", "valid_from": "2020-01-01", "valid_to": "2020-03-01"},
        {"content": "tea since then", "valid_from": "2020-03-01"},
        {"content": "tea to come", "valid_from": "2999-01-01"},
        {
            "content": "tea gone stale",
            "occurred_at": past.isoformat(),
            "expires_at": (past + timedelta(days=1)).isoformat(),
        },
    )
    assert [hit["content"] for hit in client.recall("tea")] == ["tea since then"]
    assert [hit["content"] for hit in client.recall("tea", as_of="2020-02-01")] == ["tea in winter"]
    assert {hit["content"] for hit in client.recall("tea", as_of=past + timedelta(hours=1))} == {
        "tea since then",
        "tea gone stale",
    }


@pytest.mark.parametrize(
    "query",
    [
        "",
        "the of and",
        "' | & ! ( ) :* \\ '' <->",
        "x" * 50_000,
        "héllo wörld 你好",
        "a" * 5000 + " & b",
        "%s {} $1",
    ],
)
def test_any_text_is_a_question(world: World, query: str) -> None:
    client = world.program(world.organization())
    client.remember({"content": "It's a 'quoted' back\\slash & more."})
    assert len(client.recall(query)) == 1


def test_quotes_and_backslashes_are_found(world: World) -> None:
    client = world.program(world.organization())
    client.remember({"content": r"The folder is C:\temp\new."}, {"content": "O'Brien called."})
    assert "O'Brien" in client.recall("o'brien")[0]["content"]
    assert "folder" in client.recall(r"C:\temp\new folder")[0]["content"]


@pytest.mark.parametrize(
    ("changes", "sqlstate"),
    [
        ({"query_embedding": [1.0] * 3, "embedding_model": "m"}, "PM005"),
        ({"query_embedding": [1.0] * 4, "embedding_model": "other"}, "PM005"),
        ({"query_embedding": [1.0] * 4}, "PM005"),
        ({"query_embedding": [0.0] * 4, "embedding_model": "m"}, "PM003"),
        ({"query_embedding": [float("nan")] * 4, "embedding_model": "m"}, "PM003"),
        ({"query_embedding": [float("inf")] * 4, "embedding_model": "m"}, "PM003"),
        ({"match_limit": 0}, "PM003"),
        ({"match_limit": 1001}, "PM003"),
    ],
)
def test_wrong_questions_say_so(world: World, changes: dict[str, object], sqlstate: str) -> None:
    client = world.program(world.organization())
    client.remember({"content": "x", "embedding": [1, 0, 0, 0], "embedding_model": "m"})
    [has_vector] = client.rows("select (memory_status() ->> 'has_vector')::boolean as it")
    if "query_embedding" in changes and not has_vector["it"]:
        assert len(client.recall("x", **changes)) == 1
        return
    with pytest.raises(psycopg.Error) as failure:
        client.recall("x", **changes)
    assert failure.value.sqlstate == sqlstate


@pytest.mark.parametrize(
    "when", ["0001-01-01 BC", "9999-12-31T23:59:59-14:00", "infinity", "10000-01-01", "2023-02-30"]
)
def test_times_that_clients_cannot_read_are_refused(world: World, when: str) -> None:
    client = world.program(world.organization())
    [answer] = client.remember({"content": "Then.", "occurred_at": when})
    assert answer["status"] == "rejected"


def test_a_least_score_of_null_is_none(world: World) -> None:
    client = world.program(world.organization())
    client.remember({"content": "Maria is vegetarian."})
    assert len(client.recall("vegetarian", min_score=None)) == 1


def test_append_memories_keeps_repeated_words(world: World) -> None:
    client = world.program(world.organization())
    said = [{"role": "user", "content": "ok"}, {"role": "assistant", "name": "Bo", "content": "ok"}]
    keyed = {"role": "user", "content": "ok", "idempotency_key": "k"}
    answers = [
        [
            answer["status"]
            for answer in client.rows(
                "select * from append_memories(%s::jsonb, context_key => 'thread')",
                json.dumps(messages),
            )
        ]
        # The whole once more, as frameworks send it; one message more; the keyed one again.
        for messages in ([*said, keyed], [*said, keyed], said[:1], [keyed])
    ]
    assert answers == [["added"] * 3, ["duplicate"] * 3, ["added"], ["duplicate"]]
    rows = client.rows("select trust, speaker, metadata ->> 'role' as role from ai_memories")
    assert len(rows) == 4
    assert {(row["trust"], row["speaker"], row["role"]) for row in rows} == {
        ("user", None, "user"),
        ("assistant", "Bo", "assistant"),
    }


MAY_8 = datetime(2023, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "starts", "ends"),
    [
        ("What happened on 8 May, 2023?", "2023-05-08", "2023-05-09"),
        ("What happened on May 8th?", "2023-05-08", "2023-05-09"),
        ("Who called in June 2022?", "2022-06-01", "2022-07-01"),
        ("Who called in June?", "2022-06-01", "2022-07-01"),
        ("Between May 1 and May 3, 2023?", "2023-05-01", "2023-05-04"),
        ("Where was he in summer 2022?", "2022-06-01", "2022-09-01"),
        ("What did I buy two weeks ago?", "2023-04-20 12:00", "2023-04-27 12:00"),
        ("What did I see last Monday?", "2023-04-30", "2023-05-02"),
        ("What did I see yesterday?", "2023-05-06", "2023-05-08"),
        ("on 31 February 2023", "2023-03-03", "2023-03-04"),
        ("May I ask who called?", None, None),
        ("They march in step.", None, None),
        ("last may", "2023-05-01", "2023-06-01"),
        ("Who was born in November?", "2022-11-01", "2022-12-01"),
        ("Wer war gestern hier?", None, None),
        ("in the year 0 of 99999 marches", None, None),
    ],
)
def test_a_question_names_a_time(
    world: World, query: str, starts: str | None, ends: str | None
) -> None:
    row = world.connection.execute(
        "select named.starts_at = (%s::timestamp at time zone 'UTC') as starts,"
        " named.ends_at = (%s::timestamp at time zone 'UTC') as ends"
        " from agent_memory.named_time(%s, %s, null, null) as named",
        (starts, ends, query, MAY_8),
    ).fetchone()
    assert row == ({"starts": True, "ends": True} if starts else {"starts": None, "ends": None})


def test_what_was_said_at_the_named_time_comes_first(world: World) -> None:
    client = world.program(world.organization())
    for day in ("2023-03-01", "2023-05-08", "2023-08-01"):
        client.remember({"content": f"Lunch with Ana, {day}.", "occurred_at": day})
    for asked in ("in May 2023", "in May", "on 9 May 2023"):
        [best, *_] = client.recall(f"Whom did I have lunch with {asked}?")
        assert best["content"] == "Lunch with Ana, 2023-05-08."


def test_times_and_wishes_make_candidates_of_a_large_scope(world: World) -> None:
    client = world.program(world.organization())
    guests = [first + second for first, second in product(WORDS, repeat=2)]
    talk = [{"content": f"Lunch with {guest}.", "occurred_at": "2023-03-01"} for guest in guests]
    rain = {"content": "Rain.", "occurred_at": "2023-05-08"}
    client.remember(*({**told, "user_id": "ana"} for told in (*talk, rain)))
    client.remember({"content": "Always answer in French.", "user_id": "ana"})
    world.connection.execute("set pgrecall.exact_limit = 100")
    for asked, only_cued in (
        ("What was for lunch on 8 May 2023?", "Rain."),
        ("Can you suggest something for lunch?", "Always answer in French."),
    ):
        with world.connection.transaction():
            found = client.recall(asked, user_id="ana", match_limit=1000)
            said = world.connection.execute(
                "select s ->> 'step' as step, s ->> 'rows' as rows from jsonb_array_elements("
                "current_setting('pgrecall.last_recall')::jsonb -> 'steps') as s"
            ).fetchall()
        rows = {step["step"]: int(step["rows"]) for step in said}
        assert (rows["filters"], rows["cues"]) == (len(guests), len(guests) + 1)
        assert only_cued in {hit["content"] for hit in found}
    world.connection.execute("reset pgrecall.exact_limit")
    [best] = client.recall("What was there on 8 May 2023?", user_id="ana", match_limit=1)
    assert best["content"] == "Rain."


def test_a_standing_wish_is_found_for_a_request(world: World) -> None:
    client = world.program(world.organization())
    client.remember(
        {"content": "Always answer in French."}, {"content": "I like to cook on Sundays."}
    )
    assert client.recall("Can you suggest a dish?")[0]["content"] == "Always answer in French."


def test_a_message_is_found_by_what_is_answered_to_it(world: World) -> None:
    client = world.program(world.organization())
    client.remember(
        {"content": "Hello there!", "kind": "message", "context_key": "t"},
        {"content": "Look what I have painted.", "kind": "message", "context_key": "t"},
        {"content": "A sunset, how lovely!", "kind": "message", "context_key": "t"},
        {"content": "It is raining.", "kind": "message", "context_key": "other"},
    )
    found = {hit["content"]: hit["lexical"] for hit in client.recall("sunset")}
    assert found["Look what I have painted."] > found["It is raining."] == 0


def test_without_a_word_in_common_an_opening_does_not_outrank_the_meaning(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    near, far = [1.0, 0.1], [0.1, 1.0]
    told = {"kind": "message", "context_key": "t", "embedding_model": "two"}
    client.remember(
        {**told, "content": "Good evening, Atlas.", "embedding": far, "occurred_at": "2026-01-01"},
        {**told, "content": "Walnuts, sadly.", "embedding": near, "occurred_at": "2026-01-02"},
    )
    hits = client.recall("deadly foods", query_embedding=[1.0, 0.0], embedding_model="two")
    assert hits[0]["content"] == "Walnuts, sadly."


def test_what_is_scored_stands_in_the_row(world: World) -> None:
    client = world.program(world.organization())
    before = out_of_line(world)
    item = {"content": " ".join(f"{word}{number}" for number in range(20) for word in WORDS)}
    if world.has_vector:
        item |= {"embedding": vector(random.Random(1), 1536), "embedding_model": "m"}
    [answer] = client.remember(item)
    assert answer["status"] == "added"
    assert out_of_line(world) == before


def out_of_line(world: World) -> list[int]:
    """Bytes of what PostgreSQL keeps apart from the rows of memories and of vectors."""
    rows = world.connection.execute(
        "select pg_relation_size(reltoastrelid) as bytes from pg_class"
        " where relname in ('ai_memories', 'agent_memory.embeddings') order by relname"
    )
    return [row["bytes"] for row in rows]


def test_a_long_conversation_is_not_preferred_for_its_length(world: World) -> None:
    """Half of what nothing distinguishes stands in one conversation of many days."""
    if not world.has_vector:
        pytest.skip("this server comes without pgvector")
    client = world.program(world.organization())
    rng = random.Random(7)
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    items = [
        {
            "kind": "message",
            "content": f"Message {number}",
            "context_key": f"short {number // 10}" if number < 400 else "long",
            "occurred_at": str(start + timedelta(days=(number % 400) // 10, minutes=number % 10)),
            "embedding": vector(rng, 16),
            "embedding_model": "m",
        }
        for number in range(800)
    ]
    assert {row["status"] for row in client.remember(*items)} == {"added"}
    hits = [
        hit["context_key"] == "long"
        for _ in range(10)
        for hit in client.recall(
            "?", query_embedding=json.loads(vector(rng, 16)), embedding_model="m", match_limit=20
        )
    ]
    assert 0.35 < sum(hits) / len(hits) < 0.65
