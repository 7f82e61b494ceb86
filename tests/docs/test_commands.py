"""Every command and every piece of Python that README and docs show is run, page by page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import typer
from typer.main import get_command

from pgrecall.cli.commands import DeferredCommand
from pgrecall.cli.main import app
from tests.docs.exceptions import ASKING, EXCEPTIONS, EXITS, PAGE_EXCEPTIONS
from tests.docs.pages import PAGES, ROOT, Example, calls, examples

SHOWN = [example for page in PAGES for example in examples(page)]
COMMANDS = [example for example in SHOWN if not example.is_python]
# typer brings a click of its own, which it doesn't show.
USAGE: type[Exception] = typer.BadParameter.__mro__[1]
# What a page takes for granted.
PRELUDES = {"erasure.md": "from pgrecall import Memory\nmemory = Memory()\n"}
CHAT = "13/11/26, 10:15 - Maria: Is the blue one in stock?\n13/11/26, 10:16 - Paul: Yes.\n"
CONVERSATION = {
    "title": "Tea", "conversation_id": "c", "current_node": "b", "mapping": {
        "a": {"parent": None, "message": None},
        "b": {"parent": "a", "message": {
            "id": "b", "author": {"role": "user"}, "create_time": 1714979280.0,
            "content": {"content_type": "text", "parts": ["Which tea?"]}}},
    },
}  # fmt: skip
BEFORE = """
from pgrecall import Memory
with Memory() as memory:
    memory.remember("I'm vegetarian.", user_id="maria")
"""
FILES = {
    "conversations.json": json.dumps([CONVERSATION]),
    "WhatsApp Chat with Paul.txt": CHAT,
    "support.log": "Maria: Hi.\nHal: Hello.\n",
}


def is_excepted(example: Example) -> bool:
    return example.page in PAGE_EXCEPTIONS or (example.page, example.first_line) in EXCEPTIONS


@pytest.mark.parametrize("example", COMMANDS, ids=lambda e: f"{e.page}: {e.first_line}")
def test_a_command_has_its_options(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in calls(example.text):
        parse(get_command(app), "pgrecall", arguments)


def parse(command: Any, name: str, arguments: list[str]) -> None:
    """Whether the command takes the arguments; files need not be there."""
    if isinstance(command, DeferredCommand):
        command = command.load()
    try:
        context = command.make_context(name, list(arguments))
        nested = getattr(command, "commands", None)
        if nested:
            first, *rest = [*context._protected_args, *context.args]
            assert first in nested, f"{name} has no command {first}"
            parse(nested[first], f"{name} {first}", rest)
    except typer.BadParameter as error:
        assert "does not exist" in error.format_message(), error.format_message()
    except typer.Exit as done:
        assert done.exit_code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_compiles(page: Path) -> None:
    for example in examples(page):
        if example.is_python:
            compile(example.text, example.page, "exec")


def test_a_wrong_option_would_be_noticed() -> None:
    for arguments in (["list", "--usr", "maria"], ["server", "pitr", "enabel"]):
        with pytest.raises((USAGE, AssertionError)):
            parse(get_command(app), "pgrecall", arguments)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder outside of pytest's own, which the embedded server's account may not enter."""
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        yield Path(folder)


RUN = [page for page in PAGES if not all(map(is_excepted, examples(page)))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_a_page_runs(page: Path, home: Path) -> None:
    work = home / "work"
    work.mkdir()
    for name, text in FILES.items():
        (work / name).write_text(text)
    environment = environment_of(home)
    # As after the first use: the schema is there, and somebody is remembered.
    first = [sys.executable, "-c", BEFORE]
    subprocess.run(first, cwd=work, env=environment, check=True, timeout=300)
    imports = PRELUDES.get(page.name, "")
    for example in examples(page):
        if is_excepted(example):
            continue
        if example.is_python:
            argv = [sys.executable, "-c", imports + example.text]
            imports += "".join(re.findall(r"^(?:from|import) .*\n", example.text, re.MULTILINE))
        else:
            is_asking = example.first_line in ASKING
            line = f"{example.first_line} --yes" if is_asking else example.text
            argv = ["bash", "-euo", "pipefail", "-c", line]
        done = subprocess.run(
            argv, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=300,
        )  # fmt: skip
        said = f"{example.text}\n{done.stdout}\n{done.stderr}"
        assert done.returncode in allowed(example), said


def environment_of(home: Path) -> dict[str, str]:
    """That of a reader who has just installed pgrecall, and has no embedder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PGRECALL_") and name != "DATABASE_URL"
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    own = {"PATH": path, "HOME": str(home), "PGRECALL_HOME": str(home / "data")}
    # A model takes longer to load than a command to run; what needs one names it.
    return {**kept, **own, "PGRECALL_EMBEDDER": "none"}


def allowed(example: Example) -> set[int]:
    for beginning, exits in EXITS.items():
        if example.text.startswith(beginning):
            return exits
    return {0}


def test_every_exception_is_needed_by_a_page() -> None:
    shown = {(example.page, example.first_line) for example in SHOWN}
    assert set(EXCEPTIONS) <= shown
    assert {first_line for _, first_line in shown} >= ASKING
    assert set(PAGE_EXCEPTIONS) <= {example.page for example in SHOWN}
    assert len(EXCEPTIONS) < len(SHOWN) / 3


def test_the_index_names_every_chapter() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    named = set(re.findall(r"\]\(([\w-]+\.md)", index))
    assert named == {page.name for page in PAGES if page.name != "README.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link
