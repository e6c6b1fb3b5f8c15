"""What the gateway hands on, what it keeps back, and when it leaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.gateway import CONTENT_SECURITY_POLICY, create_gateway
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import Switches
from testkit.scripted_chat import DirectedChat
from testkit.service import TRACE_ID, WAIT_SECONDS, record_trace, running, serving


@dataclass
class Upstream:
    """A service that notes what it gets."""

    requests: list[Request] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        methods = ["GET", "POST", "DELETE"]
        return Starlette(
            routes=[
                Route("/opik-ai/stream", self._stream),
                Route("/opik-ai/{rest:path}", self._note, methods=methods),
            ]
        )

    async def _note(self, request: Request) -> Response:
        await request.body()
        self.requests.append(request)
        return JSONResponse({}, headers={"Set-Cookie": "mine=1", "X-Request-ID": "r1"})

    async def _stream(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                await self.released.wait()
                yield b"data: 2\n\n"
            finally:
                self.left.set()

        return StreamingResponse(pieces(), media_type="text/event-stream")


@dataclass
class Stage:
    url: str
    upstream: Upstream
    http: httpx.AsyncClient


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    standin = create_standin(Records(), chat=DirectedChat([]), switches=Switches())
    record_trace(standin)
    upstream = Upstream()
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving(upstream.app(), grace=1))
        gateway = create_gateway(standin, service_url=service)
        url = await stack.enter_async_context(serving(gateway, grace=1))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        yield Stage(url, upstream, http)


async def test_the_path_and_the_query_reach_the_service_as_they_came(stage: Stage) -> None:
    await stage.http.get("/opik-ai/a%2Fb/%C3%A4?x=%20y&x=z")
    scope = stage.upstream.requests[0].scope
    assert scope["raw_path"] == b"/opik-ai/a%2Fb/%C3%A4"
    assert scope["query_string"] == b"x=%20y&x=z"


async def test_only_the_headers_that_the_service_reads_are_forwarded(stage: Stage) -> None:
    sent = {
        "Cookie": "sessionToken=t",
        "Comet-Workspace": "w",
        "Origin": "http://elsewhere",
        "Sec-Fetch-Site": "cross-site",
        "X-Request-ID": "r",
        "Accept": "application/json",
        "User-Agent": "me",
        "X-Forwarded-Host": "forged",
        "Authorization": "secret",
        "Connection": "keep-alive",
    }
    await stage.http.post("/opik-ai/x", headers=sent, json={"message": "é"})
    request = stage.upstream.requests[0]
    got = dict(request.headers)
    host = stage.url.removeprefix("http://")
    assert got.pop("x-forwarded-host") == host
    assert got.pop("host") != host
    assert got == {
        "cookie": "sessionToken=t",
        "comet-workspace": "w",
        "origin": "http://elsewhere",
        "sec-fetch-site": "cross-site",
        "x-request-id": "r",
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": "16",
    }
    assert await request.body() == '{"message":"é"}'.encode()


async def test_no_cookie_of_one_caller_is_sent_for_the_next(stage: Stage) -> None:
    first = await stage.http.get("/opik-ai/x")
    assert first.headers["set-cookie"] == "mine=1"
    stage.http.cookies.clear()
    await stage.http.get("/opik-ai/x")
    assert all("cookie" not in request.headers for request in stage.upstream.requests)


async def test_pieces_come_while_the_answer_is_still_made(stage: Stage) -> None:
    with anyio.fail_after(WAIT_SECONDS):
        async with stage.http.stream("GET", "/opik-ai/stream") as response:
            reads = response.aiter_raw()
            assert await anext(reads) == b"data: 1\n\n"
            stage.upstream.released.set()
            assert await anext(reads) == b"data: 2\n\n"
            assert [more async for more in reads] == []


async def test_a_reader_that_leaves_closes_the_connection_to_the_service(stage: Stage) -> None:
    with anyio.fail_after(WAIT_SECONDS):
        async with stage.http.stream("GET", "/opik-ai/stream") as response:
            await anext(response.aiter_raw())
        await stage.upstream.left.wait()
    assert not stage.upstream.released.is_set()


async def test_an_oversized_body_is_refused(stage: Stage) -> None:
    response = await stage.http.post("/opik-ai/x", content=b"x" * 1_100_000)
    assert response.status_code == 413
    assert stage.upstream.requests == []


async def test_an_unreachable_service_is_reported_as_unreachable() -> None:
    async with serving(
        create_gateway(Starlette(), service_url="http://127.0.0.1:9"), grace=1
    ) as url:
        response = httpx.Response(0)
        async with httpx.AsyncClient() as http:
            response = await http.get(f"{url}/opik-ai/x")
    assert response.status_code == 502
    assert response.json() == {"code": "unreachable", "message": "The service does not answer."}


async def test_every_answer_carries_the_policy(stage: Stage) -> None:
    pages = ["/", "/default/projects/p/logs", "/page/page.js", "/page/missing.js"]
    for path in [*pages, "/opik-ai/x", "/api/v1/private/projects", "/nowhere"]:
        headers = (await stage.http.get(path)).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


async def test_the_standin_answers_at_both_of_its_paths(stage: Stage) -> None:
    paths = [f"{base}/v1/private/traces/{TRACE_ID}" for base in ("", "/api")]
    read = [(await stage.http.get(path)).json()["name"] for path in paths]
    assert read == ["answer-question", "answer-question"]
    score = {"name": "good", "value": 1, "source": "ui"}
    for path in paths:
        assert (await stage.http.put(f"{path}/feedback-scores", json=score)).status_code == 204


async def test_a_page_of_another_site_is_refused_through_the_gateway(tmp_path: Path) -> None:
    async with running(f"sqlite:///{tmp_path / 'x.db'}") as service:
        gateway = create_gateway(service.standin, service_url=service.url)
        async with serving(gateway, grace=1) as url:
            statuses = [
                (await service.http.get(f"{url}/opik-ai/{_PATH}", headers=h)).status_code
                for h in (
                    {"Sec-Fetch-Site": "cross-site"},
                    {"Origin": "http://elsewhere"},
                    {"Origin": url},
                )
            ]
    assert statuses == [403, 403, 404]


_PATH = f"trace-analyzer/session/{TRACE_ID}"
