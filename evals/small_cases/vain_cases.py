"""Work done in vain: caches that cannot serve, and their healthy twins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

TIMED_KEYS = CaseList("timed_key")

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
