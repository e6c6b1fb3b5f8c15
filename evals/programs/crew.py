"""A crew of agents without a common root span, instrumented with context managers."""

import os
from typing import Any

import opik

from evals.programs.plan import Plan, work
from evals.recorded_span import CULPRIT_TAG

MODEL = "claude-sonnet-4-5"


class BudgetExceeded(Exception):
    pass


def run(plan: Plan) -> None:
    marked: list[str] = []

    def mark(span: Any) -> None:
        if not marked:
            span.tags = [CULPRIT_TAG]
            marked.append(span.id)

    def model_call(name: str, given: str, text: str, stop: str = "end_turn") -> None:
        with opik.start_as_current_span(name=name, type="llm", input={"messages": [given]}) as span:
            work(7)
            span.model, span.provider = MODEL, "anthropic"
            span.usage = {"prompt_tokens": 700, "completion_tokens": 60, "total_tokens": 760}
            span.output = {"content": [{"type": "text", "text": text}], "stop_reason": stop}
            if stop == "refusal":
                mark(span)

    def use_tool(task: str, unit: int, attempt: int = 0) -> dict[str, Any]:
        arguments = {"path": f"/data/{task}.md"}
        with opik.start_as_current_span(name="read_file", type="tool", input=arguments) as span:
            work(3)
            content: dict[str, Any] = {"content": [{"type": "text", "text": f"all about {task}"}]}
            if plan.has("tool_says_no", unit):
                mark(span)
                text = "ENOENT: no such file or directory"
                content = {"isError": True, "content": [{"type": "text", "text": text}]}
            if plan.has("half_a_file", unit):
                mark(span)
                content |= {"truncated": True}
            if plan.has("busy_then_fine", unit) and attempt < 2:
                mark(span)
                content = {"status_code": 503, "body": "busy"}
            if plan.has("over_budget", unit):
                mark(span)
                raise BudgetExceeded("tool budget of 5 dollars is used up")
            span.output = content
            return content

    def pass_on(sender: str, receiver: str, task: str, note: str, first: bool) -> None:
        given = {"task": task, "from": sender}
        with opik.start_as_current_span(name=receiver, type="general", input=given) as span:
            work(4)
            span.output = {"note": note}
            if first:
                mark(span)

    def do_task(task: str, unit: int) -> None:
        with opik.start_as_current_span(name="do_task", input={"task": task}) as span:
            model_call("researcher_llm", f"Plan {task}", f"Read the file on {task}")
            for attempt in range(3 if plan.has("busy_then_fine", unit) else 1):
                use_tool(task, unit, attempt)
                work(4**attempt)
            if plan.has("hand_over_and_back", unit):
                for number in range(4):
                    pass_on("writer", "researcher", task, "please write it", number == 0)
                    pass_on("researcher", "writer", task, "I lack sources", False)
            if plan.has("killed", unit):
                opik.flush_tracker()
                os._exit(0)
            text = f"Here is the piece on {task}."
            if plan.has("tool_says_no", unit):
                text = "I was not able to read the file, so I left it out."
            blocked = plan.has("refused_reply", unit)
            model_call(
                "writer_llm",
                f"Write {task}",
                "" if blocked else text,
                "refusal" if blocked else "end_turn",
            )
            span.output = {"text": text}

    with opik.start_as_current_trace(
        "crew", project_name="crew", input={"goal": "pieces"}
    ) as trace:
        for unit in range(plan.units):
            do_task(f"topic-{unit}", unit)
        trace.output = {"pieces": plan.units}


FAULTS = (
    "tool_says_no",
    "half_a_file",
    "busy_then_fine",
    "over_budget",
    "hand_over_and_back",
    "killed",
    "refused_reply",
)
