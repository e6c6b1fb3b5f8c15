"""The summary of a run, as Markdown that is readable in a terminal too."""

from collections import Counter
from collections.abc import Callable, Sequence

from evals.grading import PASSED, Verdict
from evals.result_statistics import (
    Comparison,
    Interval,
    compare_variants,
    compute_mean,
    compute_share,
    count_tokens,
    without_failures,
)
from evals.results import ResultRow

_NONE = "–"
_LEGEND = """\
Shares and means are over questions, the repeats of one averaged, with 95 % intervals (Wilson;
bootstrap). Right: the culprit is among the first three spans that the answer names, or a healthy
trace is left alone. A failed answer is not right; tokens, seconds, steps and tool calls leave it
out. Chance: how likely the split into better and worse is where there is no difference (sign
test)."""


def format_summary(rows: Sequence[ResultRow], variants: Sequence[str]) -> str:
    """A table with a column for each variant, one that compares each with the first, and why
    answers failed."""
    of = {name: [row for row in rows if row.variant == name] for name in variants}
    columns = [_format_column(of[name]) for name in variants]
    lines = [[what, *(column[what] for column in columns)] for what in columns[0]]
    parts = [_format_table(["", *variants], lines)]
    first, *others = variants
    pairs = {name: each for name in others if (each := compare_variants(of[first], of[name]))}
    if pairs:
        compared = [_format_comparison(each) for each in pairs.values()]
        lines = [[what, *(column[what] for column in compared)] for what in compared[0]]
        parts.append(_format_table([f"against {first}", *pairs], lines))
    failures = _list_failures(rows, variants)
    return "\n\n".join([*parts, *([failures] if failures else []), _LEGEND]) + "\n"


def _format_column(rows: Sequence[ResultRow]) -> dict[str, str]:
    healthy = [row for row in rows if row.healthy]
    faulty = [row for row in rows if not row.healthy]
    return {
        "answers": str(len(rows)),
        "right": _format_percent(compute_share(rows, lambda row: row.verdict in PASSED)),
        "faulty: culprit named": _format_percent(
            compute_share(faulty, lambda row: row.verdict in PASSED)
        ),
        "faulty: culprit named first": _format_percent(
            compute_share(faulty, lambda row: row.place == 1)
        ),
        "faulty: symptom named instead": _format_percent(
            compute_share(faulty, _has_verdict("symptom"))
        ),
        "faulty: other span named instead": _format_percent(
            compute_share(faulty, _has_verdict("wrong"))
        ),
        "faulty: nothing named": _format_percent(compute_share(faulty, _has_verdict("nothing"))),
        "healthy: false alarm": _format_percent(
            compute_share(healthy, _has_verdict("false_alarm"))
        ),
        "failed": _format_percent(compute_share(rows, _has_verdict("failed"))),
        "tokens": _format_number(compute_mean(without_failures(rows), count_tokens), "{:,.0f}"),
        "seconds": _format_number(
            compute_mean(without_failures(rows), lambda row: row.seconds), "{:.1f}"
        ),
        "steps": _format_number(
            compute_mean(without_failures(rows), lambda row: row.steps), "{:.1f}"
        ),
        "tool calls": _format_number(
            compute_mean(without_failures(rows), lambda row: row.tool_calls), "{:.1f}"
        ),
    }


def _format_comparison(each: Comparison) -> dict[str, str]:
    passed = each.passed
    bounds = f"{passed.low * 100:+.0f} to {passed.high * 100:+.0f}"
    return {
        "questions asked of both": str(each.questions),
        "right": f"{passed.value * 100:+.0f} points ({bounds})",
        "better / worse": f"{each.better} / {each.worse}",
        "chance": f"{each.chance:.2g}",
        "tokens": _format_number(each.tokens, "{:+,.0f}"),
        "seconds": _format_number(each.seconds, "{:+.1f}"),
    }


def _list_failures(rows: Sequence[ResultRow], variants: Sequence[str]) -> str:
    counted = Counter((row.variant, row.code) for row in rows if row.code)
    lines = [
        f"- {name}: {code} ({count} times)"
        for name in variants
        for (variant, code), count in sorted(counted.items())
        if variant == name
    ]
    return "\n".join(["Failed answers:", "", *lines]) if lines else ""


def _has_verdict(verdict: Verdict) -> Callable[[ResultRow], bool]:
    return lambda row: row.verdict == verdict


def _format_percent(found: Interval | None) -> str:
    return _NONE if found is None else f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"


def _format_number(found: Interval | None, form: str) -> str:
    if found is None:
        return _NONE
    value, low, high = (form.format(each) for each in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def _format_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in line] for line in (head, *lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in (cells[0], rule, *cells[1:])
    )
