"""Assemble the files that make the schema, and those that bring up earlier ones, from the sources.

src/pgrecall/sql/install are the three that make it; each file of sql/source/upgrades becomes one of
sql/upgrades. The table of signals in docs/recall.md is made of their declaration, too.

python scripts/assemble_schema.py           # write them
python scripts/assemble_schema.py --check   # exit 1, with the difference, if they are stale
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import re
import sys
import tomllib
from pathlib import Path

import signals

ROOT = Path(__file__).parents[1]
SQL = ROOT / "src" / "pgrecall" / "sql"
DOCS = ROOT / "docs" / "recall.md"

# In the order in which data travels; what a later one names at its definition comes before it.
FILES = {
    "20230901_memory_context_management.sql": [
        *("map", "foundation", "rights", "values", "identity", "access", "members", "text"),
        *("conversations", "vectors", "pieces", "writing", "slots", "scope", "signals", "recall"),
        *("large_organizations", "changing", "erasing"),
    ],
    "20250706_agent_memory_config.sql": ["settings", "embedding_models"],
    "20250707_agent_memory_stats.sql": ["statistics", "transfer", "operations"],
}  # fmt: skip
FIRST = next(iter(FILES))

# Names resolve to what they say, whatever the session's path is; bodies may name what comes later;
# to compile queries of the catalogs takes ten times as long as to run them; and nobody waits long
# behind a file that waits for a lock.
PREAMBLE = """\
set search_path = pg_catalog, pg_temp;
set check_function_bodies = off;
set jit = off;
select pg_catalog.set_config('lock_timeout',
  coalesce(nullif(pg_catalog.current_setting('pgrecall.lock_timeout', true), ''), '5s'), false);
"""
# What stands behind a placeholder, so that a source is valid SQL as it is.
DEFAULT = r"(?: '[^']*'| 0| \(null, null, 0, 0, false\))?"
# What comes next on this connection, which a pooler may give to others, has its own settings.
EPILOGUE = """\
reset lock_timeout;
reset jit;
reset check_function_bodies;
reset search_path;
"""


# An upgrade changes tables once: by hand it may run again, which then changes nothing.
UPGRADE = """\
do $order$
declare
  earlier constant text[] := {earlier};
  missing text;
begin
  if pg_catalog.to_regclass('agent_memory.migrations') is null then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = '{name} has nothing to upgrade: pgrecall is not in this database',
      hint = 'Apply the files of sql/install.';
  end if;
  select e into missing from pg_catalog.unnest(earlier) as e
  where not exists (select from agent_memory.migrations as m where m.name = e) order by 1 limit 1;
  if missing is not null then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = pg_catalog.format('{name} is to be applied after %s', missing);
  end if;
end
$order$;

do $upgrade$
begin
  if exists (select from agent_memory.migrations as m where m.name = '{name}') then
    return;
  end if;

{body}
end
$upgrade$;
"""
_RELEASE = re.compile(r"-- release ([0-9]+(?:\.[0-9]+)*): .+\n")


def assemble(folder: Path = SQL, version: str | None = None) -> dict[Path, str]:
    """The text of each file of a folder that is made, by its path.

    `folder` holds `source`; `version` is that of the release, which is pyproject.toml's if None.
    """
    sources = {path.stem: path.read_text("utf-8") for path in (folder / "source").glob("*.sql")}
    unused = sources.keys() - {name for names in FILES.values() for name in names}
    if unused:
        raise SystemExit(f"no file has {', '.join(sorted(unused))}.sql")
    upgrades = sorted((folder / "source" / "upgrades").glob("*.sql"))
    declared = signals.read_signals(folder / "source" / "signals.toml")
    placeholders = {
        **_names("\n".join(sources.values())),
        **signals.placeholders(declared),
        "upgrades": _array([path.name for path in upgrades]),
        "release": f"'{version or _version()}'",
    }
    install = {
        folder / "install" / name: _file(name, [sources[each] for each in names], placeholders)
        for name, names in FILES.items()
    }
    made = {
        folder / "upgrades" / path.name: _upgrade(path, upgrades[:place])
        for place, path in enumerate(upgrades)
    }
    return {**install, **made}


def _file(name: str, parts: list[str], placeholders: dict[str, str]) -> str:
    release = placeholders["release"]
    if name == FIRST:
        head, *rest = parts
    else:
        head, rest = f"-- pgrecall: {name}, after {FIRST}.\n", parts
        rest = [f"select agent_memory.begin_migration('{name}', {release});\n", *rest]
    body = "\n".join([head, PREAMBLE, *rest, "select agent_memory.apply_rights();\n"])
    for key, value in placeholders.items():
        body = re.sub(rf"/\* @{key} \*/{DEFAULT}", lambda _, value=value: value, body)
    return _recorded(body, "record_migration", name, release)


def _upgrade(path: Path, earlier: list[Path]) -> str:
    """An upgrade is of the release that its first line names, and the same in all later ones."""
    text = path.read_text("utf-8")
    release = _RELEASE.match(text)
    if release is None:
        raise SystemExit(f"{path.name} must begin with: -- release 1.2.3: what it changes")
    names = _array([each.name for each in earlier])
    guarded = UPGRADE.format(name=path.name, earlier=names, body=text[release.end() :])
    body = "\n".join([release[0], PREAMBLE, guarded])
    return _recorded(body, "record_upgrade", path.name, f"'{release[1]}'")


def _recorded(body: str, function: str, name: str, release: str) -> str:
    digest = hashlib.sha256(body.encode()).hexdigest()
    record = f"select agent_memory.{function}('{name}', {release}, '{digest}');\n"
    return f"{body}{record}\n{EPILOGUE}"


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _names(source: str) -> dict[str, str]:
    """The names that are taken in schema public, which only all sources together tell."""
    tables = re.findall(r"create table public\.(\w+)", source)
    indexes = re.findall(r"create (?:unique )?index (\w+)\s+on public\.", source)
    indexes += re.findall(r"'(ai_memories\w*_idx)'", source)
    constraints = re.findall(r"constraint (\w+) (?:unique|exclude)", source)
    relations = {*tables, *(f"{table}_pkey" for table in tables), *indexes, *constraints}
    functions = set(re.findall(r"create or replace function public\.(\w+)", source))
    return {"public-relations": _array(relations), "public-functions": _array(functions)}


def _array(names: set[str] | list[str]) -> str:
    return f"'{{{','.join(sorted(names))}}}'"


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    is_check = parser.parse_args().check
    stale: list[str] = []
    declared = signals.read_signals(SQL / "source" / "signals.toml")
    made = {**assemble(), DOCS: signals.with_table(DOCS.read_text("utf-8"), declared)}
    for path, text in made.items():
        stored = path.read_text("utf-8") if path.exists() else ""
        if not is_check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif stored != text:
            stale += difflib.unified_diff(
                stored.splitlines(), text.splitlines(), path.name, "the sources", lineterm=""
            )
    if is_check:
        print("\n".join(stale) or "what is assembled is up to date")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
