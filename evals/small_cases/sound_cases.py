"""Healthy programs with something that looks like a fault, each beside the fault itself."""

from typing import Any

from evals.small_cases.builder import (
    CaseList,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

SOUND = CaseList("sound_program")

_TIMED_OUT = failed("TimeoutError", "no reply within 2 s")
_REFUSED = failed("ConnectionError", "tide service: connection refused")


def _registry(call_sign: str, attempt: int, *, ok: bool, seconds: float = 1.0) -> SpanPlan:
    """A try of a lookup, which is given the number of the try under a key of its own language."""
    given = {"rufzeichen": call_sign, "versuch": attempt}
    if not ok:
        return tool("schiffsregister", given, None, seconds=2.0, **_TIMED_OUT)
    return tool("schiffsregister", given, {"schiff": "Alma", "laenge": 84}, seconds=seconds)


SOUND.add(
    "two_lookups_each_tried_twice_healthy",
    _registry("DHXK", 1, ok=False),
    _registry("DHXK", 2, ok=True),
    tool("pier.plan", {"ship": "Alma"}, {"berth": 4}, seconds=4.0),
    _registry("DHXK", 1, ok=False),
    _registry("DHXK", 2, ok=True),
    tool("pier.plan", {"ship": "Alma", "day": "Sunday"}, {"berth": 2}, seconds=4.0),
)
SOUND.add(
    "numbered_cabins_of_which_one_failed",
    tool("cabin.load", {"deck": "upper", "nr": 1}, None, right=True, **_TIMED_OUT),
    *[
        tool("cabin.load", {"deck": "upper", "nr": number}, {"beds": 2, "sea_view": True})
        for number in range(2, 6)
    ],
    answer="Cabins 1 to 5 have two beds each.",
)


def _refused_try(attempt: int) -> SpanPlan:
    return tool(
        "hafen_api",
        {"liegeplatz": "N2", "versuch": attempt},
        {"error": "429 Too Many Requests"},
        seconds=6.0,
        right=True,
    )


SOUND.add(
    "numbered_tries_at_a_rate_limit",
    *[_refused_try(attempt) for attempt in range(1, 6)],
    tool("hafen_api", {"liegeplatz": "N2", "versuch": 6}, {"frei": 3}, right=True),
)


def _spoken(text: str, engine: str, *, ok: bool, right: bool = False) -> SpanPlan:
    given = {"text": text, "engine": engine}
    if not ok:
        return tool("speak", given, None, seconds=0.2, right=right, **_REFUSED)
    return tool("speak", given, {"kilobytes": 14}, seconds=0.6)


_NOTICES = ("The Alma leaves at nine.", "The Tern is late.", "Pier 2 is closed.", "Mind the gap.")
SOUND.add(
    "second_engine_read_all_notices_healthy",
    *[_spoken(text, "north-2", ok=False) for text in _NOTICES],
    *[_spoken(text, "north-1", ok=True) for text in _NOTICES],
)
SOUND.add(
    "one_notice_was_read_by_no_engine",
    _spoken(_NOTICES[0], "north-2", ok=False, right=True),
    *[_spoken(text, "north-2", ok=True) for text in _NOTICES[1:]],
)


def _feed(name: str, *, ok: bool, right: bool = False) -> SpanPlan:
    given = {"feed": name, "day": "2026-05-04"}
    if not ok:
        return tool("port.feed", given, None, seconds=0.5, right=right, **_REFUSED)
    return tool("port.feed", given, {"feed": name, "rows": 96, "unit": "cm"}, seconds=0.5)


SOUND.add(
    "copy_of_yesterday_for_one_feed_healthy",
    _feed("waves", ok=True),
    _feed("tides", ok=False),
    _feed("winds", ok=True),
    tool("archive.copy", {"feed": "tides"}, {"feed": "tides", "rows": 96, "age_h": 3}),
)
SOUND.add(
    "only_a_line_in_the_log_for_one_feed",
    _feed("waves", ok=True),
    _feed("tides", ok=False, right=True),
    _feed("winds", ok=True),
    _feed("fog", ok=True),
    _feed("ice", ok=True),
    tool("journal.line", {"missing": "tides"}, {"written": True}),
)


def _draft(number: int, text: str, *, ok: bool, right: bool = False) -> list[SpanPlan]:
    note = {} if ok else {"remark": "shorter, please"}
    written = model(says(text), asked=f"Write notice {number}, {text[:9]}", seconds=0.5)
    return [
        span("write_notice", written, input={"notice": number}, output=text),
        span("desk_check", input={"text": text}, output={"ok": ok, **note}, right=right),
    ]


SOUND.add(
    "notice_that_passed_in_its_fifth_draft_healthy",
    *[
        step
        for number in range(1, 6)
        for step in _draft(number, f"{'Long ' * (9 - number)}notice.", ok=number == 5)
    ],
    answer="Long Long Long Long notice.",
)
SOUND.add(
    "finish_with_an_argument_too_many_healthy",
    model(calls("finish", {"answer": "14 seats are left on the Alma."})),
    tool(
        "finish",
        {"answer": "14 seats are left on the Alma."},
        None,
        **failed("TypeError", "finish() takes no argument 'answer'"),
    ),
    answer="14 seats are left on the Alma.",
)
SOUND.add(
    "submit_that_failed_before_another_answer",
    model(calls("submit_booking", {"cabin": "B-204 with sea view"})),
    tool(
        "submit_booking",
        {"cabin": "B-204 with sea view"},
        None,
        right=True,
        **failed("TypeError", "submit_booking() lacks the argument 'name'"),
    ),
    model(says("Your cabin is booked.")),
    answer="Your cabin is booked.",
)


def _ranked(hits: list[Any], order: list[int], *, right: bool = False) -> list[SpanPlan]:
    query = "dogs on deck" if hits else "dogs on the roof of the wheelhouse"
    return [
        tool("vector_lookup", {"query": query, "top_k": 3}, {"hits": hits}),
        tool(
            "rerank",
            {"query": query, "n": len(hits)},
            {"order": order},
            right=right,
        ),
    ]


_HITS = [{"rule": "D-2", "text": "Dogs on deck 2."}, {"rule": "D-9", "text": "No dogs inside."}]
SOUND.add(
    "nothing_to_rank_at_first_healthy",
    *_ranked([], []),
    *_ranked(_HITS, [1, 0]),
    model(says("Dogs travel on deck 2, rule D-2."), asked="Dogs on deck 2? D-2, D-9"),
    answer="Dogs travel on deck 2, rule D-2.",
)
SOUND.add(
    "found_rules_that_were_ranked_away",
    *_ranked(_HITS, [], right=True),
    model(says("Dogs travel on deck 7, rule D-77."), asked="Dogs on deck?"),
    answer="Dogs travel on deck 7, rule D-77.",
)


def _ballast(step: int, opening: int, level: float) -> SpanPlan:
    """A step of an agent that opens a valve and reads the level, each inside a span of its
    framework with the name of the tool only."""
    valve = tool("set_valve", {"open": opening}, {"open": opening, "waited_s": 9}, seconds=9.0)
    gauge = tool("read_level", {"tank": "T-2"}, {"metres": level}, seconds=0.2)
    return span(
        "step",
        model(says(f"Step {step}"), asked=f"Step {step} of filling the tank", seconds=0.4),
        span("tools", valve, input={"calls": ["set_valve"]}, output={"open": opening}),
        span("tools", gauge, input={"calls": ["read_level"]}, output={"metres": level}),
        input={"step": step},
        output={"step": step},
    )


SOUND.add(
    "level_read_after_each_turn_of_a_valve_healthy",
    *[_ballast(step, 10 * step, 1.5 + step / 2) for step in range(1, 5)],
    answer="The tank is filled to 3.5 m.",
)


def _gauged(step: int, level: float) -> SpanPlan:
    return span(
        "watch",
        tool("gauge.value", {"gauge": "K-7"}, {"cm": level}, seconds=0.6),
        model(says(f"Slot {step} is safe."), asked=f"Is slot {step} safe?", seconds=0.2),
        input={"slot": step, "before": level - 3},
        output={"slot": step, "level": level},
    )


SOUND.add(
    "gauge_read_before_each_slot_healthy",
    *[_gauged(step, 80.5 + 3 * step) for step in range(1, 6)],
    answer="All slots are safe.",
)


def _searched(*after: SpanPlan, answer: str) -> list[SpanPlan]:
    return [
        model(calls("search_stories", {"query": "ghosts of pier 4"})),
        tool("search_stories", {"query": "ghosts of pier 4"}, {"hits": []}),
        *after,
        model(says(answer), asked="Tell the scene at pier 4."),
    ]


_SCENE = "Fog lies on the pier, a lamp swings, and nobody answers the bell."
SOUND.add(
    "scene_without_an_old_story_healthy",
    *_searched(
        model(calls("roll_dice", {"dice": "1d20"}), asked="ghosts of pier 4: no hits"),
        tool("roll_dice", {"dice": "1d20"}, {"total": 14}),
        answer=_SCENE,
    ),
    question="I ring the bell at pier 4.",
    answer=_SCENE,
)

_SECONDS = (0.5, 0.6, 4.4, 0.6, 0.7, 0.5, 0.6)
SOUND.add(
    "one_judgement_of_a_few_seconds_healthy",
    *[
        model(says(f"Letter {place} is kind."), asked=f"Is letter {place} kind?", seconds=seconds)
        for place, seconds in enumerate(_SECONDS)
    ],
)
SOUND.add(
    "one_judgement_of_half_a_minute",
    *[
        model(
            says(f"Letter {place} is kind."),
            asked=f"Is letter {place} kind?",
            seconds=seconds * 7,
            right=seconds > 4,
        )
        if seconds > 4
        else model(
            says(f"Letter {place} is kind."), asked=f"Is letter {place} kind?", seconds=seconds
        )
        for place, seconds in enumerate(_SECONDS)
    ],
)
SOUND.add(
    "first_call_of_a_service_that_wakes_up_healthy",
    *[
        tool("fare.of", {"route": route}, {"eur": 9 + route}, seconds=0.05 if route else 2.6)
        for route in range(6)
    ],
)


def _around(step: SpanPlan) -> list[SpanPlan]:
    usual = [
        tool("berth.open", {"berth": 4}, {"open": True}, seconds=0.2),
        tool("crew.of", {"ship": "Alma"}, {"crew": 12}, seconds=0.3),
    ]
    return [*usual, step, model(says("The hull is sound."), seconds=0.6)]


SOUND.add(
    "hull_sounding_that_takes_its_time_healthy",
    *_around(tool("hull.sounding", {"plates": 2210}, {"cracks": 0}, seconds=26.0)),
)
SOUND.add(
    "query_that_takes_as_long",
    *_around(
        tool(
            "pg.query", {"sql": "SELECT crack FROM hull"}, [{"crack": 1}], seconds=26.0, right=True
        )
    ),
)


def _checked(text: str, verdict: str, *, right: bool = False) -> SpanPlan:
    """A step around the guardrail of the SDK."""
    given, output = {"generation": text}, {"validation_passed": verdict == "passed"}
    guard = span(
        "Guardrail", type="guardrail", right=right, seconds=0.1, input=given, output=output
    )
    return span("leave_check", guard, input={"text": text}, output=output)


_DRAFT = "The skipper of the Alma is Jana Poll, mobile 0171 555 19 20."
SOUND.add(
    "guardrail_passed_the_second_draft_healthy",
    _checked(_DRAFT, "failed"),
    model(says("The skipper can be reached by the harbour office."), asked=_DRAFT, name="redact"),
    _checked("The skipper can be reached by the harbour office.", "passed"),
)
SOUND.add(
    "guardrail_failed_and_nothing_was_written_anew",
    _checked("Where does the Alma lie?", "passed"),
    _checked(_DRAFT, "failed", right=True),
    answer="I cannot answer that.",
)


def _polled(state: str) -> list[SpanPlan]:
    return [
        tool("sleep", {"seconds": 8}, {"slept": 8}, seconds=8.0),
        tool("dredger.job", {"job": "D-9"}, {"job": "D-9", "state": state}, seconds=0.1),
    ]


SOUND.add(
    "pauses_between_looks_at_a_job_healthy",
    *[
        plan
        for state in ("queued", "10 %", "30 %", "45 %", "70 %", "90 %", "done")
        for plan in _polled(state)
    ],
    answer="The channel is dredged.",
)
SOUND.add(
    "one_usual_time_out_healthy",
    tool("toll.pay", {"ship": "Alma"}, None, seconds=5.0, **_TIMED_OUT),
    tool("toll.pay", {"ship": "Alma"}, {"state": "paid"}, seconds=0.6),
    answer="The toll is paid.",
)
SOUND.add(
    "short_checks_one_after_another_healthy",
    *[
        tool("bollard.check", {"bollard": number}, {"load": 3 + number}, seconds=0.25)
        for number in range(12)
    ],
    answer="All twelve bollards hold.",
)
