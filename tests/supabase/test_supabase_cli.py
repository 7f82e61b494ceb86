"""What `pgrecall supabase export` writes, pushed by `supabase db push`, and what advisors say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pgrecall import Memory
from pgrecall._sync.migrate import migrate, status
from pgrecall.ops.supabase import export_migrations
from pgrecall.sql.migration_files import read_release
from tests.supabase.conftest import POSTGRES, Project
from tests.supabase.supabase_cli import SupabaseCli, installed

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None, reason="npm is not installed, which the supabase command is from"
)

# Inlined or run for every read, and qualified throughout.
INLINED = {
    "claimed_organization",
    "lexemes",
    "may_read",
    "may_write",
    "openness",
    "text_config",
    "memberships",
}
# Constants, and empty bodies where there is no pgvector.
NAMELESS = {
    "similarities",
    "nearest",
    "stored_dimension",
    "stored_models",
    "store_embeddings",
    "drop_embeddings",
}
LIST_PUSHED = "select version || '_' || name || '.sql' from supabase_migrations.schema_migrations"


@pytest.fixture(scope="module")
def supabase(tmp_path_factory: pytest.TempPathFactory) -> SupabaseCli:
    return SupabaseCli(installed(), tmp_path_factory.mktemp("home"))


def test_the_exported_files_are_pushed(
    empty_project: Project, supabase: SupabaseCli, tmp_path: Path
) -> None:
    exported = export_migrations(tmp_path)
    supabase.run(f"{exported.next_command} --yes", DATABASE_URL=empty_project.url)
    pushed = sorted(name for (name,) in empty_project.ask(LIST_PUSHED))
    assert pushed == [file.name for file in read_release().install]
    supabase.run(f"{exported.next_command} --yes", DATABASE_URL=empty_project.url)
    with Memory(empty_project.dsn_of(POSTGRES), embedder=None) as memory:
        memory.remember("Maria is vegetarian.")
        assert len(memory.recall("Maria")) == 1
    # Its own runner may follow at any time, and finds that the files recorded themselves.
    assert migrate(empty_project.dsn_of(POSTGRES)).applied == ()
    assert status(empty_project.dsn_of(POSTGRES)).is_current


def test_files_of_before_and_after_stay_the_projects(
    empty_project: Project, supabase: SupabaseCli, tmp_path: Path
) -> None:
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20250101000000_mine.sql").write_text(
        "create table public.mine (id int primary key);"
    )
    push = 'supabase db push --yes --workdir "$PROJECT" --db-url "$DATABASE_URL"'
    places = {"DATABASE_URL": empty_project.url, "PROJECT": str(tmp_path)}
    supabase.run(push, **places)
    exported = export_migrations(tmp_path)
    supabase.run(f"{exported.next_command} --yes", **places)
    (folder / "20270101000000_mine.sql").write_text("alter table public.mine add name text;")
    supabase.run(push, **places)
    assert len(empty_project.ask(LIST_PUSHED)) == len(read_release().install) + 2


def advisors(supabase: SupabaseCli, project: Project) -> list[dict[str, Any]]:
    """The errors and warnings of Supabase's database linter."""
    command = 'supabase db advisors --level warn --output-format json --remote="$DATABASE_URL"'
    found = json.loads(supabase.run(command, DATABASE_URL=project.url))["results"]
    assert isinstance(found, list)
    return found


def test_advisors_find_nothing_that_is_not_argued(project: Project, supabase: SupabaseCli) -> None:
    found = advisors(supabase, project)
    assert [each for each in found if each["level"] == "ERROR"] == []
    mutable = {
        each["metadata"]["name"] for each in found if each["name"] == "function_search_path_mutable"
    }
    assert mutable <= INLINED | NAMELESS
    others = [each["detail"] for each in found if each["name"] != "function_search_path_mutable"]
    assert others == []


def test_advisors_do_look_at_our_objects(project: Project, supabase: SupabaseCli) -> None:
    """They would have said so."""
    project.ask("alter table public.ai_memories disable row level security", role=POSTGRES)
    details = " ".join(each["detail"] for each in advisors(supabase, project))
    assert "public.ai_memories" in details


def test_lint_finds_no_error(project: Project, supabase: SupabaseCli) -> None:
    if not project.has_extension("plpgsql_check"):
        pytest.skip("the server lacks plpgsql_check, which `supabase db lint` runs")
    project.ask("create extension plpgsql_check with schema extensions")
    command = (
        "supabase db lint --schema public,agent_memory --level error --output-format json"
        ' --remote="$DATABASE_URL"'
    )
    assert json.loads(supabase.run(command, DATABASE_URL=project.url))["results"] == []


def test_every_exception_is_argued_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "supabase.md").read_text("utf-8")
    argued = set(re.findall(r"`(?:agent_memory\.)?(\w+)`", page.partition("## What the adv")[2]))
    assert argued >= INLINED | NAMELESS
