"""Builds small traces from compact descriptions: names, bodies and order; ids and times follow."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from standin import timestamps

HEALTHY_ENDING = "_healthy"
_BEGAN = datetime(2026, 5, 4, 9, tzinfo=UTC)
_GAP = 0.01  # seconds between two spans in a row, so that their order is plain
_ASKED = "What went wrong in this trace? Cite the span where the cause lies."

Json = dict[str, Any]


@dataclass(frozen=True)
class SpanPlan:
    """A span to be: `fields` are those of its record, `right` says that a finding may name it.

    `at` are seconds after its parent's start; without it the span starts when the one before it
    has ended. A span with others below it lasts at least as long as they do.
    """

    name: str
    fields: Json
    below: Sequence["SpanPlan"] = ()
    right: bool = False
    seconds: float = 1.0
    at: float | None = None


@dataclass(frozen=True)
class SmallCase:
    """A small trace with what is right about it; healthy if no span is right.

    `says` has to stand in the sentence of the first finding, `outline_says` in the outline.
    """

    name: str
    kind: str
    spans: Sequence[SpanPlan]
    trace: Json
    says: str = ""
    outline_says: str = ""

    @property
    def file_name(self) -> str:
        return f"{self.kind}_{self.name}.json"

    @property
    def healthy(self) -> bool:
        return self.name.endswith(HEALTHY_ENDING)

    def build(self) -> Json:
        """The case file: trace and spans as the REST API shows them, newest first, and a turn."""
        trace_id = timestamps.id_at(_BEGAN, self.file_name)
        drawn = list(_place_spans(self.spans, 0.0, None, self.file_name))
        ends = max(end for _, _, end in drawn)
        records = [record | {"trace_id": trace_id} for _, record, _ in drawn]
        turn: Json = {"question": _ASKED, "healthy": True}
        if not self.healthy:
            right = [record["id"] for plan, record, _ in drawn if plan.right]
            turn = {"question": _ASKED, "right": right}
        trace = {
            "id": trace_id,
            "name": self.spans[0].name,
            "start_time": _format_time(0),
            "end_time": _format_time(ends),
            "duration": round(ends * 1_000, 3),
            "span_count": len(records),
        }
        return {"trace": trace | self.trace, "spans": records[::-1], "turns": [turn]}


@dataclass
class CaseList:
    """The cases of one kind, as they are added."""

    kind: str
    cases: list[SmallCase] = field(default_factory=list)

    def add(
        self,
        name: str,
        *spans: SpanPlan,
        question: Any = "How many seats are left on the evening ferry?",
        answer: Any = "There are 14 seats left.",
        says: str = "",
        outline_says: str = "",
        **trace: Any,
    ) -> None:
        """A trace of an agent with these spans below it; `trace` are fields of its record.

        Without an answer the error of the last span went up through the agent.
        """
        whole: Json = {"input": {"question": question}, "output": {"answer": answer}}
        error = spans[-1].fields.get("error_info")
        if answer is None and error:
            whole = {"input": whole["input"], "error_info": error}
        root = span("ferry_desk", *spans, **whole)
        whole = whole | trace
        self.cases.append(SmallCase(name, self.kind, [root], whole, says, outline_says))

    def add_flat(self, name: str, *spans: SpanPlan, says: str = "", **trace: Any) -> None:
        """A trace of these spans alone."""
        self.cases.append(SmallCase(name, self.kind, spans, trace, says))


def span(
    name: str,
    *below: SpanPlan,
    type: str = "general",
    right: bool = False,
    seconds: float = 1.0,
    at: float | None = None,
    **fields: Any,
) -> SpanPlan:
    """A span with others below it; `fields` are those of its record, such as `error_info`."""
    return SpanPlan(name, {"type": type, **fields}, below, right, seconds, at)


def tool(name: str, given: Any, result: Any, **more: Any) -> SpanPlan:
    """A tool call with its input and its result."""
    return span(name, type="tool", input=given, output=result, **more)


def model(
    output: Any,
    *,
    asked: Any = "How many seats are left on the evening ferry?",
    tokens: tuple[int, int] = (640, 52),
    name: str = "chat",
    **more: Any,
) -> SpanPlan:
    """A model call; `asked` is a question, a list of messages, or a whole input.

    `tokens` are those of the prompt and of the completion.
    """
    if isinstance(asked, str):
        asked = [{"role": "user", "content": asked}]
    prompt, completion = tokens
    fields = {
        "type": "llm",
        "input": {"messages": asked} if isinstance(asked, list) else asked,
        "output": output,
        "model": "gpt-4.1-mini",
        "provider": "openai",
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }
    return span(name, **(fields | more))


def says(text: str, finish: str = "stop") -> Json:
    """A reply of OpenAI's chat completions with a text."""
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def calls(name: str, arguments: Any) -> Json:
    """A reply of OpenAI's chat completions that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }
    return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


def turn_with(
    used: SpanPlan, answer: str = "There are 14 seats left.", question: str = "How many seats?"
) -> tuple[SpanPlan, ...]:
    """A model that calls a tool, the tool, and the model that answers with its result."""
    asked = [{"role": "user", "content": question}]
    called = calls(used.name, used.fields.get("input"))
    result = used.fields.get("output")
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    told = [
        *asked,
        called["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "call_1", "content": text},
    ]
    first = model(called, asked=asked)
    return first, used, model(says(answer), asked=told, tokens=(720, 38))


def failed(type: str = "", message: str = "", traceback: str = "") -> Json:
    """The fields of a span that raised."""
    known = {"exception_type": type, "message": message, "traceback": traceback}
    return {"error_info": {key: value for key, value in known.items() if value}}


def _place_spans(
    plans: Sequence[SpanPlan], start: float, parent: str | None, seed: str
) -> Iterator[tuple[SpanPlan, Json, float]]:
    """Each plan with its record and its end in seconds, parents before what is below them."""
    moment = start
    for number, plan in enumerate(plans):
        began = moment if plan.at is None else start + plan.at
        own_seed = f"{seed}/{number}"
        span_id = timestamps.id_at(_BEGAN + timedelta(seconds=began), own_seed)
        inner = list(_place_spans(plan.below, began + _GAP, span_id, own_seed))
        least = 0.0 if inner else plan.seconds
        end = max([began + least, *(ended + _GAP for _, _, ended in inner)])
        record = {
            "id": span_id,
            "parent_span_id": parent,
            "name": plan.name,
            "start_time": _format_time(began),
            "end_time": _format_time(end),
        }
        yield plan, record | plan.fields, end
        yield from inner
        moment = max(moment, end + _GAP)


def _format_time(seconds: float) -> str:
    return timestamps.text(_BEGAN + timedelta(seconds=seconds))
