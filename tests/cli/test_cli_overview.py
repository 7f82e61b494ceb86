"""The overview, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command

from pgrecall import errors
from pgrecall.cli.commands import DeferredCommand
from pgrecall.cli.exit_codes import MEANINGS, exit_code
from pgrecall.cli.main import app
from tests.cli.conftest import Shell

COMMANDS: dict[str, DeferredCommand] = get_command(app).commands  # type: ignore[attr-defined]


def test_help_names_every_command_and_exit_code() -> None:
    result = Shell().run("--help")
    assert result.exit_code == 0
    for name in ("demo", "remember", "recall", "list", "history", "forget", "backup", "restore"):
        assert f" {name} " in result.stdout
    for code, meaning in MEANINGS.items():
        assert f"{code}  {meaning}" in result.stdout


def test_no_arguments_show_the_help() -> None:
    assert "Usage: " in Shell().run().output


def test_version() -> None:
    assert Shell().run("--version").stdout == f"pgrecall {version('pgrecall')}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_overview_says_what_the_command_itself_says(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    said = command.load().help.partition("\n\n")[0].replace("\n", " ")
    assert said.startswith(command.help.rstrip("."))
    assert Shell().run(name, "--help").exit_code == 0


def test_every_command_has_json() -> None:
    for name, command in COMMANDS.items():
        for path in paths((name,), command.load()):
            if path != ("server", "psql"):
                assert "--json" in Shell().run(*path, "--help").stdout, path


def paths(path: tuple[str, ...], command: object) -> list[tuple[str, ...]]:
    """The command, or of a group of commands all that are in it."""
    group = getattr(command, "commands", None)
    if not group:
        return [path]
    return [found for name in group for found in paths((*path, name), group[name])]


def test_overview_imports_no_database_driver_and_no_model() -> None:
    code = (
        "import sys; from pgrecall.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'psycopg', 'numpy', 'pydantic_settings', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_unknown_command_suggests_the_one_that_was_meant() -> None:
    result = Shell().run("recal", "x")
    assert result.exit_code == 2
    assert "Did you mean 'recall'?" in result.stderr


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PgRecallError", 1),
        ("DatabaseError", 1),
        ("EmbedderError", 1),
        ("ClosedError", 1),
        ("InvalidInputError", 2),
        ("InvalidScopeError", 2),
        ("LimitExceededError", 2),
        ("ConfigurationError", 2),
        ("MissingExtraError", 2),
        ("NotFoundError", 3),
        ("NoOrganizationError", 4),
        ("PermissionDeniedError", 4),
        ("DatabaseUnavailableError", 5),
        ("PoolTimeoutError", 5),
        ("EmbeddedServerError", 5),
        ("DataDirectoryError", 5),
        ("ServerStartError", 5),
        ("ArchiveError", 5),
        ("SchemaMissingError", 6),
        ("MigrationError", 6),
        ("EditedMigrationError", 6),
        ("MissingPrivilegeError", 6),
        ("ConflictError", 7),
        ("EmbeddingMismatchError", 7),
        ("BackupError", 1),
        ("DamagedBackupError", 8),
    ],
)
def test_exit_code_of_each_error(name: str, code: int) -> None:
    assert exit_code(getattr(errors, name)("no")) == code
