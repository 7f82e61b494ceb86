"""pgrecall embeddings status, backfill, switch, drop."""

from __future__ import annotations

import os
import pty
import signal

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.embedding import default_embedder
from pgrecall.testing import HashingEmbedder
from tests.cli.conftest import Shell

OLD = HashingEmbedder()
LOCAL = default_embedder().model


@pytest.fixture
def told(shell: Shell, pgrecall_dsn: str) -> Shell:
    """A shell on a database with three memories that have vectors of a model."""
    with Memory(pgrecall_dsn, embedder=OLD) as memory:
        memory.remember(["Green tea.", "Black tea.", "Rain."])
    with psycopg.connect(pgrecall_dsn) as connection:
        row = connection.execute("select agent_memory.has_vector()").fetchone()
    if row != (True,):
        pytest.skip("this server has no pgvector")
    return shell


def states(shell: Shell) -> list[tuple[str, str, int, int]]:
    models = shell.json("embeddings", "status")["models"]
    return [(m["model"], m["state"], m["vectors"], m["missing"]) for m in models]


def test_a_model_is_filled_in_switched_to_and_the_former_one_dropped(told: Shell) -> None:
    result = told.run("embeddings", "backfill", "--embedder", "local")
    assert result.stdout == f"3 memories got a vector of {LOCAL}\n"
    assert f"next: pgrecall embeddings switch {LOCAL}" in result.stderr
    assert states(told) == [(OLD.model, "current", 3, 0), (LOCAL, "next", 3, 0)]
    result = told.run("embeddings", "switch", LOCAL)
    assert result.stdout == f"agent default uses {LOCAL} (before: {OLD.model})\n"
    assert states(told) == [(LOCAL, "current", 3, 0), (OLD.model, "former", 3, 0)]
    assert told.run("embeddings", "drop", OLD.model).stdout == f"3 vectors of {OLD.model} dropped\n"
    assert states(told) == [(LOCAL, "current", 3, 0)]


def test_json_of_each(told: Shell) -> None:
    filled = told.json("embeddings", "backfill", "--embedder", "local")
    assert (filled["model"], filled["stored"], filled["missing"]) == (LOCAL, 3, 0)
    assert told.json("embeddings", "switch", LOCAL)["former"] == OLD.model
    assert told.json("embeddings", "drop", OLD.model)["vectors"] == 3
    [model] = told.json("embeddings", "status")["models"]
    assert model == {
        "agent_id": "default",
        "model": LOCAL,
        "dimension": 384,
        "state": "current",
        "memories": 3,
        "vectors": 3,
        "missing": 0,
        "changed_at": None,
    }


def test_status_is_a_table(told: Shell) -> None:
    told.json("remember", "No vector.")
    lines = told.run("embeddings", "status").stdout.splitlines()
    assert lines[0].split() == ["model", "state", "dimension", "vectors", "missing"]
    assert lines[1].split() == [OLD.model, "current", "64", "3", "1"]


def test_status_without_vectors_or_memories(told: Shell) -> None:
    nothing = told.run("embeddings", "status", "--agent", "other")
    assert (nothing.stdout, nothing.exit_code) == ("", 0)
    assert "nothing is remembered yet" in nothing.stderr
    told.json("remember", "By words alone.", "--agent", "other")
    assert "(text alone)" in told.run("embeddings", "status", "--agent", "other").stdout


def test_a_switch_is_refused_while_vectors_are_missing(told: Shell) -> None:
    told.json("embeddings", "backfill", "--embedder", "local")
    told.json("remember", "No vector.")
    result = told.run("embeddings", "switch", LOCAL)
    assert result.exit_code == 7
    assert (
        f"error PM007: 1 of 4 memories of agent default have no vector of {LOCAL}" in result.stderr
    )
    allowed = told.run("embeddings", "switch", LOCAL, "--allow-missing", "1")
    assert allowed.exit_code == 0
    assert "1 memory of 4 lack a vector of it: run backfill again" in allowed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("backfill",), 2, "error PM501: this client has no embedder"),
        (("backfill", "--embedder", "nobody's"), 2, "There is no embedder"),
        (("switch", "other"), 3, "error PM004: agent default has no model other"),
        (("drop", "other"), 3, "error PM004: agent default has no model other"),
        (("drop", OLD.model), 7, "is the model that agent default uses"),
        (("switch", OLD.model, "--allow-missing", "-1"), 2, "--allow-missing"),
    ],
)
def test_what_can_not_be_done(
    told: Shell, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = told.run("embeddings", *arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""


def test_an_interrupted_backfill_says_how_to_go_on(
    told: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pgrecall.cli.output.Bar.__call__", interrupt)
        result = told.run("embeddings", "backfill", "--embedder", "local")
    assert result.exit_code == 130
    assert "interrupted after 3 memories; run it again to go on" in result.stderr
    assert states(told)[1] == (LOCAL, "next", 3, 0)


def test_ctrl_c_leaves_what_was_stored(told: Shell, pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=OLD) as memory:
        memory.remember([f"On day {n} it rained on the garden." for n in range(3000)])
        running = told.process("embeddings", "backfill", "--embedder", "local")
        while sum(m.vectors for m in memory.embeddings.status() if m.model == LOCAL) == 0:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=60)
        assert running.returncode == 130, stderr
        assert "run it again to go on" in stderr
        assert "Traceback" not in stderr
        [left] = [m.missing for m in memory.embeddings.status() if m.model == LOCAL]
        assert 0 < left < 3003


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 2), ("y", 0, 1)])
def test_a_terminal_is_asked_before_vectors_are_dropped(
    told: Shell, answer: str, code: int, left: int
) -> None:
    told.json("embeddings", "backfill", "--embedder", "local")
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        running = told.process("embeddings", "drop", LOCAL, stdin=theirs)
        _, stderr = running.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert f"Drop 3 vectors of {LOCAL}? [y/N]: " in stderr
    assert running.returncode == code
    assert len(states(told)) == left
