"""The checks, in the order in which they are made: what a cure brings back, later ones build on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.checks import (
    backups,
    clock,
    connection,
    disk,
    embeddings,
    extensions,
    functions,
    grants,
    index_bloat,
    index_memory,
    index_use,
    indexes,
    logins,
    migrations,
    objects,
    pool,
    pooler,
    recall,
    releases,
    roles,
    row_security,
    secrets,
    session_settings,
    sessions,
    statistics,
    triggers,
    vacuum,
)

CHECKS: Sequence[Check[Any]] = (
    connection.CHECK,
    secrets.CHECK,
    releases.CHECK,
    clock.CHECK,
    pooler.CHECK,
    session_settings.CHECK,
    logins.CHECK,
    roles.CHECK,
    sessions.CHECK,
    pool.CHECK,
    disk.CHECK,
    extensions.CHECK,
    migrations.CHECK,
    objects.CHECK,
    row_security.CHECK,
    functions.CHECK,
    grants.CHECK,
    triggers.CHECK,
    indexes.CHECK,
    index_use.CHECK,
    index_bloat.CHECK,
    index_memory.CHECK,
    vacuum.CHECK,
    statistics.CHECK,
    embeddings.CHECK,
    recall.CHECK,
    backups.CHECK,
)
