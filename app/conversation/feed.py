"""What a reader of a running turn has yet to see.

One writer, one reader. Writing never waits; deltas of one bubble that nobody has read yet join
into one, so that a slow reader costs no more memory than the text itself.
"""

from collections import deque

import anyio

from app.events import Event, TextDelta


class Feed:
    def __init__(self) -> None:
        self._waiting: deque[Event | list[TextDelta]] = deque()
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
        if isinstance(first, list):
            return _joined(first)
        return first

    def _put_delta(self, delta: TextDelta) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, list) and last[0].bubble == delta.bubble:
            last.append(delta)
        else:
            self._waiting.append([delta])


def _joined(deltas: list[TextDelta]) -> TextDelta:
    names = {span_id: name for each in deltas for span_id, name in each.cited.items()}
    text = "".join(each.text for each in deltas)
    return TextDelta(bubble=deltas[0].bubble, text=text, cited=names)
