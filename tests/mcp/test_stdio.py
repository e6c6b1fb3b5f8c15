"""`opik-assist mcp` as a coding agent starts it, and a client that nobody here wrote."""

import json
import os
import signal
import subprocess
import sys

import anyio.to_thread
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent

from testkit import credentials
from testkit.processes import Backend, build_environment, serving_backend
from testkit.service import PREFIX, TRACE_ID, running
from tests.peers.npm import install_npm_package

INSPECTOR = "@modelcontextprotocol/inspector"


def server(backend: Backend) -> StdioServerParameters:
    environment = build_environment(
        OPIK_API_KEY=credentials.API_KEY, OPIK_URL_OVERRIDE=backend.url, HOME=os.devnull
    )
    return StdioServerParameters(command=sys.executable, args=["-m", "app", "mcp"], env=environment)


@pytest.mark.slow
async def test_a_started_process_answers_with_the_key_of_its_environment() -> None:
    async with serving_backend() as backend:
        async with Client(stdio_client(server(backend))) as client:
            asked = {"trace_id": TRACE_ID}
            findings = (await client.call_tool("get_trace_data", asked)).content[0]
            answer = (await client.call_tool("ask", {**asked, "question": "Why?"})).content[0]
        sent = {each.headers["authorization"] for each in backend.standin.switches.received}
    assert isinstance(findings, TextContent)
    assert "KeyError: 'orders' began in" in findings.text
    assert isinstance(answer, TextContent)
    assert answer.text == "It was the tool."
    assert sent == {credentials.API_KEY}


@pytest.mark.slow
async def test_ctrl_c_ends_the_process_while_it_waits_for_requests() -> None:
    async with serving_backend() as backend:
        started = server(backend)
        process = await anyio.open_process(
            [started.command, *started.args], env=started.env, stderr=subprocess.DEVNULL
        )
        async with process:
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.send(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
            await process.stdout.receive()
            process.send_signal(signal.SIGINT)
            with anyio.fail_after(30):
                assert await process.wait() == -signal.SIGINT


@pytest.mark.slow
async def test_the_inspectors_command_line_lists_and_calls_the_tools(
    migrated_sqlite_uri: str,
) -> None:
    commands = await anyio.to_thread.run_sync(install_npm_package, INSPECTOR)
    inspector = [str(commands / "mcp-inspector"), "--cli"]

    async def inspect(url: str, *arguments: str) -> str:
        command = [*inspector, url, "--transport", "http", *arguments]
        ended = await anyio.run_process(command)
        return ended.stdout.decode()

    async with running(migrated_sqlite_uri, mcp_enabled=True) as service:
        url = f"{service.url}{PREFIX}/mcp"
        listed = json.loads(await inspect(url, "--method", "tools/list"))
        assert "ask" in {each["name"] for each in listed["tools"]}
        call = ("--method", "tools/call", "--tool-name", "get_trace_data")
        called = json.loads(await inspect(url, *call, "--tool-arg", f"trace_id={TRACE_ID}"))
    assert "KeyError: 'orders' began in" in called["content"][0]["text"]
