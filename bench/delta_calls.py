"""How many function calls one delta of text costs: `python -m bench.delta_calls [--list]`.

The whole service runs in this process before the stand-in backend, on real sockets. When a reply
streams, the model sends one more delta of five letters, and `sys.setprofile` sees what the service
does from the moment when the reader of the proxy's stream has the delta's bytes until the bytes of
the browser's frame are sent and everything waits again.

Counted is each `call` event of a function, method, comprehension, generator or coroutine (each time
that it begins or goes on) of a file of `app/`, the coroutines included that wait for the turn's
events and are woken. Not counted are the coroutines that wait for the proxy's bytes and are woken
by them, the connection that delivers these, functions of libraries (JSON, httpx, anyio, uvicorn),
and functions written in C.

The exit status is 1 where a count is above its aim.
"""

import argparse
import asyncio
import dis
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from inspect import CO_COROUTINE
from pathlib import Path
from statistics import median
from types import CodeType, FrameType
from typing import Any

import app
from standin.chat import text
from standin.switches import WorkspaceKey
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import Stream, running

_APP = Path(app.__file__).parent
_CONNECTION = _APP / "backend_connection.py"
"""Stands where a library's connection stood: below the HTTP client."""
_DELTAS = 5
"""Deltas that are measured: a timer of the service may fire during one, never during most."""


@dataclass(frozen=True)
class Protocol:
    """A way to offer tools, the model that is asked in this way, and how many calls are the aim."""

    name: str
    model: str
    provider: str
    aim: int


PROTOCOLS = (
    Protocol("native tools", "openai/gpt-4.1", "openai", aim=45),
    Protocol("tools in text", "anthropic/claude-sonnet-4-5", "anthropic", aim=60),
)


@cache
def _first_instruction(code: CodeType) -> int:
    return next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")


def _is_woken_coroutine(frame: FrameType) -> bool:
    code = frame.f_code
    waits = code.co_flags & CO_COROUTINE
    return bool(waits) and frame.f_lasti > _first_instruction(code)


@contextmanager
def _count_calls(calls: list[str]) -> Iterator[None]:
    """Adds each call of a function of the service to `calls`, as `file function`.

    Counting begins when the coroutines that waited for the proxy's bytes have been woken.
    """

    def note(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or not path.is_relative_to(_APP) or path == _CONNECTION:
            return
        if calls or not _is_woken_coroutine(frame):
            calls.append(f"{path.relative_to(_APP)} {frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def _has_received(text: str) -> Callable[[Stream], bool]:
    return lambda stream: text.encode() in stream.bytes


async def measure(protocol: Protocol) -> list[str]:
    """The calls of one delta, in order: of several deltas, the one with the median number."""
    go = [asyncio.Event() for _ in range(_DELTAS + 1)]
    deltas = [f"word{n}" for n in range(_DELTAS)]
    steps = [step for n, delta in enumerate(deltas) for step in (go[n], text(delta))]
    chat = DirectedChat([text("First: "), *steps, go[-1], *answer(" end.")])
    counted: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/bench.db"
        async with running(uri, chat=chat, agent_model=protocol.model) as service:
            service.switches.keys = [WorkspaceKey(protocol.provider)]
            async with service.asking() as stream:
                await stream.until(_has_received("First"))
                for event, delta in zip(go, deltas, strict=False):
                    await asyncio.sleep(0.1)
                    calls: list[str] = []
                    with _count_calls(calls):
                        event.set()
                        await stream.until(_has_received(delta))
                        await asyncio.sleep(0.05)
                    counted.append(calls)
                go[-1].set()
                await stream.rest()
    return next(each for each in counted if len(each) == median(map(len, counted)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each call")
    listing = parser.parse_args().list
    missed = False
    print("function calls of the service for one delta, from the proxy's bytes to the browser's")
    for protocol in PROTOCOLS:
        calls = asyncio.run(measure(protocol))
        files = {each.split(" ")[0] for each in calls}
        print(
            f"{protocol.name:>14} {len(calls):>4} calls, aim {protocol.aim}"
            f" ({len(set(calls))} functions in {len(files)} files)"
        )
        if listing:
            print(*(f"    {each}" for each in calls), sep="\n")
        missed = missed or len(calls) > protocol.aim
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
