"""Answers a batch of questions from documents: retrieve, rerank, prompt, model, parse."""

import json
import time
from typing import Any

import opik

from evals.programs.plan import Plan, blame, spoke, text_of, work

MODEL = "gpt-4o-mini"


def run(plan: Plan) -> None:
    @opik.track(type="tool")
    def retrieve_documents(question: str, k: int, unit: int) -> list[dict[str, Any]]:
        work(4)
        if plan.fault in ("empty_then_error", "empty_silent") and plan.at == unit:
            blame()
            return []
        return [
            {"id": f"{question}/{i}", "score": 0.9 - i / 10, "text": f"Note {i} says {question}"}
            for i in range(k)
        ]

    @opik.track(type="tool")
    def fetch_page(url: str, number: int, unit: int) -> dict[str, Any]:
        if plan.has("slow_call", unit) and number == 3:
            blame()
            work(90)
        if plan.has("null_page", unit) and number == 2:
            blame()
            return {"url": url, "body": None}
        if plan.has("timeout", unit) and number == 1:
            blame()
            work(60)
            raise TimeoutError(f"read timed out after 30 s: {url}")
        work(4 + number)
        return {"url": url, "body": f"page {url} in full"}

    @opik.track
    def find_in_cache(question: str) -> str | None:
        return None

    @opik.track
    def rerank(question: str, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        work(1)
        return sorted(documents, key=lambda document: -document["score"])

    @opik.track
    def build_prompt(question: str, documents: list[dict[str, Any]], unit: int) -> str:
        work(0.3)
        if plan.has("empty_then_error", unit):
            return f"{documents[0]['text']}\n{question}"
        return "\n".join([*(document["text"] for document in documents), question])

    @opik.track(type="llm")
    def ask_model(messages: list[dict[str, str]], unit: int) -> dict[str, Any]:
        if plan.has("cut_reply", unit):
            blame()
            cut = '{"answer": "The first of three reasons is that'
            return spoke(cut, model=MODEL, prompt=410, completion=256, finish="length")
        if plan.has("raise_in_model", unit):
            blame()
            work(5)
            raise ConnectionError("connection to the model was reset by its peer")
        if plan.has("dear_model", unit):
            blame()
            answer = json.dumps({"answer": messages[-1]["content"][-40:]})
            return spoke(answer, model="gpt-4.5", prompt=400, completion=60, price=7.5e-5)
        if plan.has("empty_silent", unit):
            answer = json.dumps({"answer": "I could not find any information about that."})
            return spoke(answer, model=MODEL, prompt=60, completion=20)
        answer = json.dumps({"answer": f"As noted, {messages[-1]['content'][-60:]}"})
        return spoke(answer, model=MODEL, prompt=400 + unit, completion=58)

    @opik.track
    def parse_answer(reply: dict[str, Any]) -> str:
        try:
            return str(json.loads(text_of(reply))["answer"])
        except ValueError:
            return text_of(reply)

    @opik.track
    def answer_question(question: str, unit: int) -> str:
        if find_in_cache(question):
            return ""
        documents = rerank(question, retrieve_documents(question, 3, unit))
        if plan.fault in ("slow_call", "null_page", "timeout"):
            for number in range(6):
                fetch_page(f"https://docs.example/{question}/{number}", number, unit)
        prompt = build_prompt(question, documents, unit)
        messages = [{"role": "system", "content": "Answer as JSON."}]
        messages.append({"role": "user", "content": prompt})
        return parse_answer(ask_model(messages, unit))

    @opik.track(project_name="questions")
    def answer_questions(questions: list[str]) -> list[str]:
        answers = []
        for unit, question in enumerate(questions):
            answers.append(answer_question(question, unit))
            time.sleep(0.0005)
        return answers

    answer_questions([f"topic-{unit}" for unit in range(plan.units)])


FAULTS = (
    "empty_then_error",
    "empty_silent",
    "slow_call",
    "null_page",
    "timeout",
    "cut_reply",
    "raise_in_model",
    "dear_model",
)
