"""Reads a trace while its user still looks at it, so that the first answer need not wait for that.

Opik's panel asks for the history when it is opened, seconds before the first question.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

import anyio
import anyio.abc
import structlog

from app.caller import Caller, Owner
from app.errors import OpikAssistError

log = structlog.get_logger(__name__)

TRACES_AT_ONCE = 4
"""More would take the CPU of answers. A person who goes through many traces asks about the last
one, so the first of them is given up for a fifth."""


class Preparation:
    """Prepares traces in tasks of their own. Nothing depends on its success: what it did not read
    is read when the question comes."""

    def __init__(
        self,
        read_trace: Callable[[Caller, Owner, str], Awaitable[None]],
        *,
        tasks: anyio.abc.TaskGroup,
    ) -> None:
        """`read_trace` reads a trace with the caller's rights and keeps it for the owner's next
        question; raises OpikAssistError."""
        self._read_trace = read_trace
        self._tasks = tasks
        self._running: OrderedDict[tuple[Owner, str], anyio.CancelScope] = OrderedDict()

    def start(self, caller: Caller, owner: Owner, trace_id: str) -> None:
        """Starts to read a trace with the caller's rights; raises nothing."""
        key = owner, trace_id
        if key in self._running:
            return
        if len(self._running) >= TRACES_AT_ONCE:
            self._running.popitem(last=False)[1].cancel()
        scope = self._running[key] = anyio.CancelScope()
        self._tasks.start_soon(self._prepare, caller, owner, trace_id, scope)

    def stop(self) -> None:
        """Gives up all that is being prepared."""
        for scope in self._running.values():
            scope.cancel()

    async def _prepare(
        self, caller: Caller, owner: Owner, trace_id: str, scope: anyio.CancelScope
    ) -> None:
        try:
            with scope:
                await self._read_trace(caller, owner, trace_id)
        except OpikAssistError as error:
            log.info("trace_not_prepared", code=error.code, trace=trace_id)
        except Exception:
            log.exception("trace_not_prepared", trace=trace_id)
        finally:
            if self._running.get((owner, trace_id)) is scope:
                del self._running[owner, trace_id]
