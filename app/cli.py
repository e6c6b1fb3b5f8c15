"""The command line: `opik-assist`, also `python -m app`. Without a subcommand it serves.

Each subcommand is a module with a click command named `command`, imported when it is needed, so
that `serve` starts without the libraries of the others. A new one is a line in COMMANDS.
"""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from app import __version__
from app.errors import OpikAssistError

COMMANDS: Mapping[str, str] = {
    "serve": "app.commands.serve",
    "migrate": "app.commands.migrate",
    "check": "app.commands.check",
    "ask": "app.commands.ask",
    "check-trace": "app.commands.check_trace",
    "mcp": "app.commands.mcp",
    "export-cases": "app.commands.export_cases",
    "import-adk": "app.adk_import.command",
}
"""The module of each subcommand, in the order in which `--help` lists them."""


class CommandGroup(click.Group):
    """Imports a subcommand on first use, and ends by a sentence where one fails."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        # What an import makes stays: to look for garbage meanwhile takes an eighth of its time.
        gc.disable()
        try:
            command: click.Command = import_module(COMMANDS[cmd_name]).command
        finally:
            gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the subcommand; a failure with a message for people is its last line, status 1."""
        try:
            return super().invoke(ctx)
        except OpikAssistError as error:
            sys.exit(error.message)


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.version_option(__version__, prog_name="opik-assist", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """OpikAssist, the trace assistant for self-hosted Opik. Without a command it serves.

    Settings are environment variables, also read from a file .env: see docs/settings.md.
    """
    if ctx.invoked_subcommand is None and (serve := cli.get_command(ctx, "serve")) is not None:
        ctx.invoke(serve)
