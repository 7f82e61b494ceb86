"""The configuration that docs/beside-other-migrations.md shows, which is the one that is tried."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "beside-other-migrations.md"
_BLOCK = re.compile(r"^```\w+\n(?://|#|--) (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown(name: str) -> str:
    """The file of that name, as the page shows it."""
    return dict(_BLOCK.findall(PAGE.read_text("utf-8")))[name]
