"""A team of agents: three searches side by side, then one reader that takes most of the time."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import opik

from demo.programs.llm import complete, label

TOPIC = "What changed in the EU's rules for batteries of e-bikes?"
SOURCES = ("official journal", "trade press", "manufacturers")


@opik.track(type="tool")
def search_web(source: str, query: str) -> list[str]:
    time.sleep(0.25 + 0.05 * SOURCES.index(source))
    return [f"{source}: result {number} about {query}" for number in range(1, 4)]


@opik.track
def researcher(source: str, topic: str) -> str:
    found = search_web(source, topic)
    return complete(f"Summarise for {topic}: {found}", f"The {source} names a battery passport.")


@opik.track(type="tool")
def read_regulation(document: str, pages: int) -> str:
    time.sleep(2.6)
    return f"{document}, {pages} pages: article 11 asks for batteries that owners can replace."


@opik.track
def reader(topic: str) -> str:
    text = read_regulation("Regulation 2023/1542", 117)
    return complete(f"{topic}\n{text}", "From 2027 e-bike batteries must be replaceable.")


@opik.track
def writer(topic: str, notes: list[str]) -> str:
    prompt = f"{topic}\n" + "\n".join(notes)
    return complete(
        prompt,
        "From 2027 on, batteries of e-bikes must be replaceable by independent workshops, and "
        "carry a passport.",
        model="claude-sonnet-4-5",
        seconds=0.4,
    )


@opik.track(name="research-team", project_name="newsroom")
def investigate(topic: str) -> str:
    label(tags=["agents", "weekly"], metadata={"desk": "mobility"})
    complete(f"Plan the work on: {topic}", "Three searches at once, then the regulation itself.")
    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        jobs = [pool.submit(copy_context().run, researcher, each, topic) for each in SOURCES]
        notes = [job.result() for job in jobs]
    return writer(topic, [*notes, reader(topic)])


def run() -> None:
    investigate(TOPIC)
