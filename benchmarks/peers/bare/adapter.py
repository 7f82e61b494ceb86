"""The least there can be: one INSERT, committed, into a table without an index of vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg


class Bare:
    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], embed: Callable[[str], Any]
    ) -> None:
        self._connection = connection
        self._embed = embed

    def prepare(self, scope: str) -> None:
        """The table holds all scopes."""

    def write(self, scope: str, messages: list[dict[str, Any]]) -> list[str]:
        rows = [(scope, each["turn"], each["content"], self._text(each)) for each in messages]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_statement("insert"), rows)
        return [f"{scope} {each['turn']}" for each in messages]

    def search(self, scope: str, query: str, limit: int) -> list[str]:
        values = (scope, str(self._embed(query).tolist()), limit)
        return [row[0] for row in self._connection.execute(_statement("search"), values)]

    def close(self) -> None:
        self._connection.close()

    def _text(self, message: dict[str, Any]) -> str:
        return str(self._embed(message["content"]).tolist())


def connect(url: str, embed: Callable[[str], Any], dimension: int, folder: Path) -> Bare:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(_statement("create"))
    return Bare(connection, embed)


def _statement(name: str) -> bytes:
    return Path(__file__).with_name(f"{name}.sql").read_bytes()
