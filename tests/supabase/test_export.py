"""pgrecall supabase export."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrecall.sql.migration_files import read_release
from tests.cli.conftest import Shell

FILES = {file.name: file.text.encode() for file in read_release().install}
FIRST = next(iter(FILES))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of a project in the working directory go."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "supabase" / "migrations"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_migration_is_written_once(folder: Path) -> None:
    first = Shell().run("supabase", "export", ".")
    assert first.exit_code == 0
    assert contents(folder) == FILES
    assert first.stdout.splitlines() == [f"written    supabase/migrations/{name}" for name in FILES]
    assert 'next: supabase db push --include-all --db-url "$DATABASE_URL"' in first.stderr
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = Shell().json("supabase", "export", ".")
    assert {file["state"] for file in again["files"]} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times


def test_json_names_the_files_and_what_to_run(folder: Path) -> None:
    printed = Shell().json("supabase", "export", "my app")
    assert [file["name"] for file in printed["files"]] == list(FILES)
    assert printed["folder"] == "my app/supabase/migrations"
    assert "--workdir 'my app' " in printed["next_command"]
    assert contents(folder.parents[1] / "my app" / "supabase" / "migrations") == FILES


def test_an_edited_file_is_refused_before_anything_is_written(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / FIRST).write_text("select 1;\n")
    refused = Shell().run("supabase", "export", ".")
    assert refused.exit_code == 7
    assert f"error PM007: {FIRST}" in refused.stderr
    assert contents(folder) == {FIRST: b"select 1;\n"}


def test_force_replaces_it_and_says_what_that_takes(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / FIRST).write_text("select 1;\n")
    forced = Shell().run("supabase", "export", ".", "--force")
    assert (forced.exit_code, contents(folder)) == (0, FILES)
    assert forced.stdout.startswith(f"replaced   supabase/migrations/{FIRST}\n")
    assert "run `pgrecall migrate`" in forced.stderr


def test_line_endings_of_another_system_are_no_edit(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / FIRST).write_bytes(FILES[FIRST].replace(b"\n", b"\r\n"))
    states = Shell().json("supabase", "export", ".")["files"]
    assert states[0] == {"name": FIRST, "state": "unchanged"}


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_number_that_is_taken_is_refused(folder: Path, options: list[str]) -> None:
    folder.mkdir(parents=True)
    (folder / "20230901_users.sql").write_text("select 1;\n")
    refused = Shell().run("supabase", "export", ".", *options)
    assert refused.exit_code == 7
    assert "20230901_users.sql has the number of" in refused.stderr
    assert len(contents(folder)) == 1


def test_other_files_are_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "20240101120000_users.sql").write_text("select 1;\n")
    (folder / "README").write_text("ours\n")
    assert Shell().run("supabase", "export", ".").exit_code == 0
    assert len(contents(folder)) == len(FILES) + 2


def test_the_inner_folder_is_not_taken_for_the_project(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder.parent / "config.toml").write_text("")
    refused = Shell().run("supabase", "export", "supabase")
    assert refused.exit_code == 2
    assert "the inner folder of a project" in refused.stderr


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    folder.parent.write_text("a file, no folder\n")
    refused = Shell().run("supabase", "export", ".")
    assert refused.exit_code == 2
    assert "error PM003: supabase" in refused.stderr
