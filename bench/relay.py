"""What streaming costs at least on this stack: one chat call whose frames are parsed and written
anew, and nothing else."""

import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

API = os.environ.get("AGENT_OPIK_URL", "") + "/v1/private"


class State(TypedDict):
    http: httpx.AsyncClient


@contextlib.asynccontextmanager
async def open_client(_: Starlette) -> AsyncIterator[State]:
    """The HTTP client of all requests."""
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
    async with httpx.AsyncClient(limits=limits, timeout=60) as http:
        yield {"http": http}


async def stream_reply(http: httpx.AsyncClient, body: dict[str, Any]) -> AsyncIterator[bytes]:
    """The frames of one chat call, each parsed and written anew."""
    async with http.stream("POST", f"{API}/chat/completions", json=body) as reply:
        rest = b""
        async for chunk in reply.aiter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    yield b"data: %s\n\n" % json.dumps(json.loads(line[6:])).encode()


async def report_health(_: Request[State]) -> Response:
    """Answers, which is all that is asked."""
    return Response(b"{}")


async def _relay(request: Request[State]) -> StreamingResponse:
    question = (await request.json())["message"]
    body = {"stream": True, "messages": [{"role": "user", "content": question}]}
    frames = stream_reply(request.state["http"], body)
    return StreamingResponse(frames, media_type="text/event-stream")


def serve(app: Starlette) -> None:
    """Serves the app at the port of the environment."""
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error")


if __name__ == "__main__":
    routes = [
        Route("/healthz", report_health),
        Route("/{path:path}", _relay, methods=["POST"]),
    ]
    serve(Starlette(routes=routes, lifespan=open_client))
