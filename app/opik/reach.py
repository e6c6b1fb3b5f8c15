"""Does anybody answer at the backend's address? For operators, without a caller's credentials."""

import anyio
import httpx

# Open to everybody, unlike the routes under /v1/private.
_PATH = "/is-alive/ping"


async def answers(http: httpx.AsyncClient, *, base_url: str, seconds: float) -> bool:
    """Whether a backend answers within that time; a proxy that says it is gone does not count."""
    try:
        with anyio.fail_after(seconds):
            async with http.stream("GET", base_url + _PATH) as response:
                return response.status_code < 500
    except (httpx.TransportError, TimeoutError):
        return False
