"""Refusals reach a client that first writes its whole body, however large, and reads afterwards."""

import contextlib
import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from testkit.case_tables import each_case
from testkit.service import PREFIX, TRACE_ID, Service, running

BODY = b'{"message": "' + b"x" * 5_000_000 + b'"}'
SESSION = f"{PREFIX}/trace-analyzer/session/"


@pytest.fixture
async def service(tmp_path: Any) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}") as service:
        yield service


def _send(url: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, BODY, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@each_case(
    "status, method, path, headers",
    [
        (400, "POST", f"{SESSION}1", {}),
        (403, "POST", f"{SESSION}{TRACE_ID}", {"Origin": "http://evil.test"}),
        (404, "POST", "/nothing", {}),
        (405, "PATCH", f"{SESSION}{TRACE_ID}", {}),
        (413, "POST", f"{SESSION}{TRACE_ID}", {"Accept": "application/json"}),
        (200, "POST", f"{SESSION}{TRACE_ID}", {}),
        (413, "PUT", f"{SESSION}{TRACE_ID}/feedback", {}),
        (415, "POST", f"{SESSION}{TRACE_ID}", {"Content-Type": "text/plain"}),
    ],
)
async def test_a_refusal_reaches_a_client_that_still_writes_five_megabytes(
    service: Service, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    got, body = await anyio.to_thread.run_sync(_send, service.url, method, path, headers)
    assert got == status
    if status == 200:
        assert b'"code":"request_too_large"' in body
    else:
        assert json.loads(body)["message"]
    assert not service.chat.requests


def _send_for_ever(url: str) -> int:
    """Writes a body without end until the service closes the connection; the bytes written."""
    host, _, port = urlsplit(url).netloc.partition(":")
    sent = 0
    with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as client:
        head = f"POST /nothing HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode())
        while sent < 1_000_000_000:
            client.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent += 65_536
    return sent


async def test_a_body_without_end_is_read_to_a_limit_only(service: Service) -> None:
    assert await anyio.to_thread.run_sync(_send_for_ever, service.url) < 100_000_000
