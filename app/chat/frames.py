"""Bytes of the chat proxy's stream -> JSON frames: a push decoder without I/O.

Backends differ by age: the oldest write bare JSON lines that end in CR LF and just close the
connection, newer ones write `data: ` lines and a closing `data: [DONE]`. A general SSE parser drops
the bare form silently, so lines are read here: split at LF, CR stripped, blank lines, comments
and other SSE fields skipped, `data:` with or without a space taken off. A frame may be spread over
the `data:` lines of one event, as the standard of SSE allows; frames without blank lines between
them are recognised by the members that only whole frames have.
"""

import json
from dataclasses import dataclass
from typing import Any

FRAME_BYTES = 1024 * 1024
"""The longest frame that is kept in memory: more than any whole reply has."""

_BEGINNING_BYTES = 400
"""Of an unreadable line, for error messages and logs."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")
_MEMBERS_OF_FRAMES = frozenset(["choices", "error"])
_EVENT_LINES = 1_000
"""More than the `data:` lines of any frame."""


Frame = dict[str, Any]
"""One JSON object of the stream."""


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is no frame: its beginning, and whether it was longer than a frame may be."""

    text: str
    too_long: bool = False


class FrameDecoder:
    """Turns bytes into frames as they come; holds at most the bytes of two frames.

    `done` is True after `[DONE]`; what follows it is dropped. `bare` is True where all frames came
    as bare lines, as the oldest backends write them.
    """

    def __init__(self, *, limit: int = FRAME_BYTES) -> None:
        """`limit` is the longest frame in bytes."""
        self._limit = limit
        self._line = bytearray()
        self._skips_line = False
        self._event: list[bytes] = []
        self._event_bytes = 0
        self._is_first_line = True
        self._bare_frames = 0
        self._data_lines = 0
        self.done = False

    @property
    def bare(self) -> bool:
        return self._bare_frames > 0 and self._data_lines == 0

    def feed(self, chunk: bytes) -> list[Frame | UnreadableLine]:
        """The frames that this chunk completes, in order."""
        found: list[Frame | UnreadableLine] = []
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._line or self._skips_line or len(line) > self._limit:
                self._extend_line(line, found)
                line = self._take_line()  # noqa: PLW2901 - the whole of what began earlier
            if line or self._event or self._is_first_line:
                self._read_line(line, found)
        if rest:
            self._extend_line(rest, found)
        return found

    def finish(self) -> list[Frame | UnreadableLine]:
        """The frame of a last line that no line break ends."""
        found: list[Frame | UnreadableLine] = []
        self._read_line(self._take_line(), found)
        if self._event:
            self._end_event(found)
        return found

    def _extend_line(self, part: bytes, found: list[Frame | UnreadableLine]) -> None:
        if self._skips_line or self.done:
            return
        if len(self._line) + len(part) <= self._limit:
            self._line += part
            return
        self._line += part[:_BEGINNING_BYTES]
        found.append(UnreadableLine(_beginning(self._line), too_long=True))
        self._line.clear()
        self._skips_line = True

    def _take_line(self) -> bytes:
        """The line that has come to its end; nothing of one that was too long."""
        line = bytes(self._line)
        self._line.clear()
        self._skips_line = False
        return line

    def _read_line(self, line: bytes, found: list[Frame | UnreadableLine]) -> None:
        if self._is_first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._is_first_line = False
        line = line.strip()
        is_data = line.startswith(b"data:")
        if is_data:
            line = line[len(b"data:") :].lstrip()
        if self.done or (line.startswith(_OTHER_FIELDS) and not is_data):
            return
        self._data_lines += is_data
        data = parse_json_object(line) if line else None
        if is_data and (data is None or self._event) and self._belongs_to_event(line, data):
            self._extend_event(line, found)
            return
        if self._event:
            self._end_event(found)
        if line == b"[DONE]":
            self.done = True
        elif line:
            found.append(UnreadableLine(_beginning(line)) if data is None else data)
            self._bare_frames += data is not None and not is_data

    def _belongs_to_event(self, line: bytes, data: dict[str, Any] | None) -> bool:
        """Whether a `data:` line is a part of a frame rather than a frame."""
        if not self._event:
            return data is None and line.startswith(b"{")
        if data is None:
            return line not in {b"", b"[DONE]"}
        return _MEMBERS_OF_FRAMES.isdisjoint(data)

    def _extend_event(self, line: bytes, found: list[Frame | UnreadableLine]) -> None:
        if self._event_bytes + len(line) > self._limit or len(self._event) >= _EVENT_LINES:
            self._end_event(found)
        self._event.append(line)
        self._event_bytes += len(line)

    def _end_event(self, found: list[Frame | UnreadableLine]) -> None:
        """Reads the lines as one frame, or else each of them."""
        lines, self._event, self._event_bytes = self._event, [], 0
        whole = parse_json_object(b"\n".join(lines))
        if whole is not None:
            found.append(whole)
            return
        for line in lines:
            data = parse_json_object(line)
            found.append(UnreadableLine(_beginning(line)) if data is None else data)


def parse_json_object(text: bytes | str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None for anything else; never raises."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _beginning(line: bytes | bytearray) -> str:
    return line[:_BEGINNING_BYTES].decode("utf-8", "replace").rstrip("\ufffd")
