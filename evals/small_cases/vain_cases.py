"""Work done in vain: caches that cannot serve, set-up that is repeated, answers that are refined
without effect; and their healthy twins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

TIMED_KEYS = CaseList("timed_key")
SETUP = CaseList("repeated_setup")
REFINED = CaseList("vain_refinement")

_BEGAN = datetime(2026, 5, 4, 9, tzinfo=UTC)
_EACH = 2.0  # seconds from one item to the next


# Caches whose keys hold the time of the lookup; no item comes twice.
def _lookups(
    name: str, key: Callable[[str, datetime], str], missed: Any = None, *, healthy: bool = False
) -> None:
    items = []
    for number, harbour in enumerate(["Ulvik", "Odda", "Eidfjord", "Norheim", "Jondal"]):
        begins = _BEGAN + timedelta(seconds=number * _EACH)
        given = {"key": key(harbour, begins)}
        items.append(
            span(
                "summarise",
                tool("cache.get", given, missed, seconds=0.01, right=not healthy),
                model(says(f"{harbour} is open."), asked=f"Sum up {harbour}.", right=not healthy),
                input={"harbour": harbour},
                output=f"{harbour} is open.",
                at=number * _EACH,
            )
        )
    ending = "_healthy" if healthy else ""
    TIMED_KEYS.add(f"{name}{ending}", *items, answer="All are open.", says="" if healthy else "key")


_lookups("iso_time", lambda harbour, at: f"{harbour}|{at.isoformat()}")
_lookups("zulu_time_and_flag", lambda harbour, at: f"s:{at:%Y-%m-%dT%H:%M:%S.%fZ}", {"hit": False})
_lookups("time_of_a_zone", lambda harbour, at: f"{harbour} {at:%Y-%m-%d} {at:%H:%M:%S}+00:00")
_lookups("seconds_since_1970", lambda harbour, at: f"{harbour}:{at.timestamp():.0f}")
_lookups("milliseconds", lambda harbour, at: f"{harbour}-{int(at.timestamp() * 1000)}")
_lookups("key_of_the_item", lambda harbour, _: f"sum:{harbour}", healthy=True)
_lookups("key_of_the_hour", lambda harbour, at: f"{harbour}:{at:%Y-%m-%dT%H:00}", healthy=True)
_lookups("key_of_last_change", lambda harbour, _: f"{harbour}:2026-03-01T07:12:44", healthy=True)


# Set-up before each step, and steps that only look like it.
def _inside(name: str, setup: Callable[[int], SpanPlan], **more: Any) -> None:
    """A set-up inside each of several steps with inputs of their own."""
    plans = [
        span(
            "run_query",
            setup(number),
            tool("execute_sql", {"sql": f"select {number}"}, {"rows": [number]}, seconds=0.4),
            input={"report": f"quay {number}", "after": f"mark-{number}-end"},
            output={"rows": 1, "mark": f"mark-{number + 1}-end"},
        )
        for number in range(4)
    ]
    SETUP.add(name, *plans, answer="All reports are there.", **more)


def _between(name: str, setup: Callable[[int], SpanPlan], **more: Any) -> None:
    """A set-up beside the calls, one before each."""
    plans = []
    for number in range(4):
        given = {"ferry": f"F-{number}", "after": f"mark-{number}-end"}
        found = {"at": f"pier {number}", "mark": f"mark-{number + 1}-end"}
        plans += [setup(number), tool("track", given, found, seconds=0.3)]
    SETUP.add(name, *plans, answer="All ferries are found.", **more)


def _login(number: int) -> SpanPlan:
    token = {"token": f"tk-{number}9f{number}c", "expires_in": 3_600}
    return span("oauth.login", input={"client": "desk"}, output=token, seconds=2, right=True)


def _connect(number: int) -> SpanPlan:
    hello = {"jsonrpc": "2.0", "method": "initialize", "params": {"client": "desk"}}
    return span(
        "open_session",
        span(
            "initialize",
            input={"request": hello | {"id": number}},
            output={"response": {"jsonrpc": "2.0", "id": number, "result": {"server": "piers"}}},
            seconds=2.5,
            right=True,
        ),
        right=True,
    )


def _install(number: int) -> SpanPlan:
    report = {"exit_code": 0, "stdout": f"Installed {40 + number} packages in {7 + number}.2s"}
    return tool("shell", {"cmd": "pip install -r requirements.txt"}, report, seconds=8, right=True)


def _wait(number: int) -> SpanPlan:
    return span("rate_limiter.acquire", input={"key": "piers"}, output={"ok": True}, seconds=2)


def _take_job(number: int) -> SpanPlan:
    job = {"ferry": ["Ulvik", "Odda", "Jondal", "Eidfjord"][number], "cars": 12 * number}
    return span("next_job", input={"queue": "loads"}, output=job, seconds=2)


def _quick_login(number: int) -> SpanPlan:
    return span("oauth.login", input={"client": "desk"}, output={"ok": True}, seconds=0.05)


for _place, _add in {"inside": _inside, "between": _between}.items():
    _add(f"login_{_place}", _login, says="oauth.login ran 4 times")
    _add(f"session_{_place}", _connect, says="open_session ran 4 times")
    _add(f"install_{_place}", _install, says="shell ran 4 times")
    _add(f"limiter_{_place}_healthy", _wait)
    _add(f"queue_{_place}_healthy", _take_job)
    _add(f"quick_login_{_place}_healthy", _quick_login)


# Answers that are given to the model again with each part of a text.
_FARE = "A cabin costs 1,200 kroner, and dogs travel free of charge."
_PARTS = [
    "Dogs travel free.",
    "The café opens at 7.",
    "Deck 4 is closed.",
    "Bikes cost 50.",
    "Fog.",
]
_PARTS += ["Lifts stop at 22.", "Lockers cost 20."]


def _refined(name: str, answers: list[str], *, template: str = "{}\n{}", **more: Any) -> None:
    healthy = name.endswith("_healthy")
    calls, before = [], "No answer yet, as nothing was read."
    for part, answer in zip(_PARTS, answers, strict=False):
        asked = template.format(before, part)
        calls.append(model(says(answer), asked=asked, right=not healthy))
        before = answer
    text = more.pop("text", answers[-1])
    REFINED.add(name, span("sum_up", *calls, output={"answer": text}), answer=text, **more)


_TEMPLATE = "Better the answer with this part, else repeat it.\nAnswer: {}\nPart: {}"
_refined("same_from_the_second_on", [_FARE] * 7, template=_TEMPLATE, says="unchanged in 6")
_refined("two_answers", ["No fares are stated."] * 3 + [_FARE] * 4, says="unchanged in 5")
_refined(
    "polished_at_the_end",
    [_FARE] * 6 + ["A cabin is 1,200 kroner; dogs are free."],
    text="A cabin is 1,200 kroner; dogs are free.",
)
_refined("quoted", ['It is called "Fjord Line" there.'] * 7, template="{}\n\n---\n{}")
_refined("each_part_adds_healthy", [f"{_FARE} {part}" for part in _PARTS])
_refined("settled_after_some_healthy", [f"{_FARE} {part}" for part in _PARTS[:4]] + [_FARE] * 3)
_refined("short_verdicts_healthy", ["ok"] * 7)
_refined(
    "nothing_new_on_watch_healthy", ["All is well on the quay."] * 7, text="The watch has ended."
)
