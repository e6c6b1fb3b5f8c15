"""The analysis on small cases of each kind of fault, and on their healthy twins."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.analysis.finding import Category, Finding
from app.analysis.recorded.names import name_stem
from app.analysis.tree import build_tree
from app.opik.records import Span
from evals.case_records import list_case_files, read_labels
from evals.case_scores import SURE, CaseResult, measure_sureness, run_case
from evals.cases import held_back_cases, open_cases
from evals.generated_report import run_generated
from evals.small_cases import list_small_cases
from evals.small_cases.__main__ import write_small_cases
from evals.small_cases.builder import SmallCase
from tests.evals.known_failures import KNOWN_FAILURES

LEAST_RIGHT = 0.8
"""Share of right findings among those with a confidence of 0.8 and above."""

CASES = {case.file_name.removesuffix(".json"): case for case in list_small_cases()}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CaseResult]:
    """What the analysis says of each case, by the name of its file."""
    folder: Path = tmp_path_factory.mktemp("small")
    write_small_cases(folder)
    labels = read_labels(folder)
    found = [run_case(path, labels[path.name]) for path in list_case_files(folder)]
    return {result.name: result for result in found}


def find_fault(case: SmallCase, result: CaseResult) -> str:
    """What is wrong with the result; empty if it is right."""
    first = result.findings[0].sentence if result.findings else ""
    if result.crash:
        return result.crash
    if case.healthy and first:
        return f"a healthy trace is accused: {first}"
    if not case.healthy and not result.named_within(1):
        return f"the first finding names another span: {first}" if first else "no finding"
    if case.says.lower() not in first.lower():
        return f"the first finding does not say {case.says!r}: {first}"
    if case.outline_says not in result.outline:
        return f"the outline does not say {case.outline_says!r}"
    return ""


def test_names_are_unique_and_tell_whether_a_case_is_healthy() -> None:
    cases = list_small_cases()
    assert len(CASES) == len(cases)
    mislabelled = [
        name
        for name, case in CASES.items()
        if case.healthy != ("right" not in case.build()["turns"][0])
        or not (case.healthy or case.build()["turns"][0]["right"])
    ]
    assert mislabelled == []


def test_the_analysis_is_right_about_every_case_that_is_not_known_to_fail(
    results: Mapping[str, CaseResult],
) -> None:
    assert results.keys() == CASES.keys()
    known = {f"{kind}_{name}" for kind, names in KNOWN_FAILURES.items() for name in names}
    assert known <= CASES.keys()
    faults = {name: find_fault(case, results[name]) for name, case in CASES.items()}
    wrong = [f"{name}: {fault}" for name, fault in faults.items() if fault and name not in known]
    mended = [name for name in sorted(known) if not faults[name]]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(CASES)} cases are wrong", *wrong])
    assert not mended, "\n".join(["right now, so take them off KNOWN_FAILURES:", *mended])


def test_findings_name_the_spans_that_they_list(results: Mapping[str, CaseResult]) -> None:
    """But for those around or inside a span that they name, and those that they count."""
    unnamed = []
    for name, case in CASES.items():
        tree = build_tree([Span.model_validate(each) for each in case.build()["spans"]])
        for found in results[name].findings:
            nodes = [tree.by_id[each] for each in found.spans[:6] if each not in found.around]
            for node in nodes:
                names = (name_stem(node.name), node.title, node.function_title)
                is_inside = any(other.holds(node) for other in nodes)
                sentence = found.sentence.casefold()
                is_named = any(each[:38].casefold() in sentence for each in names)
                if not (is_inside or is_named or " more " in sentence):
                    unnamed.append(f"{name}: {node.name} in {found.sentence}")
    assert unnamed == [], "\n".join(unnamed)


def test_most_findings_that_are_sure_name_a_right_span(results: Mapping[str, CaseResult]) -> None:
    cases = [*open_cases(), *held_back_cases()]
    smallest = min(case.size for case in cases)
    generated = [run_generated(case).result for case in cases if case.size == smallest]
    assert measure_sureness([*results.values(), *generated]) >= LEAST_RIGHT


def test_findings_are_equal_in_processes_that_hash_texts_otherwise(tmp_path: Path) -> None:
    unfilled = (case for case in CASES.values() if case.kind.startswith("unfilled"))
    for case in (*unfilled, *list(CASES.values())[::5]):
        (tmp_path / case.file_name).write_text(json.dumps(case.build()))
    found = []
    for seed in ("1", "2"):
        out = tmp_path.parent / f"findings-{seed}.json"
        command = [sys.executable, "-m", "evals", "--cases", str(tmp_path), "--json", str(out)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        found.append([{**each, "ms": 0} for each in json.loads(out.read_text())])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("spans", "sentence", "fault"),
    [
        (("right",), "It says: disk gone.", ""),
        (("right",), "It fails.", "the first finding does not say 'disk gone': It fails."),
        (("other",), "disk gone", "the first finding names another span: disk gone"),
    ],
)
def test_a_case_is_right_if_its_first_finding_names_the_span_and_says_why(
    spans: tuple[str, ...], sentence: str, fault: str
) -> None:
    case = SmallCase("a", "kind", [], {}, says="disk gone")
    finding = Finding(Category.LOOP, SURE, sentence, spans)
    result = CaseResult("a", right=frozenset(["right"]), findings=(finding,))
    assert find_fault(case, result) == fault
