"""pgrecall stats."""

from __future__ import annotations

import contextlib
import json
import os
import pty

from tests.cli.conftest import Shell


def test_what_was_done_is_shown(shell: Shell) -> None:
    shell.run("remember", "Tea is green.")
    shell.run("remember", "Tea is green.", "--agent", "other")
    shell.run("recall", "tea")
    result = shell.run("stats")
    assert result.exit_code == 0, result.stderr
    header, *rows = [line.split() for line in result.stdout.splitlines()]
    assert header[:4] == ["since", "agent", "added", "recalls"]
    assert [row[1:4] for row in rows[:2]] == [["default", "1", "1"], ["other", "1", "0"]]
    assert rows[2][:3] == ["total", "2", "1"]


def test_as_json(shell: Shell) -> None:
    shell.run("remember", "Tea is green.")
    shell.run("recall", "tea")
    found = shell.json("stats", "--by", "total", "--agent", "default")
    assert [row["added"] for row in found["rows"]] == [1]
    assert found["total"]["recalls"] == 1
    assert found["total"]["p50"] > 0


def test_nothing_yet(shell: Shell) -> None:
    result = shell.run("stats", "--until", "2020-01-01")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing was counted" in result.stderr


def test_a_wrong_period(shell: Shell) -> None:
    result = shell.run("stats", "--by", "week")
    assert result.exit_code == 2
    assert "hour, day, total" in result.stderr


def test_counts_of_another_organization_are_not_shown(shell: Shell) -> None:
    shell.run("remember", "Tea is green.", "--organization", "one")
    assert json.loads(shell.run("stats", "--organization", "two", "--json").stdout)["rows"] == []


def test_the_live_view_is_printed_once_into_a_pipe(shell: Shell) -> None:
    shell.run("remember", "Tea is green.")
    shell.run("recall", "tea")
    result = shell.run("stats", "--live")
    assert result.exit_code == 0, result.stderr
    assert "recalls 1.0" in result.stdout
    assert "added 1.0" in result.stdout
    assert "public.ai_memories" in result.stdout
    seen = shell.json("stats", "--live")
    assert seen["is_up"] and seen["rows"]["counts"][0]["added"] == 1


def test_the_live_view_refreshes_until_q(shell: Shell) -> None:
    shell.run("remember", "Tea is green.")
    ours, theirs = pty.openpty()
    process = shell.process(
        "stats", "--live", "--interval", "0.2", stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    # What is shown first are sums; a refresh shows rates.
    while b"a second: " not in shown:
        shown += os.read(ours, 65536)
    os.write(ours, b"q")
    with contextlib.suppress(OSError):
        while chunk := os.read(ours, 65536):
            shown += chunk
    assert process.wait(30) == 0
    assert b"in all: " in shown
    os.close(ours)
