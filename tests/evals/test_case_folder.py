"""The command that measures the analysis over a folder of case files."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.analysis.finding import Category, Finding
from app.token_estimate import estimate_tokens
from evals.case_records import (
    FileLabel,
    analyse_records,
    parse_case,
    read_case_records,
    read_labels,
)
from evals.case_scores import CaseResult, format_summary, measure_calibration, run_case
from evals.labelled_case import InvalidCase
from standin.selection import TRUNCATED_CHARACTERS

TRACE = "019df237-3e80-7379-8000-000000000000"
ROOT = "019df237-3e81-7379-8000-000000000001"
TOOL = "019df237-3e82-7379-8000-000000000002"
START, END = "2026-05-04T09:00:00Z", "2026-05-04T09:00:02Z"
FAILED = {"error_info": {"exception_type": "TimeoutError", "message": "no answer within 5 s"}}

Json = dict[str, Any]


def make_case(*, turns: list[Json] | None = None, **tool: Any) -> Json:
    """A case of two spans: an agent and its tool, which has the given fields."""
    span = {"trace_id": TRACE, "start_time": START, "end_time": END}
    case: Json = {
        "trace": {"id": TRACE, "name": "agent", "start_time": START, "end_time": END},
        "spans": [
            span | {"id": ROOT, "name": "agent", "type": "general"},
            span | {"id": TOOL, "name": "look_up", "type": "tool", "parent_span_id": ROOT} | tool,
        ],
    }
    return case if turns is None else case | {"turns": turns}


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def ask(**label: Any) -> Json:
    return {"question": "What went wrong?", **label}


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evals", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)


def test_the_command_ends_with_the_summary_and_writes_findings_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    write_json(folder / "a_failed.json", make_case(turns=[ask(right=[TOOL])], **FAILED))
    write_json(folder / "b_healthy.json", make_case(turns=[ask(healthy=True)]))
    write_json(folder / "c_unlabelled.json", make_case(turns=[ask()]))
    (folder / "d_broken.json").write_text("{")
    out = tmp_path / "out.json"
    ran = run_command("--cases", str(folder), "--json", str(out), "--verbose")
    assert ran.returncode == 0, ran.stderr
    *_, last = ran.stdout.splitlines()
    assert re.fullmatch(
        "cases 4, first 100 %, three 100 %, false 0/1, notes-only 0, "
        r"outline tokens max \d+, ms median \d+ max \d+, crashed 1",
        last,
    )
    found = json.loads(out.read_text())
    assert [each["case"] for each in found] == ["a_failed", "b_healthy", "c_unlabelled", "d_broken"]
    assert all(
        list(each) == ["case", "findings", "notes", "outline_tokens", "ms"] for each in found
    )
    (finding,) = found[0]["findings"]
    assert list(finding) == ["category", "confidence", "spans", "sentence"]
    assert finding["category"] == Category.ERROR_SURVIVED
    assert finding["spans"] == [TOOL]
    assert 0 < finding["confidence"] <= 1
    assert "no answer within 5 s" in finding["sentence"]


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    ran = run_command("--cases", str(tmp_path))
    assert ran.returncode == 2
    assert "in this folder" in ran.stderr


@pytest.mark.parametrize(
    ("turns", "right", "healthy"),
    [
        ([ask(right=[TOOL]), ask(healthy=True)], {TOOL}, False),
        ([ask(right=[TOOL]), ask(right=[ROOT])], {TOOL, ROOT}, False),
        ([ask(healthy=True), ask(healthy=True)], set(), True),
        ([ask(healthy=True), ask()], set(), False),
        ([ask(wrong=[ROOT])], set(), False),
        ([], set(), False),
    ],
)
def test_the_turns_say_whether_a_case_is_faulty_or_healthy(
    turns: list[Json], right: set[str], healthy: bool, tmp_path: Path
) -> None:
    records = read_case_records(write_json(tmp_path / "a.json", make_case(turns=turns)), None)
    assert (records.right, records.healthy) == (right, healthy)


def test_labels_beside_the_files_name_right_spans_and_healthy_traces(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", make_case(**FAILED))
    write_json(tmp_path / "b.json", make_case())
    labels = {
        "a.json": {"category": "timeout", "culprits": [TOOL], "healthy": False, "truth": "late"},
        "b.json": {"category": "none", "culprits": [], "healthy": True},
    }
    write_json(tmp_path / "labels.json", labels)
    read = read_labels(tmp_path)
    faulty, healthy = (run_case(tmp_path / name, read[name]) for name in ("a.json", "b.json"))
    assert (faulty.category, faulty.right, faulty.named_within(1)) == ("timeout", {TOOL}, True)
    assert (healthy.healthy, healthy.findings) == (True, ())


def test_unreadable_labels_are_reported(tmp_path: Path) -> None:
    write_json(tmp_path / "labels.json", [])
    with pytest.raises(InvalidCase, match=r"labels\.json"):
        read_labels(tmp_path)


def test_bodies_are_cut_as_the_backend_cuts_them(tmp_path: Path) -> None:
    case = make_case(input={"text": "x" * 20_000}, output={"text": "short"})
    case["trace"]["input"] = {"text": "x" * 20_000}
    parsed = parse_case(read_case_records(write_json(tmp_path / "a.json", case), None))
    assert parsed.structure[1].input is None
    analysis = analyse_records(parsed)
    tool = analysis.tree.by_id[TOOL].span
    assert isinstance(tool.input, str)
    assert len(tool.input) == TRUNCATED_CHARACTERS
    assert tool.output == {"text": "short"}
    assert analysis.trace.input == {"text": "x" * 20_000}


def test_bodies_of_a_large_trace_are_read_of_chosen_spans_only(tmp_path: Path) -> None:
    case = make_case()
    case["spans"] += [
        case["spans"][1] | {"id": f"{number:08d}-3e82-7379-8000-000000000003", "output": "done"}
        for number in range(1_000)
    ]
    parsed = parse_case(read_case_records(write_json(tmp_path / "a.json", case), None))
    analysis = analyse_records(parsed)
    read = [node for node in analysis.tree.nodes if node.span.output is not None]
    assert 0 < len(read) <= 200
    assert {node.id for node in read} <= analysis.bodies


@pytest.mark.parametrize(
    ("change", "words", "findings"),
    [
        (lambda case: case["spans"].append("x"), "1 unreadable spans left out", 1),
        (lambda case: case["spans"][0].update(start_time=[]), "1 unreadable spans left out", 1),
        (lambda case: case["trace"].pop("id"), "the trace is unreadable: id: Field required", 0),
        (lambda case: case.pop("spans"), "not readable as a case", 0),
        (lambda case: case.update(turns=[1]), "not readable as a case", 0),
    ],
)
def test_bad_records_count_as_a_crash_of_their_case(
    change: Any, words: str, findings: int, tmp_path: Path
) -> None:
    case = make_case(turns=[ask(right=[TOOL])], **FAILED)
    change(case)
    result = run_case(write_json(tmp_path / "a.json", case), None)
    assert words in result.crash
    assert len(result.findings) == findings
    assert format_summary([result]).endswith("crashed 1")


def test_an_exception_of_the_analysis_counts_as_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a rule failed")

    monkeypatch.setattr("evals.case_records.add_bodies", fail)
    path = write_json(tmp_path / "a.json", make_case(turns=[ask(right=[TOOL])]))
    result = run_case(path, None)
    assert (result.crash, result.right) == ("RuntimeError: a rule failed", {TOOL})


FAULTY = CaseResult("faulty", right=frozenset(["right"]))
HEALTHY = CaseResult("healthy", healthy=True)


def find(*spans: str, confidence: float = 0.9) -> Finding:
    return Finding(Category.LOOP, confidence, "It loops.", spans)


def test_the_summary_counts_first_three_false_and_noted_only() -> None:
    right, other = find("right"), find("other")
    results = [
        replace(FAULTY, findings=(right,)),
        replace(FAULTY, findings=(other, other, find("other", "right"))),
        replace(FAULTY, findings=(other, other, other, right)),
        replace(FAULTY, notes=(other, right)),
        replace(FAULTY, findings=(other,), notes=(right,)),
        replace(HEALTHY, findings=(other,), milliseconds=30.4),
        replace(HEALTHY, notes=(other,), outline="a" * 400),
        CaseResult("unlabelled", findings=(other,), milliseconds=2.0),
    ]
    assert format_summary(results) == (
        "cases 8, first 20 %, three 40 %, false 1/2, notes-only 1, "
        f"outline tokens max {estimate_tokens('a' * 400)}, "
        "ms median 0 max 30, crashed 0"
    )


def test_calibration_counts_findings_of_labelled_cases_by_confidence() -> None:
    results = [
        replace(FAULTY, findings=(find("right"), find("other", confidence=0.85))),
        replace(HEALTHY, findings=(find("right", confidence=0.8),)),
        CaseResult("unlabelled", findings=(find("right"),)),
    ]
    bands = {band.least: (band.findings, band.right) for band in measure_calibration(results)}
    assert bands == {0.9: (1, 1), 0.8: (2, 0), 0.7: (0, 0), 0.6: (0, 0), 0.0: (0, 0)}


def test_a_label_without_anything_leaves_a_case_unlabelled(tmp_path: Path) -> None:
    records = read_case_records(write_json(tmp_path / "a.json", make_case()), FileLabel())
    assert (records.right, records.healthy) == (frozenset(), False)
