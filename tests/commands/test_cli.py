"""The command line as a person types it."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import __version__
from app.cli import COMMANDS, cli
from testkit.processes import SERVICE, run_python


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    listed = CliRunner().invoke(cli, ["--help"])
    own = CliRunner().invoke(cli, [name, "--help"])
    assert (listed.exit_code, own.exit_code) == (0, 0)
    assert f"  {name} " in listed.output
    assert own.output.startswith(f"Usage: cli {name}")


def test_an_unknown_command_is_named() -> None:
    ended = CliRunner().invoke(cli, ["bake"])
    assert ended.exit_code == 2
    assert "No such command 'bake'" in ended.output


async def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, printed, log = await run_python(
            *(*SERVICE, "serve"),
            folder=tmp_path,
            AGENT_OPIK_URL="http://opik.test",
            HOST="127.0.0.1",
            PORT=str(port),
        )
    assert (code, printed) == (1, "")
    assert log.startswith(f"Cannot listen on port {port} of 127.0.0.1 (Address already in use)")
    assert log.count("\n") == 1


LOADED = """
import sys
from importlib import import_module
import app.cli

import_module(app.cli.COMMANDS["serve"])
others = {module for name, module in app.cli.COMMANDS.items() if name != "serve"}
print(sorted({*others, "opik"} & set(sys.modules)))
"""


async def test_serving_loads_no_other_command(tmp_path: Path) -> None:
    ended = await run_python("-c", LOADED, folder=tmp_path)
    assert (ended.code, ended.printed) == (0, "[]\n"), ended.log


async def test_the_version_needs_no_other_library(tmp_path: Path) -> None:
    code = "import json, sys, app.cli; print(json.dumps([app.__version__, *sys.modules]))"
    version, *modules = json.loads((await run_python("-c", code, folder=tmp_path)).printed)
    assert version == __version__
    assert not {"sqlalchemy", "starlette", "httpx", "pydantic"} & set(modules)


def test_migrate_goes_to_any_revision_and_refuses_those_it_does_not_know(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'a.db'}"

    def migrate(*arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(
            cli, ["migrate", *arguments], env={"SESSION_SERVICE_URI": uri}, catch_exceptions=False
        )
        return ended.exit_code, ended.stdout or ended.stderr

    assert migrate() == (0, f"{uri}: the tables are up to date.\n")
    assert migrate("--to", "0001") == (0, f"{uri}: the tables are at revision 0001.\n")
    assert migrate("--to", "0002") == (0, f"{uri}: the tables are at revision 0002.\n")
    code, printed = migrate("--to", "base")
    assert code == 1
    assert printed.startswith("This version knows no revision base, only 0001, 0002")
