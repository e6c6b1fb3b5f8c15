"""Ends the process in order after SIGTERM or SIGINT.

A server closes its listening sockets as soon as it gets a signal, but a load balancer needs some
seconds to send its requests elsewhere. So the service receives the signals in place of the server
and passes them on when connections may be refused.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import anyio
import structlog

from app.conversation.conversations import Conversations
from app.errors import StartRefused

STREAM_END_SECONDS = 8
"""How long streams may take to end after SHUTDOWN_SECONDS: one last write to the database (1 s),
and a last message to every client that still reads."""
LAST_WRITE_SECONDS = 1.0
"""How long a transaction may take then: a database that hangs must not hold up the end."""

FORCED_END_SECONDS = STREAM_END_SECONDS + 4
"""How long after DRAIN_SECONDS and SHUTDOWN_SECONDS the process is ended whatever hangs: a second
before the container's runtime would kill it, so that the log has a reason."""

LimitTime = Callable[[float], None]
"""Gives transactions, those under way included, at most so many seconds."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger(__name__)


class ShutdownSignals:
    """SIGTERM and SIGINT of this process; `first` and `second` are set when so many have come."""

    def __init__(self) -> None:
        self.first = anyio.Event()
        self.second = anyio.Event()
        self._last = signal.SIGTERM
        self._passing_on = False
        self._server_handlers: dict[signal.Signals, object] = {}

    @property
    def from_terminal(self) -> bool:
        """Whether Ctrl+C was pressed: then no load balancer sends requests."""
        return self._last == signal.SIGINT

    @contextmanager
    def receiving(self, promised_seconds: float) -> Iterator[None]:
        """Receives the signals instead of the server, where this is the main thread.

        FORCED_END_SECONDS after the `promised_seconds` that follow the first signal the process is
        ended, also where the event loop or another thread hangs.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        forced_end = threading.Timer(promised_seconds + FORCED_END_SECONDS, _force_end)
        forced_end.daemon = True

        def receive(number: int, _: FrameType | None) -> None:
            if forced_end.ident is None:
                forced_end.start()
            loop.call_soon_threadsafe(self._receive, signal.Signals(number))

        handlers = {each: signal.signal(each, receive) for each in _SIGNALS}
        self._server_handlers.update(handlers)
        try:
            yield
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)

    def _receive(self, number: signal.Signals) -> None:
        if self.first.is_set():
            self.second.set()
        self.first.set()
        self._last = number
        if self._passing_on:
            self.pass_on()

    def pass_on(self) -> None:
        """Gives the server the last signal now, and those that follow as they come."""
        self._passing_on = True
        handler = self._server_handlers.get(self._last)
        if callable(handler):
            handler(self._last, None)

    async def sleep(self, seconds: float) -> None:
        """A pause during the start; raises StartRefused at a signal."""
        with anyio.move_on_after(seconds):
            await self.first.wait()
        self.check()

    def check(self) -> None:
        """Raises StartRefused if a signal has come during the start."""
        if self.first.is_set():
            self.pass_on()
            raise StartRefused("The service was stopped before it had started.")


def _force_end() -> None:
    """Ends the process at once, without waiting for any thread."""
    log.error("service_end_forced")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


class Shutdown:
    def __init__(
        self,
        signals: ShutdownSignals,
        conversations: Conversations,
        limit_transactions: Sequence[LimitTime],
    ) -> None:
        """`limit_transactions` are those of everything that uses the database."""
        self._signals = signals
        self._conversations = conversations
        self._limit_transactions = limit_transactions

    async def run(self, drain_seconds: float, shutdown_seconds: float) -> None:
        """Waits for a signal, then refuses new questions and ends the turns that run.

        Connections are accepted for another `drain_seconds`; turns may go on for
        `shutdown_seconds` after that. A second signal ends both waits.
        """
        await self._signals.first.wait()
        log.info("service_draining", drain=drain_seconds, grace=shutdown_seconds)
        self._conversations.drain()
        if not self._signals.from_terminal:
            with anyio.move_on_after(drain_seconds):
                await self._signals.second.wait()
        self._signals.pass_on()
        with anyio.move_on_after(shutdown_seconds):
            await self._signals.second.wait()
        self._stop_turns()

    async def finish(self, seconds: float) -> None:
        """Waits until the turns have ended, at most `seconds`; there are no requests any more."""
        log.info("service_stopping")
        with anyio.move_on_after(seconds):
            await self._conversations.wait_for_turns()
        self._stop_turns()
        await self._conversations.wait_for_turns()

    def _stop_turns(self) -> None:
        for limit_time in self._limit_transactions:
            limit_time(LAST_WRITE_SECONDS)
        self._conversations.stop_turns()
