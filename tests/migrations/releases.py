"""A next release, made from this one: its sources are edited in a copy, and assembled."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgrecall.domain.migration import MigrationFile, Release
from pgrecall.sql.migration_files import release_in

ROOT = Path(__file__).parents[2]
VERSION = "99.1.0"
UPGRADE = "29990101_times_in_arabic.sql"
# Composite types, signatures, policies and rights change in their sources; of tables only new ones
# come by themselves.
EDITS = {
    "identity": {
        # A type that policies, and functions of every file, use.
        r"reads uuid'\);": "reads uuid, since timestamptz');",
        r"(member_of end)(\)::agent_memory\.principal;)": r"\1, null\2",
    },
    "foundation": {
        r"array array\[\]::text\[\]": (
            "array array['public.memory_history(uuid)', "
            "'agent_memory.may_write(text, text, text, text, text, text)']"
        ),
    },
    "changing": {
        r"function public\.memory_history\(memory_id uuid\)": (
            "function public.memory_history(memory_id uuid, match_limit integer default 1000)"
        ),
        r"on function public\.memory_history\(uuid\)": (
            "on function public.memory_history(uuid, integer)"
        ),
        r"(  order by 3, 2, 1)(\n\$\$;\ncomment on function public\.memory_history)": (
            r"\1 limit memory_history.match_limit\2"
        ),
    },
    "rights": {
        r"\('public\.memory_history\(uuid\)'\)": (
            "('public.memory_history(uuid, integer)'), ('public.list_memory_notes()')"
        ),
    },
    "access": {
        # What policies hold a copy of, and a parameter of what they call by another name.
        r"is not null\)\) is not false": "is not null)) is distinct from false",
        r"user_id text, agent_id text, role text, person text, program text\)": (
            "user_id text, agent_id text, caller_role text, person text, program text)"
        ),
        r"when role operator": "when caller_role operator",
    },
    "conversations": {
        r"content ~ '\[0-9\]'": "content ~ '[0-9٠-٩]'",
        r"has any of the digits 0 to 9": "has any of the digits 0 to 9 or ٠ to ٩",
        r"\(organization_id, kind\) where kind": "(organization_id, kind, occurred_at) where kind",
    },
    "operations": {
        r"\A": """\
do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.notes') is null then
    create table agent_memory.notes (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      note text not null,
      primary key (organization_id, note)
    );
    create index notes_note_idx on agent_memory.notes (organization_id, (lower(note)));
    alter table agent_memory.notes enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.notes is 'What is noted.';

create or replace function public.list_memory_notes()
returns table (note text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select n.note from agent_memory.notes as n
  where n.organization_id = agent_memory.active_organization()
$$;
comment on function public.list_memory_notes() is 'What is noted in the organization.';

""",
    },
}
UPGRADE_TEXT = """\
-- release 99.1.0: digits of Arabic count as digits, and memories of a kind are found by time.

-- No expression of a generated column can be changed before PostgreSQL 17.
alter table public.ai_memories drop column has_digits;
alter table public.ai_memories
  add column has_digits boolean not null generated always as (content ~ '[0-9٠-٩]') stored;
drop index public.ai_memories_kind_idx;
create index ai_memories_kind_idx on public.ai_memories (organization_id, kind, occurred_at)
  where kind <> 'message';
"""


def assembler() -> Any:
    """scripts/assemble_schema.py as a module."""
    folder = str(ROOT / "scripts")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import assemble_schema

    return assemble_schema


def assembled(folder: Path, version: str) -> Release:
    """The release that the sources of a folder make."""
    for path, text in assembler().assemble(folder, version).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return release_in(folder)


def next_release(folder: Path) -> Release:
    """This release with a type, two signatures, a generated column, the policies and an index
    changed, and a table and a function added."""
    source = folder / "source"
    shutil.copytree(ROOT / "src" / "pgrecall" / "sql" / "source", source)
    for name, edits in EDITS.items():
        path = source / f"{name}.sql"
        text = path.read_text("utf-8")
        for old, new in edits.items():
            text, count = re.subn(old, new, text)
            assert count, f"{name}.sql has no {old}"
        path.write_text(text, encoding="utf-8")
    (source / "upgrades").mkdir(exist_ok=True)
    (source / "upgrades" / UPGRADE).write_text(UPGRADE_TEXT, encoding="utf-8")
    return assembled(folder, VERSION)


def with_text(release: Release, name: str, edit: Callable[[str], str]) -> Release:
    """A release with the text of one file edited, though it records the same checksum."""

    def edited(file: MigrationFile) -> MigrationFile:
        return replace(file, text=edit(file.text)) if file.name == name else file

    return replace(
        release,
        install=tuple(map(edited, release.install)),
        upgrades=tuple(map(edited, release.upgrades)),
    )


def ended_by(statement: str) -> Callable[[str], str]:
    """Puts a statement before the last one of a file, which records it."""
    return lambda text: re.sub(
        r"^(select agent_memory\.record_)", rf"{statement}\n\1", text, flags=re.MULTILINE
    )
