"""update_memory() and restore_memories() where the same text was remembered twice."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World
from tests.database.test_slots import forget, restore, update

ENDED = {"valid_from": "2020-01-01", "valid_to": "2021-01-01"}


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


@pytest.mark.parametrize("ended", [ENDED, {"expires_at": "2021-01-01"}])
def test_an_update_to_words_that_only_an_ended_memory_has(
    client: Client, ended: dict[str, Any]
) -> None:
    client.remember({"content": "Likes tea.", **ended})
    [other] = client.remember({"content": "Likes milk."})
    update(client, other["id"], content="Likes tea.")
    assert client.remember({"content": "likes TEA."})[0]["id"] == other["id"]
    [hit] = client.recall("likes tea")
    assert hit["id"] == other["id"]


def test_an_update_to_words_that_a_memory_of_now_has(client: Client) -> None:
    client.remember({"content": "Likes tea."})
    [other] = client.remember({"content": "Likes milk."})
    with pytest.raises(psycopg.Error) as refused:
        update(client, other["id"], content="Likes tea.")
    assert refused.value.sqlstate == "PM007"


def test_what_ended_may_not_hold_again_beside_the_same_text(client: Client) -> None:
    [ended] = client.remember({"content": "Likes tea.", **ENDED})
    client.remember({"content": "Likes tea."})
    with pytest.raises(psycopg.Error) as refused:
        update(client, ended["id"], valid_to=None)
    assert refused.value.sqlstate == "PM007"


def test_a_restore_names_the_memory_that_can_not_come_back(client: Client) -> None:
    told = client.remember({"content": "Likes tea."}, {"content": "Likes milk."})
    forget(client, *(each["id"] for each in told))
    client.remember({"content": "Likes milk."})
    with pytest.raises(psycopg.Error) as refused:
        client.rows("select restore_memories(%s)", json.dumps({"agent_id": "default"}))
    assert refused.value.sqlstate == "PM007"
    assert str(told[1]["id"]) in str(refused.value)
    restore(client, told[0]["id"])


def test_what_was_restored_gives_way_to_nothing_that_ended(client: Client) -> None:
    [ended, again] = (
        client.remember({"content": "Likes tea.", **times})[0]["id"] for times in (ENDED, {})
    )
    forget(client, ended, again)
    restore(client, again)
    restore(client, ended)
    assert client.remember({"content": "Likes tea."})[0]["id"] == again
