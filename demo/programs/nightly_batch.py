"""A nightly batch of 1,500 spans, in which one document is odd and a few calls were retried."""

import time

import opik

from demo.programs.llm import label

DOCUMENTS = 374


@opik.track(type="tool")
def extract(document: str) -> dict[str, int]:
    return {"characters": 1_200 + len(document)}


@opik.track
def classify(document: str, characters: int) -> str:
    if document == "scan-0217.pdf":
        time.sleep(0.35)
        return ""
    return "invoice" if characters % 2 else "letter"


@opik.track(type="tool")
def store(document: str, kind: str) -> dict[str, str]:
    return {"stored": document, "kind": kind}


@opik.track
def handle(number: int) -> None:
    document = f"scan-{number:04}.pdf"
    store(document, classify(document, extract(document)["characters"]))


@opik.track(name="nightly-batch", project_name="archive")
def batch() -> int:
    label(tags=["batch"], metadata={"night": "2026-11-20", "documents": DOCUMENTS})
    for number in range(DOCUMENTS):
        handle(number)
    return DOCUMENTS


def run() -> None:
    batch()
