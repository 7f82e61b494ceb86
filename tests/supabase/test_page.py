"""docs/supabase.md: what its examples call is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.supabase.conftest import POSTGRES, Project

PAGE = (Path(__file__).parents[2] / "docs" / "supabase.md").read_text("utf-8")
SCRIPTS = "\n".join(re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL))
SQL = re.findall(r"```sql\n(.*?)```", PAGE.replace("\n   ", "\n"), re.DOTALL)
CALLS = re.findall(r"rpc\('(\w+)', \{\n(.*?)^\}\)", SCRIPTS, re.DOTALL | re.MULTILINE)


def test_its_scripts_call_functions_by_their_parameters(project: Project) -> None:
    names = (
        "select proargnames from pg_proc"
        " where proname = %s and pronamespace = 'public'::regnamespace"
    )
    assert {name for name, _ in CALLS} >= {
        "remember_memories",
        "recall_memories",
        "append_memories",
    }
    for name, body in CALLS:
        [[parameters]] = project.ask(names, name)
        assert set(re.findall(r"^  (\w+):", body, re.MULTILINE)) <= set(parameters), name


def test_its_scripts_read_columns_that_are_there(project: Project) -> None:
    [columns] = re.findall(r"select\('(id, .*?)'\)", SCRIPTS)
    assert project.ask(f"select {columns} from ai_memories") == []


def test_its_service_writes_tables_that_are_there(project: Project) -> None:
    written = re.findall(r"\.from\('(\w+)'\)\.insert\(\{\s*([^}]*)\}", SCRIPTS)
    assert {table for table, _ in written} == {"organizations", "members"}
    for table, values in written:
        columns = re.findall(r"(\w+): ", values)
        assert columns
        may = "select has_column_privilege('service_role', %s, %s, 'insert')"
        for column in columns:
            assert project.ask(may, f"agent_memory.{table}", column) == [(True,)]


def test_its_first_statement_makes_an_owner(project: Project) -> None:
    [settle] = [each for each in SQL if "auth.users" in each]
    project.ask("insert into auth.users values (gen_random_uuid(), 'maria@example.org')")
    project.ask(settle, role=POSTGRES)
    members = "select role from agent_memory.members join auth.users on id::text = user_id"
    assert project.ask(members) == [("owner",)]
