"""Settings from the environment and from `.env`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgrecall import Memory, Settings
from pgrecall.errors import ConfigurationError

NAMES = ("DATABASE_URL", "SUPABASE_SERVICE_ROLE_KEY")
# The middle parts of tokens, {"role": …} in Base64.
SERVICE_ROLE = "eyJyb2xlIjoic2VydmljZV9yb2xlIn0"
ANON = "eyJyb2xlIjoiYW5vbiJ9"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name in NAMES or name.startswith(("PGRECALL_", "NEXT_PUBLIC_")):
            monkeypatch.delenv(name)
    return tmp_path


def test_nothing_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert (settings.database_url, settings.home, settings.embedder) == (None, None, "local")
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().database_url is None


def test_the_environment_comes_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(
        "DATABASE_URL=postgresql://file/db\nPGRECALL_HOME=/tmp/home\nPGRECALL_POOL_MAX_SIZE=3\n"
        "SOMETHING_ELSE=1\n"
    )
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment/db")
    settings = Settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://environment/db"
    assert (settings.home, settings.pool_max_size) == (Path("/tmp/home"), 3)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://maria:hunter2@db/app")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "sb_secret_hunter2")
    settings = Settings()
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGRECALL_POOL_MAX_SIZE", "hunter2"),
        ("PGRECALL_POOL_MAX_SIZE", "0"),
        ("PGRECALL_CONNECT_TIMEOUT", "-1"),
        ("PGRECALL_PIPELINE", "perhaps"),
    ],
)
def test_a_malformed_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings()
    assert "hunter2" not in str(caught.value)


def test_a_public_secret_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXT_PUBLIC_SUPABASE_URL", "https://x.supabase.co")
    assert Settings().supabase_url == "https://x.supabase.co"
    (folder / ".env").write_text("NEXT_PUBLIC_SUPABASE_KEY=sb_secret_hunter2\n")
    with pytest.raises(ConfigurationError, match="NEXT_PUBLIC_SUPABASE_KEY") as caught:
        Settings()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEXT_PUBLIC_DATABASE_URL", "host=db dbname=hunter2"),
        ("NEXT_PUBLIC_SUPABASE_KEY", f"h.{SERVICE_ROLE}.hunter2"),
        ("next_public_service_role", "hunter2"),
    ],
)
def test_each_public_secret_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings()
    assert "anybody reads" in caught.value.message
    assert "Rename it without NEXT_PUBLIC_" in str(caught.value.hint)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["sb_publishable_hunter2", f"h.{ANON}.hunter2"])
@pytest.mark.parametrize("is_in_file", [True, False])
def test_a_public_key_is_no_service_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, is_in_file: bool
) -> None:
    if is_in_file:
        (folder / ".env").write_text(f"SUPABASE_SERVICE_ROLE_KEY={value}\n")
    else:
        monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", value)
    with pytest.raises(ConfigurationError, match="SUPABASE_SERVICE_ROLE_KEY is a ") as caught:
        Settings()
    assert "API Keys" in str(caught.value.hint)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["sb_secret_abc", f"h.{SERVICE_ROLE}.s", "anything"])
def test_other_service_keys_are_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", value)
    key = Settings().supabase_service_role_key
    assert key is not None
    assert key.get_secret_value() == value


def test_the_database_is_the_given_one_then_the_settings_then_the_embedded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Memory(settings=Settings(home=Path("/tmp/h"))).database == "embedded server in /tmp/h"
    monkeypatch.setenv("PGRECALL_HOME", "/tmp/other")
    assert Memory().database == "embedded server in /tmp/other"
    monkeypatch.setenv("DATABASE_URL", "postgresql://maria:hunter2@db/app")
    assert Memory().database == "database app at db"
    assert Memory("host=here dbname=mine").database == "database mine at here"
