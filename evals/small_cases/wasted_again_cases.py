"""Time and money spent for nothing that names and words hide: misses stated in another language,
rules in another order, items worked off by spans named after them, desks that research alike, a
branch nobody waited for; an error that another desk outlived; healthy twins."""

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

MISSES = CaseList("missed_lookup")
ORDER = CaseList("prompt_order")
NAMED_ITEMS = CaseList("named_items")
DESKS = CaseList("desks")
BESIDE = CaseList("beside")
OUTLIVED_ROOT = CaseList("outlived_root")
READ_AGAIN = CaseList("read_again")


def _memoised(number: int, key: str, miss: dict[str, object], *, right: bool) -> SpanPlan:
    return span(
        "etappe",
        tool("cache.lies", {"schluessel": key}, miss, seconds=0.02, right=right),
        model(says(f"Leg {number} is short."), asked=f"Describe leg {number}", seconds=0.8),
        tool("cache.schreib", {"schluessel": key}, {"ok": True}, seconds=0.02),
        input={"leg": number},
        at=0.0,
        right=right,
    )


MISSES.add(
    "flag_in_another_language",
    *[
        _memoised(
            number,
            (key := f"leg:{number}:2026-05-04T09:00:00"),
            {"treffer": False, "schluessel": key},
            right=True,
        )
        for number in range(5)
    ],
    says="each key holds the time",
)
MISSES.add(
    "first_run_of_a_cache_healthy",
    *[_memoised(number, f"leg:{number}", {"treffer": False}, right=False) for number in range(5)],
)
MISSES.add(
    "hits_that_are_not_stale_healthy",
    *[
        _memoised(
            number,
            f"leg:{number}:2026-05-04T09:00:00",
            {"veraltet": False, "text": f"Leg {number} is short."},
            right=False,
        )
        for number in range(5)
    ],
)


# A list in the prompt that comes in another order.
_QUAYS = ("north", "south", "east", "west")
_BERTHS = [f"B-{100 + 7 * n}: quay {_QUAYS[n % 4]}" for n in range(400)]


def _asked_about(number: int, shift: int, cached: int, *, right: bool) -> list[SpanPlan]:
    listed = "; ".join(_BERTHS[shift:] + _BERTHS[:shift])
    usage = {"prompt_tokens": 3_100, "completion_tokens": 20}
    usage["original_usage.prompt_tokens_details.cached_tokens"] = cached
    first = {"berths": 400, "first": _BERTHS[shift][:5]}
    return [
        tool("berths.reload", {"before": number}, first, seconds=0.05),
        model(
            says(f"Berth {number} is free."),
            asked=[
                {"role": "system", "content": f"All berths. {listed}"},
                {"role": "user", "content": f"Is berth {number} free?"},
            ],
            usage=usage,
            right=right,
        ),
    ]


_KEPT = [each for n in range(4) for each in _asked_about(n, 0, 2_048 * (n > 0), right=False)]
ORDER.add(
    "list_in_another_order",
    *_KEPT,
    *[each for n in range(4, 8) for each in _asked_about(n, 90 * (n - 3), 0, right=True)],
)
ORDER.add(
    "list_in_the_same_order_healthy",
    *_KEPT,
    *[each for n in range(4, 8) for each in _asked_about(n, 0, 2_048, right=False)],
)


# Items in a row, each in a span of its own name.
def _field(name: str, *, at: float | None, right: bool) -> SpanPlan:
    return span(
        f"field.{name}",
        tool("probe.read", {"probe": f"P-{name}"}, {"moisture": len(name)}, seconds=1.8),
        tool("satellite.index", {"field": name}, {"index": 0.5}, seconds=1.6),
        model(says(f"Water {name} at nine."), asked=f"Field {name}: 17 %, index 0.5", seconds=0.6),
        input={"field": name},
        output={"plan": f"Water {name} at nine."},
        at=at,
        right=right,
    )


_FIELDS = ("north", "hill", "orchard", "brook", "meadow", "barn")
NAMED_ITEMS.add(
    "one_after_another",
    span(
        "all_fields",
        *[_field(name, at=None, right=True) for name in _FIELDS],
        input={"fields": 6},
        right=True,
    ),
    says="one after another",
)
NAMED_ITEMS.add(
    "at_once_healthy",
    span("all_fields", *[_field(name, at=0.0, right=False) for name in _FIELDS]),
)


# Desks that each research what the first had found.
def _desk(name: str, item: str, *, shares: bool, right: bool) -> SpanPlan:
    told = f"{item} was built by Holm in 1931 and sold twice."
    research = span(
        "research_ship",
        tool("archive", {"ship": item}, {"refs": ["A-19", "A-44"]}, seconds=1.1, right=right),
        model(says(told), asked=f"History of {item}: A-19, A-44", seconds=0.8, right=right),
        input={"ship": item},
        output={"history": told},
        right=right,
    )
    own = model(says(f"{name}: {item}, noted."), asked=f"You are the {name}. {told}", seconds=0.7)
    return span(name, *([research] if shares else []), own, input={"ship": item}, right=right)


_SHIPS = ("Alma", "Tern", "Skua")
DESKS.add(
    "each_desk_researches_the_same",
    *[
        _desk(name, item, shares=True, right=True)
        for item in _SHIPS
        for name in ("valuer", "writer", "insurer")
    ],
    says="did the same work",
)
DESKS.add(
    "first_desk_researches_healthy",
    *[
        _desk(name, item, shares=name == "valuer", right=False)
        for item in _SHIPS
        for name in ("valuer", "writer", "insurer")
    ],
)


def _delegated(name: str, task: str, *, right: bool) -> SpanPlan:
    found = {"closed": ["north quay", "pier 3"], "until": "12 October"}
    return span(
        f"{name}.run",
        tool("web_search", {"query": f"{task} {name}" if not right else task}, found, seconds=3.0),
        model(says("North quay and pier 3 are closed."), asked=f"{task} {found}", seconds=1.4),
        input={"task": task},
        output={"content": "North quay and pier 3 are closed."},
        right=right,
    )


DESKS.add(
    "two_members_got_one_task",
    *[_delegated(name, "Which quays are closed?", right=True) for name in ("scout", "reporter")],
    answer="North quay and pier 3 are closed until 12 October.",
)
DESKS.add(
    "two_members_search_differently_healthy",
    *[_delegated(name, "Which quays are closed?", right=False) for name in ("scout", "reporter")],
    answer="North quay and pier 3 are closed until 12 October.",
)


def _specimen_worker(number: int, specimens: tuple[str, ...], *, right: bool) -> SpanPlan:
    return span(
        f"worker_{number}",
        *[
            span(
                "annotate_sample",
                tool("get_sample", {"sample": each}, {"depth_cm": 21, "of": each}, seconds=0.4),
                model(says(f"{each}: silt with shells."), asked=f"Annotate {each}", seconds=1.1),
                input={"sample": each},
                output={"sample": each, "note": "silt with shells"},
                right=right,
            )
            for each in specimens
        ],
        at=0.0,
        input={"samples": list(specimens)},
        right=right,
    )


DESKS.add(
    "workers_share_their_samples",
    *[_specimen_worker(number, ("mud-4", "mud-5", "mud-6"), right=True) for number in range(2)],
    says="did the same work",
)
DESKS.add(
    "workers_split_the_samples_healthy",
    _specimen_worker(0, ("mud-4", "mud-5", "mud-6"), right=False),
    _specimen_worker(1, ("mud-7", "mud-8", "mud-9"), right=False),
)


# A branch of several steps that ran longer than the step that all waited for.
def _prepared(*, beside: float, right: bool) -> list[SpanPlan]:
    pages = [tool("draw_page", {"page": n}, {"drawn": n}, seconds=beside / 3) for n in range(3)]
    return [
        span("draw_album", *pages, input={"album": 4}, output={"pages": 3}, at=0.0),
        span(
            "gather",
            tool("transcribe_talk", {"file": "t.mp3"}, {"words": 2_210}, seconds=7.5, right=right),
            tool("read_notes", {"file": "n.txt"}, {"lines": 40}, seconds=0.6, at=0.0),
            at=0.0,
        ),
        model(says("She knows the harbour."), asked="Judge the talk.", seconds=2.0, at=7.6),
        model(says("Give her the berth."), asked="Decide.", seconds=1.5, at=9.7),
    ]


BESIDE.add(
    "longer_branch_delays_nothing",
    *_prepared(beside=9.0, right=True),
    answer="Give her the berth.",
    says="draw_album ran longer beside it",
)
BESIDE.add(
    "transcription_is_the_work_healthy",
    *_prepared(beside=3.0, right=False),
    answer="Give her the berth.",
)


# Steps without a span around them: the trace names the error that ended it.
_SPEAKER = failed("Exception", "", "ConnectionResetError: the speaker is off")
_LOCKED = failed("Exception", "", "RegisterLocked: no access for desk 17")


def _steps_of_a_graph(*, ends: bool) -> list[SpanPlan]:
    return [
        span("announce", tool("speaker", {"text": "Boarding"}, None, **_SPEAKER), **_SPEAKER),
        tool("note", {"text": "not announced"}, {"noted": True}),
        span(
            "check_in",
            tool("register", {"guest": 7}, None, right=True, **_LOCKED),
            right=True,
            **_LOCKED,
        )
        if ends
        else tool("register", {"guest": 7}, {"guest": "Ida"}),
    ]


OUTLIVED_ROOT.add_flat(
    "first_error_was_outlived",
    *_steps_of_a_graph(ends=True),
    input={"guest": 7},
    says="RegisterLocked",
    **_LOCKED,
)


# One long lookup that two agents make, each for itself.
def _reads(
    agent: str, *, seconds: float, tons: int = 412, called: str = "read_log", right: bool = False
) -> SpanPlan:
    return span(
        agent,
        model(says(f"{agent} needs the log."), asked=f"You are {agent}.", seconds=1.2),
        tool(called, {"ship": "Tern", "year": 2025}, {"tons": tons}, seconds=seconds, right=right),
        model(says(f"{agent}: {tons} t"), asked=f"You are {agent}: {tons} t", seconds=1.4),
        input={"agent": agent},
        output={"says": f"{agent}: {tons} t"},
        right=right,
    )


READ_AGAIN.add(
    "log_read_by_two_agents",
    _reads("tariff agent", seconds=6.0, right=True),
    _reads("safety agent", seconds=6.0, right=True),
    answer="The Tern carried 412 t.",
    says="made again",
)
READ_AGAIN.add(
    "log_read_twice_in_no_time_healthy",
    _reads("tariff agent", seconds=0.3),
    _reads("safety agent", seconds=0.3),
    answer="The Tern carried 412 t.",
)
READ_AGAIN.add(
    "log_that_has_changed_healthy",
    _reads("tariff agent", seconds=6.0),
    tool("add_trip", {"ship": "Tern", "tons": 9}, {"added": True}, seconds=1.0),
    _reads("safety agent", seconds=6.0, tons=421),
    answer="The Tern carried 421 t.",
)
READ_AGAIN.add(
    "log_read_by_a_second_judge_healthy",
    _reads("first judge", seconds=6.0),
    _reads("second judge", seconds=6.0),
    answer="The Tern carried 412 t.",
)
