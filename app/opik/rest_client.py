"""Requests to Opik's REST API: retried, read as a whole, stopped while the backend is down."""

import contextlib
import functools
import json
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import structlog

from app.backend_http import BackendHttp, BackendResponse, ByteAllowance, OpenResponse
from app.caller import Caller
from app.errors import BackendUnavailable
from app.opik.circuit_breaker import CircuitBreaker

log = structlog.get_logger(__name__)

BODY_BYTES = 16 * 1024 * 1024
"""Of one response, which takes several times as much once it is parsed. Of a larger record the
backend's truncated form is read."""
_ERROR_BYTES = 65_536
"""Of an error only a sentence is kept; one that is longer comes from something else than Opik."""
LONGEST_WAIT_SECONDS = 10.0
"""A longer pause that the backend asks for is not made: a user waits for the answer."""

_OpenResponse = Callable[[], AbstractAsyncContextManager[OpenResponse]]


class _Attempt(NamedTuple):
    """How an attempt ended: `failure` as the circuit counts it, None where the backend is well."""

    response: BackendResponse | None
    failure: Hashable = None


class RestClient:
    """Sends requests with retries and reads their responses."""

    def __init__(
        self,
        backend: BackendHttp,
        *,
        timeout: float,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """`timeout` is seconds per attempt; `on_failure` is called for each failed request."""
        self._backend = backend
        self._on_failure = on_failure
        self._timeout = timeout
        self._circuit = CircuitBreaker()

    async def exchange(
        self,
        caller: Caller,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/json",
        limit: int | ByteAllowance = BODY_BYTES,
        keep_partial: bool = False,
    ) -> BackendResponse:
        """The response, whatever its status; a body over `limit` bytes is cut.

        Connection failures, timeouts and the retried statuses are tried again; so is a body that
        breaks off, unless `keep_partial` asks for the part that came. Raises BackendUnavailable,
        at once while the circuit is open.
        """
        open_response = functools.partial(
            self._backend.open,
            caller,
            method,
            path,
            headers={"Accept": accept},
            params=params,
            body=body,
            # Half of the time, so that a host out of reach differs from one that answers slowly.
            connect_seconds=self._timeout / 2,
            idle_seconds=self._timeout,
            total_seconds=self._timeout,
        )
        with self._circuit.guard() as request:
            attempts = 1 if request.is_probe else self._backend.retries.attempts
            response, failure = await self._last_attempt(
                open_response, path, limit, keep_partial=keep_partial, attempts=attempts
            )
            request.failure = failure
            request.answered = response is not None and failure is None
        if response is not None and (response.end != "broken" or keep_partial):
            return response if response.status == 200 else _without_token(caller, response)
        self._on_failure()
        log.warning("backend_unreachable", method=method, attempts=attempts)
        raise BackendUnavailable("The Opik backend cannot be reached now. Try again in a moment.")

    async def _last_attempt(
        self,
        open_response: _OpenResponse,
        path: str,
        limit: int | ByteAllowance,
        *,
        keep_partial: bool,
        attempts: int,
    ) -> _Attempt:
        """Tries until a response is final or the attempts are used up; gives the last one."""
        retries = self._backend.retries
        failures = 0
        while True:
            last = await _attempt_exchange(open_response, path, limit)
            response = last.response
            if (
                response is not None
                and response.status not in retries.statuses
                and (response.end != "broken" or keep_partial)
            ):
                return last
            failures += 1
            headers = response.headers if response is not None else None
            if not await retries.wait(
                failures, attempts=attempts, headers=headers, longest=LONGEST_WAIT_SECONDS
            ):
                return last


async def _attempt_exchange(
    open_response: _OpenResponse, path: str, limit: int | ByteAllowance
) -> _Attempt:
    allowance = limit if isinstance(limit, ByteAllowance) else ByteAllowance(limit)
    try:
        async with open_response() as opened:
            response = await opened.read(allowance)
    except httpx.PoolTimeout:
        # All connections are in use: that says nothing about the backend.
        return _Attempt(None)
    except (httpx.ReadTimeout, httpx.WriteTimeout, TimeoutError):
        return _Attempt(None, path)
    except httpx.TransportError:
        return _Attempt(None, object())
    return _Attempt(response, path if response.status >= 500 else None)


def _without_token(caller: Caller, response: BackendResponse) -> BackendResponse:
    """The response without the caller's token, which is sent in Latin-1.

    JSON is written anew first, so that no escape hides it.
    """
    body = response.body[:_ERROR_BYTES]
    with contextlib.suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), ensure_ascii=False).encode()
    masked = caller.mask_token(body.decode("latin-1")).encode("latin-1")
    return replace(response, body=masked)
