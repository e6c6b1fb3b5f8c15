"""A lesson as a talk of eight turns that goes wrong at the fifth: the coach forgets the tempo.

From there on the notes of the lesson come back empty, since their key has changed, and the coach
answers with a tempo of its own making. No turn fails.
"""

import time
from typing import Any

import opik

from demo.programs.llm import complete, label

THREAD = "lesson-20261122-scales"
NOTES = {"tempo": "72 bpm", "scale": "A minor pentatonic", "goal": "even sixteenths"}
TALK = (
    ("I want to get even sixteenths in A minor.", "Good goal. We begin at 72 bpm."),
    ("Which fingers in the first position?", "One and three, one and four. Stay at 72 bpm."),
    ("It feels even now.", "I hear it, too: 94 % in time. Once more at 72 bpm, then we go on."),
    ("Done. What tempo was that?", "That was 72 bpm, and 96 % in time."),
    ("And now faster?", "Set the metronome to 132 bpm and play the whole scale."),
    ("That is a lot faster. Sure?", "Yes, 132 bpm is where you left off last time."),
    ("But we played at 72 before!", "I have no note of 72 bpm. Your tempo is 132 bpm."),
    ("Let us stop here.", "Well played at 132 bpm today! See you tomorrow."),
)
FORGETS_FROM = 5


@opik.track(type="tool")
def lesson_notes(key: str) -> dict[str, Any]:
    time.sleep(0.01)
    return {"notes": NOTES if key == "lesson:17" else {}}


@opik.track(name="lesson-turn", project_name="fretcoach")
def turn(number: int, message: str, reply: str) -> str:
    forgets = number >= FORGETS_FROM
    label(thread_id=THREAD, tags=["live-coach"], metadata={"turn": number})
    notes = lesson_notes("lesson:017" if forgets else "lesson:17")
    if number == len(TALK):
        score = {"name": "helpful", "value": 0.2, "reason": "the tempo was wrong at the end"}
        label(feedback_scores=[score])
    return complete(
        f"Notes: {notes}\nStudent: {message}", reply, model="gpt-4.1-mini", seconds=0.03
    )


def run() -> None:
    for number, (message, reply) in enumerate(TALK, 1):
        turn(number, message, reply)
