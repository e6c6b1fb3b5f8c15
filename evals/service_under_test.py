"""The whole service as what is asked: the app on a real socket, with a database of its own."""

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
from evals.grading import cited_spans
from evals.labelled_case import AskedCase
from evals.results import Answered, answered
from standin.serving import serve_in_thread

# The service sends a comment line every 15 s and ends its turns itself.
_SILENCE_SECONDS = 60.0


def check_environment() -> None:
    """Raises StartRefused where the environment holds a setting that the service cannot take."""
    try:
        settings_of("http://backend", ["model"], Path("unused.db"))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        said = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in faults]
        raise StartRefused("; ".join(said)) from None


def settings_of(backend: str, models: Sequence[str], database: Path) -> Settings:
    """The service's settings as the environment has them, but for where it stands."""
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
async def service(settings: Settings, system: str) -> AsyncIterator["Service"]:
    """A running service with these instructions for its models."""
    engine = create_engine(database_url(settings.session_service_uri), pool_recycle=-1)
    try:
        with serve_in_thread(create_app(settings, system=system)) as url:
            async with httpx.AsyncClient(timeout=_SILENCE_SECONDS) as http:
                (await http.get(f"{url}/healthz")).raise_for_status()
                yield Service(url, http, Store(engine))
    finally:
        await engine.dispose()


@dataclass(frozen=True)
class Service:
    """What the panel talks to, and the log of what it answered."""

    url: str
    http: httpx.AsyncClient
    store: Store


@dataclass(frozen=True)
class Panel:
    """Asks one of a service's models as the panel does; the log tells what came of it."""

    service: Service
    model: str

    async def talk(self, case: AskedCase, *, workspace: str, token: str) -> Sequence[Answered]:
        """See `Asker`."""
        caller = Caller(token, workspace)
        return [await self._ask(case, turn.question, caller) for turn in case.turns]

    async def _ask(self, case: AskedCase, question: str, caller: Caller) -> Answered:
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
            return Answered(code="no_answer", failure=type(error).__name__)
        seconds = time.monotonic() - began
        after = await self._log(case, caller)
        if len(after) == len(before):
            return Answered(code=f"status_{response.status_code}", seconds=seconds)
        events = [each.event for each in after if each.turn_id == after[-1].turn_id]
        aliases = restore_aliases([each.event for each in after])
        return answered(events, partial(cited_spans, aliases=aliases), seconds)

    async def _log(self, case: AskedCase, caller: Caller) -> Sequence[LoggedEvent]:
        assert caller.workspace is not None
        owner = Owner(caller.workspace, f"user:{caller.token}")
        conversation = await self.service.store.find(owner, case.trace.id)
        return await self.service.store.events(conversation.id) if conversation else []
