"""pgrecall demo."""

from __future__ import annotations

from pgrecall import Memory
from pgrecall.cli.database import open_memory
from pgrecall.cli.demo_output import print_demo
from pgrecall.cli.demo_run import ORGANIZATION, STRANGER, run
from pgrecall.cli.demo_story import read_story
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, progress


def demo(dsn: Dsn = None, as_json: AsJson = False) -> None:
    """See it work: a conversation, five questions, and a stranger.

    It writes into the organization pgrecall-demo only, and may be run again.
    """
    story = read_story()
    with (
        open_memory(dsn, ORGANIZATION, story.agent) as memory,
        Memory(dsn, organization=STRANGER, agent_id=story.agent) as stranger,
        progress("Remembering") as bar,
    ):
        seen = run(memory, stranger, story, bar)
    if as_json:
        print_json(seen)
    else:
        print_demo(seen, story.agent)
