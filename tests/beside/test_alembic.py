"""Alembic: autogenerate and check, with and without include_schemas."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrecall.testing.databases import cloned
from tests.beside.catalog import install, public_tables, touched
from tests.beside.commands import Ended, address, run
from tests.beside.page import shown

MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
"""
NEXT_COLUMN = "    paid: Mapped[bool | None]\n"
# To query memories by SQLAlchemy.
MODEL_OF_OURS = """
class AiMemory(Base):
    __tablename__ = "ai_memories"
    id: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]
"""
ENVIRONMENT = """
import os
from alembic import context
from sqlalchemy import create_engine
import hooks
from models import Base

options = {
    name: getattr(hooks, name) for name in ("include_name", "include_object")
    if hasattr(hooks, name)
}
with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=os.environ["INCLUDE_SCHEMAS"] == "yes",
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()
"""
SCHEMAS = pytest.mark.parametrize("include_schemas", ["no", "yes"])


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """An application with models, and Alembic as its `init` sets it up."""
    assert alembic(tmp_path, "", "no", "init", "migrations").code == 0
    (tmp_path / "migrations" / "env.py").write_text(ENVIRONMENT)
    (tmp_path / "hooks.py").write_text("")
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def alembic(project: Path, dsn: str, include_schemas: str, *arguments: str) -> Ended:
    url = address(dsn, "postgresql+psycopg", netloc="") if dsn else ""
    command = [sys.executable, "-m", "alembic", *arguments]
    return run(command, project, DATABASE_URL=url, INCLUDE_SCHEMAS=include_schemas)


def make_revision(project: Path, dsn: str, include_schemas: str, name: str) -> str:
    """Let Alembic write the next migration; the operations of its upgrade."""
    made = alembic(project, dsn, include_schemas, "revision", "--autogenerate", "-m", name)
    assert made.code == 0, made.output
    (file,) = (project / "migrations" / "versions").glob(f"*_{name}.py")
    return file.read_text().partition("def upgrade")[2].partition("def downgrade")[0]


def begin(project: Path, dsn: str, include_schemas: str) -> None:
    """The application's first migration, before pgrecall comes."""
    make_revision(project, dsn, include_schemas, "first")
    assert alembic(project, dsn, include_schemas, "upgrade", "head").code == 0


@SCHEMAS
def test_without_configuration_the_next_migration_would_drop_our_tables(
    project: Path, database: str, include_schemas: str
) -> None:
    begin(project, database, include_schemas)
    made = install(database)
    check = alembic(project, database, include_schemas, "check")
    assert check.code != 0
    upgrade = make_revision(project, database, include_schemas, "next")
    dropped = set(re.findall(r"op\.drop_table\('(\w+)'", upgrade))
    assert public_tables(made) <= dropped
    assert ("organizations" in dropped) == (include_schemas == "yes")
    with cloned(database) as copy:
        applied = alembic(project, copy, include_schemas, "upgrade", "head")
        # Alembic drops without CASCADE, and our functions and other tables need these tables.
        assert "DependentObjectsStillExist" in applied.output
        assert touched(copy, made) == []


@SCHEMAS
def test_as_configured_our_tables_are_neither_dropped_nor_drift(
    project: Path, database: str, include_schemas: str
) -> None:
    begin(project, database, include_schemas)
    made = install(database)
    (project / "hooks.py").write_text(shown("env.py"))
    (project / "models.py").write_text(MODELS + NEXT_COLUMN + MODEL_OF_OURS)
    upgrade = make_revision(project, database, include_schemas, "next")
    assert re.findall(r"op\.\w+", upgrade) == ["op.add_column"]
    assert alembic(project, database, include_schemas, "upgrade", "head").code == 0
    check = alembic(project, database, include_schemas, "check")
    assert (check.code, "No new upgrade operations detected" in check.output) == (0, True)
    assert touched(database, made) == []


def test_the_page_names_our_tables(database: str) -> None:
    made = install(database)
    names: dict[str, set[str]] = {}
    exec(shown("env.py"), names)
    assert names["PGRECALL_TABLES"] == public_tables(made)
