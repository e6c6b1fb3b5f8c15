"""A guitar lesson as FretCoach gives it: live feedback on playing, spoken, and a summary.

Three traces in the thread of one practice session; the last one judges on too little.
"""

import time
from typing import Any

import opik

from demo.programs.llm import complete, label

THREAD = "session-20261120-blues"
PLAYED = {"exercise": "12-bar blues in A", "bpm": 92}


@opik.track(type="tool")
def text_to_speech(text: str, voice: str = "warm") -> dict[str, Any]:
    time.sleep(0.05 + len(text) / 1_500)
    return {"audio_seconds": round(len(text) / 15, 1), "voice": voice}


@opik.track(type="tool")
def analyse_notes(bar: int) -> dict[str, float]:
    time.sleep(0.04)
    return {"pitch_accuracy": 0.94 - bar / 100, "timing_accuracy": 0.81 + bar / 200}


@opik.track(name="live-feedback", project_name="fretcoach")
def live_feedback(bar: int) -> str:
    label(
        thread_id=THREAD,
        tags=["live-coach", "live-feedback", "tts"],
        metadata={**PLAYED, "bar": bar, "coach": "live"},
    )
    heard = analyse_notes(bar)
    advice = complete(
        f"The student played bar {bar} of {PLAYED}: {heard}. Give one short piece of advice.",
        "Nice bends. Wait for the beat before the turnaround: you come in early.",
        model="gpt-4.1-mini",
        seconds=0.12,
    )
    text_to_speech(advice)
    return advice


@opik.track(name="session-summary", project_name="fretcoach")
def session_summary(bars: list[int]) -> str:
    label(
        thread_id=THREAD,
        tags=["live-coach", "session-summary"],
        metadata={**PLAYED, "bars": bars},
        feedback_scores=[
            {"name": "coach_quality", "value": 0.3, "reason": "praises timing that was off"}
        ],
    )
    heard: list[dict[str, float]] = []
    return complete(
        f"Summarise the practice session from these measurements: {heard}",
        "Great session! Your timing was flawless throughout.",
    )


def run() -> None:
    for bar in (4, 9):
        live_feedback(bar)
    session_summary([4, 9])
