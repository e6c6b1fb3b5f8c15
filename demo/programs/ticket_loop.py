"""A costly loop: an agent asks the same tool the same thing again and again, its prompt growing."""

import time

import opik

from demo.programs.llm import complete, label

TICKET = "Customer 4471 says the invoice of October is wrong."


@opik.track(type="tool")
def fetch_invoice(customer: str, month: str) -> dict[str, str]:
    time.sleep(0.03)
    return {"status": "pending", "hint": "the invoice is being generated"}


@opik.track(name="ticket-agent", project_name="billing")
def solve(ticket: str) -> str:
    label(tags=["agent", "billing"], metadata={"queue": "invoices"})
    history = [f"Ticket: {ticket}", "Policy: " + "Be exact and polite. " * 120]
    for _ in range(9):
        complete("\n".join(history), 'Call fetch_invoice(customer="4471", month="2026-10").')
        history.append(f"Result: {fetch_invoice('4471', '2026-10')}")
        history.append("Thought: the invoice is not there yet, so I ask again. " * 12)
    return complete("\n".join(history), "I could not find the invoice; a colleague will call.")


def run() -> None:
    solve(TICKET)
