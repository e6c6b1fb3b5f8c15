"""The least that a service on this stack can do: it passes a model's bytes on as they come."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import TypedDict

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


class State(TypedDict):
    http: httpx.AsyncClient


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[State]:
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
    async with httpx.AsyncClient(limits=limits, timeout=60) as http:
        yield {"http": http}


async def _relay(request: Request[State]) -> StreamingResponse:
    url = f"{os.environ['AGENT_OPIK_URL']}/v1/private/chat/completions"
    asked = request.state["http"].build_request("POST", url, content=await request.body())
    answer = await request.state["http"].send(asked, stream=True)

    async def passed_on() -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_bytes():
                yield chunk
        finally:
            await answer.aclose()

    return StreamingResponse(passed_on(), media_type="text/event-stream")


app = Starlette(routes=[Route("/{path:path}", _relay, methods=["POST"])], lifespan=_lifespan)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error")
