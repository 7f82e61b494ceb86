"""The benchmarks' SQL, one statement per file."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"


def statement(name: str) -> bytes:
    """The statement of `sql/NAME.sql`, in the form that psycopg takes from a file."""
    return (_FOLDER / f"{name}.sql").read_bytes()
