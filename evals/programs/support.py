"""Answers support tickets: classify as JSON, look orders up, check the policy, write, send."""

import json
import os
from typing import Any

import opik
from opik import opik_context

from evals.programs.plan import Plan, blame, spoke, text_of, work

MODEL = "claude-haiku"


def run(plan: Plan) -> None:
    @opik.track(type="llm")
    def classify_ticket(text: str, response_format: dict[str, str], unit: int) -> dict[str, Any]:
        if plan.fault in ("broken_json", "broken_json_caught") and plan.at == unit:
            blame()
            broken = 'Sure! Here is the JSON: {"kind": "refund", "order": "4711"'
            return spoke(broken, model=MODEL, prompt=180, completion=25)
        if plan.has("blank_reply", unit):
            blame()
            return spoke("", model=MODEL, prompt=180, completion=0)
        kind = json.dumps({"kind": "refund", "order": text[-7:]})
        return spoke(kind, model=MODEL, prompt=180, completion=22)

    @opik.track(type="tool")
    def lookup_order(order: str, unit: int) -> dict[str, Any]:
        work(4)
        if plan.has("half_order", unit):
            blame()
            return {"order": order, "status": "shipped", "lines": None}
        if plan.has("failed_state", unit):
            blame()
            return {"status": "error", "code": "ORDER_DB_DOWN", "order": order}
        lines = [{"sku": "lamp", "price": 49}, {"sku": "bulb", "price": 4}]
        return {"order": order, "status": "shipped", "lines": lines}

    @opik.track
    def sum_lines(order: dict[str, Any]) -> int:
        work(0.4)
        return sum(line["price"] for line in order.get("lines", []))

    @opik.track(type="guardrail")
    def policy_check(amount: int, unit: int) -> dict[str, Any]:
        work(0.5)
        if plan.has("refused_by_policy", unit):
            blame()
            return {"passed": False, "reason": "refunds over 50 need a person"}
        return {"passed": True, "reason": None}

    @opik.track
    def find_violations(text: str) -> list[str]:
        return []

    @opik.track(type="llm")
    def write_reply(ticket: str, amount: int, unit: int) -> dict[str, Any]:
        if plan.has("bad_score", unit):
            blame()
            score = {"name": "groundedness", "value": 0.05, "reason": "the amount is made up"}
            opik_context.update_current_span(feedback_scores=[score])
            return spoke("We refund 9,000 euros.", model=MODEL, prompt=260, completion=40)
        return spoke(
            f"We refund {amount} for {ticket}, with regrets.",
            model=MODEL,
            prompt=260,
            completion=45,
        )

    @opik.track
    def send_reply(text: str, unit: int) -> None:
        work(1)
        if plan.has("never_ends", unit):
            blame()
            opik_context.get_current_trace_data()
            opik.flush_tracker()
            os._exit(0)

    @opik.track
    def read_kind(reply: dict[str, Any], unit: int) -> dict[str, str]:
        if plan.has("broken_json_caught", unit) or plan.has("blank_reply", unit):
            try:
                return dict(json.loads(text_of(reply)))
            except ValueError:
                return {"kind": "other", "order": "none"}
        return dict(json.loads(text_of(reply)))

    @opik.track
    def handle_ticket(ticket: str, unit: int) -> str:
        find_violations(ticket)
        wanted = {"type": "json_object"}
        kind = read_kind(classify_ticket(ticket, wanted, unit), unit)
        order = lookup_order(kind["order"], unit)
        amount = 0 if plan.fault == "failed_state" else sum_lines(order)
        policy_check(amount, unit)
        reply = text_of(write_reply(ticket, amount, unit))
        send_reply(reply, unit)
        return reply

    @opik.track(project_name="support")
    def handle_tickets(tickets: list[str]) -> int:
        return len([handle_ticket(ticket, unit) for unit, ticket in enumerate(tickets)])

    handle_tickets([f"My lamp never came, order of topic-{unit}" for unit in range(plan.units)])


FAULTS = (
    "broken_json",
    "broken_json_caught",
    "blank_reply",
    "half_order",
    "failed_state",
    "refused_by_policy",
    "bad_score",
    "never_ends",
)
