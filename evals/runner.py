"""Asks all cases of all variants, some at a time, and gives a graded row for each answer."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import httpx

from app.agent.prompt import SYSTEM
from app.settings import Settings
from evals.analysis_only import FirstFinding
from evals.eval_backend import Recorder, backend, workspace_of
from evals.labelled_case import AskedCase
from evals.reference_assistant import Baseline
from evals.results import Asker, Row, row
from evals.service_under_test import Panel, Service, service, settings_of

CaseSource = Callable[[], AskedCase]
"""Makes a case when its turn has come: all at once would not fit into memory."""

_WRITE_SECONDS = 120.0


@dataclass(frozen=True)
class Prompt:
    """Instructions that replace the built-in ones."""

    name: str
    text: str


@dataclass(frozen=True)
class Variant:
    """One column of the table: a model (empty: none), and how it is asked."""

    model: str
    prompt: Prompt | None = None
    baseline: bool = False

    @property
    def name(self) -> str:
        """Unique among the variants of a run."""
        if not self.model:
            return "first finding, no model"
        if self.baseline:
            return f"{self.model} (baseline)"
        return f"{self.model} ({self.prompt.name})" if self.prompt else self.model


NO_MODEL = Variant("")
"""The analysis alone, to see what a model adds; it is asked once, since it says the same again."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server, its address up to and with `/v1`."""

    base_url: str
    key: str = ""


async def run(
    cases: Sequence[CaseSource],
    variants: Sequence[Variant],
    *,
    endpoint: Endpoint,
    repeat: int,
    at_once: int,
    tell: Callable[[Row], None],
) -> None:
    """Calls `tell` with each graded answer as it comes; at most `at_once` are awaited at a time."""
    tokens = {
        variant.name: [f"user-{number}-{time}" for time in range(_times(variant, repeat))]
        for number, variant in enumerate(variants)
    }
    users = [token for each in tokens.values() for token in each]
    models = list(dict.fromkeys(each.model for each in variants if each != NO_MODEL))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opik-assist-evals-")))
        url = stack.enter_context(
            backend(
                endpoint.base_url, key=endpoint.key, models=models, users=users, cases=len(cases)
            )
        )
        async with AsyncExitStack() as opened:
            http = await opened.enter_async_context(httpx.AsyncClient(timeout=_WRITE_SECONDS))
            askers = await _askers(variants, _Place(url, models, folder), http, opened)
            recorder = Recorder(http, url, token=users[0])
            await _Run(askers, recorder, tokens, at_once=at_once, tell=tell).all(cases)


def _times(variant: Variant, repeat: int) -> int:
    return 1 if variant == NO_MODEL else repeat


@dataclass(frozen=True)
class _Place:
    """Where services find their backend and models, and where their databases go."""

    url: str
    models: Sequence[str]
    folder: Path

    def settings(self, database: str) -> Settings:
        return settings_of(self.url, self.models, self.folder / database)


async def _askers(
    variants: Sequence[Variant], place: _Place, http: httpx.AsyncClient, opened: AsyncExitStack
) -> dict[str, Asker]:
    """By the variants' names; those of one prompt ask one service."""
    services: dict[Prompt | None, Service] = {}
    askers: dict[str, Asker] = {}
    for each in variants:
        if each == NO_MODEL:
            askers[each.name] = FirstFinding()
        elif each.baseline:
            askers[each.name] = Baseline(http, place.settings("unused.db"), each.model)
        else:
            if each.prompt not in services:
                system = each.prompt.text if each.prompt else SYSTEM
                started = service(place.settings(f"{len(services)}.db"), system)
                services[each.prompt] = await opened.enter_async_context(started)
            askers[each.name] = Panel(services[each.prompt], each.model)
    return askers


class _Run:
    """The work of one run; a few cases are in the backend at a time, some questions under way."""

    def __init__(
        self,
        askers: dict[str, Asker],
        recorder: Recorder,
        tokens: Mapping[str, Sequence[str]],
        *,
        at_once: int,
        tell: Callable[[Row], None],
    ) -> None:
        self._askers = askers
        self._recorder = recorder
        self._tokens = tokens
        self._tell = tell
        self._held = anyio.CapacityLimiter(at_once)
        self._asked = anyio.CapacityLimiter(at_once)

    async def all(self, cases: Sequence[CaseSource]) -> None:
        async with anyio.create_task_group() as group:
            for number, make in enumerate(cases):
                group.start_soon(self._case, make, workspace_of(number))

    async def _case(self, make: CaseSource, workspace: str) -> None:
        async with self._held:
            case = await anyio.to_thread.run_sync(make)
            await self._recorder.put(case, workspace)
            async with anyio.create_task_group() as group:
                for name, tokens in self._tokens.items():
                    for repeat, token in enumerate(tokens):
                        group.start_soon(self._talk, name, case, workspace, repeat, token)
            await self._recorder.remove(case, workspace)

    async def _talk(
        self, name: str, case: AskedCase, workspace: str, repeat: int, token: str
    ) -> None:
        async with self._asked:
            answers = await self._askers[name].talk(case, workspace=workspace, token=token)
        for turn, got in enumerate(answers):
            if case.turns[turn].graded:
                self._tell(row(name, case, turn, repeat=repeat, got=got))
