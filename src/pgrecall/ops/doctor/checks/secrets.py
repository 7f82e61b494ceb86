"""Variables that begin with `NEXT_PUBLIC_` are compiled into pages that anybody reads: a secret in
one is published. A public key in the place of the secret one has no more rights than anybody, and
fails later and obscurely. Both are refused by every other command; here they are named, with the
command that mends `.env`. A secret that was published must be replaced as well.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from pgrecall.domain.diagnosis import Cure, Finding, Sign, advice, shell
from pgrecall.domain.secrets import why_no_service_key, why_secret
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_PUBLIC = "NEXT_PUBLIC_"
_SERVICE_KEY = "SUPABASE_SERVICE_ROLE_KEY"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class SecretFacts:
    """Variables with their values, which of them stand in `.env`, and that file's mode."""

    values: Mapping[str, str] = field(repr=False)
    written: Sequence[str]
    mode: int | None


def read(database: CheckedDatabase) -> SecretFacts:
    """The environment and `.env`."""
    surroundings = database.surroundings
    values = {
        name: value
        for name, value in surroundings.environment.items()
        if name.upper().startswith(_PUBLIC) or name == _SERVICE_KEY
    }
    return SecretFacts(
        values,
        [each for each in values if surroundings.is_written(each)],
        _mode(surroundings.folder),
    )


def judge(facts: SecretFacts) -> Iterator[Sign]:
    """What is published, and what is no secret. No value is ever shown."""
    service_key = facts.values.get(_SERVICE_KEY)
    for name, value in sorted(facts.values.items()):
        why = name.upper().startswith(_PUBLIC) and value and why_secret(name, value, service_key)
        if why:
            yield Finding("critical", name, f"it {why}, and is published", _cure(name, facts))
    why_not = service_key and why_no_service_key(service_key)
    if why_not:
        cure = advice(
            "Take the secret key (sb_secret_… or service_role) from Settings, API Keys, of the "
            "Supabase project."
        )
        yield Finding("error", _SERVICE_KEY, f"it {why_not}", cure)
    if facts.mode is not None and facts.mode & (stat.S_IROTH | stat.S_IWOTH):
        evidence = f"every account of this machine may read it (mode {facts.mode:o})"
        yield Finding("warning", ".env", evidence, shell("chmod 600 .env"))


def _cure(name: str, facts: SecretFacts) -> Cure:
    if name in facts.written and _PLAIN.fullmatch(name):
        return shell(f"sed -i -E 's/^((export )?){name}=/\\1{name[len(_PUBLIC) :]}=/' .env")
    return shell(f"unset {quote(name)}  # and where it is set")


def _mode(folder: Path) -> int | None:
    try:
        return stat.S_IMODE((folder / ".env").stat().st_mode)
    except OSError:
        return None


CHECK = Check("secrets", "Secrets in the wrong place", read, judge, needs="nothing")
