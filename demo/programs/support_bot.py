"""A support bot with retrieval that ends in a KeyError deep down, after an empty search."""

import time
from typing import Any

import opik

from demo.programs.llm import complete, label

QUESTION = "My parcel 8812 should have come on Monday. Where is it?"
ORDERS: dict[str, dict[str, Any]] = {
    "7741": {"status": "delivered", "carrier": "DHL"},
    "9003": {"status": "packed", "carrier": "UPS"},
}


@opik.track
def embed(text: str) -> list[float]:
    time.sleep(0.02)
    return [round((ord(letter) % 17) / 17, 3) for letter in text[:8]]


@opik.track(type="tool")
def search_articles(query: str, vector: list[float], top_k: int = 4) -> list[dict[str, str]]:
    time.sleep(0.06)
    return []


@opik.track
def retrieve(question: str) -> list[dict[str, str]]:
    return search_articles(question, embed(question))


@opik.track(type="tool")
def look_up_order(order_id: str) -> dict[str, Any]:
    time.sleep(0.03)
    return {"order": order_id, **ORDERS[order_id]}


@opik.track
def gather_facts(question: str, order_id: str) -> dict[str, Any]:
    return {"articles": retrieve(question), "order": look_up_order(order_id)}


@opik.track(name="support-bot", project_name="shop")
def answer(question: str) -> str:
    label(tags=["support", "rag"], metadata={"channel": "chat", "release": "2026.11.2"})
    order_id = complete(f"Which order number is named here? {question}", "8812")
    facts = gather_facts(question, order_id)
    return complete(f"{question}\n{facts}", "It is on its way.")


def run() -> None:
    answer(QUESTION)
