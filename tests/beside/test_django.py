"""Django: makemigrations, migrate, flush, inspectdb and test databases."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from psycopg.conninfo import conninfo_to_dict

from pgrecall.testing.databases import cloned
from tests.beside.catalog import install, public_tables, touched
from tests.beside.commands import Ended, run
from tests.beside.page import shown

MODELS = """
from django.db import models

class Invoice(models.Model):
    title = models.TextField()
"""
NEXT_FIELD = "    paid = models.BooleanField(null=True)\n"
SETTINGS = """
import os

SECRET_KEY = "for tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "billing"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **{
            name.removeprefix("DATABASE_"): value
            for name, value in os.environ.items()
            if name.startswith("DATABASE_")
        },
    }
}
"""
TESTS = """
from django.db import connection
from django.test import TestCase

class Recall(TestCase):
    def test_the_schema_is_there(self):
        self.assertIn("ai_memories", connection.introspection.table_names())
"""
UNMANAGED = "        managed = False\n"


@pytest.fixture
def project() -> Iterator[Path]:
    """An application named billing."""
    with TemporaryDirectory(prefix="pgrecall-") as name:
        folder = Path(name)
        (folder / "settings.py").write_text(SETTINGS)
        billing = folder / "billing"
        (billing / "migrations").mkdir(parents=True)
        for package in (billing, billing / "migrations"):
            (package / "__init__.py").write_text("")
        (billing / "tests.py").write_text(TESTS)
        write_models(folder, MODELS)
        yield folder


def write_models(project: Path, text: str) -> None:
    (project / "billing" / "models.py").write_text(text)


def django(project: Path, dsn: str, *arguments: str) -> Ended:
    parts = conninfo_to_dict(dsn)
    keys = {
        "NAME": "dbname",
        "USER": "user",
        "PASSWORD": "password",
        "HOST": "host",
        "PORT": "port",
    }
    login = {f"DATABASE_{key}": str(parts.get(name, "")) for key, name in keys.items()}
    command = [sys.executable, "-m", "django", *arguments]
    # A file that was written in the same second as its compiled form would not be read again.
    quick = {"PYTHONDONTWRITEBYTECODE": "1", "DJANGO_SETTINGS_MODULE": "settings"}
    return run([*command, "--pythonpath", str(project)], project, **login, **quick)


def migrate_next(project: Path, dsn: str, *options: str) -> str:
    """Make the next migration and run it; its text."""
    before = set((project / "billing" / "migrations").glob("0*.py"))
    made = django(project, dsn, "makemigrations", "billing")
    assert made.code == 0, made.output
    (file,) = set((project / "billing" / "migrations").glob("0*.py")) - before
    done = django(project, dsn, "migrate", *options)
    assert done.code == 0, done.output
    return file.read_text()


def test_nothing_needs_to_be_configured(project: Path, database: str) -> None:
    migrate_next(project, database)
    made = install(database)
    assert django(project, database, "makemigrations", "--check").code == 0
    write_models(project, MODELS + NEXT_FIELD)
    assert re.findall(r"migrations\.\w+\(", migrate_next(project, database)) == [
        "migrations.AddField("
    ]
    assert django(project, database, "migrate", "--check").code == 0
    assert django(project, database, "flush", "--noinput").code == 0
    emptied = set(re.findall(r'"(\w+)"', django(project, database, "sqlflush").output))
    assert "billing_invoice" in emptied
    assert not emptied & public_tables(made)
    assert touched(database, made) == []


def test_unmanaged_models_of_our_tables_change_nothing(project: Path, database: str) -> None:
    migrate_next(project, database)
    made = install(database)
    write_models(project, MODELS + shown("models.py"))
    migrate_next(project, database)
    done = django(project, database, "sqlmigrate", "billing", "0002")
    assert (done.code, "(no-op)" in done.output) == (0, True)
    write_models(project, MODELS)
    assert "DeleteModel" in migrate_next(project, database)
    assert touched(database, made) == []


def test_a_managed_model_of_a_table_of_ours_is_dangerous(project: Path, database: str) -> None:
    migrate_next(project, database)
    made = install(database)
    model = shown("models.py")
    assert UNMANAGED in model
    write_models(project, MODELS + model.replace(UNMANAGED, ""))
    assert django(project, database, "makemigrations").code == 0
    refused = django(project, database, "migrate")
    assert (refused.code != 0, '"ai_memories" already exists' in refused.output) == (True, True)
    assert touched(database, made) == []
    assert django(project, database, "migrate", "--fake").code == 0
    write_models(project, MODELS)
    migrate_next(project, database)
    assert "relation ai_memories" in touched(database, made)


def test_inspectdb_without_names_writes_models_of_our_tables(project: Path, database: str) -> None:
    made = install(database)
    seen = django(project, database, "inspectdb")
    assert set(re.findall(r"db_table = '(\w+)'", seen.output)) == public_tables(made)
    assert len(re.findall(UNMANAGED, seen.output)) == len(public_tables(made))


def test_a_test_database_is_made_from_a_template(project: Path, database: str) -> None:
    migrate_next(project, database)
    assert django(project, database, "test", "--noinput").code != 0
    with cloned(database, "template0") as template:
        install(template)
        name = str(conninfo_to_dict(template)["dbname"])
        named = shown("settings.py").replace("pgrecall_template", name)
        (project / "settings.py").write_text(SETTINGS + named)
        tested = django(project, database, "test", "--noinput")
        assert (tested.code, "Ran 1 test" in tested.output) == (0, True), tested.output
