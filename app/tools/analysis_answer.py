"""The analysis of a trace as an answer for a person, where no model can give one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.analysis.text.one_line import format_duration, format_usd

_FINDINGS_SHOWN = 10  # they are ranked, and a person reads the answer
_NOTES_SHOWN = 5  # harmless, so fewer
_STEPS_SHOWN = 5  # with these, most traces have shown the steps above a twentieth of their time
_SPANS_CITED = 3  # of one finding; more links hide its sentence

_MARKUP = re.compile(r"[\\`*_~\[\]<>#|]")


def write_analysis_answer(report: Mapping[str, Any]) -> str:
    """The report of `build_analysis_report` as Markdown that cites spans by their aliases.

    It begins with the statement that no model was used, then has the findings and notes, the
    longest steps, and time, tokens and cost.
    """
    return "\n\n".join(_write_sections(report))


def _write_sections(report: Mapping[str, Any]) -> Iterator[str]:
    yield "No model was used for this answer. It is what the analysis of the trace found."
    if not report["complete"]:
        yield "Some spans, or inputs and outputs, of this trace were not read."
    if report["findings"]:
        yield _write_list("What went wrong", report["findings"][:_FINDINGS_SHOWN])
    else:
        yield "The analysis found nothing wrong."
    if report["notes"]:
        yield _write_list("Worth a look", report["notes"][:_NOTES_SHOWN])
    profile = report["profile"]
    if steps := profile["critical_path"][:_STEPS_SHOWN]:
        lines = "\n".join(
            f"- [{step['alias']}]: {format_duration(step['ms'] * 1_000)}"
            f" ({step['share']:.0%} of the time)"
            for step in steps
        )
        yield f"**Longest steps**\n\n{lines}"
    totals = [f"{format_duration(profile['duration_ms'] * 1_000)} in all"]
    if profile["tokens"]:
        totals.append(f"{profile['tokens']:,} tokens")
    if profile["cost"]:
        totals.append(format_usd(profile["cost"]))
    yield f"**Time and cost**: {', '.join(totals)}"


def _write_list(title: str, findings: list[dict[str, Any]]) -> str:
    lines = []
    for finding in findings:
        sentence = _MARKUP.sub(r"\\\g<0>", finding["sentence"])
        cited = ", ".join(f"[{span['alias']}]" for span in finding["spans"][:_SPANS_CITED])
        lines.append(f"- {sentence}{f' ({cited})' if cited else ''}")
    return f"**{title}**\n\n" + "\n".join(lines)
