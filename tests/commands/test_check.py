"""`opik-assist check` and `migrate`, before a backend that works or does not."""

import functools
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
from click.testing import CliRunner, Result

from app import __version__
from app.cli import cli
from app.commands.check import BACKEND_SECONDS, EXIT_STATUS, check_backend, run_checks
from standin.switches import UserAccount, WorkspaceKey
from testkit import credentials
from testkit.processes import SERVICE, Backend, run_python, serving_backend

WELL = dict.fromkeys(EXIT_STATUS, "ok")


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with serving_backend() as backend:
        yield backend


@pytest.fixture(autouse=True)
def environment(
    tmp_path: Path, backend: Backend, migrated_sqlite_uri: str, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SESSION_SERVICE_URI", migrated_sqlite_uri)
    monkeypatch.setenv("AGENT_OPIK_URL", backend.url)
    monkeypatch.setenv("OPIK_CONFIG_PATH", str(tmp_path / "opik.config"))
    return monkeypatch


async def check() -> tuple[dict[str, str], str]:
    """The state of each part, and all sentences."""
    found = [each async for each in run_checks()]
    return {each.part: each.state for each in found}, " ".join(each.sentence for each in found)


async def test_a_database_of_each_kind_passes_every_check(
    database_uri: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SESSION_SERVICE_URI", database_uri)
    states, sentences = await check()
    assert states == WELL, sentences
    assert "Usable in workspace 'default': openai/gpt-4.1, " in sentences


async def test_a_backend_may_take_as_long_as_the_check_waits_and_knows_who_asks(
    backend: Backend,
) -> None:
    timeouts: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        await check_backend(http, backend.url)
    assert set(timeouts[0].values()) == {BACKEND_SECONDS}
    await check()
    agents = {each.headers["user-agent"] for each in backend.standin.switches.received}
    assert agents == {f"opik-assist/{__version__}"}


async def test_a_page_of_opik_s_nginx_is_no_backend() -> None:
    page = httpx.Response(200, html="<title>Opik</title>")
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: page)) as http:
        checked = await check_backend(http, "https://opik.test")
    assert checked.state == "FAILED"
    assert "/api" in checked.sentence


async def test_only_models_whose_provider_has_a_key_are_usable(
    backend: Backend, environment: pytest.MonkeyPatch
) -> None:
    backend.standin.switches.keys = [WorkspaceKey("anthropic")]
    environment.setenv("AGENT_MODELS_ALLOWED", "openai/gpt-4o,anthropic/claude-opus-4-1")
    states, sentences = await check()
    assert states == WELL
    assert "anthropic/claude-sonnet-4-5" in sentences
    assert "anthropic/claude-opus-4-1" in sentences
    assert "openai" not in sentences.replace(backend.url, "")

    backend.standin.switches.keys = []
    states, sentences = await check()
    assert states == {**WELL, "models": "FAILED"}
    assert "AI Providers" in sentences


async def test_credentials_are_found_as_the_sdk_finds_them(
    backend: Backend, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = UserAccount("ada", frozenset({"team", "lab"}))
    backend.standin.switches.accounts = {credentials.OPERATOR: account}
    states, sentences = await check()
    assert states == {**WELL, "models": "unknown"}
    assert "OPIK_API_KEY" in sentences

    (tmp_path / "opik.config").write_text(
        f"[opik]\nurl_override = http://opik.test/\napi_key = {credentials.OPERATOR}\n"
        "workspace = lab\n"
    )
    states, sentences = await check()
    assert states == WELL
    assert "workspace 'lab'" in sentences
    environment.setenv("OPIK_WORKSPACE", "team")
    assert "workspace 'team'" in (await check())[1]

    environment.setenv("OPIK_API_KEY", credentials.EVE)
    states, sentences = await check()
    assert states == {**WELL, "models": "FAILED"}
    assert "refuses these credentials" in sentences
    assert credentials.EVE not in sentences


async def test_every_part_that_fails_says_so(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("AGENT_OPIK_URL", "http://127.0.0.1:1")
    missing = tmp_path / "none.db"
    environment.setenv("SESSION_SERVICE_URI", f"sqlite:///{missing}")
    states, sentences = await check()
    assert states == {"settings": "ok", "database": "FAILED", "backend": "FAILED"}
    assert "opik-assist migrate" in sentences
    assert "AGENT_OPIK_URL" in sentences
    assert not missing.exists()

    uri = f"mysql://anna:{credentials.PASSWORD}@127.0.0.1:1/opik"
    environment.setenv("SESSION_SERVICE_URI", uri)
    states, sentences = await check()
    assert states == {"settings": "ok", "database": "FAILED", "backend": "FAILED"}
    assert credentials.PASSWORD not in sentences

    environment.setenv("PORT", "many")
    states, sentences = await check()
    assert states == {"settings": "FAILED"}
    assert "PORT" in sentences


async def test_a_configuration_of_the_sdk_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "opik.config").write_text("api_key = none of your business\n")
    states, sentences = await check()
    assert states == {"settings": "FAILED"}
    assert "opik.config" in sentences
    assert "business" not in sentences


async def test_the_exit_status_names_the_part_and_migrate_makes_the_schema(
    backend: Backend, tmp_path: Path
) -> None:
    path = tmp_path / "new.db"
    path.touch()
    settings = {"SESSION_SERVICE_URI": f"sqlite:///{path}", "AGENT_OPIK_URL": backend.url}

    async def run_check() -> Result:
        run = functools.partial(CliRunner().invoke, cli, ["check"], env=settings)
        return await anyio.to_thread.run_sync(run)

    checked = await run_check()
    assert (checked.exit_code, checked.stderr) == (EXIT_STATUS["schema"], "")
    assert [line.split()[:2] for line in checked.stdout.splitlines()][1:3] == [
        ["database", "ok"],
        ["schema", "FAILED"],
    ]
    code, printed, _ = await run_python(*SERVICE, "migrate", folder=tmp_path, **settings)
    assert (code, printed) == (0, f"sqlite:///{path}: the tables are up to date.\n")
    checked = await run_check()
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout.count(" ok ") == len(EXIT_STATUS)
