"""`opik-assist export-cases`: rated conversations as cases for the evals."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import click
from pydantic import BaseModel, ValidationError
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.agent.citations import find_citation_labels
from app.backend_connection import open_http_client
from app.caller import Caller
from app.conversation.branches import build_tree, select_events
from app.db.engine import create_engine
from app.db.migrations import SchemaCheck
from app.db.rated_conversations import RatedConversation, find_rated_conversations
from app.db.store import Store
from app.errors import BackendUnavailable, OpikAssistError, StartRefused
from app.events import LoggedEvent, ReplyCompleted, StoredEvent, TurnFinished, TurnStarted
from app.operator_credentials import OperatorCredentials, read_credentials
from app.opik.client import OpikClient
from app.opik.records import Span, Trace
from app.opik.rest_client import RestClient
from app.settings import DatabaseSettings, Settings, database_url
from app.telemetry import logs
from app.tools.trace.loader import MAX_SPANS
from app.wiring import build_backend


class Recording(BaseModel):
    """A trace with its spans, as in the file of `--trace`."""

    trace: Trace
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Export:
    """Into which folder the conversations of which workspace go."""

    folder: Path
    workspace: str


@dataclass(frozen=True, slots=True)
class BackendSource:
    """Reads traces with the operator's credentials, in one workspace."""

    client: OpikClient
    caller: Caller
    most_spans: int

    async def load_recording(self, trace_id: str) -> Recording:
        """Raises the backend's failure, also where it returned only some of the spans."""
        trace = await self.client.get_trace(self.caller, trace_id)
        spans = await self.client.list_spans(self.caller, trace, most=self.most_spans, exclude=())
        if spans.cut:
            raise BackendUnavailable(f"Only {len(spans.spans):,} of its spans could be read.")
        return Recording(trace=trace, spans=list(spans.spans))


@dataclass(frozen=True, slots=True)
class FileSource:
    """Knows one trace, read from a file."""

    known: Recording

    async def load_recording(self, trace_id: str) -> Recording | None:
        """None for any other trace."""
        return self.known if self.known.trace.id == trace_id else None


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the cases.")
@click.option("--workspace", help="Whose conversations, one workspace a run.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help='File {"trace": …, "spans": […]}: only its conversations, read from no backend.',
)
def command(out: Path, workspace: str | None, trace: Path | None) -> None:
    """Export rated conversations as cases for the evals.

    Reads the service's database (SESSION_SERVICE_URI) and, unless a file of the trace is given, the
    traces from the backend (AGENT_OPIK_URL) with the credentials in OPIK_API_KEY (an API key),
    ~/.opik.config or OPIK_SESSION_TOKEN (the cookie of a browser that is signed in). Credentials
    are never written.

    Each case holds a trace with its spans, the questions, and the span that the last answer before
    the thumb cited first: the right one for a thumb up, a wrong one for a thumb down. Every case
    that is left out is printed; exits with 1 where a trace could not be read.

    NOTE: traces and questions may be private. The files hold inputs and outputs as they were
    recorded (each cut at 10,001 characters, as the backend does); protect them as you protect the
    traces.
    """
    logs.configure(style="console", level="WARNING")
    credentials = read_credentials(os.environ)
    export = Export(out, workspace or credentials.workspace)
    sys.exit(anyio.run(_run_export, export, trace, credentials))


async def _run_export(export: Export, trace: Path | None, credentials: OperatorCredentials) -> int:
    if trace is not None:
        uri = DatabaseSettings.load().session_service_uri
        return await export_cases(uri, FileSource(read_recording(trace)), export)
    settings = Settings.load()
    caller = replace(credentials, workspace=export.workspace).build_caller()
    async with open_http_client(settings.agent_opik_url) as http:
        rest = RestClient(build_backend(settings, http), timeout=settings.opik_backend_timeout)
        backend = BackendSource(OpikClient(rest), caller, MAX_SPANS)
        return await export_cases(settings.session_service_uri, backend, export)


def read_recording(path: Path) -> Recording:
    """Raises StartRefused, with the file's name, for one that cannot be read."""
    try:
        return Recording.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no trace with its spans"
        raise StartRefused(f"{path}: {reason}") from None


async def export_cases(uri: str, source: BackendSource | FileSource, export: Export) -> int:
    """Writes a case for each rated conversation whose trace `source` has, and prints what it did.

    Returns 1 where a trace could not be read, else 0.
    """
    engine = create_engine(_check_database_url(uri), pool_recycle=-1)
    try:
        fault = await SchemaCheck(engine).find_fault()
        if fault is not None:
            raise StartRefused(fault)
        return await _export_all(engine, source, export)
    finally:
        await engine.dispose()


def _check_database_url(uri: str) -> URL:
    """Parses the URI; raises StartRefused for a missing file, which SQLite would create."""
    url = database_url(uri)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise StartRefused("SESSION_SERVICE_URI: the SQLite file does not exist")
    return url


async def _export_all(
    engine: AsyncEngine, source: BackendSource | FileSource, export: Export
) -> int:
    store, written, failed = Store(engine), 0, 0
    conversations = await find_rated_conversations(engine, export.workspace)
    for each in conversations:
        name = f"{each.trace_id}-{each.conversation_id[:8]}.json"
        try:
            recording = await source.load_recording(each.trace_id)
        except OpikAssistError as error:
            failed += 1
            click.echo(f"  {each.trace_id}: {error.message}")
            continue
        if recording is None:
            continue
        turns = build_case_turns(each, await store.events(each.conversation_id), recording)
        if not turns:
            click.echo(f"  {each.trace_id}: left out, its last answer cites no span to grade by")
            continue
        _write_case(export.folder / name, recording, turns)
        written += 1
        click.echo(f"  {name}: {turns[-1]['question'][:60]!r}, thumb {_format_thumb(each)}")
    click.echo(f"{written} of {len(conversations)} rated conversations written to {export.folder}")
    return 1 if failed else 0


def build_case_turns(
    conversation: RatedConversation, log: Sequence[LoggedEvent], recording: Recording
) -> list[dict[str, Any]]:
    """The questions of the branch that was shown when the thumb was given, the last one with the
    span that its answer cited first.

    The model is instructed to begin with the cause, so the thumb is about the span that is cited
    first. Later citations are mostly evidence (the spans around the cause, the root) and get no
    label: labelled right, they would accept an answer that names only the symptom; labelled wrong,
    they would refuse a better answer.

    Only finished turns count, since a thumb needs an answer. Empty where the last answer cites no
    span, or its first citation is not in the recording.
    """
    turns: dict[str, list[StoredEvent]] = {}
    known_then = [each for each in log if each.created_at <= conversation.rated_at]
    for logged in select_events(known_then, build_tree(known_then).find_branch()):
        turns.setdefault(logged.turn_id, []).append(logged.event)
    answered = [each for each in turns.values() if isinstance(each[-1], TurnFinished)]
    if not answered:
        return []
    known = {span.id for span in recording.spans}
    named = find_citation_labels(_find_answer(answered[-1]), span=str, trace=lambda _: None)
    blamed = next(iter(named), None)
    if blamed not in known:
        return []
    labels = {"right" if conversation.value else "wrong": [blamed]}
    questions = [{"question": _find_question(each)} for each in answered]
    return [*questions[:-1], {**questions[-1], **labels}]


def _find_question(turn: Sequence[StoredEvent]) -> str:
    return next(each.question for each in turn if isinstance(each, TurnStarted))


def _find_answer(turn: Sequence[StoredEvent]) -> str:
    return next(each.text for each in reversed(turn) if isinstance(each, ReplyCompleted))


def _format_thumb(conversation: RatedConversation) -> str:
    return "up" if conversation.value else "down"


def _write_case(path: Path, recording: Recording, turns: Sequence[Mapping[str, Any]]) -> None:
    """Writes a file that only its owner can read, since a trace may be private."""
    path.parent.mkdir(parents=True, exist_ok=True)
    case = {**recording.model_dump(mode="json", exclude_defaults=True), "turns": turns}
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(case, ensure_ascii=False), encoding="utf-8")
