"""Signals to end, taken before the server gets them.

A server closes its listening sockets as soon as it hears of a signal, waits for its streams, and
ends the lifespan last. So the signal is kept back for as long as connections are to be accepted,
and handed on then.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

from app.errors import StartRefused

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """Whether this process is to end, and how soon.

    `asked`: the first signal has come. `undelayed`: nobody is waited for who might not know yet,
    since a person at a terminal (SIGINT) has no load balancer. `hurried`: a second signal has come.
    `served`: the last request has its answer.
    """

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.undelayed = anyio.Event()
        self.hurried = anyio.Event()
        self.served = anyio.Event()
        self._kept: list[Callable[[], object]] = []
        self._handed_on = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals of this process; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {each: signal.getsignal(each) for each in _SIGNALS}

        def handle(number: int, frame: FrameType | None) -> None:
            server = before[signal.Signals(number)]
            tell = (lambda: server(number, frame)) if callable(server) else (lambda: None)
            loop.call_soon_threadsafe(self._take, number, tell)

        for each in _SIGNALS:
            signal.signal(each, handle)
        try:
            yield
        finally:
            for each, server in before.items():
                signal.signal(each, server)

    def hand_on(self) -> None:
        """Gives the server the signals that were kept back, and at once those that follow."""
        self._handed_on = True
        while self._kept:
            self._kept.pop(0)()

    async def sleep(self, seconds: float) -> None:
        """A pause of a start; raises StartRefused where the process is to end before it began."""
        with anyio.move_on_after(seconds):
            await self.asked.wait()
        self.check()

    def check(self) -> None:
        """Raises StartRefused where the process is to end before it began."""
        if self.asked.is_set():
            self.hand_on()
            raise StartRefused("The service was told to end before it had started.")

    def _take(self, number: int, tell: Callable[[], object]) -> None:
        if self.asked.is_set():
            self.hurried.set()
        if self.asked.is_set() or number == signal.SIGINT:
            self.undelayed.set()
        self.asked.set()
        self._kept.append(tell)
        if self._handed_on:
            self.hand_on()
