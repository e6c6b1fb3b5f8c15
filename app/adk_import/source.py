"""Reads the tables of ADK's DatabaseSessionService on MySQL, and changes nothing in them.

ADK 1.10 stores an event in columns (`content`, `error_code`, …), 1.25 and 2.x as one JSON text
(`event_data`): the columns of `events` tell which. Times without a zone are UTC, as containers run.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, func, select, tuple_
from sqlalchemy import inspect as inspect_schema
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import create_engine, describe_error
from app.errors import StartRefused

APP_NAME = "trace-analyzer"
"""The replaced service's name in ADK's tables, which other ADK programs may share."""

SESSION_PREFIX = "opik-ai-trace-analyzer-"
"""A session's id is this and the trace's id."""

_PAGE_SESSIONS = 200
"""Sessions read at a time: some MB of events at most, as a session has tens of events."""

_YEAR_10000 = 253_402_300_800
"""In seconds since 1970; neither `datetime` nor MySQL knows that year."""

_EVENT_COLUMNS = ("author", "content", "partial", "error_code", "error_message")
"""What ADK 1.10 keeps of an event in columns of its own, as far as it is used here."""


class _AdkRecord(BaseModel):
    """ADK writes snake_case names, its REST interface camelCase: both are read."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        validate_by_name=True,
        alias_generator=to_camel,
    )


class AdkFunctionCall(_AdkRecord):
    """A tool call of the model."""

    id: str | None = None
    name: str = ""
    args: dict[str, Any] | None = None


class AdkFunctionResponse(_AdkRecord):
    """A tool's result."""

    id: str | None = None
    name: str = ""
    response: Any = None


class AdkPart(_AdkRecord):
    """A part of a message; `thought` marks reasoning."""

    text: str | None = None
    thought: bool | None = None
    function_call: AdkFunctionCall | None = None
    function_response: AdkFunctionResponse | None = None


class AdkContent(_AdkRecord):
    """A message."""

    parts: tuple[AdkPart, ...] | None = None


class AdkUsage(_AdkRecord):
    """Tokens of a reply."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    cached_content_token_count: int | None = None
    thoughts_token_count: int | None = None


class AdkEvent(_AdkRecord):
    """One event of a session; `timestamp` is in seconds since 1970."""

    id: str
    invocation_id: str = ""
    author: str = ""
    timestamp: float = Field(ge=0, lt=_YEAR_10000)
    content: AdkContent | None = None
    partial: bool | None = None
    error_code: str | None = None
    error_message: str | None = None
    usage_metadata: AdkUsage | None = None
    model_version: str | None = None

    @property
    def parts(self) -> tuple[AdkPart, ...]:
        """The parts of its message, none where it has no message."""
        return (self.content and self.content.parts) or ()

    @property
    def created_at(self) -> datetime:
        """When it happened, in UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)


@dataclass(frozen=True, slots=True)
class AdkSession:
    """A session with its events in the order of their times, and how many could not be read."""

    id: str
    user_id: str
    trace_id: str
    created_at: datetime
    updated_at: datetime
    events: tuple[AdkEvent, ...]
    unreadable: int


class AdkSource:
    """An open connection to a database with ADK's tables."""

    def __init__(self, db: AsyncConnection, event_columns: frozenset[str]) -> None:
        self._db = db
        self._sessions, self._events = _define_tables(event_columns)

    async def count_sessions(self) -> int:
        """How many sessions the replaced service has stored."""
        query = select(func.count()).where(self._sessions.c.app_name == APP_NAME)
        return await self._db.scalar(query) or 0

    async def read_sessions(self) -> AsyncIterator[AdkSession]:
        """All sessions with their events, ordered by user and session."""
        key = tuple_(self._sessions.c.user_id, self._sessions.c.id)
        last: tuple[str, str] | None = None
        while True:
            page = select(self._sessions).where(self._sessions.c.app_name == APP_NAME)
            if last is not None:
                page = page.where(key > last)
            page = page.order_by(self._sessions.c.user_id, self._sessions.c.id)
            rows = (await self._db.execute(page.limit(_PAGE_SESSIONS))).all()
            if not rows:
                return
            last = rows[-1].user_id, rows[-1].id
            events = await self._read_events([(row.user_id, row.id) for row in rows])
            for row in rows:
                yield _build_session(row, events.get((row.user_id, row.id), []))

    async def _read_events(
        self, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[Any]]:
        events = self._events
        query = (
            select(events)
            .where(
                events.c.app_name == APP_NAME,
                tuple_(events.c.user_id, events.c.session_id).in_(keys),
            )
            .order_by(events.c.timestamp, events.c.id)
        )
        found: dict[tuple[str, str], list[Any]] = {}
        for row in await self._db.execute(query):
            found.setdefault((row.user_id, row.session_id), []).append(row)
        return found


@asynccontextmanager
async def open_adk_source(url: URL) -> AsyncIterator[AdkSource]:
    """Connects to the database and finds out what its tables look like.

    Raises StartRefused where it cannot be reached or read, or holds no tables of ADK.
    """
    engine = create_engine(url, pool_recycle=-1)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(engine.dispose)
        try:
            db = await opened.enter_async_context(engine.connect())
            columns = await db.run_sync(_list_event_columns)
            if not {"session_id", "invocation_id"} <= columns:
                raise StartRefused("--from: this database holds no conversations of Google's ADK.")
            yield AdkSource(db, columns)
        except DBAPIError as error:
            raise StartRefused(f"--from: {describe_error(error)}") from None


def _list_event_columns(connection: Any) -> frozenset[str]:
    schema = inspect_schema(connection)
    if not schema.has_table("events") or not schema.has_table("sessions"):
        return frozenset()
    return frozenset(each["name"] for each in schema.get_columns("events"))


def _define_tables(event_columns: frozenset[str]) -> tuple[Table, Table]:
    of_session = [Column(name, String) for name in ("app_name", "user_id")]
    sessions = Table(
        "sessions",
        MetaData(),
        *of_session,
        Column("id", String),
        Column("state", Text),
        Column("create_time", DateTime),
        Column("update_time", DateTime),
    )
    texts = [name for name in ("event_data", *_EVENT_COLUMNS) if name in event_columns]
    events = Table(
        "events",
        MetaData(),
        *(Column(name, String) for name in ("app_name", "user_id", "session_id")),
        Column("id", String),
        Column("invocation_id", String),
        Column("timestamp", DateTime),
        *(Column(name, Text) for name in texts),
    )
    return sessions, events


def _build_session(row: Any, rows: Sequence[Any]) -> AdkSession:
    events = [_parse_event(each) for each in rows]
    readable = tuple(each for each in events if each is not None)
    return AdkSession(
        id=row.id,
        user_id=row.user_id,
        trace_id=_find_trace_id(row),
        created_at=row.create_time.replace(tzinfo=UTC),
        updated_at=row.update_time.replace(tzinfo=UTC),
        events=readable,
        unreadable=len(events) - len(readable),
    )


def _find_trace_id(row: Any) -> str:
    """From the session's state, else from its id; "" where neither names one."""
    try:
        state = json.loads(row.state)
    except (TypeError, ValueError):
        state = {}
    trace_id = state.get("trace_id") if isinstance(state, dict) else None
    if isinstance(trace_id, str):
        return trace_id
    _, _, rest = str(row.id).partition(SESSION_PREFIX)
    return rest


def _parse_event(row: Any) -> AdkEvent | None:
    """None for a row that is no event of a known form."""
    fields = row._asdict()
    try:
        recorded = fields.pop("event_data", None)
        if recorded is not None:
            return AdkEvent.model_validate_json(recorded)
        content = fields.pop("content", None)
        fields["content"] = json.loads(content) if content else None
        fields["timestamp"] = fields["timestamp"].replace(tzinfo=UTC).timestamp()
        return AdkEvent.model_validate(fields)
    except (ValidationError, ValueError, AttributeError):
        return None
