"""What a reader of a running turn has yet to see.

One writer, one reader. Writing never waits; deltas of one bubble that nobody has read yet join
into one, so that a slow reader costs no more memory than the text itself.
"""

from collections import deque
from io import StringIO

import anyio

from app.events import Event, TextDelta


class Feed:
    def __init__(self) -> None:
        self._waiting: deque[Event | _JoinedDeltas] = deque()
        self._changed = anyio.Event()
        self._closed = False
        self._abandoned = False

    def put(self, event: Event) -> None:
        """Adds an event; what nobody will read any more is dropped."""
        if self._abandoned or self._closed:
            return
        if isinstance(event, TextDelta):
            self._put_delta(event)
        else:
            self._waiting.append(event)
        self._changed.set()

    def close(self) -> None:
        """Says that nothing more comes; what waits can still be read."""
        self._closed = True
        self._changed.set()

    def abandon(self) -> None:
        """Says that the reader is gone."""
        self._abandoned = True
        self._waiting.clear()

    @property
    def ended(self) -> bool:
        """Whether everything was read and nothing more will come."""
        return self._closed and not self._waiting

    async def next(self, seconds: float) -> Event | None:
        """The next event, or None after `seconds` without one or at the end (see `ended`)."""
        with anyio.move_on_after(seconds):
            while not self._waiting and not self._closed:
                self._changed = anyio.Event()
                await self._changed.wait()
        if not self._waiting:
            return None
        first = self._waiting.popleft()
        return first.delta() if isinstance(first, _JoinedDeltas) else first

    def _put_delta(self, delta: TextDelta) -> None:
        last = self._waiting[-1] if self._waiting else None
        if not isinstance(last, _JoinedDeltas) or last.bubble != delta.bubble:
            last = _JoinedDeltas(delta.bubble)
            self._waiting.append(last)
        last.add(delta)


class _JoinedDeltas:
    """Deltas of one bubble, joined as they come: each by itself weighs far more than its text."""

    def __init__(self, bubble: str) -> None:
        self.bubble = bubble
        self._text = StringIO()
        self._cited: dict[str, str] = {}

    def add(self, delta: TextDelta) -> None:
        self._text.write(delta.text)
        self._cited.update(delta.cited)

    def delta(self) -> TextDelta:
        return TextDelta(bubble=self.bubble, text=self._text.getvalue(), cited=self._cited)
