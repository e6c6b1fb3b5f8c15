"""The backend of a soak: the stand-in with a few traces, an unreliable model and random faults."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from standin.app import Standin, create_app
from standin.chat import ChatError, Chunk, finish, text, tool_arguments, tool_call, usage
from standin.faults import Answer, ChatCutAfter, ChatErrorAfter, CutAfter, Delay, Fault, Refuse
from standin.record_store import Records
from standin.switches import Switches, UserAccount

_TRACE = 0x0199_0000_0000_7000_8000_0000_0000_0000
_SPAN = 0x0199_0000_0000_7000_8000_0001_0000_0000
_SPANS_EACH = 6
WORKSPACE = "shop"
_QUESTION = re.compile(r"question \d+ of [\w-]+")
_CALLS = (
    ("get_span_details", '{"span_id": "s%d", "include_output": true}'),
    ("search_trace", '{"query": "order %d"}'),
    ("get_trace_data", "{}"),
    ("no_such_tool", "{}"),
)


def make_trace_id(number: int) -> str:
    return str(UUID(int=_TRACE + number))


@dataclass
class UnreliableModel:
    """Repeats its question; writes text, calls tools, fails or stops sending at random.

    `calm` makes it answer at once, in a few words.
    """

    rng: random.Random
    pause: float = 0.002
    calm: bool = False
    hung: float = 0.005

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        rng, asked = self.rng, _find_question(request)
        if not self.calm and rng.random() < 0.02:
            raise ChatError(rng.choice((400, 429, 500)), "The provider failed at random.")
        calls = 0 if self.calm or "tools" not in request else rng.choice((0, 0, 0, 1, 2))
        for number in range(1 if self.calm else rng.randint(0 if calls else 1, 12)):
            yield text(f"Word {number} of {asked}. ")
            if rng.random() < 0.3 and not self.calm:
                await asyncio.sleep(self.pause * rng.random())
        if not self.calm and rng.random() < self.hung:
            await asyncio.sleep(60)
        for index in range(calls):
            name, arguments = rng.choice(_CALLS)
            yield tool_call(index, f"call_{rng.getrandbits(48):x}", name)
            yield tool_arguments(index, arguments.replace("%d", str(rng.randint(1, 9))))
        yield finish("tool_calls" if calls else "stop")
        yield usage(rng.randint(1, 9_999), rng.randint(1, 999))


def _find_question(request: dict[str, Any]) -> str:
    for message in reversed(request["messages"]):
        found = _QUESTION.search(message["content"] or "") if message["role"] == "user" else None
        if found:
            return found[0]
    return "nothing"


@dataclass
class SometimesFault(Fault):
    """A fault that hits a share of the requests while it is `armed`."""

    rng: random.Random = field(default_factory=random.Random)
    share: float = 0.01
    armed: bool = True

    def takes(self, method: str, path: str, workspace: str | None) -> bool:
        hit = self.armed and self.rng.random() < self.share
        return hit and super().takes(method, path, workspace)


def build_random_faults(rng: random.Random) -> list[SometimesFault]:
    """Resets, refusals, delays and cuts of what the backend sends."""
    effects = (
        Refuse(),
        Answer(503),
        Answer(500),
        Delay(0.3),
        CutAfter(bytes=300),
        ChatErrorAfter(chunks=2),
        ChatCutAfter(chunks=3),
    )
    return [SometimesFault(effect, path="/v1/private", rng=rng, share=0.005) for effect in effects]


def create_backend(
    model: UnreliableModel, traces: int, faults: Sequence[Fault] = (), *, owners: Sequence[str] = ()
) -> Standin:
    """A backend that knows so many finished traces of six spans each.

    `owners` are users who sign in with their names as tokens; without any there is one user.
    """
    accounts = {name: UserAccount(name, frozenset({WORKSPACE})) for name in owners} or None
    switches = Switches(faults=list(faults), accounts=accounts)
    standin = create_app(Records(), chat=model, switches=switches)
    workspace = WORKSPACE if owners else "default"
    for number in range(traces):
        common = {"project_name": "shop", "start_time": "2026-11-20T10:00:00Z"}
        ended = {**common, "end_time": "2026-11-20T10:00:09Z"}
        trace = {**ended, "id": make_trace_id(number), "name": "answer"}
        standin.records.put_traces([trace], workspace)
        standin.records.put_spans(
            [
                {
                    **ended,
                    "id": str(UUID(int=_SPAN + number * _SPANS_EACH + place)),
                    "trace_id": make_trace_id(number),
                    "name": f"step {place}",
                    "type": "tool" if place % 2 else "llm",
                    "output": {"text": f"order {place} is gone"},
                }
                for place in range(_SPANS_EACH)
            ],
            workspace,
        )
    return standin
