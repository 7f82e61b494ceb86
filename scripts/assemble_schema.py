"""Assemble src/pgrecall/sql/install: the three files that make the schema, from its sources.

The table of signals in docs/recall.md is made of their declaration, too.

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
    "20230901_memory_context_management.sql": ["map", "foundation", "rights", "values", "identity", "access", "members", "text", "conversations", "vectors", "writing", "slots", "scope", "signals", "recall", "large_organizations", "changing", "erasing"],
    "20250706_agent_memory_config.sql": ["settings", "embedding_models"],
    "20250707_agent_memory_stats.sql": ["statistics", "transfer", "operations"],
}
FIRST = next(iter(FILES))

# Names resolve to what they say, whatever the session's path is; bodies may name what comes later;
# and nobody waits long behind a file that waits for a lock.
PREAMBLE = """\
set search_path = pg_catalog, pg_temp;
set check_function_bodies = off;
select pg_catalog.set_config('lock_timeout',
  coalesce(nullif(pg_catalog.current_setting('pgrecall.lock_timeout', true), ''), '5s'), false);
"""
# What stands behind a placeholder, so that a source is valid SQL as it is.
DEFAULT = r"(?: '[^']*'| 0| \(null, null, 0, 0, false\))?"
# What comes next on this connection, which a pooler may give to others, has its own settings.
EPILOGUE = """\
reset lock_timeout;
reset check_function_bodies;
reset search_path;
"""


def assemble() -> dict[Path, str]:
    """The text of each file that is made."""
    sources = {path.stem: path.read_text("utf-8") for path in (SQL / "source").glob("*.sql")}
    unused = sources.keys() - {name for names in FILES.values() for name in names}
    if unused:
        raise SystemExit(f"no file has {', '.join(sorted(unused))}.sql")
    declared = signals.read_signals(SQL / "source" / "signals.toml")
    placeholders = _placeholders("\n".join(sources.values())) | signals.placeholders(declared)
    texts = {
        SQL / "install" / name: _file(name, [sources[each] for each in names], placeholders)
        for name, names in FILES.items()
    }
    return {**texts, DOCS: signals.with_table(DOCS.read_text("utf-8"), declared)}


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
    digest = hashlib.sha256(body.encode()).hexdigest()
    record = f"select agent_memory.record_migration('{name}', {release}, '{digest}');\n"
    return f"{body}{record}\n{EPILOGUE}"


def _placeholders(source: str) -> dict[str, str]:
    """What is known only from all sources: the names that are taken in schema public, for one."""
    tables = re.findall(r"create table public\.(\w+)", source)
    indexes = re.findall(r"create (?:unique )?index (\w+)\s+on public\.", source)
    indexes += re.findall(r"'(ai_memories\w*_idx)'", source)
    constraints = re.findall(r"constraint (\w+) (?:unique|exclude)", source)
    relations = {*tables, *(f"{table}_pkey" for table in tables), *indexes, *constraints}
    functions = set(re.findall(r"create or replace function public\.(\w+)", source))
    upgrades = [path.name for path in (SQL / "upgrades").glob("*.sql")]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return {
        "public-relations": _array(relations),
        "public-functions": _array(functions),
        "upgrades": _array(upgrades),
        "release": f"'{version}'",
    }


def _array(names: set[str] | list[str]) -> str:
    return f"'{{{','.join(sorted(names))}}}'"


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    is_check = parser.parse_args().check
    stale = []
    for path, text in assemble().items():
        stored = path.read_text("utf-8") if path.exists() else ""
        if not is_check:
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
