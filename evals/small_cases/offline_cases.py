"""One item of many that could not be read: a step that gave a value for it all the same, as healthy
programs do, and steps that gave nothing or too many of them."""

from typing import Any

from evals.small_cases.builder import CaseList, Json, SpanPlan, failed, model, says, span, tool

OFFLINE = CaseList("offline")

_SILENT = failed("ModbusTimeout", "no answer from unit within 800 ms", "")
_ANSWER = "The mean level of the basin is 3.2 m."


def _level(number: int, given: Any, *, reads: bool = True, right: bool = False) -> SpanPlan:
    """A step for one gauge; `given` is what it returned."""
    asked = {"gauge": f"G-{number:02}"}
    read: Json = {"output": {"m": 3.0 + number / 10}} if reads else _SILENT
    return span(
        "level_of",
        span("modbus.read", type="tool", input=asked, right=right, seconds=0.2, **read),
        input=asked,
        output=given,
        at=0.0,
    )


def _basin(odd: SpanPlan, *more: SpanPlan, many: int = 9) -> list[SpanPlan]:
    levels = [_level(number, 3.0 + number / 10) for number in range(many)]
    return [
        span("read_basin", *levels, odd, *more, output=3.2),
        model(says(_ANSWER), asked="How deep is the basin? Levels: 3.0 to 3.9 m."),
    ]


OFFLINE.add("mean_of_neighbours_healthy", *_basin(_level(10, 3.45, reads=False)), answer=_ANSWER)
OFFLINE.add(
    "nothing_for_a_gauge", *_basin(_level(10, None, reads=False, right=True)), answer=_ANSWER
)
OFFLINE.add("zero_for_a_gauge", *_basin(_level(10, 0.0, reads=False, right=True)), answer=_ANSWER)
OFFLINE.add(
    "most_gauges_are_silent",
    *_basin(
        *[_level(number, 3.4, reads=False, right=True) for number in range(10, 18)],
        many=4,
    ),
    answer=_ANSWER,
)


def _price(shop: str, given: Json, *, reads: bool = True) -> SpanPlan:
    """A step of a worker for one shop, with the call of a shop's service below it."""
    error = failed("ConnectError", f"{shop}: connection refused", "")
    return span(
        "price_in_shop",
        span(
            "http.get",
            type="tool",
            input={"url": f"https://{shop}.example/p/77"},
            seconds=0.3,
            **({"output": {"status": 200, "body": '{"eur": 12.5}'}} if reads else error),
        ),
        input={"shop": shop},
        output=given,
        at=0.0,
    )


OFFLINE.add(
    "price_from_a_copy_healthy",
    *[_price(shop, {"eur": 12.5}) for shop in ("nord", "sued", "west", "mitte", "hafen")],
    _price("ost", {"eur": 12.4}, reads=False),
    model(says("It costs 12.50 euros in most shops."), asked="What does article 77 cost?"),
    answer="It costs 12.50 euros in most shops.",
)


def _direct(number: int, *, reads: bool = True, right: bool = False) -> SpanPlan:
    result: Json = {"output": {"celsius": 14 + number}} if reads else _SILENT
    return span("read_probe", type="tool", input={"probe": f"P-{number}"}, right=right, **result)


_PROBES = [_direct(number) for number in range(8)]
_WARM = "The cellar is at 17 degrees."
OFFLINE.add(
    "probe_filled_from_its_neighbours_healthy",
    *_PROBES,
    _direct(8, reads=False),
    tool("interpolate", {"probe": "P-8", "from": ["P-7", "P-6"]}, {"celsius": 21.5}, seconds=0.1),
    tool("mean_of", {"probes": 9}, {"celsius": 18.1}, seconds=0.1),
    model(says(_WARM), asked="How warm is the cellar? Mean of 9 probes: 18.1"),
    answer=_WARM,
)
OFFLINE.add(
    "probe_left_out",
    *_PROBES,
    _direct(8, reads=False, right=True),
    tool("mean_of", {"probes": 9}, {"celsius": 18.1}, seconds=0.1),
    model(says(_WARM), asked="How warm is the cellar? Mean of 9 probes: 18.1"),
    answer=_WARM,
)
