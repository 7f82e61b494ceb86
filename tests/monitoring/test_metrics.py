"""What is exposed, on a real server, and that dashboard, alerts and docs name nothing else."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from pgrecall import Memory
from pgrecall.errors import NotFoundError
from pgrecall.ops.monitoring.metrics import METRICS
from pgrecall.testing import HashingEmbedder
from tests.monitoring.conftest import Exposition

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "monitoring/grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((ROOT / "monitoring/prometheus-alerts.yaml").read_text())
# Replicas are none here.
ABSENT = {"pgrecall_replica_lag_bytes"}


def expressions() -> Iterator[tuple[str, str, str]]:
    """Where, the expression, and the text that names its labels."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"], json.dumps(rule["annotations"])


EXPRESSIONS = list(expressions())


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bpgrecall_[a-z_]+", expression))


def labels_in(expression: str, text: str) -> set[str]:
    found = set(re.findall(r"\$labels\.([a-z_]+)|\{\{\s*([a-z_]+)\s*\}\}", text))
    labels = {name for pair in found for name in pair if name}
    for listed in re.findall(r"\bby \(([^)]*)\)", expression):
        labels |= {name.strip() for name in listed.split(",")}
    labels |= set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!~|!=|=)", expression))
    return labels


@pytest.fixture(scope="module")
def exposed(watched_server: str) -> Exposition:
    with Memory(watched_server, embedder=HashingEmbedder()) as memory:
        memory.recall("tea", user_id="maria")
        with pytest.raises(NotFoundError):
            memory.get(uuid.uuid4())
        return Exposition.of(watched_server)


@pytest.mark.parametrize(("place", "expression", "text"), EXPRESSIONS)
def test_an_expression_names_what_is_exposed(
    exposed: Exposition, place: str, expression: str, text: str
) -> None:
    names = names_in(expression)
    assert names
    known = set(exposed.samples) | ABSENT
    assert names <= known, place
    there = {
        label for name in names for labels, _ in exposed.samples.get(name, []) for label in labels
    }
    declared = {
        label for metric in METRICS if metric.exposed in names & ABSENT for label in metric.labels
    }
    assert labels_in(expression, text) <= there | declared, place


def test_every_declared_metric_is_exposed(exposed: Exposition) -> None:
    suffix = {"histogram": "_bucket"}
    names = {metric.exposed + suffix.get(metric.kind, "") for metric in METRICS}
    assert names - set(exposed.samples) == ABSENT


def test_every_alert_says_what_to_do() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    assert all({"summary", "action"} <= set(rule["annotations"]) for rule in rules)


def test_counts_and_latencies_of_all_processes(exposed: Exposition) -> None:
    assert exposed.value("pgrecall_memories_added_total") == 2
    # The client that is still open brings its own later.
    assert exposed.value("pgrecall_recalls_total") == 2
    assert exposed.value("pgrecall_recalls_empty_total") == 1
    assert exposed.value("pgrecall_recall_duration_seconds_bucket", le="+Inf") == 2
    assert exposed.value("pgrecall_query_tokens_total") == 3


def test_operations_of_this_process(exposed: Exposition) -> None:
    assert exposed.value("pgrecall_operations_total", operation="get", outcome="PM004") >= 1
    assert exposed.value("pgrecall_operations_total", operation="recall", outcome="ok") >= 3
    assert exposed.value("pgrecall_operation_duration_seconds_count", operation="recall") >= 3
    assert exposed.value("pgrecall_pool_requests_total") >= 2
    assert exposed.value("pgrecall_pool_connections") >= 1


def test_the_database(exposed: Exposition) -> None:
    assert exposed.value("pgrecall_database_up") == 1
    assert {value for _, value in exposed.samples["pgrecall_scrape_success"]} == {1}
    assert exposed.value("pgrecall_table_rows", table="public.ai_memories") == 2
    assert 7000 < exposed.value("pgrecall_backup_age_seconds", extent="database") < 9000
    assert 3500 < exposed.value("pgrecall_backup_verification_age_seconds") < 5500
    assert all(value == 1 for _, value in exposed.samples["pgrecall_index_is_valid"])


def test_statements_go_by_their_names(exposed: Exposition) -> None:
    assert exposed.value("pgrecall_statement_calls_total", statement="recall_in_context") == 3
    assert exposed.value("pgrecall_statement_calls_total", statement="remember_memories") == 1
    assert exposed.value("pgrecall_statement_seconds_total", statement="recall_in_context") > 0


def test_labels_hold_nobody(exposed: Exposition, watched_server: str) -> None:
    labels = {label for found in exposed.samples.values() for each, _ in found for label in each}
    assert labels == {
        "operation", "outcome", "le", "look", "state", "table", "index", "extent", "statement",
    }  # fmt: skip
    assert "maria" not in str(exposed.samples)
    split = Exposition.of(watched_server, by_organization=True)
    [(found, value)] = split.samples["pgrecall_recalls_total"]
    assert set(found) == {"organization"} and value >= 2


def test_a_database_that_is_away(tmp_path: Path) -> None:
    exposed = Exposition.of(f"host={tmp_path} dbname=none user=nobody")
    assert exposed.value("pgrecall_database_up") == 0
    assert "pgrecall_table_rows" not in exposed.samples


def test_a_login_without_rights_sees_what_it_may(watched_server: str) -> None:
    with psycopg.connect(watched_server, autocommit=True) as connection:
        connection.execute("create role bare_monitor login")
    exposed = Exposition.of(make_conninfo(watched_server, user="bare_monitor"))
    failed = {
        labels["look"] for labels, value in exposed.samples["pgrecall_scrape_success"] if not value
    }
    assert failed == {"backups", "counts", "latencies"}
    assert exposed.value("pgrecall_table_size_bytes", table="public.ai_memories") > 0


def test_the_docs_have_the_table() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.exposed}` | {metric.kind} | {labels} | {metric.help} |" in page
