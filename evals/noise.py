"""What real traces have besides their fault: short irrelevant spans, unusual names, clocks that
disagree, parents that never arrived, long texts that the backend cut."""

import random
import uuid
from typing import Any

from app.analysis.recorded.body import CUT_LENGTH
from evals.recorded_span import RecordedSpan

_NAMES = (
    "log_metrics",
    "emit_event",
    "évaluer ✓",
    "RunnablePassthrough",
    "span {x}\n<b>",
    "キュー",
)
_RESULTS: tuple[Any, ...] = (None, {"output": None}, {"output": "ok"}, {"output": []}, {})


def add_noise(
    root: RecordedSpan, noise: int, rng: random.Random, *, spare: RecordedSpan | None
) -> None:
    """Adds noise of level 1 (short spans) or 2 (also broken clocks, lost parents, cut texts)."""
    items = root.all()
    for parent in rng.sample(items, k=max(1, len(items) // 12)):
        if parent.end is None or parent.end - parent.start < 200:
            continue
        start = rng.uniform(parent.start, parent.end - 20)
        record = {
            "id": str(uuid.UUID(int=rng.getrandbits(128))),
            "trace_id": root.record["trace_id"],
            "name": rng.choice(_NAMES),
            "type": "general",
            "input": {"value": rng.randint(0, 10**6)},
            "output": rng.choice(_RESULTS),
        }
        parent.below.append(RecordedSpan(record, start, start + rng.uniform(1, 15)))
    if noise < 2:
        return
    leaves = [item for item in items if not item.below and item is not spare and item.end]
    for item in rng.sample(leaves, k=max(1, len(leaves) // 50)):
        skew = rng.uniform(-80, 80)
        item.start, item.end = item.start + skew, (item.end or 0) + skew
    quiet = [item for item in leaves if not item.record.get("error_info")]
    for item in rng.sample(quiet, k=max(1, len(quiet) // 100)):
        item.record = {**item.record, "lost_parent": str(uuid.UUID(int=rng.getrandbits(128)))}
    for item in rng.sample(quiet, k=max(1, len(quiet) // 50)):
        text = "lorem ipsum dolor sit amet " * 500
        item.record = {**item.record, "input": text[:CUT_LENGTH]}
