"""A bot behind the SDK's guardrails: one question passes, one is blocked for its phone number.

The guardrail service is a local fake that counts digits; what the SDK reports of it is real.
"""

import os
from typing import Any

import opik
from opik import exceptions
from opik.guardrails import PII, Guardrail
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.programs.llm import complete, label
from standin.serving import serve_in_thread

PHONE_DIGITS = 7


async def _validate(request: Request) -> JSONResponse:
    asked = await request.json()
    passed = sum(letter.isdigit() for letter in asked["text"]) < PHONE_DIGITS
    checked: list[dict[str, Any]] = [
        {
            "validation_passed": passed,
            "type": one["type"],
            "validation_config": one["config"],
            "validation_details": {"detected_entities": [] if passed else ["PHONE_NUMBER"]},
        }
        for one in asked["validations"]
    ]
    return JSONResponse({"validation_passed": passed, "validations": checked})


@opik.track(name="guarded-bot", project_name="shop")
def answer(question: str) -> str:
    label(tags=["support", "guarded"], metadata={"channel": "chat"})
    try:
        Guardrail(guards=[PII(blocked_entities=["PHONE_NUMBER"])]).validate(question)
    except exceptions.GuardrailValidationFailed:
        label(feedback_scores=[{"name": "helpful", "value": 0.0, "reason": "was sent away"}])
        return "Please ask again without your phone number."
    return complete(question, "Yes, until Sunday.", model="gpt-4.1-mini")


def run() -> None:
    checks = Route("/api/v1/guardrails/validations", _validate, methods=["POST"])
    with serve_in_thread(Starlette(routes=[checks])) as url:
        os.environ["OPIK_GUARDRAILS_URL_OVERRIDE"] = url
        answer("Is the sale still on?")
        answer("Call me at 030 555 0199 when my parcel is there.")
