"""Many users on a few conversations, before several service processes of which some are killed."""

import random
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import httpx

from app.events import LATEST_PLACE, TurnPlace
from soak.unreliable_backend import (
    UnreliableModel,
    build_random_faults,
    create_backend,
    make_trace_id,
)
from soak.users import Observations, SimulatedUser
from testkit import databases
from testkit.audits.clients import find_client_faults
from testkit.audits.log import LoggedConversation, find_log_faults, read_log
from testkit.audits.places import find_place_faults
from testkit.processes import UNLIMITED, ServerProcess
from testkit.service import serving

LEASE_SECONDS = 10
_MEMORY_GROWTH = 1.10
_IDLE_DESCRIPTORS = 15
"""Those of the database's pool (10), and of a log or a probe at that moment."""
_IDLE_SECONDS = 45.0
"""The service keeps idle connections to the backend for 30 s."""

Restart = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class LoadPlan:
    """How much is done: until `turns` questions were asked or `seconds` have passed.

    `users` act at once in the name of so many `owners`, each of whom has a conversation about each
    of the `traces`; between two actions they `think`, and a share of the actions are `deletes`, of
    conversations about the first trace: all turns about the others are there for the audit. All
    times are seconds; for `busy_wait` a question waits for its conversation.
    """

    seed: int
    turns: int = 10_000_000
    seconds: float = 3_600
    users: int = 20
    owners: int = 2
    traces: int = 4
    think: float = 0
    deletes: float = 0.03
    busy_wait: float = 2
    processes: int = 4
    killed_every: float | None = 5
    database_restarts_every: float | None = None
    backend_faults: bool = True

    @property
    def crowded(self) -> bool:
        """Whether some are bound to be refused, their conversation being busy."""
        return self.users > 4 * self.owners * self.traces


@dataclass
class Report:
    """What was found (nothing, if all is well), and figures by their names."""

    findings: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


class LoadRun:
    """One run of a plan on one database."""

    def __init__(
        self, plan: LoadPlan, database_uri: str, *, folder: Path, restart: Restart | None = None
    ) -> None:
        """`restart` takes the database down and up again."""
        self._plan = plan
        self._uri = database_uri
        self._folder = folder
        self._restart = restart
        self._rng = random.Random(plan.seed)
        self._model = UnreliableModel(self._rng)
        self._faults = build_random_faults(self._rng) if plan.backend_faults else []
        self._notes = Observations()
        self._report = Report()
        self._processes: list[ServerProcess] = []
        self._owners = [f"owner-{number}" for number in range(plan.owners)]
        self._warm_megabytes: float | None = None

    async def run(self) -> Report:
        """Runs users and faults, waits until nothing runs any more, then audits."""
        async with self._open_client() as http:
            began, descriptors = anyio.current_time(), self._processes[0].descriptors
            await self._run_users(http)
            seconds = anyio.current_time() - began
            await self._ask_once_more(http)
            self._look_at_memory()
            await self._look_at_descriptors(descriptors)
            for process in self._processes:
                if code := await process.stop():
                    self._report.findings.append(f"{process.name} ended with {code}")
        await self._audit_log(seconds)
        return self._report

    @asynccontextmanager
    async def _open_client(self) -> AsyncIterator[httpx.AsyncClient]:
        plan = self._plan
        standin = create_backend(self._model, plan.traces, self._faults, owners=self._owners)
        async with AsyncExitStack() as stack:
            backend = await stack.enter_async_context(serving(standin, grace=1))
            settings = {
                "AGENT_OPIK_URL": backend,
                "SESSION_SERVICE_URI": self._uri,
                **{name.upper(): value for name, value in UNLIMITED.items()},
                "RETRY_BACKOFF_FACTOR": "0.01",
                "MODEL_SILENCE_SECONDS": "1",
                "SHUTDOWN_SECONDS": "2",
                "MCP_ENABLED": "true",
                "LOG_FORMAT": "json",
            }
            command = (
                *("-m", "testkit.changed_service"),
                f"lease_seconds={LEASE_SECONDS}",
                f"busy_wait_seconds={plan.busy_wait}",
            )
            self._processes = [
                ServerProcess(
                    *command,
                    name=f"process-{number}",
                    settings=settings,
                    folder=self._folder,
                )
                for number in range(plan.processes)
            ]
            async with anyio.create_task_group() as group:
                for process in self._processes:
                    stack.push_async_callback(process.stop, signal.SIGKILL)
                    group.start_soon(process.start)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
            yield await stack.enter_async_context(httpx.AsyncClient(timeout=60, limits=limits))

    async def _run_users(self, http: httpx.AsyncClient) -> None:
        plan = self._plan
        async with anyio.create_task_group() as chaos:
            if plan.killed_every:
                chaos.start_soon(self._kill_processes, plan.killed_every)
            if plan.database_restarts_every and self._restart:
                chaos.start_soon(
                    self._restart_database, self._restart, plan.database_restarts_every
                )
            chaos.start_soon(self._note_memory)
            with anyio.move_on_after(plan.seconds):
                async with anyio.create_task_group() as users:
                    for number in range(plan.users):
                        owner = self._owners[number % plan.owners]
                        users.start_soon(self._be_a_user, self._make_user(http, owner))
            chaos.cancel_scope.cancel()

    def _make_user(self, http: httpx.AsyncClient, owner: str) -> SimulatedUser:
        plan = self._plan
        return SimulatedUser(
            http,
            self._processes,
            self._notes,
            self._rng,
            plan.traces,
            owner,
            think=plan.think,
            deletes=plan.deletes,
        )

    async def _be_a_user(self, user: SimulatedUser) -> None:
        while len(self._notes.asked) < self._plan.turns:
            await user.act()

    async def _kill_processes(self, every: float) -> None:
        """Kills any but the first, by whose memory leaks are known, and starts it again."""
        while True:
            await anyio.sleep(every * self._rng.uniform(0.5, 1.5))
            victim = self._rng.choice(self._processes[1:])
            with anyio.CancelScope(shield=True):
                await victim.stop(
                    self._rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
                )
                await victim.start()

    async def _restart_database(self, restart: Restart, every: float) -> None:
        while True:
            await anyio.sleep(every * self._rng.uniform(0.5, 1.5))
            with anyio.CancelScope(shield=True):
                await restart()

    async def _note_memory(self) -> None:
        """Once a third of the time or of the questions is over."""
        with anyio.move_on_after(self._plan.seconds / 3):
            while len(self._notes.asked) < self._plan.turns / 3:  # noqa: ASYNC110 - no event reports it
                await anyio.sleep(0.1)
        self._warm_megabytes = self._processes[0].megabytes

    async def _ask_once_more(self, http: httpx.AsyncClient) -> None:
        """Without faults every conversation must answer one more question completely."""
        self._model.calm = True
        for fault in self._faults:
            fault.armed = False
        await anyio.sleep(LEASE_SECONDS + 1)
        for owner, number in product(self._owners, range(self._plan.traces)):
            user, trace = self._make_user(http, owner), make_trace_id(number)
            await user.ask(trace)
            for conversation in await user.list_conversations(trace):
                asked = await user.ask(trace, place=TurnPlace(conversation))
                if not asked.answered:
                    self._report.findings.append(
                        f"{trace}, {conversation} does not answer any more: {asked.frames}"
                    )

    def _look_at_memory(self) -> None:
        """The first process lived all the time: it must not have grown since its warm-up."""
        warm, megabytes = self._warm_megabytes, self._processes[0].megabytes
        if warm is None:
            self._report.findings.append("memory was not compared: the storm was over too soon")
            return
        self._report.figures["memory"] = f"{warm:.1f} MB warm, {megabytes:.1f} MB at the end"
        if megabytes > warm * _MEMORY_GROWTH:
            self._report.findings.append(f"memory grew from {warm:.1f} to {megabytes:.1f} MB")

    async def _look_at_descriptors(self, before: int) -> None:
        """What is open in the first process must go, but for what idles in the database's pool."""
        first, most = self._processes[0], before + _IDLE_DESCRIPTORS
        with anyio.move_on_after(_IDLE_SECONDS):
            while first.descriptors > most:
                await anyio.sleep(1)
                async with httpx.AsyncClient(timeout=30) as http:
                    # Idle connections are given up when another one is used.
                    await http.get(f"{first.url}/readyz")
        now = first.descriptors
        self._report.figures["descriptors"] = f"{before} at the beginning, {now} at the end"
        if now > most:
            self._report.findings.append(f"{now} descriptors are open, {before} at the beginning")

    async def _audit_log(self, seconds: float) -> None:
        async with databases.open_engine(self._uri) as engine:
            log = await read_log(engine)
        notes, findings = self._notes, self._report.findings
        findings += find_log_faults(log)
        outages = self._plan.database_restarts_every is not None
        findings += find_client_faults(log, notes.asked, notes.deleted, outages=outages)
        findings += find_place_faults(log, notes.asked, notes.deleted, notes.created)
        findings += find_mixed_up_replies(log)
        findings += notes.faults
        findings += [fault for process in self._processes for fault in process.find_log_errors()]
        endings = Counter(turn.ending.type for c in log for turn in c.turns if turn.ending)
        refused = Counter(each.error for each in notes.asked if each.error and not each.turn_ids)
        failed = Counter(each.error for each in notes.asked if each.error and each.turn_ids)
        self._report.figures |= {
            "questions": f"{len(notes.asked)} in {seconds:.0f} s",
            "turns": f"{notes.turns} seen, {notes.turns / seconds:.1f} a second",
            "read to the end": str(sum(each.whole for each in notes.asked)),
            "in the log": _format_counts(endings),
            "refused": _format_counts(refused),
            "failed": _format_counts(failed),
        }
        self._look_at_faults(refused)

    def _look_at_faults(self, refused: Counter[str]) -> None:
        """Reports what never happened in the run: it would prove nothing about it."""
        plan = self._plan
        notes = self._notes
        deleted = sum(each.certain for each in notes.deleted)
        placed = sum(bool(each.turn_ids) for each in notes.asked if each.place != LATEST_PLACE)
        ended = sum(each.starts - 1 for each in self._processes)
        self._report.figures |= {
            "in named places": str(placed),
            "created": str(len(notes.created)),
            "deleted": str(deleted),
            "read over MCP": str(notes.read_over_mcp),
            "processes ended": str(ended),
        }
        missing = {
            "question in a named place": not placed,
            "creation": not notes.created,
            "reading over MCP": not notes.read_over_mcp,
            "deletion": plan.deletes > 0 and not deleted,
            "end of a process": plan.killed_every is not None and not ended,
            "busy conversation": plan.crowded and not refused["busy"],
        }
        self._report.findings += [
            f"there was no {name}" for name, is_so in missing.items() if is_so
        ]


def _format_counts(counter: Counter[Any]) -> str:
    return ", ".join(f"{name} {times}" for name, times in counter.most_common()) or "none"


def find_mixed_up_replies(log: Iterable[LoggedConversation]) -> list[str]:
    """Replies that answer another question than their turn's: the model says which it answers."""
    return [
        f"turn {turn.id}: {turn.question} was answered by {reply.text!r}"
        for conversation in log
        for turn in conversation.turns
        for reply in turn.replies
        if reply.text
        and reply.text.count(f"of {turn.question}. ") != reply.text.count("Word")
        and reply.complete
    ]


async def run_load(plan: LoadPlan, database_uri: str, restart: Restart | None = None) -> Report:
    """Runs a plan in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        return await LoadRun(plan, database_uri, folder=Path(folder), restart=restart).run()
