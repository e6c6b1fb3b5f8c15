"""Forty runs of one program: most are quick and well, some fail, two are slow and dear.

Those that fail skip the renewal of their token; those that are slow ask the carrier again and
again, and then a larger model.
"""

import time

import opik

from demo.programs.llm import complete, label

RUNS = 40
SKIPS_RENEWAL = frozenset([7, 18, 29, 36])
ASKS_AGAIN = frozenset([22, 39])


@opik.track(type="tool")
def find_order(number: int) -> dict[str, int]:
    time.sleep(0.005)
    return {"order": number, "parcel": 500_000 + number}


@opik.track(type="tool")
def renew_token() -> dict[str, int]:
    time.sleep(0.004)
    return {"valid_seconds": 300}


@opik.track(type="tool")
def ask_carrier(parcel: int, *, renewed: bool, answers: bool) -> dict[str, str]:
    time.sleep(0.01 if answers else 0.25)
    if not renewed:
        raise PermissionError("carrier: 401, token expired")
    return {"state": "out for delivery"} if answers else {}


@opik.track(name="order-status", project_name="shop")
def order_status(run: int) -> str:
    label(tags=["orders"], metadata={"channel": "chat"})
    order = find_order(9_100 + run)
    renewed = run not in SKIPS_RENEWAL
    if renewed:
        renew_token()
    attempts = 4 if run in ASKS_AGAIN else 0
    for _ in range(attempts):
        ask_carrier(order["parcel"], renewed=renewed, answers=False)
    state = ask_carrier(order["parcel"], renewed=renewed, answers=True)
    prompt = f"Order {order}: {state}. " + "Terms of carriage apply. " * (60 * attempts)
    model = "claude-sonnet-4-5" if attempts else "gpt-4.1-mini"
    return complete(prompt, "Your parcel comes today.", model=model, seconds=0.01 + run % 5 / 500)


def run() -> None:
    for number in range(1, RUNS + 1):
        try:
            order_status(number)
        except PermissionError:
            continue
