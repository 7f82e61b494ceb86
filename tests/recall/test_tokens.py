"""The estimate of tokens, against the tokenizer at hand: BERT's, whose vocabulary is English."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from pgrecall.embedding.minilm import wordpiece_tokenizer
from pgrecall.recall.tokens import estimated_tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Article 1 of the Universal Declaration of Human Rights, and what people write besides.
TEXTS = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with "
    "reason and conscience and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
    "und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como "
    "están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on "
    "annettu järki ja omatunto.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni "
    "obdarzeni rozumem i sumieniem.",
    "tr": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana "
    "sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "ar": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "zh": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "ja": "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "numbers": "Call 0041 79 123 45 67 at 10:15, pay 1234567.89 CHF, IBAN CH9300762011623852957.",
    "code": "for key, value in sorted(rows.items()): print(f'{key!r:>20} {value.total_cost:.2f}')",
    "link": "https://example.com/a/b?c=d&e=f#g%20h",
    "line": "- [memory 01a206654788701cb728d48377f463ea, 2026-03-01, message by Maria] Tea?",
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    vocabulary = resources.files("pgrecall.embedding") / "bert_uncased_vocabulary.txt"
    made = wordpiece_tokenizer(vocabulary.read_bytes())
    made.no_truncation()
    return made


@pytest.mark.parametrize("language", TEXTS)
def test_no_language_is_undercounted(tokenizer: Tokenizer, language: str) -> None:
    text = TEXTS[language]
    assert estimated_tokens(text) >= len(tokenizer.encode(text, add_special_tokens=False).ids)


def test_english_is_not_overcounted_by_much(tokenizer: Tokenizer) -> None:
    counted = len(tokenizer.encode(TEXTS["en"], add_special_tokens=False).ids)
    assert estimated_tokens(TEXTS["en"]) <= 1.4 * counted


def test_what_vocabularies_lack_costs_its_bytes() -> None:
    assert estimated_tokens("የሰው ልጅ") >= 16
    assert estimated_tokens("🎉" * 10) == 30
    assert estimated_tokens("") == estimated_tokens("   ") == 0
