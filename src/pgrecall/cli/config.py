"""pgrecall config get, set, diff, history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias

import typer

from pgrecall.cli.database import open_memory
from pgrecall.cli.hits import print_hanging
from pgrecall.cli.options import Agent, AsJson, Dsn, Organization
from pgrecall.cli.output import console, print_json, say
from pgrecall.cli.rendering import config_change_lines, setting_line
from pgrecall.domain.config import AgentConfig, AgentSetting
from pgrecall.errors import InvalidInputError

_DEFAULT_HELP = "What holds for all agents of the organization that don't set it themselves."
_ASSIGNMENTS_HELP = (
    "Such as limit=20, weights.recency=0.5 or half_life=P30D; null removes a setting."
)

Default: TypeAlias = Annotated[bool, typer.Option("--organization-default", help=_DEFAULT_HELP)]
Names: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME...]", help="Only these, such as limit or weights."),
]
Assignments: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="NAME=VALUE...", help=_ASSIGNMENTS_HELP)
]

app = typer.Typer(
    name="config",
    help="Show or change what an agent's memory does.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def get(
    names: Names = None,
    *,
    organization_default: Default = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show the settings that hold, and where each comes from."""
    with open_memory(dsn, organization, agent) as memory:
        config = memory.config(organization_default=organization_default)
    _show(config, _named(config, names), as_json=as_json)


@app.command("set")
def set_(
    assignments: Assignments,
    *,
    organization_default: Default = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Change settings, and show what holds after it."""
    changes, names = _changes(assignments), [each.partition("=")[0] for each in assignments]
    with open_memory(dsn, organization, agent) as memory:
        config = memory.configure(organization_default=organization_default, **changes)
    _show(config, [each for each in config.settings if _is_in(each.name, names)], as_json=as_json)


@app.command()
def diff(
    *,
    organization_default: Default = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show the settings that differ from what is built in."""
    with open_memory(dsn, organization, agent) as memory:
        config = memory.config(organization_default=organization_default)
    set_ones = [each for each in config.settings if each.value != each.built_in]
    if not set_ones:
        say("nothing differs from what is built in")
    _show(config, set_ones, as_json=as_json, with_built_in=True)


@app.command()
def history(
    *,
    organization_default: Default = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when: the agent's settings and those for all agents."""
    with open_memory(dsn, organization, agent) as memory:
        changes = memory.config_history(organization_default=organization_default)
    if as_json:
        print_json({"changes": changes})
        return
    out = console()
    for change in changes:
        print_hanging(out, *config_change_lines(change))


def _show(
    config: AgentConfig,
    settings: list[AgentSetting],
    *,
    as_json: bool,
    with_built_in: bool = False,
) -> None:
    if as_json:
        print_json({"agent_id": config.agent_id, "settings": settings})
        return
    out = console()
    for each in settings:
        out.print(setting_line(each, with_built_in=with_built_in))


def _named(config: AgentConfig, names: Iterable[str] | None) -> list[AgentSetting]:
    """The settings of the names, or all; InvalidInputError for a name that none has."""
    if not names:
        return list(config.settings)
    for name in names:
        if not any(_is_in(each.name, [name]) for each in config.settings):
            raise InvalidInputError(f"there is no setting {name!r}, or it is not set")
    return [each for each in config.settings if _is_in(each.name, names)]


def _is_in(name: str, names: Iterable[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in names)


def _changes(assignments: list[str]) -> dict[str, Any]:
    """Changes from NAME=VALUE, where a dot in a name leads into a setting that holds others."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, written = assignment.partition("=")
        if not equals or not name or not written:
            raise InvalidInputError(f"{assignment!r} is not NAME=VALUE", hint=_ASSIGNMENTS_HELP)
        *homes, last = name.split(".")
        place = changes
        for home in homes:
            place = place.setdefault(home, {})
            if not isinstance(place, dict):
                raise InvalidInputError(f"{name} stands inside of what is given as a whole")
        place[last] = _value(written)
    return changes


def _value(written: str) -> object:
    """JSON as what it says, anything else as a text."""
    try:
        value: object = json.loads(written)
    except json.JSONDecodeError:
        return written
    return value
