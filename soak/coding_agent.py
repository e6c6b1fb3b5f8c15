"""A coding agent that reads a trace by the Model Context Protocol."""

import random
import re
from dataclasses import dataclass

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from soak.unreliable_backend import WORKSPACE

_SECONDS = 60.0
_SHORT_NAME = re.compile(r"\bs\d+\b")


@dataclass
class CodingAgent:
    """One client of `{url}/mcp`; counts in `results` what it was given."""

    url: str
    key: str
    results: int = 0

    async def read_span(self, trace_id: str, rng: random.Random) -> str | None:
        """Searches for one span and reads it by its short name; what is wrong with the answers.

        Raises what the client raises where the connection breaks.
        """
        wanted = f"order {rng.randint(1, 5)} is gone"
        headers = {"Authorization": self.key, "Comet-Workspace": WORKSPACE}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=_SECONDS) as http,
            Client(streamable_http_client(self.url, http_client=http), mode="legacy") as client,
        ):
            found = await self._call(client, "search_trace", trace_id=trace_id, pattern=wanted)
            if found is None:
                return None
            names = _SHORT_NAME.findall(found)
            if not names:
                return f"no span in {found!r}"
            named = {"trace_id": trace_id, "span_id": names[-1], "include_output": True}
            read = await self._call(client, "get_span_details", **named)
            return None if read is None or wanted in read else f"{wanted!r} is not in {read!r}"

    async def _call(self, client: Client, tool: str, **arguments: str | bool) -> str | None:
        """The text of a result, None for an error, which the backend has now and then."""
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            return None
        self.results += 1
        return "".join(each.text for each in result.content if isinstance(each, TextContent))
