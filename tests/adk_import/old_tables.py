"""The tables that ADK's DatabaseSessionService makes, and sessions in them, by ADK's version.

1.10 has a column for each field of an event, later ones have one JSON text.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import database_url

VERSIONS = ("1.10", "1.25", "2.13")
STARTED = datetime(2025, 11, 3, 9, 30, 15, 250_000, tzinfo=UTC)

_SESSIONS = """CREATE TABLE sessions (app_name varchar(128) NOT NULL, user_id varchar(128) NOT NULL,
 id varchar(128) NOT NULL, state longtext NOT NULL, create_time datetime(6) NOT NULL,
 update_time datetime(6) NOT NULL, PRIMARY KEY (app_name, user_id, id))"""
_EVENTS = """CREATE TABLE events (id varchar(128) NOT NULL, app_name varchar(128) NOT NULL,
 user_id varchar(128) NOT NULL, session_id varchar(128) NOT NULL,
 invocation_id varchar(256) NOT NULL, timestamp datetime(6) NOT NULL, {fields},
 PRIMARY KEY (id, app_name, user_id, session_id))"""
_FIELDS_1_10 = """author varchar(256) NOT NULL, branch varchar(256), content longtext,
 actions blob NOT NULL, partial smallint, error_code varchar(256), error_message varchar(1024)"""


@dataclass
class OldEvent:
    """An event as ADK writes it; `seconds` after the session began."""

    invocation: str
    author: str
    parts: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0
    more: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def timestamp(self) -> float:
        return STARTED.timestamp() + self.seconds

    def as_json(self) -> str:
        role = "user" if self.author == "user" else "model"
        fields = {"id": self.id, "invocation_id": self.invocation, "author": self.author}
        content = {"content": {"parts": self.parts, "role": role}} if self.parts else {}
        return json.dumps({**fields, "timestamp": self.timestamp, **content, **self.more})


def ask(invocation: str, question: str, seconds: float = 0) -> OldEvent:
    return OldEvent(invocation, "user", [{"text": question}], seconds)


def reply(invocation: str, *parts: dict[str, Any], seconds: float = 1, **more: Any) -> OldEvent:
    more = {"model_version": "gpt-4.1", "partial": False, **more}
    return OldEvent(invocation, "data_analyzer", list(parts), seconds, more)


def call(name: str, arguments: dict[str, Any], id: str = "call_1") -> dict[str, Any]:
    return {"function_call": {"id": id, "name": name, "args": arguments}}


def result(name: str, response: Any, id: str = "call_1") -> dict[str, Any]:
    return {"function_response": {"id": id, "name": name, "response": response}}


@dataclass
class OldTables:
    """The old tables in one database."""

    uri: str
    version: str

    async def create(self) -> None:
        """Makes the empty tables."""
        fields = _FIELDS_1_10 if self.version == "1.10" else "event_data longtext"
        for table in (_SESSIONS, _EVENTS.replace("{fields}", fields)):
            await self.execute(table)

    async def add_session(
        self, trace_id: str, events: Sequence[OldEvent], *, user: str = "default", **more: str
    ) -> None:
        """Adds a session about a trace; `more` are columns of its row."""
        row = {
            "app_name": "trace-analyzer",
            "user_id": user,
            "id": f"opik-ai-trace-analyzer-{trace_id}",
            "state": json.dumps({"trace_id": trace_id}),
            "create_time": _format_time(STARTED.timestamp()),
            "update_time": _format_time(max((e.timestamp for e in events), default=0)),
            **more,
        }
        await self._insert("sessions", row)
        await self.add_events(row["id"], events, user=user, app=row["app_name"])

    async def add_events(
        self,
        session: str,
        events: Sequence[OldEvent],
        *,
        user: str = "default",
        app: str = "trace-analyzer",
    ) -> None:
        for event in events:
            row = {"id": event.id, "app_name": app, "user_id": user, "session_id": session}
            row |= {"invocation_id": event.invocation, "timestamp": _format_time(event.timestamp)}
            row |= self._build_fields(event)
            await self._insert("events", row)

    async def dump(self) -> list[Any]:
        """All rows, to compare."""
        return [
            *await self.execute("SELECT * FROM sessions ORDER BY user_id, id"),
            *await self.execute("SELECT * FROM events ORDER BY id"),
        ]

    async def execute(self, statement: str, row: dict[str, Any] | None = None) -> list[Any]:
        engine = create_async_engine(database_url(self.uri))
        try:
            async with engine.begin() as db:
                found = await db.execute(text(statement), row or {})
                return list(found) if found.returns_rows else []
        finally:
            await engine.dispose()

    def _build_fields(self, event: OldEvent) -> dict[str, Any]:
        if self.version != "1.10":
            return {"event_data": event.as_json()}
        whole = json.loads(event.as_json())
        content = json.dumps(whole["content"]) if "content" in whole else None
        fields = {name: whole.get(name) for name in ("partial", "error_code", "error_message")}
        return {"author": event.author, "actions": b"pickled", "content": content, **fields}

    async def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        await self.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", row)  # noqa: S608


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
