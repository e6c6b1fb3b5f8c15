"""One HTTP exchange with the backend: bounded, retried, with the caller's credentials."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import anyio
import httpx
import structlog

from app.caller import Caller
from app.errors import BackendUnavailable
from app.opik.circuit_breaker import CircuitBreaker
from app.retry_after import parse_retry_after

log = structlog.get_logger(__name__)

BODY_BYTES = 16 * 1024 * 1024
LONGEST_WAIT = 10.0
"""Whom the backend asks for a longer pause gives up: somebody waits for the answer."""
_CLOSE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Which answers are tried again, how often, and after how many seconds (doubling)."""

    statuses: frozenset[int] = frozenset({429, 502, 503, 504})
    attempts: int = 3
    backoff: float = 0.5
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


@dataclass(frozen=True, slots=True)
class BackendResponse:
    """What came back. `end` tells whether the body is whole, was cut by us, or broke off."""

    status: int
    headers: httpx.Headers
    body: bytes
    end: Literal["whole", "too_large", "broken"] = "whole"


class ByteAllowance:
    """Bytes that may still be read, by one exchange or by several together."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, piece: bytes) -> bytes:
        """As much of the piece as is left."""
        taken = piece[: self.left]
        self.left -= len(taken)
        return taken


class _Outcome(NamedTuple):
    """How an attempt ended: `failure` as the circuit counts it, None where the backend is well."""

    answer: BackendResponse | None
    failure: Hashable = None


class RestClient:
    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        timeout: float,
        retries: RetryPolicy,
        circuit: CircuitBreaker | None = None,
    ) -> None:
        """`timeout` is seconds for one attempt; `http` keeps no cookies, follows no redirects."""
        self._http = http
        self._base = f"{base_url}/v1/private"
        self._timeout = timeout
        self._retries = retries
        self._circuit = circuit or CircuitBreaker()

    async def exchange(
        self,
        caller: Caller,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        accept: str = "application/json",
        limit: int | ByteAllowance = BODY_BYTES,
        partial: bool = False,
    ) -> BackendResponse:
        """The answer, whatever its status; a body over `limit` bytes is cut.

        Connection failures, timeouts and the retried statuses are tried again; so is a body that
        breaks off, unless `partial` asks for what came of it. Raises BackendUnavailable, at once
        while the backend is given up for some seconds. A backend that asks for a longer pause than
        LONGEST_WAIT is not tried again.
        """
        # Half of the time for a connection: so one that is not made is told from a slow answer.
        half = self._timeout / 2
        request = self._http.build_request(
            method,
            self._base + path,
            params=params,
            json=body,
            headers=caller.headers_with({"Accept": accept}),
            timeout=httpx.Timeout(self._timeout, connect=half, pool=half),
        )
        with self._circuit.passage() as passage:
            attempts = 1 if passage.is_probe else self._retries.attempts
            answer, failure = await self._attempts(request, limit, partial=partial, most=attempts)
            passage.failure = failure
            passage.answered = answer is not None and failure is None
        if answer is not None and (answer.end != "broken" or partial):
            return answer if answer.status == 200 else _hiding(caller, answer)
        log.warning("backend_unreachable", method=method, attempts=attempts)
        raise BackendUnavailable("The Opik backend cannot be reached now. Try again in a moment.")

    async def _attempts(
        self, request: httpx.Request, limit: int | ByteAllowance, *, partial: bool, most: int
    ) -> _Outcome:
        """The outcome of the last attempt."""
        outcome = _Outcome(None)
        for attempt in range(most):
            if attempt:
                pause = _pause(outcome.answer, self._retries.backoff * 2 ** (attempt - 1))
                if pause is None:
                    break
                await self._retries.sleep(pause)
            outcome = await self._attempt(request, limit)
            answer = outcome.answer
            if answer is None or answer.status in self._retries.statuses:
                continue
            if answer.end != "broken" or partial:
                break
        return outcome

    async def _attempt(self, request: httpx.Request, limit: int | ByteAllowance) -> _Outcome:
        deadline = anyio.current_time() + self._timeout
        try:
            with anyio.fail_after(self._timeout):
                response = await self._http.send(request, stream=True)
        except httpx.PoolTimeout:
            # All connections are in use, by whatever: that tells nothing about the backend.
            return _Outcome(None)
        except (httpx.ReadTimeout, httpx.WriteTimeout, TimeoutError):
            return _Outcome(None, request.url.path)
        except httpx.TransportError:
            return _Outcome(None, object())
        try:
            answer = await self._read(response, limit, deadline)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await response.aclose()
        return _Outcome(answer, request.url.path if answer.status >= 500 else None)

    async def _read(
        self, response: httpx.Response, limit: int | ByteAllowance, deadline: float
    ) -> BackendResponse:
        allowance = limit if isinstance(limit, ByteAllowance) else ByteAllowance(limit)
        body = bytearray()
        end: Literal["whole", "too_large", "broken"] = "broken"
        try:
            with anyio.CancelScope(deadline=deadline):
                async for piece in response.aiter_bytes():
                    taken = allowance.take(piece)
                    body += taken
                    if len(taken) < len(piece):
                        end = "too_large"
                        break
                else:
                    end = "whole"
        except (httpx.TransportError, httpx.DecodingError):
            pass
        return BackendResponse(response.status_code, response.headers, bytes(body), end)


def _hiding(caller: Caller, answer: BackendResponse) -> BackendResponse:
    """The answer without the caller's token, which is sent in Latin-1."""
    body = caller.hidden(answer.body.decode("latin-1")).encode("latin-1")
    return replace(answer, body=body)


def _pause(answer: BackendResponse | None, backoff: float) -> float | None:
    """Seconds until the next attempt, as the backend asks; None where it asks for too many."""
    asked = None if answer is None else parse_retry_after(answer.headers)
    if asked is None:
        return backoff
    return asked if asked <= LONGEST_WAIT else None
