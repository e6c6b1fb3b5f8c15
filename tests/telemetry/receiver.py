"""A receiver of error reports: takes the SDK's envelopes and keeps what was in them."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testkit.credentials import collected_output


@dataclass
class Receiver:
    """`raw` is every byte that arrived, headers included; `items` are pairs of type and body."""

    raw: bytes = b""
    items: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [body for kind, body in self.items if kind == "event"]

    @property
    def transactions(self) -> list[dict[str, Any]]:
        return [body for kind, body in self.items if kind == "transaction"]

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/1/envelope/", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        came = body + repr(request.headers.raw).encode()
        collected_output.append(came)
        self.raw += came
        _, _, rest = body.partition(b"\n")
        while rest:
            header_line, _, rest = rest.partition(b"\n")
            header = json.loads(header_line)
            content, rest = rest[: header["length"]], rest[header["length"] + 1 :]
            self.items.append((header["type"], json.loads(content)))
        return JSONResponse({})
