"""Bytes of the chat proxy's stream -> JSON frames: a push decoder without I/O.

Backends differ by age: the oldest write bare JSON lines that end in CR LF and just close the
connection, newer ones write `data: ` lines and a closing `data: [DONE]`. A general SSE parser drops
the bare form in silence, so lines are read here: split at LF, CR stripped, blank lines, comments
and other SSE fields skipped, `data:` with or without a space taken off.
"""

import json
from dataclasses import dataclass
from typing import Any

FRAME_BYTES = 1024 * 1024
_SHOWN_BYTES = 400
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")


@dataclass(frozen=True, slots=True)
class Frame:
    """One JSON object of the stream."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no frame: its beginning, and whether it was longer than a frame may be."""

    text: str
    too_long: bool = False


class FrameDecoder:
    """Takes bytes as they come, gives frames; holds at most one frame's bytes.

    `done` tells that `[DONE]` was read; whatever follows it is dropped. `bare` tells that frames
    came as bare lines, as the oldest backends write them.
    """

    def __init__(self, *, limit: int = FRAME_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._skipping = False
        self._first_line = True
        self._bare_frames = 0
        self._data_lines = 0
        self.done = False

    @property
    def bare(self) -> bool:
        return self._bare_frames > 0 and self._data_lines == 0

    def feed(self, chunk: bytes) -> list[Frame | Unreadable]:
        """The frames that this chunk completes, in order."""
        found: list[Frame | Unreadable] = []
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._extend(line, found)
            self._end_line(found)
        self._extend(rest, found)
        return found

    def finish(self) -> list[Frame | Unreadable]:
        """The frame of a last line that no line break ends."""
        found: list[Frame | Unreadable] = []
        self._end_line(found)
        return found

    def _extend(self, part: bytes, found: list[Frame | Unreadable]) -> None:
        if self._skipping or self.done:
            return
        if len(self._rest) + len(part) <= self._limit:
            self._rest += part
            return
        self._rest += part[:_SHOWN_BYTES]
        found.append(Unreadable(_shown(self._rest), too_long=True))
        self._rest.clear()
        self._skipping = True

    def _end_line(self, found: list[Frame | Unreadable]) -> None:
        line = bytes(self._rest)
        self._rest.clear()
        if self._skipping or self.done:
            self._skipping = False
            return
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        item = self._read(line.strip())
        if item is not None:
            found.append(item)

    def _read(self, line: bytes) -> Frame | Unreadable | None:
        is_data = line.startswith(b"data:")
        if is_data:
            self._data_lines += 1
            line = line[len(b"data:") :].lstrip()
        elif line.startswith(_OTHER_FIELDS):
            return None
        if not line:
            return None
        if line == b"[DONE]":
            self.done = True
            return None
        data = json_object(line)
        if data is None:
            return Unreadable(_shown(line))
        self._bare_frames += not is_data
        return Frame(data)


def json_object(text: bytes | str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None for anything else; never raises."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _shown(line: bytes | bytearray) -> str:
    return line[:_SHOWN_BYTES].decode("utf-8", "replace").rstrip("\ufffd")
