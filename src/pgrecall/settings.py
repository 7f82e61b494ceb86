"""Settings from the environment and from `.env` in the working directory.

    DATABASE_URL                  the database; without it the embedded server is used
    PGRECALL_HOME                 where the embedded server keeps its data
    PGRECALL_BACKUP_RECIPIENTS    public keys of age that backups are for, or a file of them
    PGRECALL_BACKUP_IDENTITY      a file with the secret key of age that opens encrypted backups
    PGRECALL_PG_BIN               the folder of pg_dump and pg_restore, for whole databases
    PGRECALL_EMBEDDER             local (the default), multilingual, none, or openai:<model>
    PGRECALL_POOL_MIN_SIZE        connections that stay open once they were needed, 0 to 100
    PGRECALL_POOL_MAX_SIZE        connections at most, 1 to 1000
    PGRECALL_POOL_TIMEOUT         seconds to wait for a free connection
    PGRECALL_CONNECT_TIMEOUT      seconds to wait for the server
    PGRECALL_STATEMENT_TIMEOUT    seconds that one statement may take; 0 for no limit
    PGRECALL_STATS_INTERVAL       seconds after which counts are written at the latest; 0 for no
                                  counts
    PGRECALL_SLOW_RECALL          seconds above which a recall is counted and logged as slow; 0 for
                                  never
    PGRECALL_PIPELINE             send a transaction at once (the default), or false for poolers
                                  that can't take it
    NEXT_PUBLIC_SUPABASE_URL      the Supabase project
    SUPABASE_SERVICE_ROLE_KEY     its secret key
    SUPABASE_JWT_SECRET           its legacy secret, if it still signs tokens with it

What begins with NEXT_PUBLIC_ is compiled into pages that anybody reads, so a secret there is
refused. So is a public key in the place of the secret one, which would fail later and obscurely.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pgrecall.domain.secrets import why_no_service_key, why_secret
from pgrecall.errors import ConfigurationError


class Settings(BaseSettings):
    """What pgrecall can be told. Secrets don't show in its repr.

    Raises ConfigurationError, which names the variable and never its value.
    """

    model_config = SettingsConfigDict(
        env_prefix="PGRECALL_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    supabase_url: str | None = Field(None, alias="NEXT_PUBLIC_SUPABASE_URL")
    supabase_service_role_key: SecretStr | None = Field(None, alias="SUPABASE_SERVICE_ROLE_KEY")
    supabase_jwt_secret: SecretStr | None = Field(None, alias="SUPABASE_JWT_SECRET")
    claims_secret: SecretStr | None = Field(None, min_length=32)
    home: Path | None = None
    backup_recipients: str | None = None
    backup_identity: Path | None = None
    pg_bin: Path | None = None
    embedder: str = Field("local", min_length=1)
    pool_min_size: int = Field(1, ge=0, le=100)
    pool_max_size: int = Field(10, ge=1, le=1000)
    pool_timeout: float = Field(10, gt=0, le=3600)
    connect_timeout: int = Field(5, ge=1, le=3600)
    statement_timeout: float = Field(60, ge=0, le=86400)
    stats_interval: float = Field(30, ge=0, le=3600)
    slow_recall: float = Field(0, ge=0, le=3600)
    pipeline: bool = True

    def __init__(self, **values: Any) -> None:
        _refuse_public_secrets()
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_said(error)) from None
        _refuse_public_key(self.supabase_service_role_key)


def _refuse_public_secrets() -> None:
    written: Mapping[str, str | None] = {**dotenv_values(".env"), **os.environ}
    for name, value in written.items():
        if name.upper().startswith("NEXT_PUBLIC_") and value:
            why = why_secret(name, value, written.get("SUPABASE_SERVICE_ROLE_KEY"))
            if why:
                raise ConfigurationError(
                    f"{name} {why}; NEXT_PUBLIC_ variables are compiled into pages anybody reads",
                    hint="Rename it without NEXT_PUBLIC_; replace the secret if it was published.",
                )


def _refuse_public_key(service_key: SecretStr | None) -> None:
    why = service_key and why_no_service_key(service_key.get_secret_value())
    if why:
        raise ConfigurationError(
            f"SUPABASE_SERVICE_ROLE_KEY {why}, which has no more rights than anybody",
            hint="Take the secret key (sb_secret_… or service_role) from Settings, API Keys, of "
            "the Supabase project.",
        )


def _said(error: ValidationError) -> str:
    return "; ".join(f"{_variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors())


def _variable(location: str) -> str:
    """The variable of a field, which pydantic calls by its alias or, without one, by its name."""
    return location if location.isupper() else f"PGRECALL_{location.upper()}"
