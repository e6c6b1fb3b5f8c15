"""Which pages of a trace to ask for so that they hold the bodies of chosen spans.

The backend pages by id, newest first, and takes any id as a cursor. Since all ids are known, a
page can begin right before any span; every version of the backend can do that, while a filter by
several ids is known to new ones only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = 8
"""Unwanted spans between two wanted ones that cost less to read along than another request."""
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Run:
    """A page: `limit` records after (that is, older than) `cursor`; "" begins at the newest."""

    cursor: str
    limit: int


def plan_runs(ids: Iterable[str], wanted: Sequence[str]) -> list[Run]:
    """Pages that together hold all `wanted` spans, those with the most important ones first."""
    ordered = sorted(ids, reverse=True)
    rank = {span_id: place for place, span_id in enumerate(wanted)}
    places = [place for place, span_id in enumerate(ordered) if span_id in rank]
    groups: list[list[int]] = []
    for place in places:
        if groups and place - groups[-1][-1] <= GAP and place - groups[-1][0] < LONGEST:
            groups[-1].append(place)
        else:
            groups.append([place])
    groups.sort(key=lambda group: min(rank[ordered[place]] for place in group))
    return [
        Run(ordered[group[0] - 1] if group[0] else "", group[-1] - group[0] + 1) for group in groups
    ]
