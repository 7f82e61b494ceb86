"""The pages, and what they show: blocks of commands and of Python, in their order."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```(sh|bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A command line, or a block of Python."""

    page: str
    is_python: bool
    text: str

    @property
    def first_line(self) -> str:
        """By which it is named: without its comment."""
        return self.text.strip().splitlines()[0].partition("  #")[0].strip()


def examples(path: Path) -> list[Example]:
    """What a page shows, in its order."""
    found = []
    for language, text in _BLOCK.findall(path.read_text("utf-8")):
        if language == "python":
            found.append(Example(path.name, True, text))
        else:
            lines = text.replace("\\\n", "").splitlines()
            shown = [line for line in lines if line.strip() and not line.startswith("#")]
            found += [Example(path.name, False, line) for line in shown]
    return found


def calls(line: str) -> list[list[str]]:
    """The arguments of each call of pgrecall in a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";&|<>"):
            found.append([])
        else:
            found[-1].append(word)
    return [words[1:] for words in found if words[:1] == ["pgrecall"]]
