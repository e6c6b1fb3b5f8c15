"""Errors that a program outlived, and checks that passed after a correction."""

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

OUTLIVED = CaseList("outlived_error")
CORRECTED = CaseList("corrected_check")

_SLOW = failed("ReadTimeout", "no answer within 400 ms")
_FULL = failed("DeckFull", "the car deck of MF Ida is closed for loading")
_QUESTION = "Book the evening ferry to Doel for our van."
_DONE = "Your van is booked on the evening ferry."

# The berth's camera is away, the program goes on, and the booking fails for a reason of its own.
for _name, _below in {
    "a_tool_was_away_before_the_booking_failed": tool(
        "read_camera", {"berth": "B2"}, None, seconds=0.4, **_SLOW
    ),
    "a_step_was_given_up_before_the_booking_failed": span(
        "look_around",
        tool("read_camera", {"berth": "B2"}, None, seconds=0.4, **_SLOW),
        output={"seen": 0},
    ),
}.items():
    OUTLIVED.add(
        _name,
        _below,
        model(says("I book the van."), asked=_QUESTION),
        tool("book_deck", {"van": "V-7", "ship": "MF Ida"}, None, right=True, **_FULL),
        question=_QUESTION,
        answer=None,
        says="DeckFull",
    )


# What stands beside an answer may be missing; where the trace is about it, it is missed.
def _beside(name: str, called: str, *, step: str = "answer_page", right: bool = False) -> None:
    OUTLIVED.add(
        name if right else f"{name}_healthy",
        span(step, tool(called, {"port": "Doel"}, None, right=right, seconds=0.4, **_SLOW)),
        model(says(_DONE), asked=_QUESTION),
        question=_QUESTION,
        answer=_DONE,
    )


_beside("related_harbours", "related_harbours")
_beside("recommendations", "getRecommendations")
_beside("tariff", "harbour_tariff", right=True)
_beside("recommendations_wanted", "recommend_crossings", step="recommend_ferries", right=True)

# Steps without a span around them: one fails, the others go on and give the answer.
OUTLIVED.add_flat(
    "flat_steps_go_on_healthy",
    tool("find_crossings", {"to": "Doel"}, {"crossings": ["19:40", "21:10"]}),
    tool("similar_crossings", {"to": "Doel"}, None, seconds=0.4, **_SLOW),
    model(says("The last ferry leaves at 21:10."), asked="When is the last ferry to Doel?"),
    input={"question": "When is the last ferry to Doel?"},
    output={"answer": "The last ferry leaves at 21:10."},
)
OUTLIVED.add_flat(
    "flat_steps_end_with_it",
    tool("find_crossings", {"to": "Doel"}, {"crossings": ["19:40", "21:10"]}),
    tool("similar_crossings", {"to": "Doel"}, None, seconds=0.4, right=True, **_SLOW),
    input={"question": "Which other ferries are like the one to Doel?"},
)


def _label(number: int, *checks: SpanPlan) -> SpanPlan:
    return span("write_label", model(says(f"Deck {number}, keep clear"), asked="Write."), *checks)


def _check(width: int, *, fits: bool, right: bool = False) -> SpanPlan:
    result = {"ok": fits, "lines": 1 if fits else 3}
    return span("check_width", input={"width": width}, output=result, right=right, seconds=0.1)


_FINE = [_label(number, _check(18 + number, fits=True)) for number in range(6)]
_SHORTER = model(says("Deck 7"), asked="Shorter, please.", name="cut_words")
CORRECTED.add(
    "label_is_shortened_healthy",
    *_FINE,
    _label(7, _check(61, fits=False), _SHORTER, _check(6, fits=True)),
    answer="7 labels are printed.",
)
CORRECTED.add(
    "label_stays_too_long",
    *_FINE,
    _label(7, _check(61, fits=False, right=True)),
    answer="7 labels are printed.",
)
CORRECTED.add(
    "next_label_fits",
    *[
        step
        for number in range(3)
        for step in (
            _check(61 if number == 1 else 20, fits=number != 1, right=number == 1),
            tool("print_label", {"deck": number}, {"printed": number}),
        )
    ],
    answer="3 labels are printed.",
)


# A step that only says that it failed, after it had told somebody, wraps the last failure in it.
def _wrapped(name: str, message: str, *, by_step: bool) -> None:
    error = failed("LoadingError", message)
    OUTLIVED.add_flat(
        name,
        span(
            "load_ferry",
            tool("weigh_van", {"van": "V-7"}, None, right=not by_step, **_SLOW),
            tool("tell_harbour", {"van": "V-7"}, {"told": True}, seconds=0.1),
            input={"van": "V-7"},
            right=by_step,
            **error,
        ),
        input={"van": "V-7"},
        **error,
    )


_wrapped("wrapper_says_only_that_it_failed", "Loading of the van failed", by_step=False)
_wrapped("step_failed_for_a_reason_of_its_own", "deck 3 holds 7 vans at most", by_step=True)
