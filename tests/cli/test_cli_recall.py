"""pgrecall recall."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def told(shell: Shell) -> Shell:
    """A shell on a database with three memories."""
    facts = {
        "Maria grows tomatoes on the balcony.": ("maria", "2026-03-01", "garden"),
        "Maria sold her tomatoes at the market.": ("maria", "2026-06-01", "market"),
        "Jonas repairs bicycles.": ("jonas", "2026-06-02", "market"),
    }
    for text, (user, day, context) in facts.items():
        when = ["--user", user, "--occurred-at", day, "--context", context]
        shell.json("remember", text, *when, "--metadata", f'{{"day": "{day}"}}')
    return shell


def found(shell: Shell, *arguments: str) -> list[str]:
    return [hit["content"] for hit in shell.json("recall", *arguments)["hits"]]


def test_text_shows_score_content_and_where_it_is_from(told: Shell) -> None:
    result = told.run("recall", "tomatoes on the balcony", "--limit", "1")
    assert result.exit_code == 0
    first, origin = result.stdout.splitlines()
    assert first.startswith(" 1. 0.")
    assert "  Maria grows tomatoes on the balcony.  (1 Mar 2026, " in first
    assert origin.strip().startswith("fact · maria · ")


def test_json_has_hits_with_signals_and_the_explanation(told: Shell) -> None:
    document = told.json("recall", "tomatoes on the balcony", "--limit", "2")
    assert set(document) == {"query", "hits", "explanation", "token_budget"}
    assert set(document["hits"][0]) == {
        "id",
        "content",
        "kind",
        "user_id",
        "agent_id",
        "context_key",
        "metadata",
        "trust",
        "occurred_at",
        "valid_from",
        "valid_to",
        "created_at",
        "score",
        "signals",
        "speaker",
        "before",
        "after",
    }
    assert set(document["hits"][0]["signals"]) == {"semantic", "lexical", "recency", "importance"}
    assert document["explanation"]["compared"] == 3
    assert [step["name"] for step in document["explanation"]["steps"]] == ["scope", "scoring"]
    assert document["explanation"]["scores"] == []
    assert set(document["explanation"]["timings"]) == {"embedding", "database", "total"}


def test_filters(told: Shell) -> None:
    query = "tomatoes bicycles"
    assert len(found(told, query)) == 3
    assert found(told, query, "--user", "jonas") == ["Jonas repairs bicycles."]
    assert found(told, query, "--context", "garden") == ["Maria grows tomatoes on the balcony."]
    assert found(told, query, "--until", "2026-04-01") == ["Maria grows tomatoes on the balcony."]
    assert found(told, query, "--since", "2026-06-02") == ["Jonas repairs bicycles."]
    assert found(told, query, "--metadata", '{"day": "2026-06-02"}') == ["Jonas repairs bicycles."]
    assert found(told, query, "--kind", "message") == []
    assert len(found(told, query, "--kind", "message", "--kind", "fact")) == 3
    assert found(told, query, "--min-score", "0.99") == []
    assert found(told, query, "--agent", "other") == []
    assert found(told, query, "--organization", "other") == []


def test_as_of_recalls_what_was_true_then(shell: Shell) -> None:
    for city, day in (("Leipzig", "2026-01-01"), ("Hamburg", "2026-08-01")):
        text = f"Maria lives in {city}."
        shell.json("remember", text, "--slot", "user:maria/city", "--occurred-at", day)
    question = "Where does Maria live?"
    assert found(shell, question) == ["Maria lives in Hamburg."]
    assert found(shell, question, "--as-of", "2026-03-15") == ["Maria lives in Leipzig."]


def test_explain_shows_a_bar_for_each_signal(told: Shell) -> None:
    lines = told.run("recall", "tomatoes", "--explain", "--limit", "1").stdout.splitlines()
    assert lines[1].strip().startswith("semantic did not run  lexical ██████ 1.00  recency ")
    assert "importance ███░░░ 0.50" in lines[1]
    parts = [line.split() for line in lines[2:] if " x " in line]
    assert ["window", "words", "██████", "1.00", "x"] in [part[:5] for part in parts]
    contributions = [abs(float(line.split(" = ")[1].split()[0])) for line in lines if " = " in line]
    assert contributions == sorted(contributions, reverse=True)
    assert "compared    3 memories (all in scope, exactly), 1 hits" in lines
    assert any("scoring: 3 compared by every signal, " in line for line in lines)


def test_explain_in_json_has_the_parts_of_each_score(told: Shell) -> None:
    document = told.json("recall", "tomatoes", "--explain", "--limit", "1")
    [score] = document["explanation"]["scores"]
    assert score["id"] == document["hits"][0]["id"]
    assert set(score["parts"][0]) == {"name", "raw", "scaled", "weight", "contribution"}


def test_as_prompt_prints_the_block_alone(told: Shell) -> None:
    result = told.run("recall", "bicycles", "--as-prompt", "--limit", "1")
    assert result.stdout.startswith("<recalled-memories>\n")
    assert result.stdout.endswith("] Jonas repairs bicycles.\n</recalled-memories>\n")
    document = told.json("recall", "bicycles", "--as-prompt", "--limit", "1")
    assert document == {"query": "bicycles", "prompt": result.stdout.rstrip("\n")}


def test_nothing_found_is_said_on_standard_error(shell: Shell) -> None:
    result = shell.run("recall", "anything")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing was found" in result.stderr
    assert shell.run("recall", "anything", "--as-prompt").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--limit", "0"], "limit must be from 1 to 1,000"),
        (["x", "--since", "noon"], "since must be a time in ISO 8601"),
        (["x", "--kind", "wish"], "must be one of message, fact"),
        (["x", "--user", ""], "user_id must have 1 to 255 characters"),
    ],
)
def test_wrong_arguments_are_usage_errors(shell: Shell, arguments: list[str], said: str) -> None:
    result = shell.run("recall", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_text_of_others_does_not_control_the_terminal(shell: Shell) -> None:
    shell.json("remember", "red \x1b[31malert\x07\u202e [bold]not markup[/bold]")
    for command in (["recall", "alert"], ["list"]):
        stdout = shell.run(*command).stdout
        assert "red �[31malert�� [bold]not markup[/bold]" in stdout
