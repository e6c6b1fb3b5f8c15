"""An agent that solves tasks with tools, one task a unit."""

import json
from typing import Any

import opik

from evals.programs.plan import Plan, blame, once, spoke, work

MODEL = "gpt-4.1"


class ToolBroke(Exception):
    pass


def run(plan: Plan) -> None:
    blame_once = once(blame)

    @opik.track(type="tool")
    def search_web(query: str) -> list[str]:
        work(5)
        return [f"{query} costs 12 euros a month", f"{query} was founded in Ghent"]

    @opik.track(type="tool")
    def search_again(query: str) -> list[str]:
        blame_once()
        work(5)
        return ["see the pricing page for the prices of all plans"]

    @opik.track(type="tool")
    def get_price(item: str, unit: int) -> dict[str, Any]:
        work(3)
        if plan.has("raise_in_tool", unit):
            blame()
            raise KeyError("currency")
        if plan.has("wrapped_raise", unit):
            blame()
            raise PermissionError("the price list is not readable for agent-7")
        if plan.has("caught_raise", unit):
            blame()
            raise ConnectionRefusedError("price service refused the connection")
        if plan.has("error_as_text", unit):
            blame()
            return {"output": "Error: price service answered 503 Service Unavailable"}
        return {"item": item, "price": 12, "currency": "EUR"}

    @opik.track(type="tool")
    def call_rates_api(pair: str, attempt: int, unit: int) -> float:
        work(1.5)
        failing = (plan.has("rate_limited", unit) and attempt < 3) or plan.has("gives_up", unit)
        if failing:
            if attempt == 0:
                blame()
            raise RuntimeError("429 Too Many Requests: slow down")
        return 1.08

    @opik.track(type="llm")
    def think(messages: list[dict[str, Any]], unit: int, mark: bool = False) -> dict[str, Any]:
        if mark:
            blame()
        size = sum(len(str(message["content"])) for message in messages)
        call = {"name": "search_web", "arguments": json.dumps({"query": f"topic-{unit}"})}
        calls = [{"id": f"call_{unit}", "type": "function", "function": call}]
        grown = plan.has("growing_prompt", unit)
        prompt = 350 + (size if grown else min(size, 300))
        return spoke(
            None,
            model=MODEL,
            prompt=prompt,
            completion=35,
            price=4e-6,
            finish="tool_calls",
            tool_calls=calls,
        )

    @opik.track(type="llm")
    def write_answer(task: str, facts: list[Any], unit: int) -> dict[str, Any]:
        if plan.has("error_as_text", unit):
            sorry = "I'm sorry, something went wrong while looking up the price."
            return spoke(sorry, model=MODEL, prompt=300, completion=20, price=4e-6)
        text = f"{task}: 12 euros a month, based in Ghent."
        return spoke(text, model=MODEL, prompt=500, completion=70, price=4e-6)

    @opik.track
    def with_retries(pair: str, unit: int) -> float:
        for attempt in range(4):
            try:
                return call_rates_api(pair, attempt, unit)
            except RuntimeError:
                if attempt == 3:
                    raise
                work(4 * 2**attempt)
        raise AssertionError

    @opik.track
    def look_up_price(item: str, unit: int) -> Any:
        try:
            return get_price(item, unit)
        except PermissionError as error:
            raise ToolBroke(f"no price for {item}") from error

    @opik.track
    def drafter(task: str) -> dict[str, str]:
        work(4)
        return {"to": "reviewer", "note": f"a draft about {task}, please review"}

    @opik.track
    def reviewer(draft: dict[str, str]) -> dict[str, str]:
        blame_once()
        work(4)
        return {"to": "drafter", "note": "the draft lacks sources, please revise"}

    def solve_turns(task: str, unit: int) -> list[Any]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
        turns = 7 if plan.has("growing_prompt", unit) else 2
        facts: list[Any] = []
        for turn in range(turns):
            think(list(messages), unit, mark=plan.has("growing_prompt", unit) and turn == turns - 1)
            subject = task if turn == 0 else f"{task} {('price', 'team', 'city', 'law')[turn % 4]}"
            found = search_web(subject)
            facts.extend(found)
            dump = " ".join(found) * (12 if plan.has("growing_prompt", unit) else 1)
            messages.append({"role": "tool", "content": dump})
        return facts

    @opik.track
    def solve_task(task: str, unit: int) -> str:
        facts = solve_turns(task, unit)
        if plan.has("loop", unit):
            for _ in range(6):
                search_again(f"{task} price list")
        if plan.has("ping_pong", unit):
            for _ in range(4):
                reviewer(drafter(task))
        if plan.fault in ("rate_limited", "gives_up"):
            facts.append(with_retries("EUR/USD", unit))
        try:
            facts.append(look_up_price(task, unit))
        except ConnectionRefusedError:
            facts.append("price unknown")
        write_answer(task, facts, unit)
        return f"{task} done"

    @opik.track(project_name="agent")
    def run_agent(tasks: list[str]) -> str:
        for unit, task in enumerate(tasks):
            solve_task(task, unit)
        if plan.fault == "error_as_text":
            return "I'm sorry, something went wrong while looking up the price."
        return f"All of {', '.join(tasks)} are done."

    run_agent([f"topic-{unit}" for unit in range(plan.units)])


FAULTS = (
    "raise_in_tool",
    "wrapped_raise",
    "caught_raise",
    "error_as_text",
    "rate_limited",
    "gives_up",
    "growing_prompt",
    "loop",
    "ping_pong",
)
