"""A conversation is a sequence: what is told again is recognised, and nothing else is."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.database.conftest import Client, Rows, World

NOON = "2026-03-01T12:00:00Z"
LATER = "2026-03-01T12:05:00Z"


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def said(*texts: str, context: str = "talk", **fields: Any) -> list[dict[str, Any]]:
    """Messages of a conversation: those that begin with > are the assistant's."""
    return [
        {
            "kind": "message",
            "context_key": context,
            "content": text.removeprefix(">"),
            "trust": "assistant" if text.startswith(">") else "user",
            **fields,
        }
        for text in texts
    ]


def codes(rows: Rows) -> list[str]:
    return [row["code"] for row in rows]


def messages(client: Client, context: str = "talk") -> list[str]:
    """The messages of a conversation that are not forgotten, in their order."""
    rows = client.rows(
        "select case m.trust when 'assistant' then '>' else '' end || m.content as said"
        " from ai_memories as m join ai_memory_contexts as c"
        " on c.organization_id = m.organization_id and c.id = m.context_id"
        " where c.context_key = %s and m.kind = 'message' and m.forgotten_at is null"
        " order by m.occurred_at, m.position",
        context,
    )
    return [row["said"] for row in rows]


def brought(client: Client, *items: dict[str, Any], dry_run: bool = False) -> Rows:
    return client.rows("select * from import_memories(%s::jsonb, %s)", json.dumps(items), dry_run)


def appended(client: Client, *items: dict[str, Any]) -> Rows:
    return client.rows("select * from append_memories(%s::jsonb)", json.dumps(items))


def test_a_role_says_how_far_to_trust_it_and_an_unknown_one_is_refused(world: World) -> None:
    client = world.program(world.organization())
    roles = ("developer", "system", None, "robot", 7)
    answers = appended(client, *({"role": role, "content": f"As {role}."} for role in roles))
    assert [(row["status"], row["code"]) for row in answers] == [
        *[("added", "added")] * 3,
        *[("rejected", "invalid_field")] * 2,
    ]
    rows = client.rows("select trust, metadata ->> 'role' as role from ai_memories")
    assert {(row["trust"], row["role"]) for row in rows} == {
        ("document", "developer"), ("document", "system"), ("user", None),
    }  # fmt: skip


def test_no_message_is_stored_outside_of_its_conversation(world: World) -> None:
    client = world.program(world.organization())
    world.connection.execute(
        "create function nothing() returns trigger language plpgsql as 'begin return null; end';"
        "create trigger nothing before insert on ai_memory_contexts"
        " for each row execute function nothing()"
    )
    with pytest.raises(psycopg.errors.SerializationFailure):
        appended(client, {"content": "Hello.", "context_key": "thread"})


def remembered(client: Client, *items: dict[str, Any]) -> Rows:
    return client.remember(*items)


Write = Callable[..., Rows]
WRITERS = pytest.mark.parametrize("write", [remembered, appended, brought])


@WRITERS
def test_the_same_words_again_are_another_message(client: Client, write: Write) -> None:
    for _ in range(3):
        assert codes(write(client, *said("Yes."))) == ["added"]
    assert codes(write(client, *said("No.", "No."))) == ["added", "added"]
    assert messages(client) == ["Yes.", "Yes.", "Yes.", "No.", "No."]


@WRITERS
def test_a_history_that_grows_is_stored_once(client: Client, write: Write) -> None:
    history = ["Hi.", ">Hello.", "Yes.", ">Yes.", "Yes.", ">Yes.", "Hi.", ">Hello.", "Hi."]
    for length in range(2, len(history) + 1):
        answers = write(client, *said(*history[:length]))
        assert codes(answers)[: length - 1] == ["added" if length == 2 else "known_message"] * (
            length - 1
        )
    assert messages(client) == history
    again = write(client, *said(*history))
    assert codes(again) == ["known_message"] * len(history)
    assert len({row["id"] for row in again}) == len(history)


@WRITERS
def test_a_window_of_a_history_adds_what_is_new(client: Client, write: Write) -> None:
    history = ["a", ">b", "a", ">b", "c", ">d", "a", ">b", "e"]
    write(client, *said(*history[:4]))
    for start, end in ((2, 5), (3, 6), (1, 7), (5, 9)):
        answers = codes(write(client, *said(*history[start:end])))
        known = len([code for code in answers if code == "known_message"])
        assert answers == ["known_message"] * known + ["added"] * (len(answers) - known)
    assert messages(client) == history


def test_the_ids_of_what_is_known_are_those_that_are_stored(client: Client) -> None:
    first = client.remember(*said("One.", ">Two.", "Three."))
    again = client.remember(*said("One.", ">Two.", "Three.", ">Four."))
    assert [row["id"] for row in again[:3]] == [row["id"] for row in first]
    assert codes(again) == ["known_message"] * 3 + ["added"]


def test_a_single_message_that_is_the_whole_conversation_is_recognised_in_a_list(
    client: Client,
) -> None:
    client.remember(*said("Hi."))
    assert codes(client.remember(*said("Hi.", ">Hello."))) == ["known_message", "added"]
    # One common message of several may be chance.
    assert codes(client.remember(*said(">Hello.", "Bye."))) == ["added", "added"]
    assert messages(client) == ["Hi.", ">Hello.", ">Hello.", "Bye."]


def test_another_role_is_another_message(client: Client) -> None:
    client.remember(*said("Yes.", ">No."))
    assert codes(client.remember(*said(">Yes.", "No."))) == ["added", "added"]


def test_case_and_white_space_are_part_of_what_is_said(client: Client) -> None:
    client.remember(*said("yes", ">no"))
    assert codes(client.remember(*said("Yes", ">no"))) == ["added", "added"]


def test_conversations_in_one_call_are_lists_of_their_own(client: Client) -> None:
    client.remember(*said("a", "b", context="one"), *said("a", "b", context="two"))
    both = [*said("a", context="one"), *said("b", context="two"), *said("b", context="one"),
            *said("b", context="two"), *said("c", context="one")]  # fmt: skip
    assert codes(client.remember(*both)) == [
        "known_message", "added", "known_message", "added", "added",
    ]  # fmt: skip
    assert messages(client, "one") == ["a", "b", "c"]
    assert messages(client, "two") == ["a", "b", "b", "b"]


def test_users_and_agents_have_conversations_of_their_own(world: World) -> None:
    organization = world.organization()
    alpha = world.program(organization, "alpha")
    beta = world.program(organization, "beta")
    for caller in (alpha, beta):
        for user in (None, "maria", "paul"):
            named = {"user_id": user} if user else {}
            assert codes(caller.remember(*said("a", "b", **named))) == ["added", "added"]


@WRITERS
def test_a_told_time_is_recognised(client: Client, write: Write) -> None:
    write(client, *said("Yes.", occurred_at=NOON))
    assert codes(write(client, *said("Yes.", occurred_at=NOON))) == ["known_message"]
    assert codes(write(client, *said("Yes.", occurred_at=LATER))) == ["added"]
    assert codes(write(client, *said(">Yes.", occurred_at=NOON))) == ["added"]
    assert codes(write(client, *said("Yes.", occurred_at=NOON, speaker="Bob"))) == ["added"]


@WRITERS
def test_two_of_one_time_in_a_list_stay_two(client: Client, write: Write) -> None:
    two = said("Yes.", "Yes.", occurred_at=NOON)
    assert codes(write(client, *two)) == ["added", "added"]
    again = write(client, *two, *said("Yes.", occurred_at=NOON))
    assert codes(again) == ["known_message", "known_message", "added"]
    assert again[0]["id"] != again[1]["id"]
    assert len(messages(client)) == 3


def test_told_times_in_any_order_are_put_in_order(client: Client) -> None:
    for minute in (3, 1, 2, 5, 4, 1):
        client.remember(*said(f"Minute {minute}.", occurred_at=f"2026-03-01T12:0{minute}:00Z"))
    assert messages(client) == [f"Minute {minute}." for minute in range(1, 6)]
    assert windows(client) == refreshed(client)


def windows(client: Client) -> list[tuple[str, str]]:
    rows = client.rows(
        "select content, window_lexemes::text as w from ai_memories order by content"
    )
    return [(row["content"], row["w"] or "") for row in rows]


def refreshed(client: Client) -> list[tuple[str, str]]:
    client.connection.execute(
        "select agent_memory.refresh_windows(c.organization_id, array_agg(c.id))"
        " from public.ai_memory_contexts as c group by 1".replace(
            "group by 1", "group by c.organization_id"
        )
    )
    return windows(client)


def test_an_id_is_recognised(client: Client) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    client.remember(*said("Yes.", id=one))
    assert codes(client.remember(*said("Yes.", id=one))) == ["known_id"]
    assert codes(client.remember(*said("No.", id=one))) == ["id_taken"]
    assert codes(client.remember(*said("Yes.", id=two))) == ["added"]
    assert codes(client.remember(*said("Yes.", id=one, context="other"))) == ["id_taken"]
    assert messages(client) == ["Yes.", "Yes."]


def test_ids_of_some_messages_of_a_list_are_held_to(client: Client) -> None:
    """As of frameworks that give ids to what the model answers alone."""
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    first = [*said("Hi."), *said(">Hello.", id=one), *said("Bye.")]
    assert codes(client.remember(*first)) == ["added"] * 3
    assert codes(client.remember(*first, *said(">Bye.", id=two))) == [
        "known_message", "known_id", "known_message", "added",
    ]  # fmt: skip
    other = [*said("Hi."), *said(">Hello.", id=str(uuid.uuid4())), *said("Bye.")]
    assert codes(client.remember(*other)) == ["added"] * 3


def test_what_can_t_be_stored_does_not_hide_the_rest(client: Client) -> None:
    history = [*said("a", ">b"), *said(" "), *said("c")]
    assert codes(client.remember(*history)) == ["added", "added", "empty_content", "added"]
    assert codes(client.remember(*history, *said("d"))) == [
        "known_message", "known_message", "empty_content", "known_message", "added",
    ]  # fmt: skip


def forget(client: Client, *ids: uuid.UUID) -> None:
    client.rows(
        "select forget_memories(%s::jsonb)", json.dumps({"ids": [str(each) for each in ids]})
    )


def test_what_was_taken_back_is_said_anew(client: Client) -> None:
    """A message was a mistake: it is forgotten, and the same list comes without or with it."""
    rows = client.remember(*said("a", ">b", "c"))
    forget(client, rows[2]["id"])
    assert codes(client.remember(*said("a", ">b", "C"))) == [
        "known_message", "known_message", "added",
    ]  # fmt: skip
    rows = client.remember(*said("c"))
    forget(client, rows[0]["id"])
    assert codes(client.remember(*said("c"))) == ["added"]
    assert messages(client) == ["a", ">b", "C", "c"]


@pytest.mark.parametrize("keeps", [True, False])
def test_what_was_forgotten_in_the_middle_stays_forgotten(client: Client, keeps: bool) -> None:
    """Whether the one who tells it again has forgotten it, too, or not."""
    rows = client.remember(*said("a", ">b", "secret", ">d"))
    forget(client, rows[2]["id"])
    history = ["a", ">b", "secret", ">d"] if keeps else ["a", ">b", ">d"]
    answers = client.remember(*said(*history, "e"))
    assert codes(answers) == ["known_message"] * len(history) + ["added"]
    assert messages(client) == ["a", ">b", ">d", "e"]


def test_a_message_of_a_told_time_stays_forgotten(client: Client) -> None:
    rows = client.remember(*said("Secret.", occurred_at=NOON))
    forget(client, rows[0]["id"])
    again = client.remember(*said("Secret.", occurred_at=NOON))
    assert (again[0]["code"], again[0]["id"]) == ("known_message", rows[0]["id"])
    assert messages(client) == []


def test_messages_of_one_instant_keep_their_order_with_ids_of_the_caller(client: Client) -> None:
    ids = sorted((str(uuid.uuid4()) for _ in range(20)), reverse=True)
    for part in (ids[:10], ids[10:]):
        client.remember(
            *(said(f"{ids.index(each)}", id=each, occurred_at=NOON)[0] for each in part)
        )
    assert messages(client) == [str(number) for number in range(20)]
    hits = client.rows(
        "select (r.hit).content as content, r.before ->> 'content' as before,"
        " r.after ->> 'content' as after from recall_in_context('7') as r"
    )
    [hit] = [row for row in hits if row["content"] == "7"]
    assert (hit["before"], hit["after"]) == ("6", "8")
    assert windows(client) == refreshed(client)


def test_an_export_keeps_the_order_of_one_instant(world: World, client: Client) -> None:
    ids = sorted((str(uuid.uuid4()) for _ in range(5)), reverse=True)
    client.remember(
        *(said(f"{place}", id=each, occurred_at=NOON)[0] for place, each in enumerate(ids))
    )
    rows = client.rows("select id::text, content, position from ai_memories order by id")
    other = world.program(world.organization("other"))
    items = [
        {**said(row["content"], occurred_at=NOON)[0], "position": row["position"]} for row in rows
    ]
    assert codes(brought(other, *items)) == ["added"] * 5
    assert messages(other) == [str(number) for number in range(5)]


def test_calls_at_one_instant_keep_their_order(client: Client) -> None:
    """By a clock that stands still, or in one transaction."""
    with client.connection.transaction():
        client.connection.execute("set local pgrecall.now = '2026-03-01 12:00:00Z'")
        for start in range(0, 30, 3):
            client.remember(*said(*(str(start + each) for each in range(3))))
    assert messages(client) == [str(number) for number in range(30)]


def test_an_idempotency_key_makes_the_same_message_one(client: Client) -> None:
    first = client.remember(*said("Yes.", idempotency_key="k"))
    again = client.remember(*said("Yes.", idempotency_key="k"))
    assert (again[0]["code"], again[0]["id"]) == ("known_key", first[0]["id"])
    assert codes(client.remember(*said("No.", idempotency_key="k"))) == ["key_taken"]
    assert codes(client.remember(*said("Yes.", idempotency_key="l"))) == ["added"]


def test_a_key_is_of_its_agent_its_user_and_the_one_who_gave_it(world: World) -> None:
    organization = world.organization()
    alpha = world.program(organization, "alpha")
    admin = world.member(organization, "adam", "admin")
    writers: Sequence[tuple[Client, dict[str, str]]] = [
        (alpha, {}),
        (alpha, {"user_id": "maria"}),
        (alpha, {"user_id": "paul"}),
        (admin, {"agent_id": "alpha", "user_id": "adam"}),
        (admin, {"agent_id": "beta", "user_id": "adam"}),
    ]
    for place, (caller, named) in enumerate(writers):
        item = {"content": f"Order {place}.", "idempotency_key": "k", **named}
        assert codes(caller.remember(item)) == ["added"]
    for place, (caller, named) in enumerate(writers):
        item = {"content": f"Order {place}.", "idempotency_key": "k", **named}
        assert codes(caller.remember(item)) == ["known_key"]


def test_two_writers_at_once_store_a_history_once(pgrecall_dsn: str, world: World) -> None:
    organization = world.organization()
    claims = world.program(organization).claims
    history = ["a", ">b", "a", ">b", "c", ">c"]
    failures: list[BaseException] = []

    def write(start: threading.Barrier) -> None:
        try:
            with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as own:
                for length in range(2, len(history) + 1):
                    start.wait()
                    Client(own, claims).remember(*said(*history[:length]))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    for _ in range(5):
        barrier = threading.Barrier(4)
        threads = [threading.Thread(target=write, args=(barrier,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert messages(Client(world.connection, claims)) == history
        world.connection.execute("delete from public.ai_memories")


def test_two_writers_of_the_same_list_store_it_once(pgrecall_dsn: str, world: World) -> None:
    organization = world.organization()
    claims = world.program(organization).claims
    history = said(*(f"{'>' if n % 2 else ''}turn {n}" for n in range(40)))

    def write(start: threading.Barrier) -> None:
        with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as own:
            start.wait()
            Client(own, claims).remember(*history)

    barrier = threading.Barrier(6)
    threads = [threading.Thread(target=write, args=(barrier,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(messages(Client(world.connection, claims))) == 40


def test_a_dry_run_of_an_import_says_what_becomes_of_messages(client: Client) -> None:
    client.remember(*said("a", ">b"))
    items = [*said("a", ">b", "c"), *said("d", context="new"), *said("d", context="new")]
    expected = ["known_message", "known_message", "added", "added", "added"]
    assert codes(brought(client, *items, dry_run=True)) == expected
    assert client.rows("select context_key from ai_memory_contexts") == [{"context_key": "talk"}]
    assert codes(brought(client, *items)) == expected
    assert messages(client, "new") == ["d", "d"]


def test_ten_thousand_messages_told_again_take_seconds(client: Client) -> None:
    history = said(*(("Yes.", ">No.")[n % 2] for n in range(9_999)))
    client.remember(*history)
    assert codes(client.remember(*history)) == ["known_message"] * 9_999
    assert codes(client.remember(*history, *said("Bye."))) == ["known_message"] * 9_999 + ["added"]
