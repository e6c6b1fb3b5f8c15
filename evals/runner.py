"""Asks every variant the questions of every case, a few at a time, and grades each answer."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import httpx

from app.agent.prompt import SYSTEM_PROMPT
from app.settings import Settings
from evals.analysis_only import FirstFindingAsker
from evals.eval_backend import CaseWriter, serve_backend, workspace_name
from evals.labelled_case import LabelledCase
from evals.reference_assistant import ReferenceAssistant
from evals.results import Asker, ResultRow, grade_answer
from evals.service_under_test import PanelAsker, RunningService, build_settings, run_service

CaseSource = Callable[[], LabelledCase]
"""Builds a case when it is needed: all at once would not fit into memory."""

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
"""The analysis alone, to see what a model adds; asked once, since it always answers the same."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server, its address up to and with `/v1`."""

    base_url: str
    key: str = ""


async def run_evals(
    cases: Sequence[CaseSource],
    variants: Sequence[Variant],
    *,
    endpoint: Endpoint,
    repeat: int,
    at_once: int,
    report: Callable[[ResultRow], None],
) -> None:
    """Calls `report` with each graded answer; at most `at_once` questions are asked at a time."""
    tokens = {
        variant.name: [f"user-{number}-{time}" for time in range(_repeats_of(variant, repeat))]
        for number, variant in enumerate(variants)
    }
    users = [token for each in tokens.values() for token in each]
    models = list(dict.fromkeys(each.model for each in variants if each != NO_MODEL))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opik-assist-evals-")))
        url = stack.enter_context(
            serve_backend(
                endpoint.base_url, key=endpoint.key, models=models, users=users, cases=len(cases)
            )
        )
        async with AsyncExitStack() as opened:
            http = await opened.enter_async_context(httpx.AsyncClient(timeout=_WRITE_SECONDS))
            askers = await _open_askers(
                variants, _ServiceFactory(url, models, folder), http, opened
            )
            recorder = CaseWriter(http, url, token=users[0])
            await _EvalRun(askers, recorder, tokens, at_once=at_once, report=report).all(cases)


def _repeats_of(variant: Variant, repeat: int) -> int:
    return 1 if variant == NO_MODEL else repeat


@dataclass(frozen=True)
class _ServiceFactory:
    """Builds settings: the URL of the backend, the models, and the folder for databases."""

    url: str
    models: Sequence[str]
    folder: Path

    def settings(self, database: str) -> Settings:
        return build_settings(self.url, self.models, self.folder / database)


async def _open_askers(
    variants: Sequence[Variant],
    place: _ServiceFactory,
    http: httpx.AsyncClient,
    opened: AsyncExitStack,
) -> dict[str, Asker]:
    """The askers by name of variant; variants with the same prompt share a service."""
    services: dict[Prompt | None, RunningService] = {}
    askers: dict[str, Asker] = {}
    for each in variants:
        if each == NO_MODEL:
            askers[each.name] = FirstFindingAsker()
        elif each.baseline:
            askers[each.name] = ReferenceAssistant(http, place.settings("unused.db"), each.model)
        else:
            if each.prompt not in services:
                system = each.prompt.text if each.prompt else SYSTEM_PROMPT
                started = run_service(place.settings(f"{len(services)}.db"), system)
                services[each.prompt] = await opened.enter_async_context(started)
            askers[each.name] = PanelAsker(services[each.prompt], each.model)
    return askers


class _EvalRun:
    """One run: at most `at_once` cases are in the backend and `at_once` questions open."""

    def __init__(
        self,
        askers: dict[str, Asker],
        recorder: CaseWriter,
        tokens: Mapping[str, Sequence[str]],
        *,
        at_once: int,
        report: Callable[[ResultRow], None],
    ) -> None:
        self._askers = askers
        self._recorder = recorder
        self._tokens = tokens
        self._report = report
        self._held = anyio.CapacityLimiter(at_once)
        self._asked = anyio.CapacityLimiter(at_once)

    async def all(self, cases: Sequence[CaseSource]) -> None:
        async with anyio.create_task_group() as group:
            for number, make in enumerate(cases):
                group.start_soon(self._case, make, workspace_name(number))

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
        self, name: str, case: LabelledCase, workspace: str, repeat: int, token: str
    ) -> None:
        async with self._asked:
            answers = await self._askers[name].talk(case, workspace=workspace, token=token)
        for turn, got in enumerate(answers):
            if case.turns[turn].graded:
                self._report(grade_answer(name, case, turn, repeat=repeat, got=got))
