"""Requests to the MCP endpoint that end early: by their client, or because the service ends."""

import json
import logging

import anyio
import pytest
from starlette.types import Message

from app.mcp.http import McpEndpoint
from app.web.markdown.ui_urls import UiLinks
from testkit.service import PREFIX, running
from tests.service.bare import connected, leave_amid_request, received, sent

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
_HEAD = [
    f"POST {PREFIX}/mcp HTTP/1.1",
    "Host: x",
    "Content-Length: 100",
    *(f"{name}: {value}" for name, value in _HEADERS.items()),
]
_HALF_A_BODY = "\r\n".join([*_HEAD, "", '{"jsonrpc":']).encode()
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
        await leave_amid_request(service, _HALF_A_BODY)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_body_that_stops_half_way_is_refused_in_time(migrated_sqlite_uri: str) -> None:
    async with (
        running(migrated_sqlite_uri, mcp_enabled=True, body_seconds=0.1) as service,
        connected(service) as client,
    ):
        await sent(client, _HALF_A_BODY)
        head, _, body = (await received(client)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "request_timed_out"


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
