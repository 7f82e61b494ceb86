"""What the doctor does when it may not, can't, or is misled."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgrecall.domain.diagnosis import Diagnosis, Fact, Finding, Severity, Unseen
from pgrecall.errors import InvalidInputError
from pgrecall.ops.doctor import examination
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.checks import CHECKS, clock, connection, logins, pooler, releases
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.ops.doctor.examination import examine
from pgrecall.ops.doctor.surroundings import Bounds
from tests.doctor.databases import sandbox
from tests.doctor.fault import Sandbox


@pytest.fixture
def database(healthy: str) -> Iterator[Sandbox]:
    with sandbox(None, healthy) as made:
        yield made


@pytest.fixture
def stranger(database: Sandbox) -> Iterator[Sandbox]:
    """The same database as a role without any right sees it."""
    name, password = f"stranger_{secrets.token_hex(6)}", secrets.token_hex(8)
    role = sql.Identifier(name)
    with psycopg.connect(database.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login password {}").format(role, password))
        dsn = make_conninfo(database.dsn, user=name, password=password)
        yield Sandbox(replace(database.surroundings, dsn=dsn))
        admin.execute(sql.SQL("drop owned by {}").format(role))
        admin.execute(sql.SQL("drop role {}").format(role))


def findings(found: Diagnosis) -> list[tuple[str, Severity, str]]:
    return [
        (each.check, finding.severity, finding.subject)
        for each in found.examinations
        for finding in each.findings
    ]


def unseen(found: Diagnosis) -> set[str]:
    return {each.check for each in found.examinations if each.unseen}


def test_without_rights_it_says_what_it_can_not_see(stranger: Sandbox) -> None:
    found = examine(stranger.surroundings)
    assert findings(found) == []
    assert unseen(found) >= {"migrations", "row_security", "functions", "grants", "objects"}
    told = [(each.what, each.needs) for e in found.examinations for each in e.unseen]
    assert all(what and needs for what, needs in told)
    assert not any("bug" in needs for _, needs in told)


def test_without_rights_it_finds_open_doors_all_the_same(
    database: Sandbox, stranger: Sandbox
) -> None:
    database.run(
        "alter table public.ai_memories disable row level security",
        "create policy everybody on agent_memory.history using (true)",
        "drop policy agent_memory_config_select on public.agent_memory_config",
        "grant select on public.ai_memory_contexts to anon",
        "alter function public.memory_history(uuid) set search_path = public",
        "alter function public.remember_memories(jsonb) owner to service_role",
    )
    assert findings(examine(stranger.surroundings)) == [
        ("row_security", "critical", "policy everybody on agent_memory.history"),
        (
            "row_security",
            "error",
            "policy agent_memory_config_select on public.agent_memory_config",
        ),
        ("row_security", "critical", "row level security public.ai_memories"),
        ("functions", "critical", "function public.memory_history(uuid)"),
        ("functions", "critical", "owner function public.remember_memories(jsonb)"),
        ("grants", "critical", "grant ON TABLE public.ai_memory_contexts TO anon"),
    ]


def test_a_broken_check_leaves_the_others(
    database: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(broken: CheckedDatabase) -> None:
        broken.session.connection.execute("select 1 / 0")

    broken = Check("broken", "Broken", read, lambda _: ())
    monkeypatch.setattr(examination, "CHECKS", (broken, *CHECKS))
    found = examine(database.surroundings)
    assert [each.check for each in found.examinations] == ["broken", *(c.name for c in CHECKS)]
    assert unseen(found) == {"broken"}
    assert "division by zero" in found.examinations[0].unseen[0].what


def test_a_slow_look_is_given_up(database: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(slow: CheckedDatabase) -> None:
        slow.session.connection.execute("select pg_sleep(60)")

    monkeypatch.setattr(examination, "CHECKS", (Check("slow", "Slow", read, lambda _: ()),))
    bounds = Bounds(statement=0.2)
    found = examine(replace(database.surroundings, bounds=bounds))
    assert found.examinations[0].unseen == (
        Unseen("Slow", "more time than 0.2 s, by --statement-timeout"),
    )


def test_it_can_not_write(database: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(writer: CheckedDatabase) -> None:
        writer.session.connection.execute("delete from public.ai_memories")

    monkeypatch.setattr(examination, "CHECKS", (Check("writer", "Writer", read, lambda _: ()),))
    found = examine(database.surroundings)
    assert "read-only transaction" in found.examinations[0].unseen[0].what
    assert database.ask("select count(*) from public.ai_memories") == 3


def test_a_database_that_is_not_there_is_a_finding(database: Sandbox) -> None:
    dsn = make_conninfo(database.dsn, dbname="no_such_database")
    found = examine(replace(database.surroundings, dsn=dsn))
    assert found.worst == "critical"
    [finding] = found.examinations[0].findings
    assert "does not exist" in finding.evidence


def test_only_names_checks(database: Sandbox) -> None:
    found = examine(database.surroundings, ["grants", "connection"])
    assert [each.check for each in found.examinations] == ["connection", "grants"]
    with pytest.raises(InvalidInputError, match="no check 'luck'"):
        examine(database.surroundings, ["luck"])


def test_a_clock_that_is_off_is_noticed(database: Sandbox) -> None:
    wrong = replace(database.surroundings, clock=lambda: database.surroundings.clock() + 3600)
    [(check, severity, _)] = findings(examine(wrong, ["clock"]))
    assert (check, severity) == ("clock", "error")


@pytest.mark.parametrize(
    ("ahead", "doubt", "severity"),
    [(9, 0, None), (11, 0, "warning"), (-11, 0, "warning"), (12, 3, None), (-200, 3, "error")],
)
def test_clocks(ahead: float, doubt: float, severity: str | None) -> None:
    assert worst(clock.judge(clock.ClockFacts(ahead, doubt, 10))) == severity


@pytest.mark.parametrize(
    ("version", "holes"),
    [
        (120022, ["pgrecall needs 13 or later"]),
        (130016, ["CVE-2024-10976", "CVE-2025-8713"]),
        (130022, []),
        (150008, ["CVE-2024-10976", "CVE-2025-8713", "CVE-2026-6473"]),
        (170005, ["CVE-2025-8713", "CVE-2026-6473"]),
        (180003, ["CVE-2026-6473"]),
        (180006, []),
        (190000, []),
    ],
)
def test_servers_with_holes(version: int, holes: list[str]) -> None:
    signs = list(releases.judge(releases.ReleaseFacts(version, None, None)))
    said = [sign.evidence.partition(":")[0] for sign in signs if isinstance(sign, Finding)]
    assert said == holes


@pytest.mark.parametrize(
    ("installed", "count"), [("0.6.2", 3), ("0.8.1", 2), ("0.8.2", 1), ("0.8.3", 0), ("0.10.0", 0)]
)
def test_pgvectors_with_holes(installed: str, count: int) -> None:
    signs = list(releases.judge(releases.ReleaseFacts(180006, installed, None)))
    assert sum(isinstance(sign, Finding) for sign in signs) == count


@pytest.mark.parametrize(
    ("is_remote", "tls", "sslmode", "severity"),
    [
        (False, None, "prefer", None),
        (True, None, "prefer", "error"),
        (True, "TLSv1.3 X", "prefer", "notice"),
        (True, "TLSv1.3 X", "verify-full", None),
    ],
)
def test_encryption(is_remote: bool, tls: str | None, sslmode: str, severity: str | None) -> None:
    reading = connection.ConnectionFacts("database x", None, is_remote, tls, sslmode)
    assert worst(connection.judge(reading)) == severity


def test_an_identity_that_was_handed_on() -> None:
    assert (
        worst(pooler.judge(pooler.PoolerFacts(True, "true", ["request.jwt.claims"]))) == "critical"
    )
    [sign] = pooler.judge(pooler.PoolerFacts(True, "true", ()))
    assert isinstance(sign, Fact)


def test_the_login_of_the_setting_is_looked_at(database: Sandbox) -> None:
    told = replace(database.surroundings, environment={"DATABASE_URL": database.dsn})
    [(check, severity, subject)] = findings(examine(told, ["logins"]))
    assert (check, severity) == ("logins", "warning")
    user = psycopg.conninfo.conninfo_to_dict(database.dsn)["user"]
    assert subject == f"login {user}"
    assert findings(examine(replace(told, is_embedded=True), ["logins"])) == []


def test_a_bare_login_is_well() -> None:
    bare = logins.Login("app", is_superuser=False, bypasses_rls=False, sessions=3)
    assert list(logins.judge(logins.LoginFacts([bare], sees_sessions=True))) == []


def worst(signs: Any) -> str | None:
    found = [sign.severity for sign in signs if isinstance(sign, Finding)]
    return found[0] if found else None


def test_every_check_is_described() -> None:
    for check in CHECKS:
        assert len(check.about) > 80, check.name
        assert (
            Path(__file__)
            .parents[2]
            .joinpath("docs/doctor.md")
            .read_text()
            .count(f"### {check.name}\n")
            == 1
        )
