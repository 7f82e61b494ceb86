"""pgrecall config get, set, diff, history."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Shell


def values(document: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    return {each["name"]: (each["value"], each["source"]) for each in document["settings"]}


def test_settings_and_where_they_come_from(shell: Shell) -> None:
    shell.json("config", "set", "--organization-default", "limit=20", "weights.recency=0.5")
    after = values(shell.json("config", "set", "limit=5", "half_life=P30D", "language=german"))
    assert after == {
        "half_life": (30, "agent"),
        "language": ("german", "agent"),
        "limit": (5, "agent"),
    }
    got = shell.json("config", "get")
    assert got["agent_id"] == "default"
    assert values(got)["weights.recency"] == (0.5, "organization")
    assert values(got)["token_budget"] == (1200, "built in")
    assert values(shell.json("config", "get", "--organization-default"))["limit"][0] == 20
    assert values(shell.json("config", "get", "limit", "--agent", "other"))["limit"][0] == 20


def test_null_removes_a_setting(shell: Shell) -> None:
    shell.json("config", "set", "limit=5", "weights.recency=2")
    after = values(shell.json("config", "set", "limit=null", "weights.recency=null"))
    assert {source for _, source in after.values()} == {"built in"}


def test_settings_in_text(shell: Shell) -> None:
    result = shell.run("config", "set", "limit=5", 'retention={"max_age": {"message": 30}}')
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["limit", "5", "(agent)"],
        ["retention.max_age.message", "30", "(agent)"],
    ]
    assert shell.run("config", "get", "visibility").stdout.split() == [
        "visibility", "nothing", "(built", "in)",
    ]  # fmt: skip
    assert len(shell.run("config", "get", "weights").stdout.splitlines()) > 5


def test_what_differs(shell: Shell) -> None:
    result = shell.run("config", "diff")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "nothing differs from what is built in" in result.stderr
    shell.json("config", "set", "limit=5", "token_budget=1200")
    assert shell.run("config", "diff").stdout.split() == [
        "limit", "5", "(agent,", "built", "in", "10)",
    ]  # fmt: skip
    [only] = shell.json("config", "diff")["settings"]
    assert (only["name"], only["value"], only["built_in"]) == ("limit", 5, 10)


def test_who_changed_what(shell: Shell) -> None:
    shell.json("config", "set", "limit=5")
    shell.json("config", "set", "--organization-default", "limit=20")
    first, second = shell.json("config", "history")["changes"]
    assert (first["changed_by"], first["after"]) == ("agent:default", {"limit": 5})
    assert second["agent_id"] is None
    one, two = shell.run("config", "history").stdout.splitlines()
    assert one.endswith("agent default  limit: nothing → 5  by agent:default")
    assert "all agents  limit: nothing → 20" in two
    assert len(shell.json("config", "history", "--organization-default")["changes"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "limit"), "is not NAME=VALUE"),
        (("set", "limit="), "is not NAME=VALUE"),
        (("set", "limit=0"), "limit must be from 1 to 1,000"),
        (("set", "colour=red"), "unknown setting 'colour'"),
        (("set", "weights.smell=1"), 'unknown signal "smell"'),
        (("set", "weights=1", "weights.recency=1"), "stands inside of what is given as a whole"),
        (("set", "language=klingon"), "no text search configuration"),
        (("get", "colour"), "there is no setting 'colour'"),
    ],
)
def test_what_is_refused(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    result = shell.run("config", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_recall_and_prompt_obey(shell: Shell) -> None:
    shell.json("remember", *(f"tea {number}" for number in range(12)))
    shell.json("config", "set", "limit=3", "token_budget=120")
    found = shell.json("recall", "tea")
    assert (len(found["hits"]), found["token_budget"]) == (3, 120)
    assert len(shell.json("recall", "tea", "--limit", "11")["hits"]) == 11
    assert 0 < len(shell.run("recall", "tea", "--as-prompt").stdout) <= 480
