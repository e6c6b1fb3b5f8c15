"""A queue from a running turn to the client that reads it."""

import asyncio
from collections import deque
from io import StringIO

from app.citation_tokens import Citation
from app.events import Event, TextDelta


class Feed:
    """The events that the client has not read yet: one writer, one reader.

    Writing never waits. Deltas of one bubble that wait are joined, so that a slow client costs no
    more memory than the text itself.
    """

    def __init__(self) -> None:
        self._waiting: deque[Event | _JoinedDeltas] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._closed = False
        self._abandoned = False

    def put(self, event: Event) -> None:
        """Adds an event; drops it after `close` or `abandon`."""
        if self._abandoned or self._closed:
            return
        if isinstance(event, TextDelta) and self._waiting:
            self._add_delta(event)
        else:
            self._waiting.append(event)
        _wake(self._reader)

    def close(self) -> None:
        """Ends the feed; the events that wait can still be read."""
        self._closed = True
        _wake(self._reader)

    def abandon(self) -> None:
        """Drops all events, since the client has disconnected."""
        self._abandoned = True
        self._waiting.clear()

    @property
    def ended(self) -> bool:
        """Whether the feed is closed and everything was read."""
        return self._closed and not self._waiting

    async def next(self, seconds: float) -> Event | None:
        """The next event, or None after `seconds` without one or at the end (see `ended`).

        A future and a timer: a cancel scope for each delta costs three times as much.
        """
        if not self._waiting and not self._closed:
            loop = asyncio.get_running_loop()
            self._reader = loop.create_future()
            timer = loop.call_later(seconds, _wake, self._reader)
            try:
                await self._reader
            finally:
                timer.cancel()
        if not self._waiting:
            return None
        first = self._waiting.popleft()
        return first.delta() if isinstance(first, _JoinedDeltas) else first

    def _add_delta(self, delta: TextDelta) -> None:
        last = self._waiting[-1]
        if isinstance(last, TextDelta) and last.bubble == delta.bubble:
            last = self._waiting[-1] = _JoinedDeltas(last)
        if isinstance(last, _JoinedDeltas) and last.bubble == delta.bubble:
            last.add(delta)
        else:
            self._waiting.append(delta)


def _wake(reader: asyncio.Future[None] | None) -> None:
    if reader is not None and not reader.done():
        reader.set_result(None)


class _JoinedDeltas:
    """Deltas of one bubble, joined as they come: each by itself weighs far more than its text."""

    def __init__(self, first: TextDelta) -> None:
        self.bubble = first.bubble
        self._parts: list[str | Citation] = []
        self._text = StringIO()
        self.add(first)

    def add(self, delta: TextDelta) -> None:
        for part in delta.parts:
            if isinstance(part, str):
                self._text.write(part)
            else:
                self._end_text()
                self._parts.append(part)

    def delta(self) -> TextDelta:
        self._end_text()
        return TextDelta(bubble=self.bubble, parts=tuple(self._parts))

    def _end_text(self) -> None:
        if text := self._text.getvalue():
            self._parts.append(text)
            self._text = StringIO()
