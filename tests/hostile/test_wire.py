"""Requests that no browser sends: odd paths, headers, cookies and encodings, byte by byte."""

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from standin.switches import ReceivedRequest, UserAccount
from testkit.case_tables import each_case
from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, Service, record_trace, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SESSION = f"{PREFIX}/trace-analyzer/session/"
_QUESTION = json.dumps({"message": "Why?"}).encode()
_JSON = b"Content-Type: application/json"
_REFUSED_HERE = b"Comet-Workspace: refused"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    uri = f"sqlite:///{tmp_path_factory.mktemp('wire')}/opik-assist.db"
    async with running(uri, access_cache_seconds=0) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def service(_service: Service) -> Service:
    _service.switches.received.clear()
    _service.switches.accounts = None
    return _service


def reached_backend(service: Service) -> list[ReceivedRequest]:
    """What the backend got of requests in `_REFUSED_HERE`; what others began may still go on."""
    received = service.switches.received
    return [each for each in received if each.headers.get("comet-workspace") == "refused"]


async def raw(service: Service, *lines: bytes, body: bytes = b"") -> bytes:
    """Sends these lines as they are and gives the whole answer; the connection is closed after."""
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = [*lines, b"Host: x", b"Connection: close", b"Content-Length: %d" % len(body)]
    writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
    try:
        return await asyncio.wait_for(reader.read(), WAIT_SECONDS)
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@each_case(
    "trace_id",
    [
        "..",
        "../../healthz",
        "%2e%2e%2f%2e%2e%2ftraces",
        "%252e%252e%252f",
        "..%5c..%5cprojects",
        "..;/traces",
        TRACE_ID + "%00",
        TRACE_ID + "%0a",
        TRACE_ID + "%20",
        TRACE_ID + ".",
        TRACE_ID + "%2f..%2fprojects",
        TRACE_ID + ";x=1",
        "%7b" + TRACE_ID + "%7d",
        "urn:uuid:" + TRACE_ID,
        TRACE_ID.replace("-", ""),
        TRACE_ID.replace("-", "_"),
        TRACE_ID.replace("0199", "%EF%BC%90%EF%BC%91%EF%BC%99%EF%BC%99"),
        TRACE_ID.replace("0", "%D9%A0", 1),
        "%ff%fe",
        "%",
        "*",
        "http://evil.example/" + TRACE_ID,
        "1" * 9_000,
    ],
)
@each_case("method", ["GET", "POST", "DELETE"])
async def test_no_text_but_a_uuid_gets_from_the_path_to_the_backend(
    service: Service, method: str, trace_id: str
) -> None:
    line = f"{method} {_SESSION}{trace_id} HTTP/1.1".encode()
    body = _QUESTION if method == "POST" else b""
    answer = await raw(service, line, _JSON, _REFUSED_HERE, body=body)
    assert status(answer) in {400, 404, 405}
    assert not reached_backend(service)


async def test_a_uuid_in_capitals_is_the_same_trace(service: Service) -> None:
    line = f"POST {_SESSION}{TRACE_ID.upper()} HTTP/1.1".encode()
    assert status(await raw(service, line, _JSON, body=_QUESTION)) == 200
    assert {each.path for each in service.switches.received if "/traces/0" in each.path} == {
        f"/v1/private/traces/{TRACE_ID}"
    }
    assert (await service.history())[0]["content"] == "Why?"


@each_case(
    "header",
    [
        b"Cookie: sessionToken=a\x00b",
        b"Cookie: sessionToken=a\x07b",
        b"Cookie: sessionToken=a\rX-Evil: 1",
        b"Cookie: sessionToken=a\nX-Evil: 1\x01",
        b"Cookie: sessionToken=a\r\n X-Folded: 1",
        b"Comet-Workspace: a\x00",
        b"Comet-Workspace: a\x1b[2J",
        b"Comet-Workspace: a\x7f",
        b"Comet-Workspace: " + b"w" * 256,
        b"Comet-Workspace : a",
        b"Cookie: sessionToken=" + b"t" * 70_000,
        b"X-Many: " + b"x" * 70_000,
        b"\x00: x",
        b"No colon here",
    ],
)
async def test_a_malformed_header_is_refused_or_never_reaches_the_backend_as_it_came(
    service: Service, header: bytes
) -> None:
    service.switches.received.clear()
    answer = await raw(service, f"GET {_SESSION}{TRACE_ID} HTTP/1.1".encode(), header)
    assert answer == b"" or status(answer) < 500
    for received in service.switches.received:
        assert "x-evil" not in received.headers
        assert "x-folded" not in received.headers
        assert all(len(each) <= 8_300 for each in received.headers.values())
        for value in (*received.headers.keys(), *received.headers.values()):
            assert not set(value) & set(map(chr, [*range(9), *range(10, 32), 127]))
    assert (await service.http.get(f"{service.url}{PREFIX}/healthz")).status_code == 200


@pytest.mark.parametrize(("length", "expected"), [(8_192, 200), (8_193, 400)])
async def test_a_session_token_is_refused_beyond_its_longest(
    service: Service, length: int, expected: int
) -> None:
    record_trace(service.standin)
    cookie = b"Cookie: sessionToken=" + b"t" * length
    line = f"POST {_SESSION}{TRACE_ID} HTTP/1.1".encode()
    assert status(await raw(service, line, cookie, _JSON, body=_QUESTION)) == expected


@pytest.mark.parametrize(
    ("cookies", "sent"),
    [
        ([b"sessionToken=first; sessionToken=second"], "sessionToken=first"),
        ([b"sessionToken=first", b"sessionToken=second"], "sessionToken=first"),
        ([b"sessiontoken=wrong; sessionToken=right"], "sessionToken=right"),
        ([b"xsessionToken=wrong; sessionToken=right"], "sessionToken=right"),
        ([b'sessionToken="quoted=1"; a=b'], 'sessionToken="quoted=1"'),
        ([b"sessionToken=%0d%0aX-Evil:1"], "sessionToken=%0d%0aX-Evil:1"),
        ([b"a=b; =; ;;; sessionToken="], "sessionToken="),
        ([b"\xff\xfe; sessionToken=\xe9"], "sessionToken=\xe9"),
    ],
)
async def test_one_session_token_goes_on_as_it_came_and_no_other_cookie(
    service: Service, cookies: list[bytes], sent: str
) -> None:
    headers = [b"Cookie: " + each for each in cookies]
    await raw(service, f"GET {_SESSION}{TRACE_ID} HTTP/1.1".encode(), *headers)
    assert {each.headers.get("cookie") for each in service.switches.received} == {sent}


async def test_a_workspace_of_any_characters_is_a_workspace_of_its_own(service: Service) -> None:
    names = [
        bytes(range(0x21, 0x7F)),
        bytes(range(0x80, 0x100)),
        "straße".encode(),
        b"STRASSE",
        b"strasse",
        "e\u0301clair".encode(),
        "\u00e9clair".encode(),
        "\U0001f600".encode(),
        "\U0001f601".encode(),
        b"../../x",
        b"a%2fb",
        b"{workspace}",
        b"a  b",
        b"a b",
        b"'; DROP TABLE x; --",
        b"w" * 255,
        b"w" * 254,
    ]
    spaces = [name.decode("latin-1") for name in names]
    service.switches.accounts = {"t": UserAccount("ada", frozenset(spaces))}
    line = f" {_SESSION}{TRACE_ID} HTTP/1.1".encode()
    for name, space in zip(names, spaces, strict=True):
        record_trace(service.standin, workspace=space)
        who = [b"Cookie: sessionToken=t", b"Comet-Workspace: " + name]
        asked = json.dumps({"message": f"from {name.hex()}"}).encode()
        assert status(await raw(service, b"POST" + line, *who, _JSON, body=asked)) == 200
    for name in names:
        who = [b"Cookie: sessionToken=t", b"Comet-Workspace: " + name]
        answer = await raw(service, b"GET" + line, *who)
        content = json.loads(answer.partition(b"\r\n\r\n")[2])["content"]
        questions = [each["content"] for each in content if each["role"] == "user"]
        assert questions == [f"from {name.hex()}"]


@each_case(
    "headers, body",
    [
        ([b"Content-Type: application/json; charset=utf-16"], _QUESTION.decode().encode("utf-16")),
        ([_JSON, b"Content-Encoding: gzip"], gzip.compress(_QUESTION, mtime=0)),
        ([_JSON], b"\xff" + _QUESTION),
        ([_JSON], b'{"message": "\\ud800"}'),
        ([_JSON], b'{"message": NaN}'),
        ([_JSON], b'{"message": "a", "message": ["b"]}'),
        ([_JSON], b'{"__proto__": {"message": "x"}}'),
        ([_JSON], b'{"message":' + b"[" * 50_000),
        ([_JSON], b'{"message": "x", "streaming": ' + b"1" * 5_000 + b"}"),
    ],
)
async def test_a_body_in_an_odd_encoding_is_refused_with_a_message(
    service: Service, headers: list[bytes], body: bytes
) -> None:
    line = f"POST {_SESSION}{TRACE_ID} HTTP/1.1".encode()
    answer = await raw(service, line, _REFUSED_HERE, *headers, body=body)
    assert status(answer) in {400, 415, 422}
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
    assert not reached_backend(service)
