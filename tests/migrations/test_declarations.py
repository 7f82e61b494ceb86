"""What is said of the schema in one place is true of the catalog: the map, the rights, the names
that a preflight asks for."""

import re
from pathlib import Path

import psycopg
import pytest

from pgrecall.sql.migration_files import preflight, read_release
from tests.migrations.releases import assembler

SOURCE = Path(__file__).parents[2] / "src" / "pgrecall" / "sql" / "source"
PUBLIC_FUNCTIONS = """
select p.proname from pg_proc as p
where p.pronamespace = 'public'::regnamespace and not exists (
  select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
"""
TABLES = """
select c.relname from pg_class as c
where c.relkind in ('r', 'p') and c.relnamespace = %s::regnamespace
"""
PUBLIC_RELATIONS = """
select c.relname from pg_class as c
where c.relnamespace = 'public'::regnamespace and not exists (
  select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')
"""


@pytest.fixture
def catalog(pgrecall_dsn):
    """The first column of what a query finds."""

    def ask(query, *parameters):
        with psycopg.connect(pgrecall_dsn) as connection:
            return {row[0] for row in connection.execute(query, parameters or None).fetchall()}

    return ask


@pytest.fixture(scope="module")
def schema_map():
    """What the map names, in its two parts."""
    text = re.sub(r"^-- ?", "", (SOURCE / "map.sql").read_text("utf-8"), flags=re.MULTILINE)
    public, private = text.split("Schema agent_memory, which")
    private = private.partition("and the functions that")[0]
    return public.partition("Schema public, for clients:")[2], private


def test_the_map_names_every_public_function(catalog, schema_map):
    # After the tables, each line is a subject, and what follows it.
    lines = schema_map[0].split("\n\n")[1]
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", lines))
    assert named == catalog(PUBLIC_FUNCTIONS)


def test_the_map_names_every_table(catalog, schema_map):
    tables = schema_map[0].split("\n\n")[0]
    assert set(re.findall(r"^  (\w+)  ", tables, re.MULTILINE)) == catalog(TABLES, "public")
    # After three spaces it says what they are of.
    lines = re.findall(r"^  (\S.*?)(?:   .*)?$", schema_map[1], re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"\w+", line)}
    assert named == catalog(TABLES, "agent_memory")


def test_the_map_names_the_sources_in_their_order():
    text = re.sub(r"\n-- +", " ", (SOURCE / "map.sql").read_text("utf-8"))
    told = re.search(r"in the order in which data travels: (.*?)\.", text)[1]
    subjects = [name.replace(" ", "_") for name in told.split(", ")]
    made = [name for names in assembler().FILES.values() for name in names]
    assert [name for name in made if name in subjects] == [
        name for name in subjects if name in made
    ]
    assert set(made) - set(subjects) <= {"map", "foundation", "rights", "values"}
    assert set(subjects) <= set(made)


def test_the_declared_rights_are_of_every_public_function_and_table(catalog):
    declared = "select {0}(d.name)::oid from agent_memory.declared_rights() as d where d.kind = %s"
    ours = catalog(
        "select p.oid from pg_proc as p where p.pronamespace = 'public'::regnamespace"
        " and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
    )
    granted = catalog(declared.format("to_regprocedure"), "function")
    assert None not in granted, "a signature that is not there"
    assert ours <= granted
    tables = catalog(
        "select c.oid from pg_class as c where c.relnamespace = 'public'::regnamespace"
        " and c.relkind in ('r', 'p')"
    )
    assert tables <= catalog(declared.format("to_regclass"), "table")


def test_the_preflight_asks_for_every_name_in_schema_public(catalog):
    def names(which):
        return set(re.search(rf"{which} constant text\[\] := '{{(.*?)}}'", text)[1].split(","))

    text = preflight(read_release())
    assert names("public_functions") == catalog(PUBLIC_FUNCTIONS)
    # With btree_gin two indexes have other names than without.
    assert names("public_relations") >= catalog(PUBLIC_RELATIONS)
    absent = names("public_relations") - catalog(PUBLIC_RELATIONS)
    assert len(absent) == 2
    assert all(name.startswith("ai_memories_") for name in absent)


def test_every_function_says_what_it_promises(catalog):
    silent = catalog(
        "select p.oid::regprocedure::text from pg_proc as p"
        " where p.pronamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)"
        " and obj_description(p.oid, 'pg_proc') is null and not exists ("
        " select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
    )
    assert silent == set()
