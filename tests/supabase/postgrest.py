"""What PostgREST sends, statement by statement, since it is in no package that can be installed.

After its documentation: a connection as `authenticator`, for each request one transaction with
the token's role and claims, arguments taken from the body by json_to_record with the types of the
function's parameters, a read-only transaction for functions that are not volatile, and the rows
as one JSON document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

Claims = Mapping[str, Any]

_SESSION = """
select set_config('search_path', format('%%I, extensions', %s::text), true),
       set_config('role', %s, true), set_config('request.jwt.claims', %s, true),
       set_config('request.method', 'POST', true)
"""
_FUNCTION = """
select p.provolatile <> 'v', not p.proretset and t.typtype <> 'c', array(
         select array[given.name, format_type(given.type, null)]
         from unnest(p.proargnames, p.proargtypes::oid[]) as given (name, type)
         where given.name = any (%s))
from pg_proc as p
join pg_type as t on t.oid = p.prorettype
where p.pronamespace = 'public'::regnamespace and p.proname = %s
"""
_CALL = sql.SQL(
    "with source as (select call.* from (select %s::json as body) as payload,"
    " lateral (select {names} from json_to_record(payload.body) as _ ({columns}) limit 1) as given,"
    " lateral public.{function}({arguments}) as call)"
    " select coalesce(json_agg(found), '[]') from (select source.* from source) as found"
)
_CALL_OF_NOTHING = sql.SQL(
    "with source as (select call.* from public.{function}() as call)"
    " select coalesce(json_agg(found), '[]') from (select source.* from source) as found"
)
_INSERT = sql.SQL(
    "with source as (insert into {schema}.{table} ({names}) select {names}"
    " from json_populate_recordset(null::{schema}.{table}, %s::json) returning {table}.*)"
    " select coalesce(json_agg(found), '[]') from (select source.* from source) as found"
)
_SELECT = sql.SQL("select coalesce(json_agg(found), '[]') from (select * from {}.{}) as found")


@dataclass(frozen=True)
class DataApi:
    """The API as one bearer of a token, or nobody, meets it; `schema` is of those it exposes."""

    connection: psycopg.Connection[Any]
    claims: Claims | None
    schema: str = "public"

    def of(self, schema: str) -> DataApi:
        """The same with the header Accept-Profile or Content-Profile."""
        return replace(self, schema=schema)

    def rpc(self, function: str, **arguments: object) -> Any:
        """The answer to POST /rpc/function: rows, or the value if the function returns one."""
        found = self.connection.execute(_FUNCTION, (list(arguments), function)).fetchall()
        assert len(found) == 1, "no such function, or another one of its name"
        [(is_read_only, is_value, parameters)] = found
        assert len(parameters) == len(arguments), "it has no such parameters"
        call = _composed(function, parameters)
        given = [json.dumps(arguments)] if parameters else []
        rows = self._send(call, *given, is_read_only=is_read_only)
        return rows[0]["call"] if is_value else rows

    def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """The answer to POST /table with Prefer: return=representation."""
        names = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        insert = _INSERT.format(
            schema=sql.Identifier(self.schema), table=sql.Identifier(table), names=names
        )
        return self._send(insert, json.dumps(list(rows)))

    def select(self, table: str) -> list[Any]:
        """The answer to GET /table."""
        return self._send(
            _SELECT.format(*map(sql.Identifier, (self.schema, table))), is_read_only=True
        )

    def _send(
        self, statement: sql.Composed, *parameters: str, is_read_only: bool = False
    ) -> list[Any]:
        with self._transaction(is_read_only=is_read_only):
            # It prepares its statements.
            cursor = self.connection.execute(statement, parameters or None, prepare=True)
            [[rows]] = cursor.fetchall()
            assert isinstance(rows, list)
            return rows

    @contextmanager
    def _transaction(self, *, is_read_only: bool) -> Iterator[None]:
        claims = self.claims or {"role": "anon"}
        self.connection.read_only = is_read_only
        with self.connection.transaction():
            settings = (self.schema, claims["role"], json.dumps(claims))
            self.connection.execute(_SESSION, settings)
            yield


def _composed(function: str, parameters: Sequence[tuple[str, str]]) -> sql.Composed:
    """The call of a function with parameters of these names and types, if it has any."""
    called = sql.Identifier(function)
    if not parameters:
        return _CALL_OF_NOTHING.format(function=called)
    names = [sql.Identifier(name) for name, _ in parameters]
    types = [sql.SQL(kind) for _, kind in parameters]
    return _CALL.format(
        function=called,
        names=sql.SQL(", ").join(names),
        columns=sql.SQL(", ").join(map(sql.SQL("{} {}").format, names, types)),
        arguments=sql.SQL(", ").join(map(sql.SQL("{0} := given.{0}").format, names)),
    )
