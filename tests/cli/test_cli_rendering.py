"""How bars, dates and texts of others look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pgrecall.cli.rendering import Blocks, ago, bar, day, part_bar, visible
from pgrecall.recall.explanation import Part

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        (0, "░░░░░░"),
        (0.01, "░░░░░░"),
        (0.03, "▏░░░░░"),
        (0.5, "███░░░"),
        (0.75, "████▌░"),
        (1, "██████"),
        (1.7, "██████"),
        (-0.3, "░░░░░░"),
    ],
)
def test_bar(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_bar_in_plain_characters() -> None:
    assert bar(0.5, Blocks(full="#", parts="", empty=".")) == "###..."


def test_the_bar_of_a_part() -> None:
    part = Part("context_words", 1.5, 0.5, 0.21, 0.044)
    assert part_bar(part).plain == "context words   ███░░░ 0.50 x 0.21 = +0.044  (raw 1.500)"


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (0, "today"),
        (1, "1 day ago"),
        (13, "13 days ago"),
        (14, "2 weeks ago"),
        (59, "8 weeks ago"),
        (60, "2 months ago"),
        (729, "24 months ago"),
        (730, "2 years ago"),
        (-2, "in 2 days"),
    ],
)
def test_ago(days: int, told: str) -> None:
    assert ago(NOW - timedelta(days=days), NOW) == told


def test_day_is_that_of_utc() -> None:
    assert day(datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=5)))) == "28 Feb 2026"


def test_visible_text_is_one_line_without_control_characters() -> None:
    assert visible("a\n\t b\x1b[2J\u202ec\x9b") == "a b�[2J�c�"
    assert visible("👩‍🌾 grüßt") == "👩‍🌾 grüßt"
