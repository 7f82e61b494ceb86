"""Memories in other languages than English are found by their words."""

from __future__ import annotations

import json

import pytest

from tests.database.conftest import World

TOLD = {
    "german": ("Ich wohne in Hamburg und habe zwei Katzen, die nicht ins Haus dürfen.", "Katze"),
    "french": ("J'habite à Lyon et je travaille dans les vignes de mes parents.", "travailler"),
    "spanish": ("Me gusta el café con leche, pero no como carne desde hace años.", "gustar"),
    "russian": ("Я живу в Москве и люблю собак.", "собака"),
    "arabic": ("أنا أعيش في القاهرة مع القطط", "قطط"),
    "english": ("The cats that you brought were sleeping.", "cat"),
}
UNSPACED = {
    "chinese": ("我在北京工作，喜欢吃苹果。", "苹果"),
    "japanese": ("私は東京に住んでいて、猫が好きです。", "東京"),
    "thai": ("ฉันชอบกินข้าวผัดที่กรุงเทพ", "ข้าวผัด"),
    "korean": ("저는 서울에서 고양이와 살아요.", "고양이"),
}


@pytest.mark.parametrize("language", TOLD)
def test_a_language_is_known_by_its_words(world: World, language: str) -> None:
    client = world.program(world.organization(), "alpha")
    content, question = TOLD[language]
    client.remember({"content": content}, {"content": "Completely different."})
    [found] = client.rows("select language from ai_memories where content = %s", content)
    assert found["language"] == language
    assert [hit["content"] for hit in client.recall(question) if hit["lexical"] > 0.5] == [content]


@pytest.mark.parametrize("language", UNSPACED)
def test_words_without_spaces_are_found(world: World, language: str) -> None:
    client = world.program(world.organization(), "alpha")
    content, question = UNSPACED[language]
    others = [{"content": other} for other, _ in UNSPACED.values() if other != content]
    client.remember({"content": content}, *others)
    assert client.recall(question)[0]["content"] == content


def test_a_writer_may_name_the_language(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    client.remember({"content": "Katzen", "language": "german"})
    assert client.recall("Katze")[0]["lexical"] > 0.9


def test_new_words_are_read_in_their_own_language(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    told, named = client.remember(
        {"content": TOLD["german"][0]}, {"content": TOLD["german"][0] + ".", "language": "simple"}
    )
    change = "select update_memory(%s, %s::jsonb)"
    for content, language in ((TOLD["french"][0], "french"), ("Katzen", "french")):
        client.rows(change, told["id"], json.dumps({"content": content}))
        [found] = client.rows("select language from ai_memories where id = %s", told["id"])
        assert found["language"] == language
    [config] = client.rows("select languages from agent_memory_config")
    assert set(config["languages"]) >= {"german", "french"}
    [step, _] = client.rows("select * from memory_changes(array[%s])", told["id"])
    assert (step["before"]["language"], step["after"]["language"]) == ("german", "french")
    client.rows(change, named["id"], json.dumps({"content": TOLD["french"][0] + "."}))
    [found] = client.rows("select language from ai_memories where id = %s", named["id"])
    assert found["language"] == "simple"


def test_what_says_nothing_of_its_language_is_english(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    client.remember({"content": "Haha, wow!"}, {"content": "42"})
    found = client.rows("select distinct language from ai_memories")
    assert found == [{"language": "english"}]


def test_a_question_is_asked_in_every_language_of_the_organization(world: World) -> None:
    organization = world.organization()
    world.program(organization, "alpha").remember({"content": TOLD["german"][0]})
    beta = world.program(organization, "beta")
    beta.remember({"content": TOLD["english"][0], "visibility": "organization"})
    [config] = beta.rows("select languages from agent_memory_config where agent_id = 'alpha'")
    assert config["languages"] == ["german"]
    assert beta.recall("cat")[0]["lexical"] > 0.9


def test_long_texts_in_pairs_can_be_stored(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    letters = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(100_000))
    context = {"kind": "message", "context_key": "t"}
    for turn in range(5):
        [answer] = client.remember({"content": letters[turn:], **context})
        assert answer["status"] == "added"


def test_stop_words_of_the_question_do_not_count_in_another_language(world: World) -> None:
    """A memory whose language was not seen has them as words, and rare ones."""
    client = world.program(world.organization(), "alpha")
    unseen = {"content": "de la que el los", "language": "english"}
    client.remember({"content": TOLD["spanish"][0]}, unseen)
    hits = client.recall("¿Qué es lo que le gusta de la leche y de los años?")
    assert [hit["content"] for hit in hits if hit["lexical"] > 0.5] == [TOLD["spanish"][0]]
