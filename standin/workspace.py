"""What one workspace holds, kept as it was sent; `record_views` computes the derived fields."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standin import timestamps

Json = dict[str, Any]
DEFAULT_PROJECT = "Default Project"


@dataclass
class StoredRecord:
    """One trace or span, put together from messages that may come in any order."""

    id: str
    created_at: datetime
    created_by: str
    fields: Json = field(default_factory=dict)
    last_updated_by: str = ""
    last_updated_at: datetime | None = None
    _stamps: dict[str, datetime] = field(default_factory=dict)

    def merge(self, fields: Json, stamp: datetime, user: str) -> None:
        """Take every field that is not older than the one already known.

        The SDK sends a first, provisional message and later a whole one, and the network may swap
        them, so the order of arrival means nothing; the sender's own clock decides, per field.
        """
        for name, value in fields.items():
            if value is None or name in ("id", "last_updated_at"):
                continue
            known = self._stamps.get(name)
            if known is None or known <= stamp:
                self.fields[name] = value
                self._stamps[name] = stamp
        if self.last_updated_at is None or self.last_updated_at <= stamp:
            self.last_updated_at = stamp
            self.last_updated_by = user

    @property
    def complete(self) -> bool:
        """Whether the record itself came, and not only an update to it."""
        return "start_time" in self.fields


@dataclass
class Guardrail:
    """One check that ran for a span of a trace."""

    span_id: str
    name: str
    result: str


@dataclass(frozen=True)
class AttachedFile:
    """A file that was uploaded beside a trace or span."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True)
class Subject:
    """What a score, a comment or a file is about: kind is trace, span or thread."""

    kind: str
    id: str


@dataclass
class Workspace:
    """The traces, spans, scores, comments, threads and projects of one workspace.

    `shown_traces` are lists as they were last read, by project and switch; any write empties them.
    """

    name: str
    projects: dict[str, Json] = field(default_factory=dict)
    traces: dict[str, StoredRecord] = field(default_factory=dict)
    spans: dict[str, StoredRecord] = field(default_factory=dict)
    scores: dict[Subject, dict[str, Json]] = field(default_factory=dict)
    comments: dict[Subject, dict[str, Json]] = field(default_factory=dict)
    guardrails: dict[str, list[Guardrail]] = field(default_factory=dict)
    closed_threads: set[str] = field(default_factory=set)
    attachments: dict[Subject, dict[str, AttachedFile]] = field(default_factory=dict)
    shown_traces: dict[tuple[str, int], list[Json]] = field(default_factory=dict)
    _spans_of: dict[str, set[str]] = field(default_factory=dict)

    def project(self, name: str | None, at: datetime, user: str) -> Json:
        """The project of that name, made when it is new. No name means the default project."""
        name = name or DEFAULT_PROJECT
        if name not in self.projects:
            moment = timestamps.text(at)
            self.projects[name] = {
                "id": timestamps.id_at(at, f"project/{self.name}/{name}"),
                "name": name,
                "visibility": "private",
                "created_at": moment,
                "created_by": user,
                "last_updated_at": moment,
                "last_updated_by": user,
            }
        return self.projects[name]

    def project_by_id(self, project_id: str) -> Json | None:
        """The project with that id, or None."""
        return next((p for p in self.projects.values() if p["id"] == project_id), None)

    def put_trace(self, trace_id: str, fields: Json, at: datetime, user: str) -> None:
        """Merge a whole or partial trace into the one of that id."""
        self._put(self.traces, trace_id, fields, at, user)

    def put_span(self, span_id: str, fields: Json, at: datetime, user: str) -> None:
        """Merge a whole or partial span into the one of that id."""
        entry = self._put(self.spans, span_id, fields, at, user)
        trace_id = entry.fields.get("trace_id")
        if trace_id:
            self._spans_of.setdefault(trace_id, set()).add(span_id)

    def _put(
        self, entries: dict[str, StoredRecord], entry_id: str, fields: Json, at: datetime, user: str
    ) -> StoredRecord:
        entry = entries.setdefault(entry_id, StoredRecord(entry_id, created_at=at, created_by=user))
        stamp = timestamps.parse(fields["last_updated_at"]) if fields.get("last_updated_at") else at
        fields = self._with_project(fields, at, user, known="project_id" in entry.fields)
        fields = _with_changed_tags(fields, entry.fields.get("tags") or [])
        entry.merge(fields, stamp, user)
        return entry

    def _with_project(self, fields: Json, at: datetime, user: str, *, known: bool) -> Json:
        fields = dict(fields)
        name = fields.pop("project_name", None)
        if name or not (known or fields.get("project_id")):
            fields["project_id"] = self.project(name, at, user)["id"]
        return fields

    def attach(self, subject: Subject, file: AttachedFile) -> None:
        """Store a file of a trace or span."""
        self.attachments.setdefault(subject, {})[file.name] = file

    def spans_of(self, trace_id: str) -> list[StoredRecord]:
        """The complete spans of a trace, in no order."""
        spans = (self.spans[span_id] for span_id in self._spans_of.get(trace_id, ()))
        return [span for span in spans if span.complete]

    def remove_span(self, span_id: str) -> None:
        """Forget a span; one that is unknown is no error."""
        entry = self.spans.pop(span_id, None)
        if entry:
            self._spans_of.get(entry.fields.get("trace_id", ""), set()).discard(span_id)

    def remove_trace(self, trace_id: str) -> None:
        """Forget a trace with its spans; one that is unknown is no error."""
        self.traces.pop(trace_id, None)
        for span_id in list(self._spans_of.pop(trace_id, ())):
            self.spans.pop(span_id, None)

    def traces_of_thread(self, project_id: str, thread_id: str) -> list[StoredRecord]:
        """The complete traces of a thread, oldest first."""
        found = [
            trace
            for trace in self.traces.values()
            if trace.complete
            and trace.fields.get("thread_id") == thread_id
            and trace.fields.get("project_id") == project_id
        ]
        return sorted(found, key=lambda trace: timestamps.parse(trace.fields["start_time"]))


def thread_key(project_id: str, thread_id: str) -> str:
    """The one string by which a thread is known: its id is unique within its project only."""
    return f"{project_id}/{thread_id}"


def _with_changed_tags(fields: Json, tags: list[str]) -> Json:
    added = fields.pop("tags_to_add", None) or []
    removed = fields.pop("tags_to_remove", None) or []
    if added or removed:
        kept = [tag for tag in fields.get("tags") or tags if tag not in removed]
        fields["tags"] = kept + [tag for tag in added if tag not in kept]
    return fields
