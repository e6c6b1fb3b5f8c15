"""A whole service before a backend with a fault: what its user reads, and what is left behind."""

import contextlib
import copy
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from standin.faults import Delay, Effect, Endless, Fault, PauseAfter
from testkit.panel_reader import PanelReader
from testkit.service import TRACE_ID, Service, running, wait_until

TRACE = f"/v1/private/traces/{TRACE_ID}"
SEARCH = "/v1/private/spans/search"
CHAT = "/v1/private/chat/completions"
WHO = "/v1/private/workspace-permissions"

FOREVER = 600.0
"""Seconds for which a fault lasts that a client has to end by itself."""
TIMEOUT = 1.2
"""Seconds after which a request is given up, where a fault never answers it."""
ATTEMPTS = 2
LONGEST = 90.0
"""Seconds for any turn under any fault here: some requests of ATTEMPTS times TIMEOUT each, and
much time for a busy machine; less than FOREVER."""

ANSWER = "It was the tool."
_INSIDES = re.compile(r"Traceback|httpx|Error\b|127\.0\.0\.1|internal|/v1/")


@dataclass(frozen=True)
class Case:
    """Faults of the backend, and the sentence that the user reads; "" where the answer comes.

    `texts` is what the panel shows besides; `switches` are settings of the stand-in.
    """

    name: str
    faults: tuple[Fault, ...]
    message_pattern: str = ""
    texts: tuple[str, ...] = ()
    switches: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """Without a fault that hangs every request gets much time, since a machine may be busy.

        Where a fault hangs once, what follows it gets more than one further attempt.
        """
        hanging = [each for each in self.faults if _hangs(each.effect)]
        if not hanging:
            return {"opik_backend_timeout": LONGEST, "model_silence_seconds": LONGEST}
        return {} if self.message_pattern else {"retry_max_attempts": 5}


def _hangs(effect: Effect) -> bool:
    match effect:
        case Delay() | PauseAfter():
            return effect.seconds == FOREVER
        case Endless():
            return True
    return False


def cases(*found: Case) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in found])


def at(path: str, effect: Effect, **more: Any) -> tuple[Fault, ...]:
    return (Fault(effect, path=path, **more),)


class Network(httpx.AsyncHTTPTransport):
    """The real network below the service's client."""

    @property
    def connections_in_use(self) -> int:
        """How many connections are neither closed nor waiting for a next request."""
        connections = self._pool.connections  # type: ignore[attr-defined]
        return sum(not (each.is_idle() or each.is_closed()) for each in connections)


@contextlib.asynccontextmanager
async def hurried(folder: Path, **settings: Any) -> AsyncIterator[tuple[Service, Network]]:
    """A service that waits for nothing longer than TIMEOUT, and its network."""
    values: dict[str, Any] = {
        "opik_backend_timeout": TIMEOUT,
        "model_silence_seconds": TIMEOUT,
        "retry_max_attempts": ATTEMPTS,
        **settings,
    }
    network = Network(limits=httpx.Limits(max_connections=500, keepalive_expiry=30))
    async with running(f"sqlite:///{folder / 'a.db'}", network=network, **values) as service:
        yield service, network


async def asked_under(case: Case, service: Service) -> PanelReader:
    """What the panel shows of a question under these faults, which are over afterwards."""
    for name, value in case.switches.items():
        setattr(service.switches, name, value)
    service.switches.faults += copy.deepcopy(case.faults)
    with anyio.fail_after(LONGEST):
        reader = await service.ask("What broke?")
    service.switches.faults.clear()
    if not case.message_pattern:
        assert reader.error is None
        return reader
    assert reader.error is not None
    assert re.match(case.message_pattern, reader.error), reader.error
    assert "(request " in reader.error
    assert not _INSIDES.search(reader.error), reader.error
    return reader


async def is_as_before(service: Service, network: Network) -> None:
    """The conversation is free, its next question is answered, and all connections are free."""
    service.chat.scripts = service.chat.scripts[-1:]
    assert (await service.ask("And now?")).texts == [ANSWER]
    await wait_until(lambda: not network.connections_in_use)
    assert service.switches.chats.running == 0
