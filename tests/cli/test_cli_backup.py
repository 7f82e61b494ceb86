"""pgrecall backup, pgrecall restore."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pgrecall.domain.identity import organization_uuid
from tests.cli.conftest import Shell

DEFAULT = organization_uuid("default")
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def told(shell: Shell) -> Shell:
    """A shell on a database with two memories of Maria."""
    shell.json("remember", "one", "two", "--user", "maria", "--context", "thread")
    return shell


def test_a_backup_and_its_restore(told: Shell, tmp_path: Path) -> None:
    made = told.json("backup", "default.tar")
    assert made["place"] == "default.tar"
    assert made["bytes"] == (tmp_path / "default.tar").stat().st_size
    put = told.json("restore", "default.tar", "--as-organization", "copy")
    assert (put["organization"], put["added"], put["skipped"]) == ("copy", made["rows"], 0)
    found = told.json("list", "--organization", "copy")["items"]
    assert {item["content"] for item in found} == {"one", "two"}


def test_what_people_read(told: Shell) -> None:
    result = told.run("backup", "create", "default.tar")
    assert re.fullmatch(r"default\.tar: \d+ rows of default, [\d,]+ bytes\n", result.stdout)
    assert "not encrypted" in result.stderr
    result = told.run("restore", "default.tar", "--as-organization", "copy")
    assert re.fullmatch(r"(\d+) of \1 rows restored to copy\n", result.stdout)


def test_exit_codes(told: Shell, tmp_path: Path) -> None:
    assert told.run("restore").exit_code == 2
    assert told.run("restore", "nothing.tar").exit_code == 3
    assert told.run("backup", "x.tar", "--organization", "nobody").exit_code == 3
    told.json("backup", "default.tar")
    assert told.run("backup", "default.tar").exit_code == 7
    assert told.run("restore", "default.tar").exit_code == 7
    (tmp_path / "default.tar").write_bytes(b"no backup")
    result = told.run("restore", "default.tar")
    assert result.exit_code == 8
    assert "error PM551: the file is truncated" in result.stderr


def test_the_examples_of_the_docs_read_a_backup(told: Shell) -> None:
    told.json("backup", "default.tar")
    text = (DOCS / "backup.md").read_text("utf-8")
    [python] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    printed = subprocess.run([sys.executable, "-c", python], capture_output=True, check=True)
    assert {line.split()[-1] for line in printed.stdout.splitlines()} == {b"one", b"two"}
    [shell] = re.findall(r"```sh\n(tar xf .*?)\| jq", text, re.DOTALL)
    lines = subprocess.run(shell, shell=True, capture_output=True, check=True).stdout.splitlines()
    assert {json.loads(line)["content"] for line in lines} == {"one", "two"}


def test_a_folder_its_newest_is_verified_and_the_rest_is_pruned(
    told: Shell, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    for day in range(1, 29):
        folder.mkdir(exist_ok=True)
        (folder / f"default-{DEFAULT}-202610{day:02}T030000Z.tar").write_bytes(b"old")
    (folder / "notes.txt").write_text("mine")
    made = told.json("backup", "backups/")
    assert re.fullmatch(rf"backups/default-{DEFAULT}-\d{{8}}T\d{{6}}Z\.tar", made["place"])
    checked = told.json("backup", "verify", "backups")
    assert (checked["place"], checked["rows"]) == (made["place"], made["rows"])
    keep = ("--keep-daily", "3", "--keep-weekly", "2", "--keep-monthly", "2")
    planned = told.json("backup", "prune", "backups", *keep, "--dry-run")
    assert len(list(folder.iterdir())) == 30
    done = told.json("backup", "prune", "backups", *keep)
    assert done["deleted"] == planned["deleted"]
    left = {each.name for each in folder.iterdir()}
    assert left == {*done["kept"], "notes.txt"}
    assert Path(made["place"]).name in left
    entries = told.json("backup", "list")["entries"]
    assert [(each["action"], each["state"]) for each in entries] == [
        ("verification", "done"),
        ("backup", "done"),
    ]
    assert "verification  done" in told.run("backup", "list").stdout


def test_schedules_are_files_that_cron_and_systemd_take(told: Shell, tmp_path: Path) -> None:
    keep = ("--keep-daily", "5", "--organization", "an org")
    text = told.run("backup", "schedule", "cron", "/var/backups/x y", *keep).stdout
    [daily, weekly] = [line for line in text.splitlines() if line[:1].isdigit()]
    assert daily.startswith("15 3 * * * root ")
    assert "backup create '/var/backups/x y/' --organization 'an org' && " in daily
    assert "backup prune '/var/backups/x y/' --keep-daily 5 --keep-weekly 4" in daily
    assert "backup verify '/var/backups/x y/'" in weekly
    # What it runs, runs.
    command = f"{sys.executable} -c 'from pgrecall.cli.main import main; main()'"
    (tmp_path / "environment").write_text(
        "".join(f"{name}='{value}'\n" for name, value in told.environment.items())
    )
    options = ("--command", command, "--environment", str(tmp_path / "environment"))
    text = told.run("backup", "schedule", "cron", str(tmp_path / "b"), *options).stdout
    for line in text.splitlines():
        if line[:1].isdigit():
            line = line.split(" root ")[1]
            subprocess.run(["sh", "-c", line], check=True, capture_output=True)
    assert len(list((tmp_path / "b").iterdir())) == 1
    files = told.json("backup", "schedule", "systemd", "/b", "--whole")["files"]
    assert set(files) == {
        f"pgrecall-{name}.{kind}" for name in ("backup", "verify") for kind in ("service", "timer")
    }
    assert "ExecStart=pgrecall backup create /b/ --whole\n" in files["pgrecall-backup.service"]
    assert "OnCalendar=" in files["pgrecall-verify.timer"]
    assert told.run("backup", "schedule", "at", "/b").exit_code == 2
