"""Slots: one value at every instant, whoever writes, in whatever order it is told."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.database.conftest import Client, Rows, World

# Of any two values of a slot at one instant; of values that their successor did not end where it
# begins; of links over a value that stands between.
WRONG = """
with live as (
  select *, lead(id) over slots as next, lead(valid_from) over slots as next_from
  from ai_memories where slot is not null and forgotten_at is null
  window slots as (partition by organization_id, agent_id, slot, coalesce(user_id, '')
                   order by valid_from, created_at, id)
)
select l.content, 'overlaps' as wrong from live as l
join live as o on (o.organization_id, o.agent_id, o.slot, coalesce(o.user_id, ''))
                = (l.organization_id, l.agent_id, l.slot, coalesce(l.user_id, '')) and o.id <> l.id
 and tstzrange(o.valid_from, o.valid_to) && tstzrange(l.valid_from, l.valid_to)
union all
select l.content, 'skips its successor' from live as l
where exists (select from live as s where s.id = l.superseded_by)
  and (l.superseded_by, l.valid_to) is distinct from (l.next, l.next_from)
union all
select l.content, 'names no successor' from live as l
where l.valid_to = l.next_from and l.superseded_by is distinct from l.next
union all
select l.content, 'keeps an end that is its own' from live as l
where l.superseded_by is null and l.stated_valid_to is not null
"""


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def wrong(world: World) -> Rows:
    return world.connection.execute(WRONG.encode()).fetchall()


def stretch(content: str, begins: Any, ends: Any = None, **more: Any) -> dict[str, Any]:
    times = {"valid_from": f"{begins}-01-01", **({"valid_to": f"{ends}-01-01"} if ends else {})}
    return {"content": content, **times, **more}


def timeline(client: Client, slot: str) -> list[tuple[str, int, int | None]]:
    """The values that hold at some time, with the years in which they begin and end."""
    rows = client.rows(
        "select content, extract(year from valid_from at time zone 'UTC')::integer as begins,"
        " extract(year from valid_to at time zone 'UTC')::integer as ends from ai_memories"
        " where slot = %s and forgotten_at is null and valid_to is distinct from valid_from"
        " order by valid_from",
        slot,
    )
    return [(row["content"], row["begins"], row["ends"]) for row in rows]


def bring(client: Client, items: Iterable[dict[str, Any]], **options: Any) -> Rows:
    return client.rows(
        "select * from import_memories(%s, %s)",
        json.dumps(list(items)),
        options.get("dry_run", False),
    )


def update(client: Client, memory_id: object, **changes: Any) -> None:
    client.rows("select update_memory(%s, %s)", memory_id, json.dumps(changes))


def forget(client: Client, *ids: object) -> None:
    client.rows("select forget_memories(%s)", json.dumps({"ids": [str(each) for each in ids]}))


def restore(client: Client, *ids: object) -> None:
    client.rows("select restore_memories(%s)", json.dumps({"ids": [str(each) for each in ids]}))


# The order of telling -------------------------------------------------------------------------

TOLD = [
    stretch("Acme", 2018, 2020),
    stretch("Globex", 2019),
    stretch("Initech", 2022, 2023),
    stretch("Hooli", 2021, 2040),
    stretch("Acme", 2026),
]
LINE = [
    ("Acme", 2018, 2019), ("Globex", 2019, 2021), ("Hooli", 2021, 2022), ("Initech", 2022, 2023),
    ("Acme", 2026, None),
]  # fmt: skip


def test_values_remembered_in_any_order_give_one_timeline(world: World, client: Client) -> None:
    for number, order in enumerate(itertools.permutations(TOLD)):
        for item in order:
            [answer] = client.remember({**item, "slot": f"s{number}"})
            assert answer["status"] in ("added", "superseded")
        assert timeline(client, f"s{number}") == LINE
    assert wrong(world) == []


def test_values_remembered_at_once_give_the_same_timeline(world: World, client: Client) -> None:
    for number, order in enumerate(itertools.permutations(TOLD)):
        client.remember(*({**item, "slot": f"s{number}"} for item in order))
        assert timeline(client, f"s{number}") == LINE
    assert wrong(world) == []


def test_values_imported_in_any_order_give_one_timeline(world: World, client: Client) -> None:
    # Two that begin at once: the one that was created later holds.
    told = [TOLD[0], TOLD[2], stretch("Umbrella", 2019, 2020, created_at="2019-02-01"),
            stretch("Globex", 2019, created_at="2019-03-01")]  # fmt: skip
    line = [("Acme", 2018, 2019), ("Globex", 2019, 2022), ("Initech", 2022, 2023)]
    for number, order in enumerate(itertools.permutations(told)):
        whole, single = f"s{number}", f"t{number}"
        bring(client, ({**item, "slot": whole} for item in order))
        for item in order:
            bring(client, [{**item, "slot": single}])
        assert timeline(client, whole) == timeline(client, single) == line
    assert wrong(world) == []


def test_an_import_of_slots_can_be_repeated(client: Client) -> None:
    told = [{**item, "slot": "s", "created_at": "2026-02-01"} for item in TOLD]
    told.append(stretch("Later", 2019, created_at="2026-03-01", slot="s"))
    assert {row["status"] for row in bring(client, told)} <= {"added", "superseded"}
    before = client.ids()
    assert {row["status"] for row in bring(client, told)} == {"duplicate"}
    assert client.ids() == before


def test_an_export_of_a_slot_comes_in_in_any_order(world: World, client: Client) -> None:
    client.remember(*({**item, "slot": "s"} for item in TOLD))
    client.remember(stretch("Replaced", 2024, slot="s"), stretch("Replacing", 2024, slot="s"))
    expected = timeline(client, "s")
    rows = client.rows(
        "select id, agent_id, content, slot, valid_from, valid_to, created_at from ai_memories"
    )
    items = [{key: value and str(value) for key, value in row.items()} for row in rows]
    for number, order in enumerate(itertools.islice(itertools.permutations(items), 0, 5040, 97)):
        other = world.program(world.organization(f"copy {number}"))
        bring(other, order)
        assert timeline(other, "s") == expected
    assert wrong(world) == []


def test_a_stretch_of_the_past_is_no_duplicate_of_the_current_value(client: Client) -> None:
    [current] = client.remember(stretch("Acme", 2026, slot="s"))
    [past] = client.remember(stretch("Acme", 2018, 2020, slot="s"))
    assert (current["code"], past["code"]) == ("added", "past_value")
    assert timeline(client, "s") == [("Acme", 2018, 2020), ("Acme", 2026, None)]


def test_what_is_said_again_is_a_duplicate_while_it_holds(client: Client) -> None:
    say = {"content": "Acme", "slot": "s"}
    codes = [client.remember(item)[0]["code"] for item in (
        say, {**say, "content": " ACME "}, stretch("Acme", 2018, slot="s"),
        stretch("Acme", 2018, slot="s"), {**say, "visibility": "organization"},
        {**say, "content": "Globex"}, say, say)]  # fmt: skip
    assert codes == [
        "added", "same_text", "past_value", "same_text", "superseded", "superseded",
        "superseded", "same_text",
    ]  # fmt: skip


def test_what_ended_is_remembered_again(client: Client) -> None:
    client.remember(stretch("Acme", 2018, 2020, slot="s"))
    assert client.remember({"content": "Acme", "slot": "s"})[0]["status"] == "added"


def test_of_values_that_begin_at_once_the_one_told_later_holds(
    world: World, client: Client
) -> None:
    ids = [client.remember(stretch(text, 2020, slot="s"))[0]["id"] for text in "ABCA"]
    client.remember(*(stretch(text, 2020, slot="s", id=str(uuid.uuid4())) for text in "DEF"))
    assert timeline(client, "s") == [("F", 2020, None)]
    assert len(client.ids()) == len(ids) + 3
    assert wrong(world) == []


def test_a_value_from_now_on_keeps_to_one_that_lies_ahead(client: Client) -> None:
    client.remember(stretch("Planned", 2126, slot="s"))
    [now] = client.remember({"content": "Now", "slot": "s"})
    assert now["code"] == "added"
    client.remember({"content": "Next", "slot": "s"})
    assert [row[0] for row in timeline(client, "s")] == ["Now", "Next", "Planned"]
    [hit, *others] = client.recall("next now planned")
    assert (hit["content"], others) == ("Next", [])


def test_the_current_value_alone_is_recalled_and_the_one_of_then(client: Client) -> None:
    client.remember(*({**item, "slot": "s"} for item in TOLD))
    recalled = {
        year: [hit["content"] for hit in client.recall("Acme Globex Hooli", as_of=f"{year}-06-01")]
        for year in (2017, 2018, 2019, 2021, 2022, 2024, 2026)
    }
    assert recalled == {
        2017: [], 2018: ["Acme"], 2019: ["Globex"], 2021: ["Hooli"], 2022: ["Initech"], 2024: [],
        2026: ["Acme"],
    }  # fmt: skip


# Changing -------------------------------------------------------------------------------------


def test_the_end_of_a_value_moves_with_the_one_that_ended_it(world: World, client: Client) -> None:
    first, second = (
        client.remember(stretch(text, year, slot="s"))[0]["id"]
        for text, year in (("A", 2018), ("B", 2022))
    )
    for year, line in {
        2021: [("A", 2018, 2021), ("B", 2021, None)],
        2025: [("A", 2018, 2025), ("B", 2025, None)],
        2016: [("B", 2016, 2018), ("A", 2018, None)],
        2020: [("A", 2018, 2020), ("B", 2020, None)],
    }.items():
        update(client, second, valid_from=f"{year}-01-01")
        assert timeline(client, "s") == line
        assert wrong(world) == []
    changes = client.rows("select * from memory_history(%s)", first)
    assert {row["change"] for row in changes} == {"added", "superseded", "updated"}


def test_a_stated_end_comes_back_when_the_value_that_cut_it_moves(client: Client) -> None:
    client.remember(stretch("A", 2018, 2024, slot="s"))
    [cutting] = client.remember(stretch("B", 2020, slot="s"))
    assert timeline(client, "s") == [("A", 2018, 2020), ("B", 2020, None)]
    update(client, cutting["id"], valid_from="2030-01-01")
    assert timeline(client, "s") == [("A", 2018, 2024), ("B", 2030, None)]


def test_an_end_that_is_told_afterwards(world: World, client: Client) -> None:
    first = client.remember(stretch("A", 2018, slot="s"))[0]["id"]
    client.remember(stretch("B", 2022, slot="s"))
    update(client, first, valid_to="2020-01-01")
    assert timeline(client, "s") == [("A", 2018, 2020), ("B", 2022, None)]
    update(client, first, valid_to=None)
    assert timeline(client, "s") == [("A", 2018, 2022), ("B", 2022, None)]
    with pytest.raises(psycopg.Error) as refused:
        update(client, first, valid_to="2017-01-01")
    assert refused.value.sqlstate == "PM003"
    assert wrong(world) == []


def test_a_value_does_not_come_back_when_its_successor_is_forgotten(
    world: World, client: Client
) -> None:
    client.remember(stretch("A", 2018, slot="s"))
    second = client.remember(stretch("B", 2022, slot="s"))[0]["id"]
    forget(client, second)
    assert timeline(client, "s") == [("A", 2018, 2022)]
    assert client.recall("A B") == []
    client.remember(stretch("C", 2020, slot="s"))
    assert timeline(client, "s") == [("A", 2018, 2020), ("C", 2020, None)]
    restore(client, second)
    assert timeline(client, "s") == [("A", 2018, 2020), ("C", 2020, 2022), ("B", 2022, None)]
    assert wrong(world) == []


def test_a_restored_value_still_gives_its_predecessor_its_end(world: World, client: Client) -> None:
    client.remember(stretch("A", 2018, slot="s"))
    second = client.remember(stretch("B", 2022, slot="s"))[0]["id"]
    forget(client, second)
    restore(client, second)
    update(client, second, valid_from="2025-01-01")
    assert timeline(client, "s") == [("A", 2018, 2025), ("B", 2025, None)]
    forget(client, second)
    update(client, second, valid_from="2023-01-01")
    restore(client, second)
    assert timeline(client, "s") == [("A", 2018, 2023), ("B", 2023, None)]
    assert wrong(world) == []


def test_a_restored_value_takes_its_place_before_a_newer_one(world: World, client: Client) -> None:
    old = client.remember(stretch("Old", 2018, slot="s"))[0]["id"]
    forget(client, old)
    client.remember(stretch("New", 2020, slot="s"))
    restore(client, old)
    assert timeline(client, "s") == [("Old", 2018, 2020), ("New", 2020, None)]
    assert [hit["content"] for hit in client.recall("old new")] == ["New"]
    assert wrong(world) == []


def test_an_erased_value_leaves_the_ends_that_it_has_put(world: World, client: Client) -> None:
    for text, year in (("A", 2018), ("C", 2024)):
        client.remember(stretch(text, year, slot="s"))
    between = client.remember(stretch("B", 2022, slot="s"))[0]["id"]
    client.rows("select erase_memories(%s)", json.dumps({"ids": [str(between)]}))
    assert timeline(client, "s") == [("A", 2018, 2022), ("C", 2024, None)]
    assert wrong(world) == []


def test_what_was_forgotten_elsewhere_is_imported_beside_a_value(
    world: World, client: Client
) -> None:
    client.remember(stretch("A", 2018, slot="s"))
    bring(client, [stretch("B", 2019, slot="s", forgotten_at="2026-01-01")])
    assert timeline(client, "s") == [("A", 2018, None)]
    client.rows("select restore_memories(%s)", json.dumps({"agent_id": "default"}))
    assert timeline(client, "s") == [("A", 2018, 2019), ("B", 2019, None)]
    assert wrong(world) == []


# Who may --------------------------------------------------------------------------------------


def test_a_value_that_a_caller_may_not_change_is_neither_ended_nor_moved(world: World) -> None:
    organization = world.organization()
    ann = world.member(organization, "ann")
    head = world.member(organization, "head", "admin")
    told = {"agent_id": "default", "user_id": "ann", "slot": "s"}
    secret = ann.remember(stretch("Secret", 2020, 2021, visibility="private", **told))[0]["id"]
    for begins, ends in ((2018, None), (2018, 2019), (2020, None), (2022, None)):
        item = stretch("Open", begins, ends, visibility="organization", **told)
        assert head.remember(item)[0]["code"] == "not_permitted"
        for dry_run in (True, False):
            assert bring(head, [item], dry_run=dry_run)[0]["code"] == "not_permitted"
    update(ann, secret, visibility="organization")
    between = head.remember(stretch("Open", 2022, visibility="organization", **told))[0]["id"]
    update(ann, secret, visibility="private", valid_to=None)
    for change in ({"valid_from": "2023-01-01"}, {"valid_from": "2019-01-01"}):
        with pytest.raises(psycopg.Error) as refused:
            update(head, between, **change)
        assert refused.value.sqlstate == "PM002"
    forget(head, between)
    with pytest.raises(psycopg.Error) as refused:
        restore(head, between)
    assert refused.value.sqlstate == "PM002"
    assert str(between) in str(refused.value)
    assert wrong(world) == []


def test_a_service_that_writes_rows_itself_is_held_to_one_value(world: World) -> None:
    organization = world.organization()
    insert = (
        "insert into ai_memories (organization_id, agent_id, user_id, content, slot, valid_from,"
        " valid_to, forgotten_at) values (%s, %s, %s, 'x', %s, %s, %s, %s)"
    )

    def write(agent: str, user: str | None, slot: str | None, begins: int, ends: int | None,
              forgotten: str | None = None) -> None:  # fmt: skip
        with world.connection.transaction():
            world.connection.execute("set local role service_role")
            world.connection.execute(
                insert,
                (organization, agent, user, slot, f"{begins}-01-01", ends and f"{ends}-01-01",
                 forgotten),
            )  # fmt: skip

    write("a", "u", "s", 2020, 2022)
    write("a", "u", "s", 2022, None)
    write("a", "u", "s", 2021, 2021)
    write("a", "u", "s", 2021, None, "2026-01-01")
    write("a", "v", "s", 2020, None)
    write("a", None, "s", 2020, None)
    write("b", "u", "s", 2020, None)
    write("a", "u", "t", 2020, None)
    # The same letters, parted otherwise.
    write("a", "s", "u", 2020, None)
    write("as", None, "u", 2020, None)
    write("a", "u", None, 2020, None)
    write("a", "u", None, 2020, None)
    for begins, ends in ((2019, None), (2021, 2022), (2030, 2031), (2019, 2021)):
        with pytest.raises(psycopg.errors.ExclusionViolation):
            write("a", "u", "s", begins, ends)
    for change in ("valid_to = '2023-01-01'", "valid_to = null", "forgotten_at = null"):
        with pytest.raises(psycopg.errors.ExclusionViolation):
            world.connection.execute(
                f"update ai_memories set {change} where slot = 's' and user_id = 'u'"
                " and agent_id = 'a' and valid_to is distinct from valid_from".encode()
            )


# Writers at once ------------------------------------------------------------------------------


def at_once(dsn: str, claims: dict[str, Any], work: Sequence[Callable[[Client], None]]) -> None:
    """Each piece of work on a connection of its own, all begun together; raises what they raise."""
    ready = threading.Barrier(len(work))

    def run(each: Callable[[Client], None]) -> None:
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
            ready.wait()
            each(Client(connection, claims))

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, each) for each in work]:
            done.result()


@pytest.mark.parametrize("writers", [2, 4])
def test_writers_at_once_leave_one_timeline(
    world: World, client: Client, pgrecall_dsn: str, writers: int
) -> None:
    def write(number: int) -> Callable[[Client], None]:
        def run(own: Client) -> None:
            for turn in range(25):
                year = 2000 + (turn * 7 + number * 3) % 30
                # Slots without a value, values from now on, and values of the past between others.
                own.remember(
                    {"content": f"{number}: {turn}", "slot": f"new {turn}"},
                    {"content": f"{number}: {turn}", "slot": "now"},
                    stretch(f"{number}: {turn}", year, slot="past"),
                )

        return run

    at_once(pgrecall_dsn, client.claims, [write(number) for number in range(writers)])
    assert wrong(world) == []
    counts = client.rows(
        "select slot like 'new%%' as is_new, count(*) as n,"
        " count(*) filter (where valid_to is null) as current"
        " from ai_memories where slot <> 'past' group by 1 order by 1"
    )
    assert [(row["n"], row["current"]) for row in counts] == [(25 * writers, 1), (25 * writers, 25)]


def test_writers_movers_and_restorers_at_once(
    world: World, client: Client, pgrecall_dsn: str
) -> None:
    ids = [
        client.remember(stretch(f"V{year}", year, slot="s"))[0]["id"] for year in range(2000, 2020)
    ]
    forget(client, *ids[::4])

    def retried(do: Any, *arguments: Any, **named: Any) -> None:
        while True:
            try:
                do(*arguments, **named)
            except psycopg.errors.DeadlockDetected:
                continue
            except psycopg.Error as error:
                # It was erased, or has an end of its own that lies before.
                if error.sqlstate not in ("PM003", "PM004"):
                    raise
            return

    def write(own: Client) -> None:
        for year in range(2000, 2020):
            retried(own.remember, stretch(f"W{year}", f"{year}", slot="s"))

    def move(own: Client) -> None:
        for place, each in enumerate(ids):
            retried(update, own, each, valid_from=f"{2000 + place * 7 % 20}-06-01")

    def come_and_go(own: Client) -> None:
        for each in ids[::4]:
            retried(restore, own, each)
        for each in ids[1::4]:
            retried(forget, own, each)
            retried(restore, own, each)

    def erase(own: Client) -> None:
        for each in ids[2::4]:
            scope = json.dumps({"ids": [str(each)]})
            retried(own.rows, "select erase_memories(%s)", scope)

    at_once(pgrecall_dsn, client.claims, [write, move, come_and_go, erase])
    assert wrong(world) == []
