"""Statistics over traces, spans or threads, as the backend's stats endpoints give them."""

from collections import defaultdict
from statistics import fmean

from standin.workspace import Json


def build_stats(records: list[Json], counted: str) -> Json:
    """The stats of these records; `counted` names their number, such as `trace_count`.

    Durations are in milliseconds, costs in USD.
    """
    stats = [_count_entry(counted, len(records))]
    durations = sorted(r["duration"] for r in records if r.get("duration") is not None)
    if durations:
        values = {name: percentile(durations, share) for name, share in _PERCENTILES.items()}
        stats.append({"name": "duration", "type": "PERCENTAGE", "value": values})
    costs = [r["total_estimated_cost"] for r in records if "total_estimated_cost" in r]
    stats.append(_average_entry("total_estimated_cost", fmean(costs) if costs else 0.0))
    stats.append(_average_entry("total_estimated_cost_sum", sum(costs)))
    stats += [
        _average_entry(name, fmean(values))
        for name, values in sorted(_collect_series(records).items())
    ]
    stats.append(_count_entry("error_count", sum("error_info" in r for r in records)))
    stats.append(_count_entry("guardrails_failed_count", sum(map(_failed_guardrails, records))))
    return {"stats": stats}


_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def percentile(values: list[float], share: float) -> float:
    """The percentile of sorted values, interpolated between the two nearest; share is 0 to 1."""
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def _collect_series(records: list[Json]) -> dict[str, list[float]]:
    series: dict[str, list[float]] = defaultdict(list)
    for record in records:
        for name, tokens in (record.get("usage") or {}).items():
            series[f"usage.{name}"].append(tokens)
        for score in record.get("feedback_scores") or []:
            series[f"feedback_scores.{score['name']}"].append(score["value"])
        for name in ("llm_span_count", "span_count", "number_of_messages"):
            if name in record:
                series[name].append(record[name])
    return series


def _failed_guardrails(record: Json) -> int:
    validations = record.get("guardrails_validations") or []
    return sum(check["result"] == "failed" for one in validations for check in one["checks"])


def _count_entry(name: str, value: int) -> Json:
    return {"name": name, "type": "COUNT", "value": value}


def _average_entry(name: str, value: float) -> Json:
    return {"name": name, "type": "AVG", "value": value}
