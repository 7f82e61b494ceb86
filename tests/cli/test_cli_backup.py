"""pgrecall backup, pgrecall restore."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

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
