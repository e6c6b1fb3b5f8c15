"""What `pip install` gives: built, installed into an empty environment, and run outside of here."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx
import pytest

from app import __version__
from testkit.processes import (
    ROOT,
    ServerProcess,
    build_environment,
    running_process,
    serving_backend,
)
from testkit.scripted_chat import answer
from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, Service

pytestmark = pytest.mark.slow


async def _run(*command: Path | str, folder: Path, settings: Mapping[str, str]) -> str:
    """What the command prints; the test fails where it ends with another status than 0."""
    environment = build_environment(**{"PYTHONPATH": "", "HOME": str(folder), **settings})
    ended = await anyio.run_process(
        [str(each) for each in command], cwd=folder, env=environment, check=False
    )
    assert ended.returncode == 0, (ended.stdout[-2_000:], ended.stderr[-2_000:])
    return ended.stdout.decode()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and with the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", folder, ROOT]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr[-2_000:]
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    (wheel,) = built.glob("*.whl")
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "install", "--constraint", ROOT / "constraints.txt", wheel]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "bin"


def _find_databases(folder: Path) -> list[Path]:
    return list(folder.glob("*.db"))


def _files(*names: str) -> set[str]:
    """Every file of these folders but what Python compiles."""
    paths = [each for name in names for each in (ROOT / name, *(ROOT / name).rglob("*"))]
    wanted = [each for each in paths if each.is_file() and each.suffix != ".pyc"]
    return {each.relative_to(ROOT).as_posix() for each in wanted}


def test_the_wheel_and_the_sdist_hold_every_file_that_runs(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert _files("app", "migrations", "alembic.ini") - inside == set()
    assert not any(name.startswith(("tests/", "evals/")) for name in inside)
    with zipfile.ZipFile(wheel) as package:
        names = {name for name in package.namelist() if ".dist-info/" not in name}
    moved = {f"app/{path}" for path in _files("migrations", "alembic.ini")}
    assert names == moved | _files("app")


async def test_an_installed_wheel_migrates_checks_serves_and_answers(
    installed: Path, tmp_path: Path
) -> None:
    command = installed / "opik-assist"
    version = await _run(command, "--version", folder=tmp_path, settings={})
    assert version == f"opik-assist {__version__}\n"
    async with serving_backend(answer("It was the tool.")) as backend:
        database = f"sqlite:///{tmp_path / 'a.db'}"
        settings = {
            "AGENT_OPIK_URL": backend.url,
            "SESSION_SERVICE_URI": database,
            "URL_PREFIX": PREFIX,
            "DRAIN_SECONDS": "0",
            "MIGRATE_AT_START": "false",
        }
        await _run(command, "migrate", folder=tmp_path, settings=settings)
        assert " FAILED " not in await _run(command, "check", folder=tmp_path, settings=settings)
        ini = installed.parent.glob("lib/python*/site-packages/app/alembic.ini")
        alembic = [installed / "alembic", "-c", next(ini)]
        assert "(head)" in await _run(*alembic, "current", folder=tmp_path, settings=settings)
        process = ServerProcess(
            *(str(command), "serve"),
            folder=tmp_path,
            settings={"PYTHONPATH": "", **settings},
            python=installed / "python",
        )
        async with running_process(process), httpx.AsyncClient(timeout=WAIT_SECONDS) as http:
            service = Service(
                process.url, backend.url, database, backend.standin, backend.chat, http
            )
            assert (await service.ask()).texts == ["It was the tool."]
            assert await process.stop() == 0


async def test_an_installed_wheel_answers_in_a_terminal_without_a_service(
    installed: Path, tmp_path: Path
) -> None:
    command = installed / "opik-assist"
    async with serving_backend(answer("It was the tool.")) as backend:
        settings = {"OPIK_URL_OVERRIDE": backend.url}
        asked = ("ask", TRACE_ID, "What failed?")
        assert "It was the tool." in await _run(command, *asked, folder=tmp_path, settings=settings)
        listed = ("ask", TRACE_ID, "--findings")
        shown = await _run(command, *listed, folder=tmp_path, settings=settings)
    assert "KeyError: 'orders' began in" in shown
    assert _find_databases(tmp_path) == []
