"""Plans as the server logs them: of a statement, and of those that its functions run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.errors import Diagnostic

# As plans name them, without their schema.
BIG_TABLES = {"ai_memories", "ai_memory_contexts", "embeddings", "history"}


@dataclass(frozen=True)
class Plan:
    """One statement and its plan, as auto_explain says it in JSON."""

    query: str
    root: dict[str, Any]

    @property
    def sequential_scans(self) -> set[str]:
        """The big tables that are read from end to end."""
        scans = (node for node in _nodes(self.root) if node["Node Type"] == "Seq Scan")
        return {scan["Relation Name"] for scan in scans} & BIG_TABLES

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in _nodes(self.root) if "Index Name" in node}

    def conditions(self, index: str) -> list[str]:
        """By what the named index is searched."""
        nodes = (node for node in _nodes(self.root) if node.get("Index Name") == index)
        return [node.get("Index Cond", "") for node in nodes]


class Recorder:
    """Keeps the plans of everything that a superuser's connection runs from now on."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.plans: list[Plan] = []
        connection.add_notice_handler(self._keep)
        connection.execute("load 'auto_explain'")
        for name, value in _SETTINGS.items():
            connection.execute("select set_config(%s, %s, false)", (name, value))
        self.plans.clear()

    def _keep(self, notice: Diagnostic) -> None:
        # "duration: 0.123 ms  plan:" and the JSON on the lines after it.
        head, _, plan = (notice.message_primary or "").partition("plan:\n")
        if head.startswith("duration:"):
            logged = json.loads(plan)
            self.plans.append(Plan(logged["Query Text"], logged["Plan"]))


_SETTINGS = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "client_min_messages": "notice",
}


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)
