"""One HTTP exchange with the backend: bounded, retried, with the caller's credentials."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import httpx
import structlog

from app.caller import Caller
from app.errors import BackendUnavailable
from app.pauses import asked_pause

log = structlog.get_logger(__name__)

BODY_BYTES = 16 * 1024 * 1024
LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Retries:
    """Which answers are tried again, how often, and after how many seconds (doubling)."""

    statuses: frozenset[int] = frozenset({429, 502, 503, 504})
    attempts: int = 3
    backoff: float = 0.5
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `end` tells whether the body is whole, was cut by us, or broke off."""

    status: int
    headers: httpx.Headers
    body: bytes
    end: Literal["whole", "too_large", "broken"] = "whole"


class Transport:
    def __init__(
        self, http: httpx.AsyncClient, *, base_url: str, timeout: float, retries: Retries
    ) -> None:
        """`timeout` is seconds for one attempt; `http` keeps no cookies, follows no redirects."""
        self._http = http
        self._base = f"{base_url}/v1/private"
        self._timeout = timeout
        self._retries = retries

    async def exchange(
        self,
        caller: Caller,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        accept: str = "application/json",
        limit: int = BODY_BYTES,
        partial: bool = False,
    ) -> Answer:
        """The answer, whatever its status; a body over `limit` bytes is cut.

        Connection failures, timeouts and the retried statuses are tried again; so is a body that
        breaks off, unless `partial` asks for what came of it. Raises BackendUnavailable.
        """
        request = self._http.build_request(
            method,
            self._base + path,
            params=params,
            json=body,
            headers=caller.headers_with({"Accept": accept}),
            timeout=self._timeout,
        )
        answer: Answer | None = None
        for attempt in range(self._retries.attempts):
            if attempt:
                await self._retries.sleep(_wait(answer, self._retries.backoff * 2 ** (attempt - 1)))
            answer = await self._attempt(request, limit)
            if answer is None or answer.status in self._retries.statuses:
                continue
            if answer.end != "broken" or partial:
                return answer
        if answer is not None and (answer.end != "broken" or partial):
            return answer
        log.warning("backend_unreachable", method=method, attempts=self._retries.attempts)
        raise BackendUnavailable("The Opik backend cannot be reached now. Try again in a moment.")

    async def _attempt(self, request: httpx.Request, limit: int) -> Answer | None:
        """None when no answer came in time."""
        try:
            with anyio.fail_after(self._timeout):
                response = await self._http.send(request, stream=True)
        except (httpx.TransportError, TimeoutError):
            return None
        try:
            return await self._read(response, limit)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def _read(self, response: httpx.Response, limit: int) -> Answer:
        body = bytearray()
        end: Literal["whole", "too_large", "broken"] = "whole"
        try:
            with anyio.fail_after(self._timeout):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > limit:
                        end = "too_large"
                        break
        except (httpx.TransportError, httpx.DecodingError, TimeoutError):
            end = "broken"
        return Answer(response.status_code, response.headers, bytes(body[:limit]), end)


def _wait(answer: Answer | None, backoff: float) -> float:
    """Seconds to wait: what the backend asks for, bounded, since somebody waits for the answer."""
    asked = None if answer is None else asked_pause(answer.headers)
    return backoff if asked is None else min(asked, LONGEST_WAIT)
