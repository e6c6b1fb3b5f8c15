"""The records of all workspaces, in memory, and in a file when one is given.

The file is a journal: one JSON line per accepted write. The recorded traces have the same form, so
loading either is replaying what a client once sent.
"""

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from standin import timestamps, writes
from standin.workspace import Json, Workspace
from standin.writes import Write, WriteOutcome

DEFAULT_WORKSPACE = "default"


class Records:
    """Traces, spans, threads, scores and projects, by workspace."""

    def __init__(self, path: Path | None = None) -> None:
        """Start empty, or with what the file of that path holds; later writes are added to it."""
        self._workspaces: dict[str, Workspace] = {}
        self._file: TextIO | None = None
        if path and path.exists():
            os.truncate(path, self._replay_lines(read_journal_lines(path)))
        if path:
            self._file = path.open("a", encoding="utf-8", newline="\n")

    def workspace(self, name: str = DEFAULT_WORKSPACE) -> Workspace:
        """The workspace of that name, made when it is new."""
        return self._workspaces.setdefault(name, Workspace(name))

    def apply(self, write: Write, workspace: str = DEFAULT_WORKSPACE) -> WriteOutcome:
        """Carry out one write and, with a file, keep it. Raises RequestRefused."""
        self.workspace(workspace).shown_traces.clear()
        outcome = writes.apply(self.workspace(workspace), write)
        if self._file:
            self._file.write(journal_line(write, workspace))
            self._file.flush()
        return outcome

    def put_traces(self, traces: Iterable[Json], workspace: str = DEFAULT_WORKSPACE) -> None:
        """Store traces as `POST /traces/batch` would."""
        self._apply_write("/v1/private/traces/batch", {"traces": list(traces)}, workspace)

    def put_spans(self, spans: Iterable[Json], workspace: str = DEFAULT_WORKSPACE) -> None:
        """Store spans as `POST /spans/batch` would."""
        self._apply_write("/v1/private/spans/batch", {"spans": list(spans)}, workspace)

    def _apply_write(self, path: str, body: Json, workspace: str) -> None:
        self.apply(Write("POST", path, body, timestamps.now()), workspace)

    def load(self, path: Path, workspace: str | None = None) -> None:
        """Replay a recording (.jsonl or .jsonl.gz), into its own workspaces or into the given."""
        self._replay_lines(read_journal_lines(path), workspace)

    def _replay_lines(self, lines: Iterator[str], into: str | None = None) -> int:
        """Apply journal lines; returns how many bytes were whole, since the last may be torn."""
        whole = 0
        for line in lines:
            if not line.endswith("\n"):
                break
            entry = json.loads(line)
            write = Write(
                entry["method"],
                entry["path"],
                entry["body"],
                timestamps.parse(entry["at"]),
                entry["user"],
            )
            self.apply(write, into or entry["workspace"])
            whole += len(line.encode())
        return whole

    def close(self) -> None:
        """Close the data file, if there is one."""
        if self._file:
            self._file.close()


def journal_line(write: Write, workspace: str) -> str:
    """One write as a line of a journal."""
    entry: dict[str, Any] = {
        "method": write.method,
        "path": write.path,
        "workspace": workspace,
        "user": write.user,
        "at": timestamps.text(write.at),
        "body": write.body,
    }
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"


def read_journal_lines(path: Path) -> Iterator[str]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as packed:
            yield from packed
    else:
        with path.open(encoding="utf-8", newline="\n") as plain:
            yield from plain
