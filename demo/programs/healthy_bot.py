"""A run in which nothing is wrong: the support bot's siblings that find what they need."""

import time

import opik

from demo.programs.llm import complete, label


@opik.track(type="tool")
def search_articles(query: str, top_k: int = 2) -> list[dict[str, str]]:
    time.sleep(0.05)
    return [
        {"id": "kb-17", "text": "Parcels can be sent back within 30 days, free of charge."},
        {"id": "kb-42", "text": "A label for returns is under My orders, Return."},
    ]


@opik.track(type="guardrail")
def no_personal_data(text: str) -> dict[str, bool]:
    time.sleep(0.01)
    return {"passed": True}


@opik.track(name="support-bot", project_name="shop")
def answer(question: str) -> str:
    label(
        tags=["support", "rag"],
        metadata={"channel": "mail", "release": "2026.11.2"},
        feedback_scores=[{"name": "helpful", "value": 1.0, "reason": "answered in one mail"}],
    )
    no_personal_data(question)
    articles = search_articles(question)
    return complete(
        f"{question}\n{articles}",
        "You can send it back within 30 days; the label is under My orders, Return.",
    )


def run() -> None:
    answer("How do I send my order 9003 back?")
