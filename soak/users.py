"""Simulated users of the panel: they ask, read, leave and delete, and record what they saw."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import anyio
import httpx

from soak.unreliable_backend import WORKSPACE, make_trace_id
from testkit.audits.clients import AskedQuestion, DeletedConversation
from testkit.processes import ServerProcess

_MOST_SECONDS = 60.0


@dataclass
class Observations:
    """What all users of a run saw; `faults` are answers that no user may get."""

    asked: list[AskedQuestion] = field(default_factory=list)
    deleted: list[DeletedConversation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
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

    @property
    def _build_headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionToken={self.name}", "Comet-Workspace": WORKSPACE}

    async def act(self) -> None:
        """One action: mostly a question, read to its end or left; a share are `deletes`.

        Before it `think` seconds on average.
        """
        await anyio.sleep(self.rng.uniform(0, 2 * self.think))
        trace = make_trace_id(self.rng.randrange(self.traces))
        chance = self.rng.random()
        if chance < self.deletes:
            await self.delete(trace)
        elif chance < self.deletes + 0.27:
            await self.ask(trace, patience=self.rng.uniform(0, 0.15))
        else:
            await self.ask(trace)

    async def ask(self, trace: str, *, patience: float = _MOST_SECONDS) -> AskedQuestion:
        """Asks, and leaves after `patience` seconds."""
        process = self.rng.choice(self.processes)
        question = f"question {self.notes.numbers()} of {self.name}"
        asked = AskedQuestion(trace, question, anyio.current_time(), owner=self.name)
        self.notes.asked.append(asked)
        broke = ""
        with anyio.move_on_after(patience) as waiting:
            try:
                await self._read_answer(process, asked)
            except httpx.TransportError as error:
                broke = type(error).__name__
        asked.ended = anyio.current_time()
        if broke and not process.was_down(asked.began, asked.ended):
            self.notes.faults.append(f"{question}: the connection to {process.name} broke: {broke}")
        if waiting.cancelled_caught and patience == _MOST_SECONDS:
            self.notes.faults.append(f"{question}: no end after {patience} s")
        return asked

    async def _read_answer(self, process: ServerProcess, asked: AskedQuestion) -> None:
        body = {"message": asked.question, "streaming": True}
        url = f"{process.url}/trace-analyzer/session/{asked.trace_id}"
        sent = self.http.stream("POST", url, json=body, headers=self._build_headers)
        async with sent as response:
            self._note_status(response)
            if response.status_code != 200:
                self.notes.faults.append(f"{asked.question}: status {response.status_code}")
                return
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    asked.frames.append(json.loads(line[6:]))
            asked.whole = True

    async def delete(self, trace: str) -> None:
        """Deletes the conversation about a trace."""
        process, began, certain = self.rng.choice(self.processes), anyio.current_time(), False
        try:
            url = f"{process.url}/trace-analyzer/session/{trace}"
            response = await self.http.delete(url, headers=self._build_headers)
            self._note_status(response)
            certain = response.status_code == 200
        except httpx.TransportError as error:
            if not process.was_down(began, anyio.current_time()):
                self.notes.faults.append(f"DELETE at {process.name}: {error!r}")
        finally:
            ended = anyio.current_time()
            self.notes.deleted.append(
                DeletedConversation(trace, began, ended, certain, owner=self.name)
            )

    def _note_status(self, response: httpx.Response) -> None:
        seen = self.notes.statuses
        seen[response.status_code] = seen.get(response.status_code, 0) + 1
