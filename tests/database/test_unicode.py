"""Content is stored as it came, and found however it was typed."""

from __future__ import annotations

import unicodedata

import pytest

from tests.database.conftest import World

# What was told, and what is asked: the same to a reader, other code points to a machine.
SAME = {
    "a decomposed umlaut": (
        unicodedata.normalize("NFD", "Der Schlüssel liegt unter der Matte."),
        unicodedata.normalize("NFC", "Schlüssel"),
    ),
    "a composed umlaut": (
        unicodedata.normalize("NFC", "Der Schlüssel liegt unter der Matte."),
        unicodedata.normalize("NFD", "Schlüssel"),
    ),
    "full-width letters": ("The ＳＥＲＶＥＲ room is locked.", "server"),
    "half-width letters": ("The server room is locked.", "ｓｅｒｖｅｒ"),
    "full-width digits": ("The code of the door is ４７１１.", "4711"),
    "half-width katakana": ("ｺｰﾋｰが好きです。", "コーヒー"),
    "full-width katakana": ("コーヒーが好きです。", "ｺｰﾋｰ"),
    "voiced half-width katakana": ("ｶﾞﾗｽの花瓶", "ガラス"),
    "Hangul in letters": (unicodedata.normalize("NFD", "저는 고양이와 살아요."), "고양이"),
    "Hangul asked in letters": ("저는 고양이와 살아요.", unicodedata.normalize("NFD", "고양이")),
    "Thai": ("น้ำตกอยู่ไกล", unicodedata.normalize("NFKC", "น้ำตก")),
    "a compatible ideograph": ("\uf92c君は東京にいる", "\u90ce君"),
    "a ligature": ("The ﬁle is in the oﬃce.", "office file"),
    "a no-break space": ("Flight\u00a0LH\u00a0400 was late.", "flight"),
    "a trade mark": ("She has an Android™ phone.", "android"),
}
# One letter of a script without spaces: first, in the middle, last, beside other letters.
ALONE = {
    "Han first": ("茶が好きです", "茶"),
    "Han inside": ("私はお茶が好きです", "茶"),
    "Han last": ("毎朝飲むのは茶", "茶"),
    "Han alone": ("飲み物: 茶", "茶"),
    "Han beside a digit": ("5月に引っ越します", "月"),
    "Han beside Latin": ("我用Mac写", "写"),
    "Han in brackets": ("私はお茶が好きです", "「茶」？"),
    "rare Han": ("\U00020bb7野家で食べた", "\U00020bb7"),
    "Hangul": ("매일 물을 마셔요", "물"),
    "Kana": ("この絵は好き", "絵"),
    "Latin beside Han": ("我用Mac写", "mac"),
}
NOISE = ["犬と山と川", "Completely different.", "고마워요", "ขอบคุณ"]


@pytest.mark.parametrize("case", SAME)
def test_what_looks_the_same_is_found(world: World, case: str) -> None:
    client = world.program(world.organization(), "alpha")
    told, asked = SAME[case]
    client.remember({"content": told}, *({"content": other} for other in NOISE))
    found = [hit for hit in client.recall(asked) if hit["lexical"] > 0.5]
    # It comes back as it was told, code point by code point.
    assert [hit["content"] for hit in found] == [told]


@pytest.mark.parametrize("case", ALONE)
def test_one_letter_is_found(world: World, case: str) -> None:
    client = world.program(world.organization(), "alpha")
    told, asked = ALONE[case]
    client.remember({"content": told}, *({"content": other} for other in NOISE))
    found = [hit["content"] for hit in client.recall(asked) if hit["lexical"] > 0.5]
    assert found == [told]


def test_one_letter_names_a_speaker(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    talk = {"kind": "message", "context_key": "t"}
    client.remember({"content": "Good morning.", "speaker": "林", **talk})
    [hit] = client.rows("select signals -> 'speaker' as speaker from explain_memories('林')")
    assert hit["speaker"]["scaled"] == 1


def test_a_letter_inside_a_longer_question_asks_for_no_more_than_itself(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    terms = "select term::text from agent_memory.query_terms(%s, '{english}')"
    asked = {
        row["term"]
        for row in client.connection.execute(terms.encode(), ("お茶が好き 茶",)).fetchall()
    }
    assert asked == {"'お茶'", "'茶が'", "'が好'", "'好き'", "'き'", "'茶':*"}


def test_a_text_typed_in_another_form_is_the_same_fact(world: World) -> None:
    client = world.program(world.organization(), "alpha")
    composed = "Der Schlüssel liegt in der Küche."
    [first] = client.remember({"content": unicodedata.normalize("NFD", composed)})
    [again] = client.remember({"content": composed})
    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    [stored] = client.rows("select content from ai_memories")
    assert stored["content"] == unicodedata.normalize("NFD", composed)


def test_people_and_documents_stay_exact(world: World) -> None:
    """Two identifiers that look the same may be two: they are never made into one."""
    client = world.program(world.organization(), "alpha")
    name = {form: unicodedata.normalize(form, "rené") for form in ("NFC", "NFD")}
    client.remember(
        *(
            {"content": "Likes tea.", "user_id": each, "metadata": {"n": each}}
            for each in name.values()
        )
    )
    for each in name.values():
        [hit] = client.recall("tea", user_id=each)
        assert hit["user_id"] == each
        [hit] = client.recall("tea", metadata=f'{{"n": "{each}"}}')
        assert hit["metadata"] == {"n": each}


@pytest.mark.parametrize(
    "content",
    [
        "Plain words of English.",
        unicodedata.normalize("NFD", "Größe und Schlüssel"),
        "ＦＵＬＬ width ｶﾞﾗｽ 5月 Mac写 ﷺ",
        "a" * 40_000,
        "word " * 20_000,
        "茶" * 40_000,
        "é " * 30_000,
    ],
)
def test_the_index_of_a_memory_has_the_lexemes_of_its_text(world: World, content: str) -> None:
    """The generated column repeats agent_memory.lexemes(), which not all who write may call."""
    client = world.program(world.organization(), "alpha")
    client.remember({"content": content, "speaker": "Ｒｅｎé", "language": "german"})
    compared = """
        select ts_filter(search_vector, '{a}')
                 = setweight(agent_memory.lexemes(language, content), 'A')
               and ts_filter(search_vector, '{b}') <> '' as is_same
        from ai_memories"""
    row = client.connection.execute(compared.encode()).fetchone()
    assert row == {"is_same": True}


def test_the_letters_and_the_form_are_said_the_same_twice(world: World) -> None:
    """agent_memory.paired() repeats them, for those who write and can't look them up."""
    compared = """
        select strpos(p.prosrc, agent_memory.unspaced_letters()) > 0 as has_letters,
               agent_memory.paired(told) = agent_memory.matched_form(told) as is_same_form
        from pg_proc as p cross join (select %s) as t (told)
        where p.oid = 'agent_memory.paired(text)'::regprocedure"""
    for told in ("Ｒｅｎé™ ﷺ", unicodedata.normalize("NFD", "Größe"), "plain"):
        row = world.connection.execute(compared.encode(), (told,)).fetchone()
        assert row == {"has_letters": True, "is_same_form": True}
