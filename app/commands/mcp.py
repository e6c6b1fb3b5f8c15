"""`opik-assist mcp`: the tools for a coding agent that starts this process."""

import os
import signal
from typing import Any

import anyio
import click

from app.extras import importing_extra
from app.local_service import running_locally
from app.operator_credentials import read_credentials
from app.tools import TOOLS


@click.command()
def command() -> None:
    """Offer the tools to a coding agent over standard input and output.

    Reads traces with the key in OPIK_API_KEY for OPIK_WORKSPACE from OPIK_URL_OVERRIDE, or those of
    ~/.opik.config. Needs no running service; conversations are forgotten at the end. Needs
    pip install 'opik-assist[mcp]'.
    """
    # Nothing else interrupts a read of standard input. As at SIGTERM, there is nothing to keep.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    anyio.run(_serve)


async def _serve() -> None:
    with importing_extra():
        from mcp.server import ServerRequestContext
        from mcp.server.stdio import stdio_server

        from app.mcp.tool_server import build_server
        from app.mcp.trace_tools import McpCall

    async with running_locally(read_credentials(os.environ)) as local:

        def read_call(_: ServerRequestContext[Any, Any]) -> McpCall:
            return McpCall(local.conversations, local.caller, session="")

        server = build_server(TOOLS, read_call, local.ui)
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())
