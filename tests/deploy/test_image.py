"""The container files, as far as they can be proven without an engine."""

import fnmatch
import os
import shutil
import sys
import tomllib
from pathlib import Path

import anyio
import httpx
import pytest

from app import __version__
from testkit.processes import (
    ROOT,
    SERVICE,
    ServerProcess,
    find_free_port,
    run_python,
    running_process,
)

NOBODY_THERE = "http://127.0.0.1:1"


def _copied() -> list[tuple[str, str]]:
    """What the Dockerfile takes from the project: pairs of a source and its target."""
    pairs = []
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.split()[1:]
            pairs += [(source, target) for source in sources]
    return pairs


def _ignored(path: str) -> bool:
    """By the rules of .dockerignore: the last line that fits a path or a folder of it decides."""
    hidden = False
    folders = [path, *(str(each) for each in Path(path).parents if str(each) != ".")]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        anywhere = pattern.removeprefix("**/")
        names = [Path(each).name for each in folders] if anywhere != pattern else folders
        if any(fnmatch.fnmatchcase(name, anywhere) for name in names):
            hidden = not line.startswith("!")
    return hidden


def _files(source: str) -> list[str]:
    path = ROOT / source
    found = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return [str(each.relative_to(ROOT)) for each in found if "__pycache__" not in each.parts]


def test_what_the_image_copies_is_there_and_is_sent_to_the_builder() -> None:
    sources = {source for source, _ in _copied()}
    assert {"app", "migrations", "alembic.ini", "pyproject.toml", "constraints.txt"} <= sources
    for source in sources:
        files = _files(source)
        assert files, source
        assert [each for each in files if _ignored(each)] == []


@pytest.mark.parametrize(
    "path",
    [".env", "app/.env", ".git/config", "tests/conftest.py", "app/__pycache__/main.pyc", "x.db"],
)
def test_what_the_image_does_not_need_stays_out_of_the_builder(path: str) -> None:
    assert _ignored(path)


async def _requirements(*arguments: str) -> tuple[int, list[str]]:
    ended = await run_python("deploy/requirements.py", "pyproject.toml", *arguments, folder=ROOT)
    return ended.code, ended.printed.splitlines()


async def test_an_extra_adds_its_requirements_to_those_of_the_service() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert await _requirements("") == (0, project["dependencies"])
    extra = project["optional-dependencies"]["opik"]
    assert await _requirements("opik") == (0, [*project["dependencies"], *extra])


@pytest.mark.parametrize("extra", ["dev", "opik,nothing"])
async def test_an_extra_that_an_image_cannot_have_ends_the_build(extra: str) -> None:
    assert await _requirements(extra) == (1, [])


async def _is_healthy(port: int, prefix: str) -> bool:
    proxy = "http://127.0.0.1:9"
    settings = {"PORT": str(port), "URL_PREFIX": prefix, "http_proxy": proxy, "HTTP_PROXY": proxy}
    ended = await run_python("deploy/healthcheck.py", folder=ROOT, **settings)
    return ended.code == 0


def _without_rights() -> list[str]:
    """Root writes to read-only folders, so its capabilities are dropped, as in the container."""
    if os.geteuid() != 0:
        return []
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("root without setpriv cannot give up its rights")
    return [found, "--bounding-set=-all", "--no-new-privs"]


@pytest.mark.slow
async def test_the_copied_files_serve_from_a_folder_that_cannot_be_written(
    tmp_path: Path,
) -> None:
    image, data = tmp_path / "app", tmp_path / "data"
    image.mkdir()
    data.mkdir()
    for source in ("alembic.ini", "migrations", "app", "deploy/opik-assist"):
        assert source in {each for each, _ in _copied()}
        if (ROOT / source).is_dir():
            shutil.copytree(
                ROOT / source, image / source, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            (image / source).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, image / source)
    before = sorted(image.rglob("*"))
    for each in [image, *before]:
        each.chmod(0o555 if each.is_dir() or each.stat().st_mode & 0o100 else 0o444)
    settings = {
        "AGENT_OPIK_URL": NOBODY_THERE,
        "SESSION_SERVICE_URI": f"sqlite:///{data / 'opik-assist.db'}",
        "PYTHONPATH": str(image),
        "URL_PREFIX": "/opik-ai",
        "DRAIN_SECONDS": "0",
    }
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    version = [*_without_rights(), image / "deploy" / "opik-assist", "--version"]
    printed = await anyio.run_process([str(each) for each in version], env={"PATH": path})
    assert printed.stdout.decode() == f"opik-assist {__version__}\n"
    process = ServerProcess(
        *SERVICE,
        folder=image,
        settings=settings,
        wrapper=_without_rights(),
        log_folder=data,
    )
    async with running_process(process) as started:
        assert await _is_healthy(started.port, "/opik-ai/")
        assert not await _is_healthy(started.port, "/elsewhere")
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{started.url}/opik-ai/readyz")).status_code == 200
        assert await started.stop() == 0
    assert sorted(image.rglob("*")) == before
    assert (data / "opik-assist.db").exists()
    assert not await _is_healthy(find_free_port(), "/opik-ai")
