"""All SQL of pgrecall: `migrations/` make the schema, `queries/` are what the client runs."""

from pgrecall.sql.loader import Statement, statement

__all__ = ["Statement", "statement"]
