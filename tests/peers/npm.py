"""Packages of npm's registry, for tests that are skipped where it cannot be reached."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.peers.running import KEPT, NO_PEER

PROBE_SECONDS = 15
"""A registry answers within a second or two; without one, npm itself tries for minutes."""

INSTALL_SECONDS = 180
"""Enough for some hundred packages over a slow line."""


def install_npm_package(package: str) -> Path:
    """The folder of its commands, installed on first use; skips, loudly, where that fails."""
    folder = KEPT / package.rpartition("/")[2]
    commands = folder / "node_modules" / ".bin"
    if commands.is_dir():
        return commands
    if obstacle := _find_obstacle():
        pytest.skip(f"{NO_PEER}{package}: {obstacle}")
    folder.mkdir(parents=True, exist_ok=True)
    # npm installs where the next package.json is. With --prefix it would leave /etc/npmrc unread.
    (folder / "package.json").write_text("{}")
    options = ("--no-audit", "--no-fund", package)
    if not _run_npm("install", *options, folder=folder, seconds=INSTALL_SECONDS):
        pytest.skip(f"{NO_PEER}{package} was not installed within {INSTALL_SECONDS} s")
    return commands


@functools.cache
def _find_obstacle() -> str | None:
    """Why nothing can be installed, asked once a run; None where the registry answers."""
    if shutil.which("npm") is None:
        return "npm is not installed"
    if _run_npm("view", "npm", "version", "--fetch-retries=0", seconds=PROBE_SECONDS):
        return None
    return f"npm's registry did not answer within {PROBE_SECONDS} s"


def _run_npm(*arguments: str, seconds: float, folder: Path | None = None) -> bool:
    command = ["npm", *arguments]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=seconds, cwd=folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True
