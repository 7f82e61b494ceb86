"""pgrecall export, pgrecall import."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from pgrecall.cli import import_
from tests.cli.conftest import Shell


@pytest.fixture
def told(shell: Shell) -> Shell:
    """A shell on a database with a few memories."""
    shell.json("remember", "Green tea.", "Black tea.", "--user", "maria")
    shell.json("remember", "Rain.", "--agent", "gardener", "--visibility", "organization")
    return shell


def test_out_and_in_again(told: Shell, tmp_path: Path) -> None:
    file = tmp_path / "memories.jsonl"
    result = told.run("export", str(file))
    assert (result.stdout, result.exit_code) == (f"3 memories in {file}\n", 0)
    assert file.stat().st_mode & 0o777 == 0o600
    result = told.run("import", str(file), "--organization", "other")
    # What other agents remembered is written as each of them.
    assert (result.stdout, result.exit_code) == ("3 added\n", 0)
    assert "reading: memories.jsonl, as pgrecall" in result.stderr
    assert told.run("import", str(file), "--organization", "other").stdout == "3 duplicate\n"
    found = told.json("recall", "rain", "--agent", "gardener", "--organization", "other")
    assert [hit["agent_id"] for hit in found["hits"]] == ["gardener"]


def test_the_format_follows_the_name_or_is_told(told: Shell, tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet", "a.anything"):
        assert told.json("export", str(tmp_path / name))["memories"] == 3
    said = told.json("export", str(tmp_path / "b"), "--format", "csv", "--user", "maria")
    assert said == {"file": str(tmp_path / "b"), "format": "csv", "memories": 2}
    assert (tmp_path / "a.csv").read_text().startswith("id,organization_id,agent_id,")
    assert (tmp_path / "a.parquet").read_bytes().startswith(b"PAR1")
    for number, name in enumerate(("a.csv", "a.parquet", "a.anything")):
        done = told.run("import", str(tmp_path / name), "--organization", f"other {number}")
        assert done.stdout == "3 added\n"
    done = told.run("import", str(tmp_path / "b"), "--from", "csv", "--organization", "third")
    assert done.stdout == "2 added\n"


def test_a_large_file_builds_its_indexes_afterwards(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.json("remember", "Green tea.")
    dsn = shell.environment["DATABASE_URL"]
    asked = "select 'public.ai_memories_sample_idx'::regclass::oid::bigint"
    with psycopg.connect(dsn) as connection:
        before = connection.execute(asked).fetchall()
    file = tmp_path / "many.jsonl"
    file.write_text("".join(f'{{"content": "Note {number}."}}\n' for number in range(30)))
    assert shell.run("import", str(file)).stdout == "30 added\n"
    with psycopg.connect(dsn) as connection:
        assert connection.execute(asked).fetchall() == before
    monkeypatch.setattr(import_, "LARGE", 100)
    assert shell.run("import", str(file), "--organization", "other").stdout == "30 added\n"
    with psycopg.connect(dsn) as connection:
        assert connection.execute(asked).fetchall() != before
        [row] = connection.execute(
            "select action, state, place, unbuilt_indexes from agent_memory.backups"
        ).fetchall()
    assert row == ("import", "done", "many.jsonl, as pgrecall", [])


def test_streams(told: Shell) -> None:
    result = told.run("export", "-", "--user", "maria")
    assert "2 memories" in result.stderr
    lines = result.stdout_bytes.splitlines()
    assert [json.loads(line)["content"] for line in lines] == ["Green tea.", "Black tea."]
    done = told.run("import", "-", "--organization", "other", stdin=result.stdout_bytes)
    assert done.stdout == "2 added\n"
    assert "reading: standard input, as pgrecall" in done.stderr


def test_a_dry_run_writes_nothing_and_says_why_not(shell: Shell, tmp_path: Path) -> None:
    file, report = tmp_path / "mixed.jsonl", tmp_path / "report.jsonl"
    file.write_text('{"content": "Tea."}\n{"content": " "}\n{"content": "Tea.", "kind": "x"}\nx\n')
    result = shell.run("import", str(file), "--dry-run", "--report", str(report))
    assert (result.stdout, result.exit_code) == ("would be: 1 added, 3 rejected\n", 1)
    assert "rejected line 2: content is empty" in result.stderr
    assert "rejected line 3: kind must be one of" in result.stderr
    assert "rejected line 4: no JSON" in result.stderr
    assert [json.loads(line)["status"] for line in report.read_text().splitlines()] == [
        "added", "rejected", "rejected", "rejected",
    ]  # fmt: skip
    assert shell.json("list")["items"] == []
    result = shell.run("import", str(file), "--json", "--user", "maria", "--context", "tea time")
    document = json.loads(result.stdout)
    assert document["counts"] == {"added": 1, "rejected": 3}
    assert [each["position"] for each in document["rejected"]] == ["line 2", "line 3", "line 4"]
    [item] = shell.json("list")["items"]
    assert (item["user_id"], item["context_key"]) == ("maria", "tea time")


def test_of_many_refusals_some_are_shown(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("x\n" * 30)
    result = shell.run("import", str(file))
    assert result.stdout == "30 rejected\n"
    assert "and 10 more; --report FILE has them all" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("export", "x.jsonl", "--format", "xml"), 2, "the format must be one of jsonl, csv, parq"),
        (("export", "nowhere/x.jsonl"), 2, "No such file or directory"),
        (("export", "x.jsonl", "--kind", "dream"), 2, "kinds must be one of"),
        (("export", "x.jsonl", "--since", "soon"), 2, "since must be a time"),
        (("import", "x.jsonl"), 2, "No such file or directory"),
        (("import", "{file}", "--from", "nobody"), 2, "--from must be one of pgrecall, csv"),
        (("import", "{file}", "--from", "csv"), 2, "the CSV file has no column content"),
        (("import", "{file}", "--from", "parquet"), 2, "this is no Parquet file"),
    ],
)
def test_what_can_not_be_done(
    shell: Shell, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    file = tmp_path / "empty"
    file.write_text("x\n")
    result = shell.run(*(each.format(file=file) for each in arguments))
    assert said in result.stderr
    assert (result.exit_code, result.stdout) == (code, "")
    assert list(tmp_path.iterdir()) == [file]


def test_an_interrupted_import_says_how_to_go_on(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    with file.open("w") as stream:
        for number in range(50_000):
            stream.write(json.dumps({"content": f"memory {number}"}) + "\n")
    report = tmp_path / "report.jsonl"
    running = shell.process("import", str(file), "--report", str(report))
    while not (report.exists() and report.stat().st_size):
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "run it again to go on" in stderr
    assert "Traceback" not in stderr
