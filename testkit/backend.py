"""Ways to the backend for tests, with attempts and pauses as a test wants them."""

from collections.abc import Awaitable, Callable

import anyio
import httpx

from app.backend_http import BackendHttp, RetryPolicy
from app.opik.rest_client import RestClient

STATUSES = frozenset({429, 502, 503, 504})


def backend_at(
    base_url: str,
    http: httpx.AsyncClient,
    *,
    attempts: int = 3,
    backoff: float = 0.5,
    statuses: frozenset[int] = STATUSES,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> BackendHttp:
    """The backend at an address; three attempts by default, as the service makes them."""
    retries = RetryPolicy(statuses=statuses, attempts=attempts, backoff=backoff, sleep=sleep)
    return BackendHttp(http, base_url=base_url, retries=retries)


def rest_client_at(
    base_url: str,
    http: httpx.AsyncClient,
    *,
    timeout: float,
    attempts: int = 1,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> RestClient:
    """Its REST API; one attempt by default."""
    return RestClient(backend_at(base_url, http, attempts=attempts, sleep=sleep), timeout=timeout)
