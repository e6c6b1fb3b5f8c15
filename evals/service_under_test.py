"""Runs the whole service and asks it: the app on a real socket, with a database of its own."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from pydantic import ValidationError

from app.caller import Caller, Owner
from app.conversation.history import restore_aliases
from app.db.engine import create_engine
from app.db.store import Store
from app.errors import StartRefused
from app.events import LoggedEvent
from app.main import create_app
from app.settings import Settings, database_url
from evals.eval_backend import proxy_name
from evals.grading import find_cited_spans
from evals.labelled_case import LabelledCase
from evals.results import Answer, read_answer
from standin.serving import serve_in_thread

# The service sends a comment line every 15 s and ends its turns itself.
_SILENCE_SECONDS = 60.0


def check_environment() -> None:
    """Raises StartRefused where a setting of the environment is not valid."""
    try:
        build_settings("http://backend", ["model"], Path("unused.db"))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        messages = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in faults]
        raise StartRefused("; ".join(messages)) from None


def build_settings(backend: str, models: Sequence[str], database: Path) -> Settings:
    """The settings of the environment, but for the addresses of backend, models and database."""
    names = tuple(proxy_name(model) for model in models)
    return Settings(
        _env_file=None,
        agent_opik_url=backend,
        agent_model=names,
        agent_models_allowed=names,
        agent_model_order=(),
        session_service_uri=f"sqlite:///{database}",
        url_prefix="",
        log_level="ERROR",
        sentry_dsn=None,
        opik_internal_url=None,
    )


@asynccontextmanager
async def run_service(settings: Settings, system: str) -> AsyncIterator["RunningService"]:
    """Starts the service with `system` as the instructions for its models."""
    engine = create_engine(database_url(settings.session_service_uri), pool_recycle=-1)
    try:
        with serve_in_thread(create_app(settings, system=system)) as url:
            async with httpx.AsyncClient(timeout=_SILENCE_SECONDS) as http:
                (await http.get(f"{url}/healthz")).raise_for_status()
                yield RunningService(url, http, Store(engine))
    finally:
        await engine.dispose()


@dataclass(frozen=True)
class RunningService:
    """The address of a running service, and the store that holds its conversations."""

    url: str
    http: httpx.AsyncClient
    store: Store


@dataclass(frozen=True)
class PanelAsker:
    """Asks one of the models as the panel does, and reads the answer from the event log."""

    service: RunningService
    model: str

    async def talk(self, case: LabelledCase, *, workspace: str, token: str) -> Sequence[Answer]:
        """See `Asker`."""
        caller = Caller(token, workspace)
        return [await self._ask(case, turn.question, caller) for turn in case.turns]

    async def _ask(self, case: LabelledCase, question: str, caller: Caller) -> Answer:
        session = f"{self.service.url}/trace-analyzer/session/{case.trace.id}"
        body = {"message": question, "streaming": True, "model": proxy_name(self.model)}
        before = await self._log(case, caller)
        began = time.monotonic()
        try:
            async with self.service.http.stream(
                "POST", session, json=body, headers=caller.headers()
            ) as response:
                async for _ in response.aiter_raw():
                    pass
        except httpx.TransportError as error:
            return Answer(code="no_answer", failure=type(error).__name__)
        seconds = time.monotonic() - began
        after = await self._log(case, caller)
        if len(after) == len(before):
            return Answer(code=f"status_{response.status_code}", seconds=seconds)
        events = [each.event for each in after if each.turn_id == after[-1].turn_id]
        aliases = restore_aliases([each.event for each in after])
        return read_answer(events, partial(find_cited_spans, aliases=aliases), seconds)

    async def _log(self, case: LabelledCase, caller: Caller) -> Sequence[LoggedEvent]:
        assert caller.workspace is not None
        owner = Owner(caller.workspace, f"user:{caller.token}")
        conversation = await self.service.store.find(owner, case.trace.id)
        return await self.service.store.events(conversation.id) if conversation else []
