"""Of a long text a prompt shows the part that the question is about."""

from __future__ import annotations

import time

import pytest

from pgrecall.recall.passage import passage
from pgrecall.recall.prompt import block
from pgrecall.recall.tokens import estimated_tokens
from tests.recall.hits import beside, make_hit, make_message

NEEDLE = "The lighthouse keeper of Vlieland collects barometers."
HAN_NEEDLE = "灯台守は気圧計を集めている。"


def long_text(needle: str, filler: str, length: int = 348_853) -> str:
    return f"{filler * (length // len(filler))} {needle} {filler * 20}"


@pytest.mark.parametrize("budget", [150, 300, 1200, 8000])
@pytest.mark.parametrize(
    ("text", "query", "needle"),
    [
        (long_text(NEEDLE, "The ferry was late again. "), "Who collects barometers?", NEEDLE),
        (long_text(NEEDLE, "The ferry was late again. "), "ｂａｒｏｍｅｔｅｒｓ", NEEDLE),
        (long_text(HAN_NEEDLE, "船はまた遅れた。"), "気圧計を誰が", HAN_NEEDLE),
    ],
)
def test_a_long_hit_keeps_to_the_budget_and_shows_what_matched(
    budget: int, text: str, query: str, needle: str
) -> None:
    hits = [make_hit(text), make_hit("Short.", 1)]
    began = time.process_time()
    prompt = block(hits, budget, estimated_tokens, query)
    assert time.process_time() - began < 5
    assert estimated_tokens(prompt) <= budget
    if budget >= 300:
        assert "Short." in prompt
        assert needle in prompt
        assert "… " in prompt


def test_what_has_nothing_of_the_question_is_shown_from_its_beginning() -> None:
    text = f"In the beginning was the word. {'And so on. ' * 5_000}"
    found = passage(text, "barometers", fits=lambda part: len(part) <= 100)
    assert found.startswith("In the beginning was the word.")
    assert found.endswith(" …")
    assert len(found) <= 100


def test_a_long_neighbour_is_cut_as_well() -> None:
    question = make_message(f"{'Well. ' * 20_000} Is it in stock?", "Maria")
    answer = make_message("Yes, three.", "assistant", before=beside(question), trust="assistant")
    prompt = block([answer], 1200, estimated_tokens, "Is it in stock?")
    assert "Is it in stock?" in prompt
    assert estimated_tokens(prompt) <= 1200


def test_ordinary_texts_are_shown_whole_or_not_at_all() -> None:
    text = "The ferry was late again. " * 1_000
    assert block([make_hit(text)], 1200, estimated_tokens, "ferry") == ""
    assert text.strip() in block([make_hit(text)], 30_000, estimated_tokens, "ferry")
