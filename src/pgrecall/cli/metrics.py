"""pgrecall metrics: what Prometheus reads."""

from __future__ import annotations

import re
import threading
from typing import Annotated, TypeAlias

import typer
from prometheus_client import CollectorRegistry, generate_latest, start_http_server

from pgrecall.cli.database import resolve_database
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say
from pgrecall.errors import ConfigurationError, InvalidInputError
from pgrecall.ops.monitoring.exposition import registry

_LISTEN_HELP = "Serve them at http://HOST:PORT/metrics until interrupted; PORT alone is local."
_ORGANIZATION_HELP = "What clients counted, by organization: a series each."

Listen: TypeAlias = Annotated[str | None, typer.Option(help=_LISTEN_HELP, metavar="HOST:PORT")]
ByOrganization: TypeAlias = Annotated[
    bool, typer.Option("--by-organization", help=_ORGANIZATION_HELP)
]


def metrics(
    *,
    listen: Listen = None,
    by_organization: ByOrganization = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Print how the database does, as Prometheus reads it, or serve it.

    Looks as the login of the database URL; one with the rights of pg_monitor and SELECT on the
    tables sees all.
    """
    place = None if listen is None else _place(listen)
    with resolve_database(dsn) as found:
        collected = registry(found, by_organization=by_organization)
        if place is not None:
            _serve(collected, *place)
        elif as_json:
            print_json({"metrics": _samples(collected)})
        else:
            typer.echo(generate_latest(collected).decode(), nl=False)


def _serve(collected: CollectorRegistry, host: str, port: int) -> None:
    try:
        server, thread = start_http_server(port, addr=host, registry=collected)
    except OSError as error:
        raise ConfigurationError(f"{host}:{port} can't be listened on: {error.strerror}") from None
    try:
        say(f"serving http://{host}:{server.server_port}/metrics")
        threading.Event().wait()
    finally:
        server.shutdown()
        thread.join()


def _samples(collected: CollectorRegistry) -> list[dict[str, object]]:
    return [
        {"name": sample.name, "labels": sample.labels, "value": sample.value}
        for family in collected.collect()
        for sample in family.samples
    ]


def _place(listen: str) -> tuple[str, int]:
    """Host and port; InvalidInputError for anything else."""
    found = re.fullmatch(r"(?:\[?([^\[\]]+)\]?:)?([0-9]{1,5})", listen)
    if found is None or int(found[2]) > 65535:
        raise InvalidInputError(f"--listen takes HOST:PORT or PORT, not {listen!r}")
    return found[1] or "127.0.0.1", int(found[2])
