"""Turns questions into SQL, runs it, explains the rows; replies have LangChain's shape."""

from typing import Any

import opik
from opik import opik_context

from evals.programs.plan import Plan, blame, once, work

MODEL = "mistral-large"


class OperationalError(Exception):
    pass


def _generation(
    text: str, *, prompt: int, completion: int, model: str = MODEL, price: float = 2e-6
) -> dict[str, Any]:
    total = prompt + completion
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    opik_context.update_current_span(
        model=model, provider="mistral", usage=usage, total_cost=total * price
    )
    work(5 + completion / 30)
    message = {"lc": 1, "kwargs": {"content": text, "type": "ai", "tool_calls": []}}
    return {"generations": [[{"text": text, "generation_info": None, "message": message}]]}


def run(plan: Plan) -> None:
    blame_once = once(blame)

    @opik.track(name="ChatMistralAI", type="llm")
    def generate_sql(messages: list[Any], unit: int) -> dict[str, Any]:
        if plan.has("blank_sql", unit):
            blame()
            return _generation("", prompt=510, completion=1)
        size = sum(len(str(message)) for message in messages)
        if plan.has("bloated_context", unit):
            if size > 9_000:
                blame_once()
            return _generation("SELECT 1", prompt=300 + size // 4, completion=30)
        statement = f"SELECT 17 -- {messages[0]}"
        return _generation(statement, prompt=510, completion=41)

    @opik.track(type="tool")
    def run_sql(statement: str, unit: int) -> dict[str, Any]:
        if not statement:
            raise ValueError("cannot execute an empty statement")
        if plan.has("syntax_error", unit):
            blame()
            raise OperationalError('near "FORM": syntax error')
        if plan.has("same_bad_sql", unit):
            blame_once()
            work(2)
            raise OperationalError("no such column: revenu")
        if plan.has("locked_table", unit):
            blame()
            work(110)
        work(5)
        if plan.has("zero_rows", unit):
            blame()
            return {"columns": ["x"], "rows": [], "rowcount": 0}
        return {"columns": ["x"], "rows": [[17 + unit]], "rowcount": 1}

    @opik.track
    def load_schema(database: str) -> dict[str, Any]:
        work(0.6)
        return {"tables": {"t": ["x", "y"]}, "views": [], "comment": None}

    @opik.track
    def audit(statement: str) -> None:
        work(0.2)

    @opik.track(name="ChatMistralAI", type="llm")
    def explain(rows: Any, question: str, unit: int) -> dict[str, Any]:
        if plan.has("zero_rows", unit):
            return _generation(f"There is no data for {question}.", prompt=240, completion=18)
        if plan.has("premium_model", unit):
            blame()
            text = f"{question} adds up to 17."
            return _generation(text, prompt=260, completion=52, model="o1-pro", price=1.5e-4)
        return _generation(f"{question} adds up to 17.", prompt=260 + unit, completion=50)

    def text_of(reply: dict[str, Any]) -> str:
        return str(reply["generations"][0][0]["text"])

    @opik.track
    def answer_query(question: str, unit: int) -> str:
        load_schema("sales")
        messages: list[Any] = [question]
        turns = 8 if plan.has("bloated_context", unit) else 1
        statement = ""
        for _ in range(turns):
            statement = text_of(generate_sql(list(messages), unit))
            messages.append("schema " * 260)
        rows: Any = None
        for _ in range(4 if plan.has("same_bad_sql", unit) else 1):
            audit(statement)
            try:
                rows = run_sql(statement, unit)
            except OperationalError:
                if not plan.has("same_bad_sql", unit):
                    raise
        return text_of(explain(rows, question, unit))

    @opik.track(project_name="sqlbot")
    def sql_session(questions: list[str]) -> list[str]:
        return [answer_query(question, unit) for unit, question in enumerate(questions)]

    sql_session([f"The sum of topic-{unit}" for unit in range(plan.units)])


FAULTS = (
    "blank_sql",
    "bloated_context",
    "syntax_error",
    "same_bad_sql",
    "locked_table",
    "zero_rows",
    "premium_model",
)
