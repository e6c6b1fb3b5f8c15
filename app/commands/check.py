"""`opik-assist check`: whether the service could work with these settings, part by part."""

import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
import click
import httpx
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from app.backend_connection import open_http_client
from app.chat.model_selection import AUTO, WorkspaceModels
from app.db.engine import create_engine, describe_database, describe_error, storage_kind
from app.db.migrations import find_schema_fault, list_revisions
from app.errors import NotAllowed, NotSignedIn, OpikAssistError, StartRefused
from app.operator_credentials import OperatorCredentials, read_credentials
from app.opik.client import OpikClient, is_reachable
from app.opik.models import ModelCatalog
from app.opik.rest_client import RestClient
from app.removed_settings import find_ignored_variables
from app.settings import Settings, database_url
from app.telemetry import logs
from app.wiring import build_backend

BACKEND_SECONDS = 10.0
"""A person waits for this check; a backend that takes longer serves no panel either."""
DATABASE_SECONDS = 15.0
"""Three times the driver's own limit for a connection."""

EXIT_STATUS = {"settings": 1, "database": 3, "schema": 4, "backend": 5, "models": 6}
"""The status where this part fails first; 2 is click's for wrong arguments."""

State = Literal["ok", "FAILED", "unknown"]


@dataclass(frozen=True, slots=True)
class PartCheck:
    """One part of the service, its state, and a sentence about it."""

    part: str
    state: State
    sentence: str


@click.command()
def command() -> None:
    """Check whether the service can work with these settings.

    Prints one line each for the settings, the database, its schema, the backend, and the models
    that are usable in the workspace of OPIK_WORKSPACE with the key in OPIK_API_KEY (or those of
    ~/.opik.config, or the cookie in OPIK_SESSION_TOKEN). Changes nothing.

    Exit status: 0 where all is well or unknown, else that of the first part that failed: 1
    settings, 3 database, 4 schema, 5 backend, 6 models.
    """
    logs.configure(style="console", level="ERROR")
    sys.exit(anyio.run(_print_checks))


async def _print_checks() -> int:
    status = 0
    async for each in run_checks():
        click.echo(f"{each.part:<9} {each.state:<8} {each.sentence}")
        if each.state == "FAILED":
            status = status or EXIT_STATUS[each.part]
    return status


async def run_checks() -> AsyncIterator[PartCheck]:
    """Each part's state, as soon as it is known; parts that need a failed one are left out."""
    try:
        settings = Settings.load()
        credentials = read_credentials(os.environ)
    except StartRefused as error:
        yield PartCheck("settings", "FAILED", error.message)
        return
    yield _describe_settings()
    for each in await check_database(database_url(settings.session_service_uri)):
        yield each
    async with open_http_client(settings.agent_opik_url) as http:
        backend = await check_backend(http, settings.agent_opik_url)
        yield backend
        if backend.state == "ok":
            yield await check_models(settings, http, credentials)


def _describe_settings() -> PartCheck:
    ignored = find_ignored_variables()
    more = (
        f" These are settings no longer and are ignored: {', '.join(ignored)}." if ignored else ""
    )
    return PartCheck("settings", "ok", f"All values are valid.{more}")


async def check_database(url: URL) -> list[PartCheck]:
    """Whether the database answers, and whether this code can run on its schema."""
    name = describe_database(url)
    if _is_missing_file(url):
        sentence = f"{name} does not exist yet: run `opik-assist migrate`, or serve, to create it."
        return [PartCheck("database", "FAILED", sentence)]
    engine = create_engine(url, pool_recycle=-1)
    try:
        with anyio.fail_after(DATABASE_SECONDS):
            async with engine.connect() as connection:
                known = list_revisions()
                fault = await connection.run_sync(find_schema_fault, known=known)
    except (DBAPIError, OSError) as error:
        reason = describe_error(error)
        return [PartCheck("database", "FAILED", f"{name} cannot be used: {reason}.")]
    finally:
        await engine.dispose()
    answers = PartCheck("database", "ok", f"{name} answers.")
    if fault is not None:
        return [answers, PartCheck("schema", "FAILED", fault)]
    sentence = f"This version can work with it (revision {known[-1]})."
    return [answers, PartCheck("schema", "ok", sentence)]


def _is_missing_file(url: URL) -> bool:
    """Whether to connect would create a SQLite file."""
    path = url.database or ":memory:"
    return storage_kind(url) == "sqlite" and path != ":memory:" and not Path(path).exists()


async def check_backend(http: httpx.AsyncClient, url: str) -> PartCheck:
    """Whether an Opik backend answers at this address."""
    if await is_reachable(http, base_url=url, seconds=BACKEND_SECONDS):
        return PartCheck("backend", "ok", f"{url} answers.")
    sentence = (
        f"{url} does not answer as an Opik backend: check the network and AGENT_OPIK_URL, which"
        " ends in /api behind Opik's own nginx."
    )
    return PartCheck("backend", "FAILED", sentence)


async def check_models(
    settings: Settings, http: httpx.AsyncClient, credentials: OperatorCredentials
) -> PartCheck:
    """Which of the configured models can answer in the workspace of these credentials."""
    caller = credentials.build_caller()
    rest = RestClient(build_backend(settings, http), timeout=settings.opik_backend_timeout)
    catalog = ModelCatalog(rest)
    try:
        await OpikClient(rest).get_permissions(caller)
        workspace = WorkspaceModels(
            await catalog.list_keys(caller), await catalog.list_models(caller)
        )
    except (NotSignedIn, NotAllowed):
        return _describe_refusal(credentials)
    except OpikAssistError as error:
        return PartCheck("models", "unknown", error.message)
    return describe_models(settings, workspace, credentials.workspace)


def _describe_refusal(credentials: OperatorCredentials) -> PartCheck:
    """The service itself has no credentials, so that a missing key is no failure of it."""
    if credentials.api_key or credentials.session_token:
        sentence = f"The backend refuses these credentials for {credentials.workspace!r}."
        return PartCheck("models", "FAILED", sentence)
    sentence = "Set OPIK_API_KEY and OPIK_WORKSPACE: the backend lists models to its users only."
    return PartCheck("models", "unknown", sentence)


def describe_models(settings: Settings, models: WorkspaceModels, workspace: str) -> PartCheck:
    """A sentence about the models that a question may use, the one that answers first."""
    names = [each for each in settings.agent_model if each != AUTO]
    selected = models.select(names, settings.agent_model_order)
    allowed = models.find_candidates(each for each in settings.agent_models_allowed if each != AUTO)
    states: dict[str, bool | None] = {}
    for each in (*selected, *allowed):
        name = each.name if "/" in each.name else f"{each.provider}/{each.name}"
        states[name] = states.get(name) or models.is_usable(each)
    if usable := [name for name, state in states.items() if state]:
        sentence = f"Usable in workspace {workspace!r}: {', '.join(usable)}."
        return PartCheck("models", "ok", sentence)
    if unknown := [name for name, state in states.items() if state is None]:
        sentence = f"Only a question shows whether these answer: {', '.join(unknown)}."
        return PartCheck("models", "unknown", sentence)
    sentence = (
        f"No model of AGENT_MODEL and AGENT_MODEL_ORDER has an API key in workspace {workspace!r}:"
        " add one in Opik under Configuration, AI Providers."
    )
    return PartCheck("models", "FAILED", sentence)
