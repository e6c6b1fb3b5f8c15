"""The assistant in a command's own process: nothing is served, nothing outlives the process."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from app.agent.prompt import SYSTEM_PROMPT
from app.backend_connection import open_http_client
from app.caller import Caller
from app.conversation.conversations import Conversations
from app.db.engine import create_engine
from app.db.migrations import prepare_schema
from app.db.store import Store
from app.errors import StartRefused
from app.operator_credentials import OperatorCredentials
from app.opik.rest_client import RestClient
from app.settings import Settings, database_url
from app.task_groups import open_task_group
from app.telemetry import logs
from app.telemetry.observers import NoObserver
from app.web.markdown.ui_urls import UiLinks
from app.wiring import build_backend, build_conversations, build_ui_links

CLOUD = "https://www.comet.com/opik/api"
"""Where the Opik SDK sends its traces when no address is configured."""
_IN_MEMORY = "sqlite:///:memory:"


@dataclass(frozen=True, slots=True)
class LocalService:
    """Conversations in memory, with the operator as their caller."""

    conversations: Conversations
    caller: Caller
    ui: UiLinks


def load_settings(credentials: OperatorCredentials, *, model: str | None = None) -> Settings:
    """The settings of the environment, for the backend that the credentials name.

    An operator may name any `model`: AGENT_MODELS_ALLOWED is for the users of a service.
    Raises StartRefused for a wrong one.
    """
    address = (credentials.url or CLOUD).rstrip("/")
    ui = address.removesuffix("/api")
    known: dict[str, Any] = {"agent_opik_url": address, "session_service_uri": _IN_MEMORY}
    if address != ui:
        known["opik_ui_url"] = ui
    if model is not None:
        known["agent_models_allowed"] = (model,)
    try:
        return Settings.load(**known)
    except StartRefused as error:
        named = error.message.replace("AGENT_OPIK_URL", "OPIK_URL_OVERRIDE")
        raise StartRefused(named) from None


@contextlib.asynccontextmanager
async def running_locally(
    credentials: OperatorCredentials, *, model: str | None = None
) -> AsyncIterator[LocalService]:
    """Opens it for a command, for questions that name this `model` or none.

    Raises StartRefused for wrong settings.
    """
    settings = load_settings(credentials, model=model)
    logs.configure(style="console", level="ERROR")
    async with _running(settings) as conversations:
        yield LocalService(conversations, credentials.build_caller(), build_ui_links(settings))


@contextlib.asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Conversations]:
    engine = create_engine(database_url(settings.session_service_uri), pool_recycle=-1)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        await prepare_schema(engine, migrate=True, attempts=1, delay=0)
        http = await stack.enter_async_context(open_http_client(settings.agent_opik_url))
        tasks = await stack.enter_async_context(open_task_group())
        backend = build_backend(settings, http)
        conversations = build_conversations(
            settings,
            Store(engine),
            backend=backend,
            rest=RestClient(backend, timeout=settings.opik_backend_timeout),
            tasks=tasks,
            observer=NoObserver(),
            system=SYSTEM_PROMPT,
        )
        yield conversations
        conversations.stop_turns()
        await conversations.wait_for_turns()
        tasks.cancel_scope.cancel()
