"""Summarises the sections of a report side by side, then merges them."""

import asyncio
from typing import Any

import opik

from evals.programs.plan import TICK, Plan, blame, once, spoke, text_of, work

MODEL = "gemini-2.5-flash"


def run(plan: Plan) -> None:
    blame_once = once(blame)

    @opik.track(type="tool")
    async def fetch_section(section: str, unit: int) -> dict[str, Any]:
        await asyncio.sleep((5 + unit) * TICK)
        if plan.has("one_of_many_raises", unit):
            blame()
            raise OSError(28, "No space left on device")
        if plan.has("slow_section", unit):
            blame()
            await asyncio.sleep(120 * TICK)
        if plan.has("blank_section", unit):
            blame()
            return {"section": section, "text": ""}
        return {"section": section, "text": f"What is known of {section}, at length."}

    @opik.track(type="tool")
    async def fetch_figure(name: str) -> dict[str, str]:
        blame_once()
        await asyncio.sleep(22 * TICK)
        return {"figure": name, "caption": f"a chart of {name}"}

    @opik.track(type="llm")
    async def summarise(text: str, unit: int) -> dict[str, Any]:
        if plan.has("stopped_at_limit", unit):
            blame()
            reply = spoke(
                "The section says, first, that",
                model=MODEL,
                prompt=900,
                completion=128,
                finish="MAX_TOKENS",
            )
        else:
            reply = spoke(f"In short: {text[:40]}", model=MODEL, prompt=900, completion=80)
        await asyncio.sleep(8 * TICK)
        return reply

    @opik.track
    async def summarise_section(section: str, unit: int) -> str:
        found = await fetch_section(section, unit)
        if plan.has("serial_figures", unit):
            for colour in ("red", "green", "blue", "grey", "black", "white"):
                await fetch_figure(f"{section} {colour}")
        return text_of(await summarise(found["text"], unit))

    @opik.track(type="llm")
    def merge(parts: list[str]) -> dict[str, Any]:
        return spoke("A report.", model=MODEL, prompt=1_400, completion=150)

    @opik.track(project_name="report")
    async def write_report(sections: list[str]) -> str:
        work(1)
        jobs = [summarise_section(section, unit) for unit, section in enumerate(sections)]
        return text_of(merge(list(await asyncio.gather(*jobs))))

    asyncio.run(write_report([f"topic-{unit}" for unit in range(plan.units)]))


FAULTS = (
    "one_of_many_raises",
    "slow_section",
    "blank_section",
    "serial_figures",
    "stopped_at_limit",
)
