"""Requests to the MCP endpoint that end early: by their client, or because the service ends."""

import asyncio
import json
import logging

import anyio
import pytest
from starlette.types import Message

from app.mcp.http import McpEndpoint
from app.web.markdown.ui_urls import UiLinks
from testkit.service import PREFIX, WAIT_SECONDS, running
from tests.service.bare import leave_amid_request

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "agent", "version": "1"},
    },
}


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(
    migrated_sqlite_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(migrated_sqlite_uri, mcp_enabled=True) as service:
        lines = [f"{name}: {value}" for name, value in _HEADERS.items()]
        head = [f"POST {PREFIX}/mcp HTTP/1.1", "Host: x", "Content-Length: 100", *lines, "", ""]
        await leave_amid_request(service, "\r\n".join(head).encode() + b'{"jsonrpc":')
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_body_that_stops_half_way_is_refused_in_time(migrated_sqlite_uri: str) -> None:
    async def endless() -> object:
        yield b'{"jsonrpc":'
        await asyncio.sleep(WAIT_SECONDS)

    async with running(migrated_sqlite_uri, mcp_enabled=True, body_seconds=0.1) as service:
        refused = await service.http.post(
            f"{service.url}{PREFIX}/mcp", content=endless(), headers=_HEADERS
        )
        assert refused.status_code == 408
        assert refused.json()["code"] == "request_timed_out"


@pytest.mark.parametrize("steps", range(12))
async def test_a_request_that_comes_as_the_service_ends_is_answered_or_refused(steps: int) -> None:
    endpoint = McpEndpoint((), UiLinks())
    stopping, sent = anyio.Event(), []
    asked = [{"type": "http.request", "body": json.dumps(_INITIALIZE).encode()}]

    async def receive() -> Message:
        if asked:
            return asked.pop()
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "headers": [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()],
        "query_string": b"",
    }
    async with anyio.create_task_group() as group:
        await group.start(endpoint.run, stopping)
        group.start_soon(endpoint, scope, receive, send)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        stopping.set()
    assert sent[0]["status"] in {200, 503}
    assert not sent[-1].get("more_body")
