"""Reads the stream as Opik's panel does, with the same weaknesses.

Each network read is split by itself; nothing but half a character is carried over. Of each line it
takes what stands after the first `data:` up to the next one; what does not parse is dropped. Frames
belong to bubbles by their order alone:

* A partial `response` goes on with the last bubble of text, also above tool rows, until that bubble
  is closed; a whole one replaces its text and closes it. Else a bubble begins.
* An `error` ends the reading and replaces the text of the turn's last bubble, also of a closed one.
* A tool row stays open until a `tool_complete` has its id.
"""

import codecs
import json
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass
class ShownText:
    text: str = ""
    open: bool = True


@dataclass
class ShownToolCall:
    id: str
    name: str
    display_name: str
    completed: bool = False


@dataclass
class PanelReader:
    """Feed it network reads; look at what the user would see."""

    shown: list[ShownText | ShownToolCall] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    _bubble: ShownText | None = None
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def read(self, data: bytes) -> None:
        for line in self._decoder.decode(data).split("\n"):
            if self.error is None and line.strip():
                self._parse_frame(line.split("data:")[1] if line.startswith("data:") else line)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.shown if isinstance(each, ShownText)]

    @property
    def rows(self) -> list[ShownToolCall]:
        return [each for each in self.shown if isinstance(each, ShownToolCall)]

    def _parse_frame(self, text: str) -> None:
        try:
            frame = json.loads(text, parse_constant=_refuse_constant)
        except ValueError:
            return
        if not isinstance(frame, dict):
            return
        self.frames.append(frame)
        error = frame.get("error")
        if isinstance(error, str) and error.strip():
            self._show_error(error)
        elif frame.get("message_type") == "response":
            self._show_response(frame)
        elif frame.get("message_type") == "tool_call":
            call = frame["tool_call"]
            self.shown.append(ShownToolCall(call["id"], call["name"], call["display_name"]))
        elif frame.get("message_type") == "tool_complete":
            for row in self.rows:
                row.completed = row.completed or row.id == frame["tool_response"]["id"]

    def _show_response(self, frame: dict[str, Any]) -> None:
        text = "".join(part["text"] for part in frame["content"]["parts"])
        if not text:
            return
        bubble = self._bubble
        if bubble is None or not bubble.open:
            bubble = self._begin_bubble()
        if frame.get("partial") is True:
            bubble.text += text
        else:
            bubble.text, bubble.open = text, False

    def _show_error(self, error: str) -> None:
        self.error = error
        bubble = self._bubble or self._begin_bubble()
        bubble.text, bubble.open = error, False

    def _begin_bubble(self) -> ShownText:
        self._bubble = ShownText()
        self.shown.append(self._bubble)
        return self._bubble


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}.")
