"""One exchange with the backend: its bounds, its end, and the pause before another attempt."""

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import httpx
import respx
from hypothesis import given
from hypothesis import strategies as st

from app.backend_http import BackendResponse, ByteAllowance, RetryPolicy, parse_retry_after
from app.caller import Caller
from testkit.backend import STATUSES, backend_at
from testkit.case_tables import each_case

NOW = "Sun, 22 Nov 2026 10:00:00 GMT"


@each_case(
    "headers, seconds",
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "86400"}, 86_400.0),
        ({"RateLimit-Reset": "2"}, 2.0),
        ({"Retry-After": "3", "RateLimit-Reset": "2"}, 3.0),
        ({"Retry-After": "soon", "RateLimit-Reset": "2"}, 2.0),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:04 GMT", "Date": NOW}, 4.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:04 +0100", "Date": NOW}, 4.0),
        ({"Retry-After": "Sun, 22 Nov 2026 09:59:00 GMT", "Date": NOW}, 0.0),
    ],
)
def test_a_pause_is_a_number_of_seconds_or_a_date(headers: dict[str, str], seconds: float) -> None:
    assert parse_retry_after(httpx.Headers(headers)) == seconds


@each_case(
    "headers",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "soon"},
        {"Retry-After": "-5"},
        {"Retry-After": "nan"},
        {"Retry-After": "inf"},
        {"Retry-After": "1e3"},
        {"Retry-After": "9" * 400},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 GMT"},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 -0000", "Date": NOW},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 +99999999999999999999", "Date": NOW},
        {"Retry-After": "Sun, 22 Nov 99999999999999999999 10:00:04 GMT", "Date": NOW},
    ],
)
def test_what_cannot_be_read_as_a_pause_is_none(headers: dict[str, str]) -> None:
    assert parse_retry_after(httpx.Headers(headers)) is None


_DATES = st.from_regex(r"\A(Sun, )?\d{1,25} Nov \d{1,25} \d{1,25}:\d{1,25}:\d{1,25} [+-]\d{1,25}\Z")


@given(st.one_of(_DATES, st.text(max_size=40)), st.one_of(_DATES, st.just(NOW)))
def test_no_header_is_an_error(value: str, date: str) -> None:
    headers = httpx.Headers([(b"Retry-After", value.encode()), (b"Date", date.encode())])
    pause = parse_retry_after(headers)
    assert pause is None or pause >= 0


URL = "http://opik.test/v1/private/things"


class Body(httpx.AsyncByteStream):
    """Sends these pieces, then breaks off or falls silent; remembers that it was closed.

    As on a connection, a silence ends after `read_seconds`, which the request asks for.
    """

    def __init__(self, *pieces: bytes, then: str = "ends") -> None:
        self.pieces = pieces
        self.then = then
        self.closed = False
        self.read_seconds = 0.0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.then == "breaks":
            raise httpx.ReadError("reset")
        if self.then == "is silent":
            await anyio.sleep(self.read_seconds)
            raise httpx.ReadTimeout("silence")

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed = True


async def read(
    body: Body, *, limit: int = 100, idle_seconds: float = 60, total_seconds: float = 60
) -> BackendResponse:
    def answer(request: httpx.Request) -> httpx.Response:
        body.read_seconds = request.extensions["timeout"]["read"]
        return httpx.Response(200, stream=body)

    with respx.mock() as router:
        router.get(URL).mock(side_effect=answer)
        async with (
            httpx.AsyncClient(follow_redirects=True) as http,
            backend_at("http://opik.test/", http).open(
                Caller(),
                "GET",
                "/things",
                headers={},
                connect_seconds=1,
                idle_seconds=idle_seconds,
                total_seconds=total_seconds,
            ) as response,
        ):
            return await response.read(ByteAllowance(limit))


@each_case(
    "body, limits, read_bytes, end",
    [
        (Body(b"ab", b"cd"), {}, b"abcd", "whole"),
        (Body(b"ab", b"cd"), {"limit": 4}, b"abcd", "whole"),
        (Body(b"ab", b"cd"), {"limit": 3}, b"abc", "too_large"),
        (Body(b"ab", then="breaks"), {}, b"ab", "broken"),
        (Body(b"ab", then="is silent"), {"idle_seconds": 0.01}, b"ab", "broken"),
        (Body(b"ab", then="is silent"), {"total_seconds": 0.01}, b"ab", "broken"),
    ],
)
async def test_a_body_is_read_within_its_bounds_and_closed(
    body: Body, limits: dict[str, float], read_bytes: bytes, end: str
) -> None:
    response = await read(body, **limits)  # type: ignore[arg-type]
    assert (response.body, response.end) == (read_bytes, end)
    assert body.closed


async def test_a_cancelled_exchange_is_closed() -> None:
    body = Body(then="is silent")
    with anyio.move_on_after(0.05) as scope:
        await read(body)
    assert scope.cancelled_caught
    assert body.closed


HUGE = b"x" * 2**24


def pack_by(*codings: str) -> httpx.Response:
    """A bomb: 16 MB, packed by the first coding and as often as there are."""
    body, pack = HUGE, {"deflate": zlib.compress}.get(codings[0], gzip.compress)
    for _ in codings:
        body = pack(body)
    return httpx.Response(200, headers={"Content-Encoding": ", ".join(codings)}, content=body)


@each_case(
    "codings, read_bytes, end",
    [
        (["gzip"], 1_000_000, "too_large"),
        (["gzip", "gzip"], 0, "broken"),
        (["gzip", "gzip", "gzip"], 0, "broken"),
        (["deflate"], 0, "broken"),
        (["br"], 0, "broken"),
        (["zstd"], 0, "broken"),
        (["identity", "gzip"], 0, "broken"),
    ],
)
async def test_a_packed_bomb_takes_no_more_than_its_allowance(
    codings: list[str], read_bytes: int, end: str
) -> None:
    packed = pack_by(*codings)
    with respx.mock() as router:
        route = router.get(URL).mock(return_value=packed)
        async with (
            httpx.AsyncClient() as http,
            backend_at("http://opik.test", http).open(
                Caller(), "GET", "/things", headers={}, connect_seconds=1, idle_seconds=60
            ) as opened,
        ):
            tracemalloc.start()
            response = await opened.read(ByteAllowance(1_000_000))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert (len(response.body), response.end) == (read_bytes, end)
    assert peak < 4_000_000
    assert route.calls[0].request.headers["Accept-Encoding"] == "identity"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    elsewhere = {"Location": "http://elsewhere.example/"}
    with respx.mock() as router:
        router.get(URL).mock(return_value=httpx.Response(307, headers=elsewhere))
        async with (
            httpx.AsyncClient(follow_redirects=True) as http,
            backend_at("http://opik.test", http).open(
                Caller(), "GET", "/things", headers={}, connect_seconds=1, idle_seconds=1
            ) as response,
        ):
            assert response.status == 307


@each_case(
    "failures, attempts, headers, pauses",
    [
        (1, 9, None, [0.5]),
        (2, 9, {}, [1.0]),
        (3, 9, {"Retry-After": "soon"}, [2.0]),
        (4, 9, None, []),
        (1, 1, None, []),
        (1, 9, {"Retry-After": "10"}, [10.0]),
        (1, 9, {"Retry-After": "11"}, []),
    ],
)
async def test_a_pause_doubles_unless_the_answer_asks_for_one(
    failures: int, attempts: int, headers: dict[str, str] | None, pauses: list[float]
) -> None:
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    policy = RetryPolicy(statuses=STATUSES, attempts=4, backoff=0.5, sleep=sleep)
    again = await policy.wait(
        failures,
        attempts=attempts,
        headers=None if headers is None else httpx.Headers(headers),
        longest=10,
    )
    assert made == pauses
    assert again == bool(pauses)
