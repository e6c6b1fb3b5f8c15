"""Where a terminal's answers come from: this process, or a running service.

Both give the frames of the panel's stream, so that a terminal shows one thing in one way.
"""

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any, Protocol
from uuid import uuid4

import httpx

from app.caller import Caller
from app.errors import OpikAssistError, StartRefused
from app.local_service import LocalService, running_locally
from app.operator_credentials import OperatorCredentials
from app.web.markdown.ui_urls import TurnLinks
from app.web.panel import Panel, PanelFrame

HEARTBEAT_SECONDS = 60.0
"""After so long without an event the feed is asked again; nothing is shown."""
CONNECT_SECONDS = 10.0
"""A service that is up accepts a connection within moments, from any distance."""
IDLE_SECONDS = 60.0
"""The service sends a comment line every 15 s."""
_EXCERPT = 300
"""Characters of a foreign error page that a person reads."""


class TraceAssistant(Protocol):
    """Answers questions about one trace."""

    def ask(
        self, question: str, *, model: str | None, conversation: str | None
    ) -> AsyncGenerator[PanelFrame, None]:
        """The frames of an answer. Raises OpikAssistError where there will be none."""
        ...

    async def analyse(self) -> Mapping[str, Any]:
        """Findings, notes and profile, without a model. Raises OpikAssistError."""
        ...


class LocalAssistant:
    """Answers in this process, its conversations in memory."""

    def __init__(self, service: LocalService, trace_id: str) -> None:
        self._service = service
        self._trace_id = trace_id

    async def ask(
        self, question: str, *, model: str | None, conversation: str | None
    ) -> AsyncGenerator[PanelFrame, None]:
        """See `TraceAssistant`; the turn ends when the reader does."""
        if conversation is not None:
            raise StartRefused("--conversation: only a service (--service) keeps conversations")
        local = self._service
        turn = await local.conversations.start_turn(
            local.caller, self._trace_id, question, request_id=uuid4().hex[:16], model=model
        )
        links = TurnLinks(
            local.ui, workspace=turn.workspace, trace_id=self._trace_id, question=question
        )
        panel = Panel(turn.key.turn_id, links, streaming=True)
        try:
            while not turn.feed.ended:
                event = await turn.feed.next(HEARTBEAT_SECONDS)
                for frame in panel.build_frames(event) if event is not None else ():
                    yield frame
        finally:
            turn.disconnect_reader()

    async def analyse(self) -> Mapping[str, Any]:
        """See `TraceAssistant`."""
        local = self._service
        return await local.conversations.analyse_trace(local.caller, self._trace_id)


class RemoteAssistant:
    """Asks a running service, with the same credentials."""

    def __init__(self, http: httpx.AsyncClient, url: str, caller: Caller, trace_id: str) -> None:
        """`url` is the service's address with its prefix."""
        self._http = http
        self._session = f"{url.rstrip('/')}/trace-analyzer/session/{trace_id}"
        self._headers = caller.headers()

    async def ask(
        self, question: str, *, model: str | None, conversation: str | None
    ) -> AsyncGenerator[PanelFrame, None]:
        """See `TraceAssistant`."""
        body = {"message": question, "streaming": True, **({"model": model} if model else {})}
        query = {"conversation": conversation} if conversation else {}
        with _readable_failures():
            async with self._http.stream(
                "POST", self._session, params=query, json=body, headers=self._headers
            ) as response:
                if response.status_code != 200:
                    raise StartRefused(_describe_refusal(response, await response.aread()))
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))

    async def analyse(self) -> Mapping[str, Any]:
        """See `TraceAssistant`."""
        with _readable_failures():
            response = await self._http.get(f"{self._session}/analysis", headers=self._headers)
            if response.status_code != 200:
                raise StartRefused(_describe_refusal(response, response.content))
            report: Mapping[str, Any] = response.json()
            return report


@contextlib.asynccontextmanager
async def open_assistant(
    credentials: OperatorCredentials,
    trace_id: str,
    *,
    service: str | None,
    model: str | None = None,
) -> AsyncIterator[TraceAssistant]:
    """An assistant at the address `service`, or in this process for None.

    Questions name this `model` or none. Raises StartRefused for wrong settings or addresses.
    """
    if service is None:
        async with running_locally(credentials, model=model) as local:
            yield LocalAssistant(local, trace_id)
        return
    if not service.startswith(("http://", "https://")):
        raise StartRefused("--service must begin with http:// or https://")
    timeout = httpx.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(timeout=timeout) as http:
        yield RemoteAssistant(http, service, credentials.build_caller(), trace_id)


@contextlib.contextmanager
def _readable_failures() -> Iterator[None]:
    try:
        yield
    except OpikAssistError:
        raise
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StartRefused(f"The service cannot be reached ({type(error).__name__})") from None
    except ValueError:
        raise StartRefused("The service's response cannot be read: check --service") from None


def _describe_refusal(response: httpx.Response, body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        text = " ".join(body.decode("utf-8", "replace").split())[:_EXCERPT]
        return f"The service answered {response.status_code}: {text}"
