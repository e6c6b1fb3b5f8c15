"""Reads the stream as Opik's panel does, with the same weaknesses.

Each network read is decoded and split by itself; nothing is carried over. Of each line it takes
what stands after the first `data:` up to the next one; what does not parse is dropped.
"""

import json
from dataclasses import dataclass, field
from typing import Any


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

    def read(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").split("\n"):
            if self.error is None and line.strip() and "data:" in line:
                self._parse_frame(line.split("data:")[1])

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.shown if isinstance(each, ShownText)]

    @property
    def rows(self) -> list[ShownToolCall]:
        return [each for each in self.shown if isinstance(each, ShownToolCall)]

    def _parse_frame(self, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        self.frames.append(frame)
        if frame.get("error"):
            self.error = frame["error"]
            self._last_bubble().text = frame["error"]
        elif frame.get("message_type") == "response":
            self._show_response(frame)
        elif frame.get("message_type") == "tool_call":
            self.shown.append(ShownToolCall(**frame["tool_call"]))
        elif frame.get("message_type") == "tool_complete":
            for row in self.rows:
                row.completed = row.completed or row.id == frame["tool_response"]["id"]

    def _show_response(self, frame: dict[str, Any]) -> None:
        text = frame["content"]["parts"][0]["text"]
        if not text:
            return
        bubble = self._last_bubble()
        if frame["partial"]:
            bubble.text += text
        else:
            bubble.text, bubble.open = text, False

    def _last_bubble(self) -> ShownText:
        last = self.shown[-1] if self.shown else None
        if not isinstance(last, ShownText) or not last.open:
            last = ShownText()
            self.shown.append(last)
        return last
