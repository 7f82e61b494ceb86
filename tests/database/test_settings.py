"""Settings of agents: what may be set, by whom, what holds, and what is kept of each change."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World


def configure(client: Client, agent_id: str | None, **changes: Any) -> dict[str, Any]:
    [row] = client.rows(
        "select configure_memory(%s, %s::jsonb) as it", agent_id, json.dumps(changes)
    )
    return dict(row["it"])


def config(client: Client, agent_id: str | None) -> dict[str, tuple[Any, str]]:
    rows = client.rows("select * from memory_config(%s)", agent_id)
    return {row["setting"]: (row["value"], row["source"]) for row in rows}


def history(client: Client, agent_id: str | None) -> list[dict[str, Any]]:
    return client.rows("select * from memory_config_history(%s)", agent_id)


@pytest.fixture
def organization(world: World) -> uuid.UUID:
    return world.organization()


@pytest.fixture
def owner(world: World, organization: uuid.UUID) -> Client:
    return world.member(organization, "owner", "owner")


def test_what_is_not_set_is_built_in(world: World, organization: uuid.UUID) -> None:
    found = config(world.member(organization, "vic", "viewer"), "cook")
    assert found["limit"] == (10, "built in")
    assert found["token_budget"] == (1200, "built in")
    assert found["half_life"] == (30, "built in")
    assert found["language"] == found["visibility"] == (None, "built in")
    assert found["weights.meaning"][1] == "built in"


def test_an_agent_comes_before_its_organization(owner: Client) -> None:
    configure(owner, None, limit=20, weights={"meaning": 1.5, "recency": 0}, retention={})
    answer = configure(owner, "cook", limit=5, weights={"recency": 2})
    assert (answer["limit"], answer["token_budget"]) == (5, 1200)
    assert (answer["weights"]["meaning"], answer["weights"]["recency"]) == (1.5, 2)
    found = config(owner, "cook")
    assert found["limit"] == (5, "agent")
    assert found["weights.meaning"] == (1.5, "organization")
    assert found["weights.recency"] == (2, "agent")
    assert (
        config(owner, "gardener")["limit"] == config(owner, None)["limit"] == (20, "organization")
    )


def test_null_removes(owner: Client) -> None:
    configure(owner, "cook", limit=5, weights={"recency": 2}, retention={"max_age": {"fact": 9}})
    assert config(owner, "cook")["retention.max_age.fact"] == (9, "agent")
    configure(owner, "cook", limit=None, weights={"recency": None}, retention=None)
    found = config(owner, "cook")
    assert {source for _, source in found.values()} == {"built in"}
    assert owner.rows("select settings from agent_memory_config") == [{"settings": {}}]


def test_every_setting(owner: Client) -> None:
    settings = {
        "weights": {"words": 0, "meaning": 10, "statement": 0.0001},
        "half_life": 0.01,
        "limit": 1000,
        "token_budget": 100000,
        "language": "simple",
        "visibility": "organization",
        "retention": {
            "max_age": {"message": 36500, "event": 1},
            "max_count": 100000000,
            "expired": 0,
            "action": "erase",
        },
    }
    answer = configure(owner, "cook", **settings)
    assert answer["weights"].items() >= settings.pop("weights").items()
    assert answer.items() >= settings.items()


@pytest.mark.parametrize(
    ("written", "days"),
    [(7, 7), (0.5, 0.5), ("P30D", 30), ("PT12H", 0.5), ("P1W", 7), ("P1M", 30), ("P1Y", 365.25),
     ("P1DT6H", 1.25), ("P1.5D", 1.5)],
)  # fmt: skip
def test_half_lives(owner: Client, written: Any, days: float) -> None:
    assert configure(owner, "cook", half_life=written)["half_life"] == days


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"colour": "red"}, 'unknown setting "colour"'),
        ({"colour": None}, 'unknown setting "colour"'),
        ({"embedding_model": "m"}, "unknown setting"),
        *(({"limit": it}, "limit must be a whole number from 1 to 1000")
          for it in (0, 1001, 1.5, "5", True, [5], {"a": 5})),
        *(({"token_budget": it}, "token_budget must be") for it in (0, 100001, -1)),
        *(({"half_life": it}, "half_life must be days, from 0.01 to 36500")
          for it in (0, 0.001, -1, 36501, "30 days", "P", "PT", "P1D2D", "-P1D", "PT1S", "P999Y",
                     {}, "P99999999D")),
        ({"language": "klingon"}, 'language "klingon" has no text search configuration'),
        *(({"language": it}, "has no text search") for it in ("", "SIMPLE", 7, ["german"])),
        *(({"visibility": it}, "visibility must be") for it in ("", "public", 7, {})),
        *(({"weights": it}, "weights must be an object") for it in (1, [], "meaning")),
        ({"weights": {"smell": 1}}, 'unknown signal "smell"'),
        ({"weights": {"half_life": 1}}, 'unknown signal "half_life"'),
        *(({"weights": {"meaning": it}}, "weights.meaning must be a number from 0 to 10")
          for it in (-0.1, 10.1, "1", True, [])),
        ({"weights": {"meaning": 1e-50}}, "weights.meaning must be 0, or at least"),
        ({"retention": 30}, "retention must be an object"),
        ({"retention": {"forever": True}}, 'unknown setting "forever" in retention'),
        ({"retention": {"action": "hide"}}, "retention.action must be forget or erase"),
        ({"retention": {"expired": -1}}, "retention.expired must be"),
        ({"retention": {"max_count": 0}}, "retention.max_count must be"),
        ({"retention": {"max_age": 30}}, "retention.max_age must be an object"),
        ({"retention": {"max_age": {"memo": 30}}}, 'unknown kind "memo"'),
        ({"retention": {"max_age": {"fact": 0.5}}}, "retention.max_age.fact must be a whole"),
    ],
)  # fmt: skip
def test_what_is_refused(owner: Client, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(psycopg.Error) as failure:
        configure(owner, "cook", **{"limit": 3, **changes})
    assert failure.value.sqlstate == "PM003"
    assert reason in str(failure.value.diag.message_primary)
    assert history(owner, "cook") == []


DEEP = '{"weights": ' + '{"a":' * 40 + "1" + "}" * 40 + "}"


@pytest.mark.parametrize(
    "changes",
    [None, "[]", "null", '"limit"', DEEP, f'{{"limit": {10**400}}}'],
    ids=lambda it: f"{it}"[:10],
)
def test_changes_that_are_no_settings(owner: Client, changes: str | None) -> None:
    with pytest.raises(psycopg.Error, match="must be an object of settings") as failure:
        owner.rows("select configure_memory('cook', %s::jsonb)", changes)
    assert failure.value.sqlstate == "PM003"


@pytest.mark.parametrize("agent_id", ["", "x" * 256])
def test_agents_that_are_none(owner: Client, agent_id: str) -> None:
    with pytest.raises(psycopg.Error) as failure:
        configure(owner, agent_id, limit=3)
    assert failure.value.sqlstate == "PM003"


def test_what_a_service_writes_itself_is_held_to_the_same(world: World, owner: Client) -> None:
    configure(owner, "cook", limit=3)
    for target, field in (
        ("agent_memory_config", "settings"),
        ("agent_memory.organizations", "agent_settings"),
    ):
        for settings in ('{"limit": 0}', '{"limit": null}', "[]", '{"colour": 1}'):
            with world.connection.transaction(), pytest.raises(psycopg.errors.CheckViolation):
                world.connection.execute("set local role service_role")
                with world.connection.transaction():
                    world.connection.execute(f"update {target} set {field} = '{settings}'".encode())
        world.connection.execute("set role service_role")
        world.connection.execute(f"update {target} set {field} = '{{\"limit\": 4}}'".encode())
        world.connection.execute("reset role")


def test_every_change_is_kept(world: World, organization: uuid.UUID, owner: Client) -> None:
    cook = world.program(organization, "cook")
    configure(cook, "cook", limit=5, weights={"meaning": 2})
    configure(owner, None, token_budget=900)
    configure(owner, "cook", limit=5, weights={"meaning": None})
    configure(owner, "gardener", limit=7)
    configure(owner, "cook", limit=5)
    changes = [{k: v for k, v in row.items() if k != "changed_at"} for row in history(cook, "cook")]
    assert changes == [
        {"agent_id": "cook", "changed_by": "agent:cook",
         "before": {"limit": None, "weights.meaning": None},
         "after": {"limit": 5, "weights.meaning": 2}},
        {"agent_id": None, "changed_by": "owner",
         "before": {"token_budget": None}, "after": {"token_budget": 900}},
        {"agent_id": "cook", "changed_by": "owner",
         "before": {"weights.meaning": 2}, "after": {"weights.meaning": None}},
    ]  # fmt: skip
    assert [row["agent_id"] for row in history(owner, None)] == [None]


def test_without_owner_and_admin_programs_configure_all(
    world: World, organization: uuid.UUID
) -> None:
    cook, gardener = (world.program(organization, name) for name in ("cook", "gardener"))
    assert configure(cook, None, limit=5)["limit"] == 5
    assert config(gardener, "gardener")["limit"] == (5, "organization")
    world.member(organization, "ann", "admin")
    with pytest.raises(psycopg.Error, match="may not change the settings of all agents"):
        configure(cook, None, limit=6)


def test_the_model_of_an_agent_is_shown_and_settled_beside_its_settings(
    world: World, owner: Client
) -> None:
    configure(owner, "cook", limit=5)
    owner.remember(
        {"content": "x", "agent_id": "cook", "embedding": [1, 0], "embedding_model": "m"}
    )
    expected = ("m", "agent") if world.has_vector else (None, "built in")
    assert config(owner, "cook")["embedding_model"] == expected
    assert config(owner, "cook")["limit"] == (5, "agent")


def stored(client: Client, *items: dict[str, Any]) -> list[tuple[str, str]]:
    """The visibility and language of memories as they are stored."""
    ids = [row["id"] for row in client.remember(*items)]
    rows = client.rows("select id, visibility, language from ai_memories")
    found = {row["id"]: (row["visibility"], row["language"]) for row in rows}
    return [found[each] for each in ids]


def test_memories_are_stored_as_their_agent_says(owner: Client) -> None:
    items = [
        {"content": "About nobody.", "agent_id": "cook"},
        {"content": "About Maria.", "agent_id": "cook", "user_id": "owner"},
        {"content": "Of another agent.", "agent_id": "gardener", "user_id": "owner"},
        {"content": "It says so.", "agent_id": "cook", "visibility": "agent", "language": "french"},
    ]
    # A memory without a user is its writer's, if that is a person.
    assert stored(owner, *items)[:2] == [("private", "english"), ("private", "english")]
    configure(owner, "cook", visibility="organization", language="german")
    configure(owner, None, language="simple")
    again = [{**item, "content": f"{item['content']} Again."} for item in items]
    assert stored(owner, *again) == [
        ("organization", "german"),
        ("organization", "german"),
        ("private", "simple"),
        ("agent", "french"),
    ]


def test_what_is_about_nobody_is_not_private(world: World, organization: uuid.UUID) -> None:
    cook = world.program(organization, "cook")
    configure(cook, "cook", visibility="private")
    items = {"content": "Rain."}, {"content": "Maria's.", "user_id": "maria"}
    assert [visibility for visibility, _ in stored(cook, *items)] == ["agent", "private"]


def test_appended_messages_obey_as_well(world: World, organization: uuid.UUID) -> None:
    cook = world.program(organization, "cook")
    configure(cook, "cook", visibility="organization")
    cook.rows(
        "select * from append_memories('[{\"content\": \"Hello.\"}]', 'key', user_id => 'maria')"
    )
    assert cook.rows("select visibility from ai_memories") == [{"visibility": "organization"}]


def test_a_recall_has_as_many_hits_as_is_set(
    world: World, organization: uuid.UUID, owner: Client
) -> None:
    cook = world.program(organization, "cook")
    cook.remember(*({"content": f"Tea {n}.", "visibility": "organization"} for n in range(12)))
    assert len(cook.recall("tea")) == len(owner.recall("tea")) == 10
    configure(owner, None, limit=3)
    configure(owner, "cook", limit=4)
    assert len(cook.recall("tea")) == 4
    assert len(cook.recall("tea", match_limit=6)) == 6
    # A person's recall is that of the agent that it names.
    assert len(owner.recall("tea")) == 3
    assert len(owner.recall("tea", agent_id="cook")) == 4
    # A program's is its own, whomever it asks about.
    gardener = world.program(organization, "gardener")
    assert len(gardener.recall("tea", agent_id="cook")) == 3


def test_a_recall_weighs_as_is_set(world: World, organization: uuid.UUID) -> None:
    cook = world.program(organization, "cook")
    cook.remember(
        {"content": "Tea, tea.", "occurred_at": "2020-01-01"},
        {"content": "Rain."},
    )
    assert [hit["content"] for hit in cook.recall("tea")] == ["Tea, tea.", "Rain."]
    signals = [name for name in config(cook, "cook") if name.startswith("weights.")]
    configure(cook, "cook", weights={name.partition(".")[2]: 0 for name in signals})
    assert [hit["score"] for hit in cook.recall("tea")] == [0, 0]
    assert {hit["lexical"] for hit in cook.recall("tea")} == {0}
    configure(cook, "cook", weights={"recency": 1}, half_life=36500)
    [rain, tea] = cook.recall("tea")
    assert (rain["content"], round(rain["score"], 2)) == ("Rain.", 1)
    assert tea["score"] > 0.9
    configure(cook, "cook", half_life="P30D")
    assert cook.recall("tea")[1]["score"] < 0.01


def test_a_question_is_of_the_language_that_is_set(world: World, organization: uuid.UUID) -> None:
    cook = world.program(organization, "cook")
    configure(cook, "cook", language="german")
    cook.remember({"content": "Die Häuser sind alt."}, {"content": "Es regnet."})
    assert [hit["lexical"] > 0 for hit in cook.recall("Welches Haus?")] == [True, False]


def test_a_recall_tells_the_token_budget(world: World, organization: uuid.UUID) -> None:
    cook = world.program(organization, "cook")
    look = "select current_setting('pgrecall.last_recall')::jsonb -> 'token_budget' as it"
    for budget, changes in ((1200, {}), (900, {"token_budget": 900})):
        configure(cook, "cook", **changes)
        [row] = cook.rows(f"with r as (select count(*) from recall_memories('tea')) {look} from r")
        assert row["it"] == budget


def test_two_who_configure_at_once_lose_nothing(
    world: World, pgrecall_dsn: str, organization: uuid.UUID, owner: Client
) -> None:
    def repeat(name: str) -> None:
        with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as c:
            for number in range(1, 21):
                for agent_id in (None, "cook"):
                    configure(Client(c, owner.claims), agent_id, **{name: number})

    threads = [threading.Thread(target=repeat, args=(name,)) for name in ("limit", "token_budget")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for agent_id in (None, "cook"):
        found = config(owner, agent_id)
        assert (found["limit"][0], found["token_budget"][0]) == (20, 20)
    assert len(history(owner, "cook")) == 80
