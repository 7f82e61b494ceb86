"""Print the matrix, or write it into docs/isolation.md.

python -m tests.isolation            # the declared matrix
python -m tests.isolation --write    # the same, into the document
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.isolation.rendering import document, section

DOCUMENT = Path(__file__).parents[2] / "docs" / "isolation.md"


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        DOCUMENT.write_text(document(DOCUMENT.read_text()))
    elif arguments:
        sys.stderr.write(f"{__doc__}")
        return 2
    else:
        sys.stdout.write(section() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
