"""A chat that plans practice: two traces in one user's thread, the second cut at its limit."""

import time

import opik
from opik import opik_context

from demo.programs.llm import complete, label

THREAD = "user-17-practice-planning"


@opik.track(type="tool")
def past_sessions(user: int, days: int) -> list[dict[str, object]]:
    time.sleep(0.03)
    return [{"day": "2026-11-18", "minutes": 25, "focus": "blues in A", "timing": 0.81}]


@opik.track(name="practice-chat", project_name="fretcoach")
def chat(message: str, reply: str, *, finish_reason: str = "stop") -> str:
    label(
        thread_id=THREAD,
        tags=["fretcoach-hub", "practice-planning"],
        metadata={"user": 17, "plan": "free"},
    )
    sessions = past_sessions(17, 14)
    answer = complete(f"{message}\nPast sessions: {sessions}", reply, model="gpt-4.1-mini")
    opik_context.update_current_trace(metadata={"finish_reason": finish_reason})
    return answer


def run() -> None:
    chat(
        "What should I practise this week?",
        "Three short sessions: a metronome at 80 bpm, the blues' turnaround, then play along.",
    )
    chat(
        "Make that a plan for every day, please.",
        "Monday: 10 minutes of metronome at 80 bpm, then the turnaround slowly. Tuesday: the",
        finish_reason="length",
    )
