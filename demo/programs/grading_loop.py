"""A loop that asks an expensive model the same thing again and again, through the OpenAI client.

The grade cannot change, since the draft never does; the loop only ends because it counts. The SDK's
OpenAI integration records the calls, a local fake answers them.
"""

import json
import time
from typing import Any

import httpx
import opik
from openai import OpenAI
from opik.integrations.openai import track_openai

from demo.programs.llm import label

ATTEMPTS = 8
DRAFT = (
    "Revenue in the third quarter rose by 4 percent. The growth came from the north alone; costs "
    "rose faster, because two projects were late and had to be staffed longer than planned. "
) * 20
GRADE = '{"grade": 6, "advice": "Name the two projects that were late."}'


def _answered(request: httpx.Request) -> httpx.Response:
    """Always the same grade, with the usage that such a prompt would have."""
    asked: dict[str, Any] = json.loads(request.content)
    time.sleep(0.1)
    tokens = sum(len(message["content"]) for message in asked["messages"]) // 4
    message = {"role": "assistant", "content": GRADE}
    body = {
        "id": "chatcmpl-grade",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": 18,
            "total_tokens": tokens + 18,
        },
    }
    return httpx.Response(200, json=body)


def _grade(client: OpenAI, draft: str) -> int:
    reply = client.chat.completions.create(
        model="gpt-4.1",
        temperature=0,
        messages=[
            {"role": "system", "content": "Grade the report from 1 to 10. Answer as JSON."},
            {"role": "user", "content": draft},
        ],
    )
    grade: int = json.loads(reply.choices[0].message.content or "{}")["grade"]
    return grade


@opik.track(name="refine-report", project_name="reports")
def refine(draft: str, wanted: int) -> dict[str, int]:
    label(tags=["nightly"], metadata={"wanted_grade": wanted})
    transport = httpx.MockTransport(_answered)
    client = track_openai(
        OpenAI(api_key="none-needed", http_client=httpx.Client(transport=transport))
    )
    grades = [_grade(client, draft) for _ in range(ATTEMPTS)]
    return {"grade": grades[-1], "attempts": len(grades)}


def run() -> None:
    refine(DRAFT, 8)
