"""A real nginx between the panel and the service: with our snippet, and with nothing but a way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from standin.chat import text
from testkit.scripted_chat import answer
from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, Service, Stream, running
from tests.deploy.nginx import SNIPPET, serving_through

UPSTREAM = "http://opik-ai-backend:8081"


@dataclass(frozen=True)
class Way:
    """How nginx is set up, and what a browser says of itself there."""

    location: Callable[[str], str]
    eager: bool = False
    says: tuple[tuple[str, str], ...] = ()


def _with_snippet(upstream: str) -> str:
    written = SNIPPET.read_text()
    assert written.count(UPSTREAM) == 1
    return written.replace(UPSTREAM, upstream)


def _by_default(upstream: str) -> str:
    return f"location {PREFIX}/ {{ proxy_pass {upstream}; }}"


WAYS = {
    # Over plain HTTP a browser says no more than its page's origin.
    "snippet": Way(_with_snippet, eager=True),
    # nginx sends its upstream's name as the host then, so only the browser's word is left.
    "default": Way(_by_default, says=(("Sec-Fetch-Site", "same-origin"),)),
}


@pytest.fixture(params=list(WAYS))
async def behind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A service as the panel meets it, through nginx."""
    way = WAYS[request.param]
    async with contextlib.AsyncExitStack() as stack:
        database = f"sqlite:///{tmp_path / 'behind.db'}"
        service = await stack.enter_async_context(running(database, heartbeat_seconds=0.05))
        location = way.location(service.url)
        url = await stack.enter_async_context(
            serving_through(location, folder=tmp_path, eager=way.eager)
        )
        yield replace(service, url=url, headers={"Origin": url, **dict(way.says)})


async def test_frames_come_one_by_one_while_the_model_still_speaks(behind: Service) -> None:
    gate = asyncio.Event()
    behind.chat.scripts = [[text("First "), gate, *answer("second.")]]
    async with behind.asking() as stream:
        await stream.until(lambda each: each.reader.texts == ["First "])
        gate.set()
        assert (await stream.rest()).texts == ["First second."]
    assert await behind.read_messages() == [
        ("user", "What caused this error?"),
        ("assistant", "First second."),
    ]


async def test_signs_of_life_pass_while_the_model_is_silent(behind: Service) -> None:
    gate = asyncio.Event()
    behind.chat.scripts = [[gate, *answer("At last.")]]
    async with behind.asking() as stream:
        await stream.until(lambda each: each.bytes.count(b": ping\n\n") >= 2)
        gate.set()
        assert (await stream.rest()).texts == ["At last."]


async def test_stop_ends_the_model_call(behind: Service) -> None:
    behind.chat.scripts = [[text("Half an "), asyncio.Event()]]
    async with behind.asking() as stream:
        await stream.until(lambda each: each.reader.texts)
        assert behind.switches.chats.running == 1
    with anyio.fail_after(WAIT_SECONDS):
        while behind.switches.chats.running:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
    assert behind.switches.chats.cancelled == 1


async def test_a_large_question_and_all_methods_pass(behind: Service) -> None:
    question = "Why? " * 6_000
    assert (await behind.ask(question)).texts
    assert (await behind.read_messages())[0] == ("user", question)
    url, headers = behind.session(), behind.headers
    for method, path, status in [
        ("PUT", "/feedback", 200),
        ("DELETE", "/feedback", 204),
        ("DELETE", "", 200),
        ("GET", "", 404),
    ]:
        body: dict[str, Any] = {"json": {"value": 1}} if method == "PUT" else {}
        answered = await behind.http.request(method, url + path, headers=headers, **body)
        assert answered.status_code == status, (method, path)


async def test_metrics_are_not_for_those_who_come_through_nginx(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'behind.db'}"
    async with running(database, metrics_enabled=True) as service:
        async with serving_through(_with_snippet(service.url), folder=tmp_path) as url:
            assert (await service.http.get(f"{url}{PREFIX}/healthz")).status_code == 200
            assert (await service.http.get(f"{url}{PREFIX}/metrics")).status_code == 404
        assert (await service.http.get(f"{service.url}{PREFIX}/metrics")).status_code == 200


async def test_a_page_of_another_site_is_refused_behind_nginx_too(behind: Service) -> None:
    foreign = {"Origin": "http://elsewhere.example"}
    if "Sec-Fetch-Site" in behind.headers:
        foreign["Sec-Fetch-Site"] = "cross-site"
    answered = await behind.http.get(behind.session(), headers=foreign)
    assert answered.status_code == 403


async def test_an_image_that_calls_the_root_reaches_the_service_too(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        database = f"sqlite:///{tmp_path / 'behind.db'}"
        service = await stack.enter_async_context(running(database))
        location = _with_snippet(service.url)
        url = await stack.enter_async_context(serving_through(location, folder=tmp_path))
        session = f"{url}/trace-analyzer/session/{TRACE_ID}"
        headers = {"Origin": url}
        gate = asyncio.Event()
        service.chat.scripts = [[text("First "), gate, *answer("second.")]]
        request = service.http.build_request(
            "POST", f"{session}?links=opik", json={"message": "Why?"}, headers=headers
        )
        stream = Stream(await service.http.send(request, stream=True))
        await stream.until(lambda each: each.reader.texts == ["First "])
        gate.set()
        assert (await stream.rest()).texts == ["First second."]
        history = await service.http.get(session, headers=headers)
        assert [each["role"] for each in history.json()["content"]] == ["user", "assistant"]
        thumb = await service.http.put(f"{session}/feedback", json={"value": 1}, headers=headers)
        assert thumb.status_code == 200
        too_long = await service.http.post(
            session, json={"message": "x" * 3_000_000}, headers=headers
        )
        assert "request_too_large" in too_long.text


@pytest.mark.slow
async def test_nginx_starts_before_the_service_has_a_name(tmp_path: Path) -> None:
    async with (
        serving_through(SNIPPET.read_text(), folder=tmp_path) as url,
        httpx.AsyncClient(timeout=60) as http,
    ):
        assert (await http.get(f"{url}{PREFIX}/healthz")).status_code == 502
