"""Simulated users: they ask anywhere, read, leave, create and delete, and record what they saw."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
import httpx

from app.events import LATEST_PLACE, TurnPlace
from soak.coding_agent import CodingAgent
from soak.unreliable_backend import WORKSPACE, make_trace_id
from testkit.audits.clients import AskedQuestion, DeletedConversation
from testkit.audits.places import CreatedConversation
from testkit.processes import ServerProcess

_MOST_SECONDS = 60.0
_UNAVAILABLE = frozenset({502, 503})
"""Statuses while the backend or the database fails."""
_LEAVES = 0.25
_NAMES_PLACE = 0.15
_CREATES = 0.05
_OVER_MCP = 0.05
"""Shares of the actions, besides the deletes; the rest are questions read to their end."""


@dataclass
class Observations:
    """What all users of a run saw; `faults` are answers that no user may get."""

    asked: list[AskedQuestion] = field(default_factory=list)
    deleted: list[DeletedConversation] = field(default_factory=list)
    created: list[CreatedConversation] = field(default_factory=list)
    read_over_mcp: int = 0
    faults: list[str] = field(default_factory=list)
    numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    @property
    def turns(self) -> int:
        """Questions that became a turn."""
        return sum(bool(each.turn_ids) for each in self.asked)


@dataclass
class SimulatedUser:
    """One user, whose requests go to a random process."""

    http: httpx.AsyncClient
    processes: Sequence[ServerProcess]
    notes: Observations
    rng: random.Random
    traces: int
    name: str
    think: float = 0
    deletes: float = 0.03

    async def act(self) -> None:
        """One action, mostly a question; a share are `deletes`, about the first trace only.

        Before it `think` seconds on average.
        """
        await anyio.sleep(self.rng.uniform(0, 2 * self.think))
        if self.rng.random() < self.deletes:
            await self.delete(make_trace_id(0))
            return
        shares = (_CREATES, _OVER_MCP, _NAMES_PLACE, _LEAVES)
        actions = (self.create, self.read_over_mcp, self.ask_somewhere, self.ask_and_leave)
        (action,) = self.rng.choices((*actions, self.ask), (*shares, 1 - sum(shares)))
        await action(make_trace_id(self.rng.randrange(self.traces)))

    async def ask_and_leave(self, trace: str) -> None:
        """Asks, and leaves soon."""
        await self.ask(trace, patience=self.rng.uniform(0, 0.15))

    async def ask_somewhere(self, trace: str) -> None:
        """Asks in a place that it has read."""
        known_since = anyio.current_time()
        place = await self._choose_place(trace)
        if place is not None:
            await self.ask(trace, place=place, known_since=known_since)

    async def ask(
        self,
        trace: str,
        *,
        patience: float = _MOST_SECONDS,
        place: TurnPlace = LATEST_PLACE,
        known_since: float = 0,
    ) -> AskedQuestion:
        """Asks in a place that is `known_since` that time, and leaves after `patience` seconds."""
        process = self.rng.choice(self.processes)
        question = f"question {self.notes.numbers()} of {self.name}"
        asked = AskedQuestion(
            trace,
            question,
            anyio.current_time(),
            owner=self.name,
            place=place,
            known_since=known_since,
        )
        self.notes.asked.append(asked)
        broke = ""
        with anyio.move_on_after(patience) as waiting:
            try:
                await self._read_answer(process, asked)
            except httpx.TransportError as error:
                broke = _describe_break(error)
        asked.ended = anyio.current_time()
        if broke and not process.was_down(asked.began, asked.ended):
            self.notes.faults.append(f"{question}: the connection to {process.name} broke: {broke}")
        if waiting.cancelled_caught and patience == _MOST_SECONDS:
            self.notes.faults.append(f"{question}: no end after {patience} s")
        return asked

    async def _read_answer(self, process: ServerProcess, asked: AskedQuestion) -> None:
        place = asked.place
        named = {"conversation": place.conversation_id, "leaf": place.after}
        body: dict[str, Any] = {"message": asked.question, "streaming": True}
        if place.replaces is not None:
            body["replaces"] = place.replaces
        sent = self.http.stream(
            "POST",
            self._build_url(process, asked.trace_id),
            params={name: value for name, value in named.items() if value is not None},
            json=body,
            headers=self._headers,
        )
        async with sent as response:
            if response.status_code != 200:
                asked.not_found = response.status_code == 404
                expected = place != LATEST_PLACE and response.status_code in {404, *_UNAVAILABLE}
                if not expected:
                    self.notes.faults.append(f"{asked.question}: status {response.status_code}")
                return
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    asked.frames.append(json.loads(line[6:]))
            asked.whole = True

    async def create(self, trace: str) -> None:
        """Creates a conversation about a trace, from now on the current one."""
        created = await self._send("POST", trace, "/conversations", allowed=201)
        if created is not None:
            about = created.json()
            self.notes.created.append(
                CreatedConversation(
                    trace, about["id"], about["number"], anyio.current_time(), owner=self.name
                )
            )

    async def delete(self, trace: str) -> None:
        """Deletes all conversations about a trace, or any one of them."""
        chosen = await self._choose_conversation(trace) if self.rng.random() < 0.5 else None
        path, status = ("", 200) if chosen is None else (f"/conversations/{chosen}", 204)
        began, certain = anyio.current_time(), False
        try:
            certain = await self._send("DELETE", trace, path, allowed=status) is not None
        finally:
            # Also where the run ends meanwhile.
            self.notes.deleted.append(
                DeletedConversation(
                    trace,
                    began,
                    anyio.current_time(),
                    certain,
                    owner=self.name,
                    conversation_id=chosen,
                )
            )

    async def read_over_mcp(self, trace: str) -> None:
        """Looks for a span as a coding agent does, and reads it."""
        process, began = self.rng.choice(self.processes), anyio.current_time()
        agent = CodingAgent(f"{process.url}/mcp", self.name)
        try:
            fault = await agent.read_span(trace, self.rng)
        except Exception as error:
            fault = repr(error)
            if process.was_down(began, anyio.current_time()):
                return
        if fault:
            self.notes.faults.append(f"MCP at {process.name}: {fault}")
        self.notes.read_over_mcp += agent.results

    async def list_conversations(self, trace: str) -> list[str]:
        """The ids of the conversations about a trace; none while the service does not answer."""
        listed = await self._read_json(trace, "/conversations")
        return [] if listed is None else [each["id"] for each in listed["content"]]

    async def _choose_place(self, trace: str) -> TurnPlace | None:
        """Any conversation about the trace: its end, or after or in place of any of its turns."""
        conversation = await self._choose_conversation(trace)
        if conversation is None:
            return None
        history = await self._read_json(trace, conversation=conversation)
        messages = [] if history is None else history["content"]
        turns = [turn for each in messages for turn in each.get("siblings", ())]
        if not turns:
            return TurnPlace(conversation)
        turn = self.rng.choice(turns)
        places = (
            TurnPlace(conversation),
            TurnPlace(conversation, replaces=turn),
            TurnPlace(conversation, after=turn),
        )
        return self.rng.choice(places)

    async def _choose_conversation(self, trace: str) -> str | None:
        ids = await self.list_conversations(trace)
        return self.rng.choice(ids) if ids else None

    async def _read_json(self, trace: str, path: str = "", **params: str) -> Any:
        answer = await self._send("GET", trace, path, allowed=200, params=params)
        return None if answer is None else answer.json()

    async def _send(
        self,
        method: str,
        trace: str,
        path: str = "",
        *,
        allowed: int,
        params: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """The answer with the status `allowed`; None where there is none."""
        process, began = self.rng.choice(self.processes), anyio.current_time()
        url = f"{self._build_url(process, trace)}{path}"
        try:
            response = await self.http.request(method, url, params=params, headers=self._headers)
        except httpx.TransportError as error:
            broke = _describe_break(error)
            if broke and not process.was_down(began, anyio.current_time()):
                self.notes.faults.append(
                    f"{method} {path}: the connection to {process.name} broke: {broke}"
                )
            return None
        if response.status_code == allowed:
            return response
        # Not found is what somebody else has deleted meanwhile.
        if response.status_code not in {404, *_UNAVAILABLE}:
            self.notes.faults.append(f"{method} {path}: status {response.status_code}")
        return None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionToken={self.name}", "Comet-Workspace": WORKSPACE}

    def _build_url(self, process: ServerProcess, trace: str) -> str:
        return f"{process.url}/trace-analyzer/session/{trace}"


def _describe_break(error: BaseException | None) -> str:
    """The types of an error and of its causes; empty where the client itself closed the connection.

    httpx closes connections that it has kept long enough, now and then one that it has just given
    to another request. For the service that is a client that leaves.
    """
    types: list[str] = []
    while error is not None:
        if isinstance(error, anyio.ClosedResourceError):
            return ""
        types.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return " from ".join(types)
