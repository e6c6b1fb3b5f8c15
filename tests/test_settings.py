"""Settings as operators write them."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import StartRefused
from app.settings import DatabaseSettings, Settings, database_url

URL = {"agent_opik_url": "http://backend:8080"}


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **{**URL, **values})


@pytest.mark.parametrize("text", ["429,503", " 429 , 503 ", "[429, 503]"])
def test_a_list_is_written_with_commas_or_as_json(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_STATUSES", text)
    monkeypatch.setenv("ALLOWED_ORIGINS", "http://a.test,https://b.test:8443")
    read = settings()
    assert read.retry_statuses == (429, 503)
    assert read.allowed_origins == ("http://a.test", "https://b.test:8443")


@pytest.mark.parametrize(
    ("uri", "driver"),
    [
        ("mysql://u:p@h/d", "mysql+asyncmy"),
        ("mysql+asyncmy://u:p@h/d", "mysql+asyncmy"),
        ("mysql+pymysql://u:p@h:3307/d", "mysql+asyncmy"),
        ("mysql+aiomysql://u:p@h/d", "mysql+asyncmy"),
        ("mysql+mysqldb://u:p@h/d", "mysql+asyncmy"),
        ("sqlite:///a.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////srv/a.db", "sqlite+pysqlite"),
    ],
)
def test_every_way_to_write_a_database_means_our_driver(uri: str, driver: str) -> None:
    assert database_url(uri).drivername == driver


@pytest.mark.parametrize(
    "uri",
    [
        *("postgresql://u:hunter2@h/d", "mysql://u:hunter2@h", "hunter2", "mongodb://hunter2"),
        # Without its host, and with what a password may hold only percent-encoded.
        *("mysql://u:hunter2/d", "mysql://u:p@hunter2@h/d", "mysql://u:p@x/hunter2@h/d"),
    ],
)
def test_another_database_is_refused_without_showing_its_password(uri: str) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        database_url(uri)
    assert "hunter2" not in str(refusal.value)


def test_a_settings_repr_hides_the_databases_password() -> None:
    assert "hunter2" not in repr(settings(session_service_uri="mysql://u:hunter2@h/d"))


def test_a_settings_repr_hides_the_key_for_our_own_traces() -> None:
    assert "hunter2" not in repr(settings(opik_internal_api_key="hunter2"))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        settings().port = 1  # type: ignore[misc]


def test_addresses_and_prefixes_lose_their_closing_slash() -> None:
    read = settings(agent_opik_url="https://host/api/", url_prefix="/opik-ai/")
    assert (read.agent_opik_url, read.url_prefix) == ("https://host/api", "/opik-ai")


@pytest.mark.parametrize(
    "values",
    [
        {"agent_opik_url": "http://user:key@host"},
        {"agent_opik_url": "ftp://host"},
        {"allowed_origins": "*"},
        {"allowed_origins": "http://a.test/path"},
        {"url_prefix": "/a b"},
        {"port": 0},
        {"shutdown_seconds": "inf"},
        {"opik_ui_span_url": "https://elsewhere.test/{span_id}"},
        {"opik_ui_span_url": "{ui}/x?trace={traceid}&span={span_id}"},
        {"opik_ui_trace_url": "{ui}/x?trace={trace_id}&span={span_id}"},
        {"opik_internal_url": "http://user:key@host"},
        {"opik_internal_content": "some"},
    ],
)
def test_a_wrong_value_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


def test_a_migration_needs_the_database_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENT_OPIK_URL", raising=False)
    assert DatabaseSettings.load().session_service_uri.startswith("sqlite:///")
    with pytest.raises(StartRefused, match="AGENT_OPIK_URL is not set"):
        Settings.load()


def test_a_dotenv_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("AGENT_OPIK_URL=http://from-file\nPORT=9001\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "9002")
    read = Settings.load()
    assert (read.agent_opik_url, read.port) == ("http://from-file", 9002)


def test_a_dotenv_file_may_begin_with_the_mark_of_its_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("AGENT_OPIK_URL=http://from-file\n", encoding="utf-8-sig")
    monkeypatch.chdir(tmp_path)
    assert Settings.load().agent_opik_url == "http://from-file"


def test_a_dotenv_file_in_another_encoding_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("AGENT_OPIK_URL=http://from-file\n", encoding="utf-16")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StartRefused, match=r"\.env cannot be read as a text in UTF-8"):
        Settings.load()


SECRETS = [name for name, field in Settings.model_fields.items() if not field.repr]
SECRET_VALUES = {
    "session_service_uri": "mysql://u:p@h/from-file",
    "sentry_dsn": "https://key@host/1",
}
"""Secrets that have a form; any text will do for the others."""


def test_every_setting_that_sounds_secret_is_one() -> None:
    sounds = re.compile("(_key|_dsn|_uri|_token|_password|_secret)$")
    assert [name for name in Settings.model_fields if sounds.search(name)] == SECRETS


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_file_wins_over_its_variable(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = SECRET_VALUES.get(name, "from-file")
    (tmp_path / "secret").write_text(f"{value}\n")
    monkeypatch.setenv(f"{name}_file".upper(), str(tmp_path / "secret"))
    monkeypatch.setenv(name.upper(), SECRET_VALUES.get(name, "of-the-image"))
    assert getattr(settings(), name) == value


def test_a_dotenv_file_may_name_the_file_of_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uri").write_text("sqlite:///of-a-file.db")
    (tmp_path / ".env").write_text("SESSION_SERVICE_URI_FILE=uri\nAGENT_OPIK_URL=http://b\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.load().session_service_uri == "sqlite:///of-a-file.db"
    assert DatabaseSettings.load().session_service_uri == "sqlite:///of-a-file.db"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff", "not a text file")],
)
def test_the_file_of_a_secret_that_cannot_be_read_is_named(
    content: bytes | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dsn"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SENTRY_DSN_FILE", str(path))
    with pytest.raises(StartRefused, match=words) as refusal:
        settings()
    assert refusal.value.message.startswith("Settings: SENTRY_DSN_FILE: ")
    assert str(path) in refusal.value.message
