"""Calls that repeat: of an agent that does not get on, and for lines of a text that are alike."""

from evals.small_cases.builder import CaseList, Json, SpanPlan, calls, model, says, span, tool

REPEATS = CaseList("repeats")


def _templated_turns(topics: list[str], *, right: bool = False) -> list[SpanPlan]:
    """Turns of an agent built of runnables: a prompt that holds the history, a model, a search."""
    history: list[Json] = [{"type": "human", "content": "Which island has a lighthouse museum?"}]
    turns = []
    for number, topic in enumerate(topics):
        asked = {"messages": list(history)}
        given = {"topic": topic}
        turns.append(
            span(
                "turn",
                span(
                    "RunnableSequence",
                    tool("ChatPromptTemplate", asked, {"output": asked}, seconds=0.01),
                    model(calls("search_museums", given), asked=asked, right=right),
                ),
                tool("search_museums", given, {"hits": []}, seconds=0.4, right=right),
                input={"turn": number + 1},
                right=right,
            )
        )
        history.append({"type": "tool", "content": f"No museum for {topic}."})
    return turns


REPEATS.add(
    "same_search_behind_a_prompt_template",
    *_templated_turns(["lighthouse"] * 8, right=True),
    answer="I found no museum.",
    says="search_museums",
)
REPEATS.add(
    "another_search_each_time_healthy",
    *_templated_turns(["lighthouse", "beacon", "keeper", "lamp", "lens", "fog horn"]),
    answer="I found no museum.",
)

_LINES = ["Mind the gap.", "Stay on board.", "Doors close.", "Thank you."]
REPEATS.add(
    "lines_of_a_script_that_are_alike_healthy",
    *[
        span(
            "line",
            model(
                says(f"Dansk: {_LINES[place] if place < 4 else f'Stop number {number}.'}"),
                asked=_LINES[place] if place < 4 else f"Stop number {number}.",
                name="translate",
                seconds=0.5,
            ),
            input={"line": number},
        )
        for number in range(60)
        for place in [(number * number + number // 3) % 11]
    ],
    answer="60 lines are translated.",
)


def _with_terms(texts: list[str], *, stamped: bool, right: bool = False) -> list[SpanPlan]:
    """Signs that are translated, each looked up among the stored ones first."""
    stored: set[str] = set()
    steps = []
    for number, text in enumerate(texts):
        at = f"2026-05-04T09:00:{number:02}Z"
        given = {"source": f"{text} / {at}" if stamped else text}
        found = None if stamped or text not in stored else f"Skilt: {text}"
        step = [
            tool("glossary_find", given, {"entry": found}, seconds=0.03, right=right),
            model(says(f"Skilt: {text}"), asked=f"Translate: {text}", seconds=0.9, right=right),
            tool("glossary_save", given | {"to": f"Skilt: {text}"}, {"ok": True}, seconds=0.03),
        ]
        stored.add(text)
        steps.append(span("sign", *step[: 1 if found else 3], input={"sign": number}, right=right))
    return steps


REPEATS.add(
    "stored_terms_are_never_found",
    *_with_terms(["Exit", "No entry", "Cafe", "Lift"] * 3, stamped=True, right=True),
    answer="All signs are translated.",
    says="glossary_find found nothing",
)
REPEATS.add(
    "stored_terms_are_found_healthy",
    *_with_terms(["Exit", "No entry", "Cafe", "Lift"] * 3, stamped=False),
    answer="All signs are translated.",
)
REPEATS.add(
    "terms_that_are_all_new_healthy",
    *_with_terms([f"Deck {number} aft" for number in range(6)], stamped=False),
    answer="All signs are translated.",
)


def _dispute(rounds: int, *, agrees: bool, right: bool = False) -> list[SpanPlan]:
    """Two planners of a crossing who answer each other's departure with their own."""
    steps = []
    for number in range(rounds):
        late = f"{18 + (number if agrees else 0)}:45"
        last = late if agrees and number == rounds - 1 else "17:10"
        for planner, proposed, wish in (("crew", "17:10", late), ("guests", late, last)):
            said = f"No, leave at {wish} instead."
            steps.append(
                span(
                    f"{planner}_planner",
                    tool("count_bookings", {"for": planner}, {"n": 40 + number * 3}, seconds=0.2),
                    model(says(said), asked=f"Departure {proposed} (round {number})"),
                    input={"departure": f"{proposed} (round {number})"},
                    output={"reply": said},
                    right=right,
                )
            )
    return steps


REPEATS.add(
    "planners_undo_each_other",
    *_dispute(6, agrees=False, right=True),
    answer="There is no departure yet.",
    says="rounds",
)
REPEATS.add(
    "planners_come_closer_healthy",
    *_dispute(3, agrees=True),
    answer="The ferry leaves at 20:45.",
)
REPEATS.add(
    "ships_checked_and_captains_told_healthy",
    *[
        step
        for number in range(6)
        for step in (
            span(
                "check_ship",
                tool("read_sensors", {"ship": number}, {"bar": 4 + number}, seconds=0.2),
                model(says("All is well."), asked=f"Ship {number}", seconds=0.4),
                input={"ship": number},
                output={"verdict": "All is well."},
            ),
            span(
                "tell_captain",
                tool("send_note", {"ship": number}, {"queued": 7 * number}, seconds=0.2),
                model(says("The captain knows."), asked=f"Tell ship {number}", seconds=0.4),
                input={"ship": number, "verdict": "All is well."},
                output={"told": "The captain knows."},
            ),
        )
    ],
    answer="Six captains know.",
)
