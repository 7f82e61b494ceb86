"""A project's own table of members in place of pgrecall's, after the example of the docs."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from pgrecall import Memory
from pgrecall._sync.migrate import migrate
from pgrecall.sql.migration_files import sql
from tests.supabase.conftest import POSTGRES, Gate, Project

PAGE = (Path(__file__).parents[2] / "docs" / "supabase.md").read_text("utf-8")
EXAMPLE = PAGE.partition("## A table of members")[2].partition("```sql\n")[2].partition("```")[0]
TABLES = """
create table public.teams (id uuid primary key, name text not null);
create table public.team_members (team_id uuid references public.teams, user_id uuid, level text);
create index on public.team_members (user_id);
alter table public.teams enable row level security;
alter table public.team_members enable row level security;
"""


@pytest.fixture
def team(project: Project) -> str:
    """A team of the project's own tables, which now say who is a member."""
    team = str(uuid4())
    project.ask(TABLES, role=POSTGRES)
    project.ask("insert into teams values (%s, 'Acme')", team, role=POSTGRES)
    project.ask(EXAMPLE, role=POSTGRES)
    return team


def join(project: Project, team: str, level: str) -> str:
    user = str(uuid4())
    add = "insert into team_members values (%s, %s, %s)"
    project.ask(add, team, user, level, role=POSTGRES)
    return user


def test_it_decides_who_may_remember(gate: Gate, project: Project, team: str) -> None:
    maria = gate.person(team, join(project, team, "boss"))
    tea = {"content": "We drink tea.", "visibility": "organization"}
    assert maria.rpc("remember_memories", memories=[tea])[0]["status"] == "added"
    ben = gate.person(None, join(project, team, "staff"))
    assert len(ben.rpc("recall_memories", query="tea")) == 1
    project.ask("delete from team_members", role=POSTGRES)
    assert ben.select("ai_memories") == []


def test_pgrecalls_own_table_no_longer_decides(gate: Gate, project: Project, team: str) -> None:
    stranger = gate.person(team)
    assert stranger.claims is not None
    member = {"organization_id": team, "user_id": stranger.claims["sub"], "role": "owner"}
    gate.service().of("agent_memory").insert("members", [member])
    assert stranger.rpc("memory_status")["organization_id"] is None


def test_programs_stay_members(project: Project, team: str) -> None:
    with Memory(project.dsn_of(POSTGRES), organization=team, embedder=None) as memory:
        memory.remember("Maria is vegetarian.")
        assert len(memory.recall("vegetarian")) == 1


def test_migrations_leave_it_alone(gate: Gate, project: Project, team: str) -> None:
    migrate(project.dsn_of(POSTGRES))
    # As by psql or `supabase db push`, which know no ledger.
    project.ask(sql(), role=POSTGRES)
    user = join(project, team, "boss")
    assert gate.person(team, user).rpc("memory_status")["organization_id"] == team
