"""What a client gets before there is an answer: headers at once, and refusals it can read."""

import asyncio
from typing import Any

import anyio
import pytest

from standin.faults import Answer, Delay, Fault, Refuse
from testkit.case_tables import each_case
from testkit.scripted_chat import answer
from testkit.service import OTHER_TRACE_ID, WAIT_SECONDS, Service, running, wait_until

FOR_EVER = 600.0
"""Seconds that no test waits: what ends earlier was ended."""
ACCESS = "/v1/private/traces"
SPANS = "/v1/private/spans/search"


@pytest.fixture
async def service(tmp_path: Any) -> Any:
    uri = f"sqlite:///{tmp_path / 'a.db'}"
    limits = {"concurrent_turns": 1, "busy_wait_seconds": 0.05, "access_cache_seconds": 0}
    async with running(uri, body_bytes=60_000, **limits) as service:
        yield service


REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("not_signed_in", 401, {"fault": Answer(401)}),
    ("not_allowed", 403, {"fault": Answer(403)}),
    ("not_found", 404, {"trace_id": OTHER_TRACE_ID}),
    ("request_too_large", 413, {"message": "x" * 40_000}),
    ("request_too_large", 413, {"message": "x" * 400_000}),
    ("backend_unavailable", 502, {"fault": Answer(500, "<html>")}),
    ("backend_unavailable", 502, {"fault": Refuse()}),
]


@each_case("accept", [None, "*/*", "text/event-stream", "application/json;q=0, */*"])
@each_case("code, status, case", REFUSALS)
async def test_what_a_user_should_read_is_an_error_frame(
    service: Service, code: str, status: int, case: dict[str, Any], accept: str | None
) -> None:
    more = dict(case)
    if (fault := more.pop("fault", None)) is not None:
        service.switches.faults.append(Fault(fault, path=ACCESS))
    headers = {} if accept is None else {"Accept": accept}
    reader = await service.ask(**more, headers=headers)
    service.switches.faults.clear()
    assert reader.error
    assert reader.texts == [reader.error]
    assert "(request " in reader.error
    assert [frame["code"] for frame in reader.frames] == [code]


@each_case("accept", ["application/json", "Application/JSON; charset=utf-8, */*;q=0.1"])
@each_case("code, status, case", REFUSALS)
async def test_a_client_that_asks_for_json_gets_the_status(
    service: Service, code: str, status: int, case: dict[str, Any], accept: str
) -> None:
    more = dict(case)
    if (fault := more.pop("fault", None)) is not None:
        service.switches.faults.append(Fault(fault, path=ACCESS))
    response = await service.http.send(service.question(**more, headers={"Accept": accept}))
    service.switches.faults.clear()
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_limits_and_a_busy_conversation_are_frames_or_a_status_too(service: Service) -> None:
    gate = asyncio.Event()
    service.chat.scripts = [[gate, *answer("Done.")]]
    json = {"Accept": "application/json"}
    async with service.asking() as stream:
        await service.chat.asked.wait()
        reader = await service.ask()
        assert [frame["code"] for frame in reader.frames] == ["limit_reached"]
        response = await service.http.send(service.question(headers=json))
        assert (response.status_code, response.headers["Retry-After"]) == (429, "5")
        gate.set()
        await stream.rest()


async def test_a_busy_conversation_is_a_frame_or_a_status(tmp_path: Any) -> None:
    uri = f"sqlite:///{tmp_path / 'a.db'}"
    async with running(uri, busy_wait_seconds=0.05) as service:
        gate = asyncio.Event()
        service.chat.scripts = [[gate, *answer("Done.")]]
        async with service.asking() as stream:
            await service.chat.asked.wait()
            reader = await service.ask()
            assert [frame["code"] for frame in reader.frames] == ["busy"]
            json = {"Accept": "application/json"}
            assert (await service.http.send(service.question(headers=json))).status_code == 409
            gate.set()
            await stream.rest()


@each_case("content_type, body, status", [
    ("application/json", b"{", 400),
    ("text/plain", b"{}", 415),
    ("application/json", b'{"message": "x", "model": "unknown"}', 400),
])  # fmt: skip
async def test_what_only_a_program_can_get_wrong_stays_a_status(
    service: Service, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type, "Accept": "text/event-stream"}
    response = await service.http.post(service.session(), content=body, headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize("path", [ACCESS, SPANS])
async def test_headers_and_comments_come_while_the_backend_is_slow_and_the_turn_ends_in_time(
    tmp_path: Any, path: str
) -> None:
    uri = f"sqlite:///{tmp_path / 'a.db'}"
    async with running(uri, turn_seconds=1.5, heartbeat_seconds=0.05) as service:
        service.switches.faults.append(Fault(Delay(FOR_EVER), path=path))
        async with service.asking() as stream:
            assert stream.response.status_code == 200
            assert stream.response.headers["content-type"].startswith("text/event-stream")
            await stream.until(lambda each: each.bytes.count(b": ping\n\n") >= 3)
            assert stream.reader.frames == []
            reader = await stream.rest()
        assert [frame["code"] for frame in reader.frames] == ["backend_unavailable"]
        assert "longer" in str(reader.error)
        service.switches.faults.clear()
        assert (await service.ask()).error is None


async def test_a_first_comment_comes_before_anything_is_asked_of_the_backend(
    service: Service,
) -> None:
    service.switches.faults.append(Fault(Delay(FOR_EVER), path="/v1/private"))
    async with service.asking() as stream:
        await stream.until(lambda each: each.bytes == b": ping\n\n")


async def test_a_client_that_leaves_before_its_turn_has_begun_frees_its_place(
    service: Service,
) -> None:
    service.switches.faults.append(Fault(Delay(FOR_EVER), path=ACCESS, times=1))
    async with service.asking() as stream:
        await stream.until(lambda each: each.bytes)
        await wait_until(lambda: service.switches.received)
    with anyio.fail_after(WAIT_SECONDS):
        while (await service.ask()).error is not None:
            pass
