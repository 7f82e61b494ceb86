"""What the catalog says of every table, policy, grant, function and key."""

from __future__ import annotations

import pytest

from tests.isolation.stage import Stage
from tests.isolation.walls import WALLS


@pytest.mark.parametrize("wall", WALLS)
def test_the_wall_stands(stage: Stage, wall: str) -> None:
    assert stage.connection.execute(WALLS[wall].encode()).fetchall() == []
