"""When the circuit opens, what a probe does, and how the backend's return is noticed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx
import pytest
import respx
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.backend_http import BackendResponse
from app.caller import Caller
from app.errors import BackendUnavailable
from app.opik import circuit_breaker
from app.opik.rest_client import RestClient
from testkit.backend import backend_at
from testkit.service import WAIT_SECONDS, serving

BASE = "http://opik.test"
SECONDS = 5.0
OPEN = r"cannot be reached now; it is tried again in \d seconds?\. Ask again then\."
FAILURES = 5
"""Failures in a row."""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def record(number: int) -> str:
    return f"/traces/{UUID(int=number)}"


Ask = Callable[[int], Awaitable[BackendResponse]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "monotonic", clock)
    return clock


@pytest.fixture
def opik() -> object:
    with respx.mock(base_url=f"{BASE}/v1/private", assert_all_called=False) as router:
        yield router.get(path__regex="/traces/")


@pytest.fixture
async def ask(clock: Clock) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient() as http:
        yield asking(http, BASE)


def asking(http: httpx.AsyncClient, base: str) -> Ask:
    """Asks for the record of a number, twice at most."""
    backend = backend_at(base, http, attempts=2, sleep=lambda _: anyio.lowlevel.checkpoint())
    rest = RestClient(backend, timeout=WAIT_SECONDS)
    return lambda number: rest.exchange(Caller(), "GET", record(number))


async def fails(ask: Ask, numbers: range) -> None:
    for number in numbers:
        with pytest.raises(BackendUnavailable, match="Try again in a moment"):
            await ask(number)


LOST = httpx.ConnectError("10.0.0.7 refused")
SLOW = httpx.ReadTimeout("slow")
FULL = httpx.PoolTimeout("full")


@pytest.mark.parametrize(
    "lost",
    [LOST, httpx.ConnectTimeout("no route"), httpx.ReadError("reset"), httpx.RemoteProtocolError],
)
async def test_after_lost_connections_in_a_row_requests_fail_at_once(
    ask: Ask, opik: respx.Route, lost: Exception
) -> None:
    opik.mock(side_effect=lost)
    await fails(ask, range(1, 2))
    await fails(ask, range(1, FAILURES))
    asked = opik.call_count
    with pytest.raises(BackendUnavailable, match=OPEN) as failure:
        await ask(1)
    assert "in 5 seconds" in failure.value.message
    assert "10.0.0.7" not in failure.value.message
    assert opik.call_count == asked == 2 * FAILURES


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429])
async def test_an_answer_below_500_never_opens_the_circuit(
    ask: Ask, opik: respx.Route, status: int
) -> None:
    opik.respond(status)
    for number in range(4 * FAILURES):
        assert (await ask(number)).status == status


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_one_record_that_always_fails_does_not_open_the_circuit(
    ask: Ask, opik: respx.Route, status: int
) -> None:
    opik.respond(status)
    for _ in range(4 * FAILURES):
        assert (await ask(1)).status == status
    for number in range(2, FAILURES + 1):
        assert (await ask(number)).status == status
    with pytest.raises(BackendUnavailable, match=OPEN):
        await ask(1)


async def test_one_record_that_always_times_out_does_not_open_the_circuit(
    ask: Ask, opik: respx.Route
) -> None:
    opik.mock(side_effect=SLOW)
    for _ in range(4):
        await fails(ask, range(1, FAILURES))
    await fails(ask, range(FAILURES, FAILURES + 1))
    with pytest.raises(BackendUnavailable, match=OPEN):
        await ask(1)


async def test_an_exhausted_connection_pool_does_not_open_the_circuit(
    ask: Ask, opik: respx.Route
) -> None:
    opik.mock(side_effect=FULL)
    await fails(ask, range(4 * FAILURES))


async def test_a_success_between_failures_begins_the_count_anew(
    ask: Ask, opik: respx.Route
) -> None:
    for _ in range(3):
        opik.mock(side_effect=LOST)
        await fails(ask, range(1, FAILURES))
        opik.mock(return_value=httpx.Response(404))
        await ask(1)


async def test_a_failed_probe_keeps_the_circuit_open_and_a_successful_one_closes_it(
    ask: Ask, opik: respx.Route, clock: Clock
) -> None:
    opik.mock(side_effect=LOST)
    await fails(ask, range(FAILURES))
    clock.now += SECONDS - 0.1
    with pytest.raises(BackendUnavailable, match="in 1 second\\."):
        await ask(1)
    clock.now += 0.1
    asked = opik.call_count
    await fails(ask, range(1))
    assert opik.call_count == asked + 1, "a probe is not tried again"
    with pytest.raises(BackendUnavailable, match="in 5 seconds\\."):
        await ask(1)
    clock.now += SECONDS
    opik.mock(return_value=httpx.Response(401))
    assert (await ask(1)).status == 401
    opik.mock(side_effect=LOST)
    await fails(ask, range(1, FAILURES))


class Gate:
    """A backend that hangs up, or answers once its gate is open."""

    def __init__(self) -> None:
        self.hangs_up = True
        self.open = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.asked += 1
        if self.hangs_up:
            send.__self__.transport.abort()  # type: ignore[attr-defined]
            return
        await self.open.wait()
        await JSONResponse({})(scope, receive, send)


@pytest.fixture
async def gate(clock: Clock) -> AsyncIterator[tuple[Gate, Ask]]:
    """A backend with an open circuit, at the time of a probe; over real sockets."""
    backend = Gate()
    async with serving(backend, grace=1) as url, httpx.AsyncClient() as http:
        ask = asking(http, url)
        await fails(ask, range(FAILURES))
        backend.hangs_up, backend.asked = False, 0
        clock.now += SECONDS
        yield backend, ask


async def test_of_many_requests_at_once_one_is_the_probe(gate: tuple[Gate, Ask]) -> None:
    backend, ask = gate
    refused = 0
    answered = anyio.Event()

    async def one(number: int) -> None:
        nonlocal refused
        try:
            await ask(number)
        except BackendUnavailable:
            refused += 1
        else:
            answered.set()

    with anyio.fail_after(WAIT_SECONDS):
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(one, number)
            while refused < 49:  # noqa: ASYNC110 - what is waited for has no event
                await anyio.sleep(0.005)
            backend.open.set()
    assert answered.is_set()
    assert backend.asked == 1
    for number in range(50):
        await ask(number)


async def test_a_cancelled_probe_leaves_its_place_to_the_next(
    gate: tuple[Gate, Ask],
) -> None:
    backend, ask = gate
    async with anyio.create_task_group() as group:
        group.start_soon(ask, 1)
        with anyio.fail_after(WAIT_SECONDS):
            while not backend.asked:  # noqa: ASYNC110 - what is waited for has no event
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()
    backend.open.set()
    assert (await ask(2)).status == 200
