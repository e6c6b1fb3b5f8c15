"""Time and money spent for nothing: waits, lost caches, equal work, work in a row, loops."""

from typing import Any

from evals.small_cases.builder import (
    CaseList,
    Json,
    SpanPlan,
    calls,
    model,
    says,
    span,
    tool,
)

FIRST_TOKEN = CaseList("first_token")
CACHE = CaseList("lost_cache")
EQUAL_WORK = CaseList("equal_work")
SERIAL = CaseList("serial_work")
LOOPS = CaseList("loop")

_GAVE_UP = "Sorry, I could not finish this."


# The first token of a streamed call.
def _streamed(
    name: str, seconds: float, first_ms: float, *, sentences: int = 2, right: bool = False
) -> None:
    FIRST_TOKEN.add(
        name,
        tool("load_profile", {"user": 7}, {"name": "Ida"}, seconds=0.2),
        model(
            says("There are 14 seats left, and the ferry to the island is on time. " * sentences),
            tokens=(640, 16 * sentences),
            seconds=seconds,
            ttft=first_ms,
            metadata={"stream": True},
            right=right,
        ),
    )


_streamed("most_of_the_call", 21.0, 19_200.0, right=True)
_streamed("nearly_all_of_a_shorter_call", 9.0, 8_300.0, right=True)
_streamed("long_text_at_usual_speed_healthy", 21.0, 600.0, sentences=80)
_streamed("short_call_healthy", 0.9, 700.0)


def _timed(name: str, metadata: Json) -> None:
    text = "There are 14 seats left, and the ferry to the island is on time. " * 2
    call = model(says(text), tokens=(640, 32), seconds=21.0, metadata=metadata, right=True, at=0.0)
    FIRST_TOKEN.add(f"moment_of_{name}", call)


_timed("litellm", {"completion_start_time": "2026-05-04T09:00:19.2Z"})
_timed("langfuse", {"completionStartTime": "2026-05-04T09:00:19.2+00:00"})
_FIRST_CHUNK = {"name": "First Token Stream Event", "timestamp": "2026-05-04T09:00:19.3Z"}
_timed("openinference", {"opentelemetry.events": [_FIRST_CHUNK]})


# Cached tokens of a long prompt that repeats.
def _cached_calls(cached: list[int], key: str, wrong_from: int = 99) -> list[SpanPlan]:
    """The turns of one conversation behind the same long instructions.

    `cached` are the tokens read from the cache; from turn `wrong_from` on the instructions begin
    with the time, which changes.
    """
    rules = "You sell ferry tickets. " + "Rule: be brief and name the sailing. " * 120
    history: list[Json] = []
    turns = []
    for number, tokens in enumerate(cached):
        history.append({"role": "user", "content": f"Question {number} about the timetable?"})
        lost = number >= wrong_from
        first = {"role": "system", "content": f"Now: 09:0{number}\n{rules}" if lost else rules}
        answer = says(f"Answer {number}: sailing {number + 4} leaves on time.")
        prompt = 4_300 + 20 * number
        usage = {"prompt_tokens": prompt, "completion_tokens": 30, key: tokens}
        turns.append(model(answer, asked=[first, *history], usage=usage, right=lost))
        history.append(answer["choices"][0]["message"])
    return turns


def _with_each_provider() -> None:
    keys = {
        "openai": "original_usage.prompt_tokens_details.cached_tokens",
        "anthropic": "cache_read_input_tokens",
        "gemini": "original_usage.cached_content_token_count",
    }
    for provider, key in keys.items():
        lost = _cached_calls([0, 4_096, 4_096, 4_096, 0, 0, 0], key, wrong_from=4)
        CACHE.add(f"{provider}_prefix_changed", *lost, says="cach")
        kept = _cached_calls([0, 4_096, 4_096, 4_096, 4_096, 4_096], key)
        CACHE.add(f"{provider}_prefix_kept_healthy", *kept)
        never = _cached_calls([0] * 6, key, wrong_from=0)
        CACHE.add(f"{provider}_prefix_never_the_same", *never, says="begin alike but for numbers")
        CACHE.add(f"{provider}_nothing_cached_healthy", *_cached_calls([0] * 6, key))


_with_each_provider()


def _look_ups(hits: list[bool], *, right: bool) -> list[SpanPlan]:
    """Pairs of a cache look-up and, where it missed, the work that it was to save."""
    steps = []
    for number, hit in enumerate(hits):
        given = {"key": f"route:{number % 3}:{'09:00:0' + str(number) if right else 'v2'}"}
        found = {"hit": hit, "value": [0.1, 0.2] if hit else None}
        steps.append(tool("cache_get", given, found, right=right, seconds=0.02))
        if not hit:
            inner = {"route": number % 3}
            steps.append(tool("compute_route", inner, {"km": 10 + number % 3}, right=right))
    return steps


CACHE.add("look_up_always_misses", *_look_ups([False] * 9, right=True))
CACHE.add("look_up_misses_once_each_healthy", *_look_ups([False] * 3 + [True] * 6, right=False))


# The same work under several parents.
def _worker(number: int, topics: list[str], *, right: bool = False) -> SpanPlan:
    searches = [
        tool("search_archive", {"topic": topic}, {"hits": [f"{topic} in 1907"]}, right=right)
        for topic in topics
    ]
    told = model(says(f"Notes on {', '.join(topics)}."), asked=f"Sum up {topics}", right=right)
    return span(f"worker_{number}", *searches, told, input={"topics": topics}, right=right, at=0.0)


_TOPICS = ["lighthouses", "pilots", "fog signals", "harbour dues"]
EQUAL_WORK.add(
    "two_workers_same_topics",
    model(says("Both workers take all topics."), name="plan_work", right=True),
    span("work", *[_worker(number, _TOPICS, right=True) for number in range(2)], right=True),
)
EQUAL_WORK.add(
    "three_workers_same_topics",
    span("plan_work", output={"topics": [_TOPICS] * 3}, right=True),
    span("work", *[_worker(number, _TOPICS, right=True) for number in range(3)], right=True),
)
EQUAL_WORK.add(
    "workers_with_their_own_topics_healthy",
    model(says("Each worker takes one topic."), name="plan_work"),
    span("work", *[_worker(number, [topic]) for number, topic in enumerate(_TOPICS)]),
)
EQUAL_WORK.add(
    "each_worker_reads_the_same_settings_healthy",
    span(
        "work",
        *[
            span(
                f"worker_{number}",
                tool("load_settings", {"name": "default"}, {"language": "nb"}, seconds=0.02),
                tool("search_archive", {"topic": topic}, {"hits": [f"{topic} in 1907"]}),
                at=0.0,
            )
            for number, topic in enumerate(_TOPICS)
        ],
    ),
)


def _edit(number: int, *, changes: bool, right: bool = False) -> SpanPlan:
    """A step that runs all tests, after it wrote a file or looked at one."""
    file = {"path": f"timetable_{number}.py"}
    touched = (
        tool("write_file", file | {"text": f"SAILINGS = {number}"}, {"ok": True}, seconds=0.05)
        if changes
        else tool("read_file", file, {"text": f"SAILINGS = {number}"}, seconds=0.05)
    )
    return span(
        "step",
        touched,
        tool("run_tests", {"folder": "timetables"}, {"passed": 41}, seconds=4.0, right=right),
        tool("check_types", {"folder": "timetables"}, {"errors": 0}, seconds=3.0, right=right),
        tool("check_style", {"folder": "timetables"}, {"warnings": 0}, seconds=2.0, right=right),
        input={"n": number, "file": file["path"]},
        output={"file": file["path"], "done": True},
        right=right,
    )


EQUAL_WORK.add(
    "tests_after_each_edit_healthy",
    *[_edit(number, changes=True) for number in range(6)],
    answer="Six timetables are migrated.",
)
EQUAL_WORK.add(
    "tests_though_nothing_was_changed",
    *[_edit(number, changes=False, right=True) for number in range(6)],
    answer="Six timetables were looked at.",
)


# Steps of several spans, one after the other although none needs the one before.
def _page(number: int, *, chained: bool, at: float | None, right: bool) -> SpanPlan:
    given: Json = {"page": number}
    if chained:
        given["summary_so_far"] = f"Summary up to page {number - 1}: {'pier ' * number}."
    told = f"Summary up to page {number}: {'pier ' * (number + 1)}."
    return span(
        "read_page",
        tool("scan", {"page": number}, {"text": f"Page {number}"}, seconds=0.8, right=right),
        model(
            says(told), asked=[{"role": "user", "content": str(given)}], seconds=1.2, right=right
        ),
        input=given,
        output={"summary": told} if chained else {"text": f"Page {number}"},
        at=at,
        right=right,
    )


SERIAL.add(
    "independent_pages",
    span(
        "read_book",
        *[_page(number, chained=False, at=None, right=True) for number in range(10)],
        right=True,
    ),
)
SERIAL.add(
    "independent_tool_calls",
    *[
        tool(
            "fetch_tide", {"harbour": f"H{number}"}, {"tide_cm": 90 + number}, right=True, seconds=2
        )
        for number in range(9)
    ],
    model(says("The tides are between 90 and 98 cm."), seconds=0.8),
)
SERIAL.add(
    "parallel_pages_healthy",
    span("read_book", *[_page(n, chained=False, at=0.0, right=False) for n in range(10)]),
)
SERIAL.add(
    "each_page_needs_the_one_before_healthy",
    span("read_book", *[_page(n, chained=True, at=None, right=False) for n in range(6)]),
)


def _loop_over_harbours(at_once: int, seconds: float, *, right: bool = False) -> SpanPlan:
    """A loop of a workflow engine over three harbours, which states how many it runs at once."""
    steps = [
        span(
            f"workflow step: 'report-{harbour}'",
            tool("tool: 'tide-table'", {"harbour": harbour}, {"cm": 80 + number}, right=right),
            model(says(f"High water in {harbour} at noon."), asked=harbour, seconds=seconds),
            input={"harbour": harbour},
            output={"harbour": harbour, "text": f"High water in {harbour} at noon."},
            right=right,
        )
        for number, harbour in enumerate(("Bergen", "Florø", "Måløy"))
    ]
    return span("loop: 'foreach'", *steps, right=right, metadata={"maxConcurrency": at_once})


SERIAL.add("loop_set_to_one_at_a_time", _loop_over_harbours(1, 3.5, right=True))
SERIAL.add("loop_that_needs_two_seconds_healthy", _loop_over_harbours(1, 0.2))
SERIAL.add("loop_with_a_limit_of_four_healthy", _loop_over_harbours(4, 3.5))
SERIAL.add(
    "batch_of_quick_labels_healthy",
    span(
        "label_entries",
        *[
            span(
                "entry",
                model(says(f"Class {number % 4}"), asked=f"Log entry {number}", seconds=0.5),
                tool("look_up_class", {"class": number % 4, "entry": number}, {}, seconds=0.05),
                input={"entry": number},
                output={"class": number % 4},
            )
            for number in range(40)
        ],
    ),
)
SERIAL.add(
    "few_seconds_of_answers_healthy",
    span(
        "answer_letters",
        *[
            span(
                "letter",
                model(says(f"Dear guest {number}, thank you."), asked=f"Letter {number}"),
                input={"letter": number},
                output={"sent": f"Dear guest {number}, thank you."},
            )
            for number in range(7)
        ],
    ),
)


# Loops, and what only looks like one.
def _agent_turn(given: Json, result: Any, *, right: bool) -> SpanPlan:
    return span(
        "agent_turn",
        model(calls("find_berth", given), asked="Find a berth.", right=right),
        tool("find_berth", given, result, right=right),
        right=right,
    )


LOOPS.add(
    "agent_asks_the_same_again",
    *[_agent_turn({"length_m": 200}, {"berths": []}, right=True) for _ in range(7)],
    answer=_GAVE_UP,
)
LOOPS.add(
    "same_failing_call",
    *[
        tool("find_berth", {"length_m": "long"}, {"error": "length_m must be a number"}, right=True)
        for _ in range(5)
    ],
    answer=_GAVE_UP,
)
LOOPS.add(
    "queue_that_moves_healthy",
    *[
        tool("poll_lock", {"ticket": 5}, {"position": left, "state": "waiting"}, seconds=2)
        for left in (40, 31, 22, 12, 4)
    ],
    tool("poll_lock", {"ticket": 5}, {"position": 0, "state": "open"}),
    answer="The lock is open.",
)
LOOPS.add(
    "pages_of_a_list_healthy",
    *[
        tool(
            "list_berths",
            {"cursor": f"after-berth-{page}"},
            {"berths": [page * 2, page * 2 + 1], "next": f"after-berth-{page + 1}"},
        )
        for page in range(7)
    ],
    answer="There are 14 berths.",
)
LOOPS.add(
    "same_question_to_each_item_healthy",
    *[
        model(says(f"Ship {ship} is fine."), asked=f"Check ship {ship}.", name="check_ship", at=0.0)
        for ship in ("Anna", "Berta", "Clara", "Dora", "Emma")
    ],
    answer="All ships are fine.",
)
LOOPS.add(
    "sensor_read_again_healthy",
    *[tool("read_wind", {"mast": 2}, {"m_s": speed}) for speed in (4.1, 4.4, 5.0, 5.2)],
    answer="The wind grows.",
)


def _review_round(number: int, *, right: bool, verdict: str) -> list[SpanPlan]:
    wish = "Shorter, please." if number % 2 else "Give more detail, please."
    text = "Short text." if number % 2 else "Long text with all detail about the pier and the sea."
    return [
        span(
            "writer",
            model(says(text), asked=wish, right=right),
            input={"wish": wish},
            output={"text": text},
            right=right,
        ),
        span(
            "reviewer",
            model(says(verdict or wish), asked=text, right=right),
            input={"text": text},
            output={"verdict": verdict or wish},
            right=right,
        ),
    ]


LOOPS.add(
    "writer_and_reviewer_undo_each_other",
    *[step for n in range(6) for step in _review_round(n, right=True, verdict="")],
    answer=_GAVE_UP,
)
LOOPS.add(
    "review_in_two_rounds_healthy",
    *_review_round(0, right=False, verdict=""),
    *_review_round(1, right=False, verdict="Approved."),
    answer="Short text.",
)
LOOPS.add(
    "desks_hand_a_case_to_each_other",
    *[
        span(
            desk,
            model(calls(f"transfer_to_{other}", {}), asked="My ticket is wrong.", right=True),
            input={"case": "My ticket is wrong."},
            output={"transfer": other},
            right=True,
        )
        for _ in range(4)
        for desk, other in (("ticket_desk", "refund_desk"), ("refund_desk", "ticket_desk"))
    ],
    answer="Our desks are busy.",
)


def _each_pier(name: str, around: str, *, right: bool) -> None:
    steps = [
        span(
            "iteration",
            tool("read_tide", {"pier": pier}, {"tide": 20 + n, "of": f"{pier} side"}, seconds=4.0),
            input={"pier": pier, "index": n},
            output={"pier": pier, "tide": 20 + n},
            right=right,
        )
        for n, pier in enumerate(["North", "South", "Mill", "Long"])
    ]
    SERIAL.add(
        name,
        span(around, *steps, input={"piers": 4}, output={"read": 4}, right=right),
        model(says("All tides are read.")),
        answer="All tides are read.",
    )


_each_pier("rounds_over_items", "foreach", right=True)
