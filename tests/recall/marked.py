"""Texts with recalled memories in them, and what of each is not ours."""

from __future__ import annotations

from pgrecall.domain.marks import CLOSING, NOTICE, OPENING, OPENING_TAG

ID = "01a206654788701cb728d48377f463ea"
LINE = f"- [memory {ID}, 2026-03-01, fact from user] Maria is vegetarian."
OTHER = f"- [memory {ID[::-1]}, 2026-03-02 and 2026-03-04, message by M)] Is it?"
BLOCK = f"{OPENING}\n{LINE}\n{OTHER}\n{CLOSING}"

TEXTS = {
    "nothing": ("", ""),
    "words": (" What shall I cook? ", " What shall I cook? "),
    "a block": (BLOCK, ""),
    "a block and a line break": (f"{BLOCK}\n", ""),
    "two blocks": (f"{BLOCK}\n\n{BLOCK}", ""),
    "words after a block": (f"{BLOCK}\n\nWhat shall I cook?", "What shall I cook?"),
    "words around a block": (f"Before\n{BLOCK}\nAfter", "Before\nAfter"),
    "words on its lines": (f"Note: {BLOCK} Cook!", "Note:  Cook!"),
    "words between two": (f"{BLOCK}\nCook!\n{BLOCK}\n", "Cook!"),
    "with carriage returns": (f"A\r\n{BLOCK}\r\nB".replace("\n-", "\r\n-"), "A\r\nB"),
    "quoted": ("> " + BLOCK.replace("\n", "\n> ") + "\n\nWhy?", "Why?"),
    "on one line": (" ".join(BLOCK.split()) + " Cook!", "Cook!"),
    "in JSON": ('{"context": "' + BLOCK.replace("\n", "\\n") + '"}', '{"context": ""}'),
    "cut off at its end": (f"{OPENING}\n{LINE}\n{OTHER}\nCook!", "Cook!"),
    "cut off at its beginning": (f"{OTHER}\n{CLOSING}\nCook!", "Cook!"),
    "cut off, then a whole one": (f"{OPENING}\n{LINE}\nCook!\n{BLOCK}", "Cook!"),
    "a line": (LINE, ""),
    "a line without its dash": (LINE[2:], ""),
    "a line with a number": (f"1. {LINE[2:]}", ""),
    "lines in an answer": (f"As you said:\n{LINE}\n{OTHER}\nEnjoy.", "As you said:\nEnjoy."),
    "a quoted line": (f"> {LINE}\nOk", "Ok"),
    "a citation": (f"You are vegetarian [memory {ID}].", f"You are vegetarian [memory {ID}]."),
    "a citation first": (f"[memory {ID}] says so.", f"[memory {ID}] says so."),
    "a line's mark inside a line": (f"See {LINE}", f"See {LINE}"),
    "a mention": (f"What is {OPENING_TAG}? And {CLOSING}", f"What is {OPENING_TAG}? And {CLOSING}"),
    "tags of one's own": (f"{OPENING_TAG}\nmine\n{CLOSING}", f"{OPENING_TAG}\nmine\n{CLOSING}"),
    "the notice alone": (NOTICE, NOTICE),
    "another list": ("- [memory 7, 2026-03-01] DDR5", "- [memory 7, 2026-03-01] DDR5"),
    "a log of commits": (f"- [{ID}, 2026-03-01] Fix it", f"- [{ID}, 2026-03-01] Fix it"),
}
