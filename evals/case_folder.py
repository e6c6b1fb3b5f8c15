"""Measures the analysis over a folder of cases, and prints what it gets wrong."""

import json
from pathlib import Path

from evals.case_records import list_case_files, read_labels
from evals.case_scores import (
    CaseResult,
    format_summary,
    list_calibration_rows,
    list_category_rows,
    run_case,
)

_SHOWN = 3  # findings and notes of a wrong case that are printed


def measure_folder(folder: Path, *, out: Path | None, verbose: bool) -> None:
    """Analyses each case, writes the JSON file, and prints the summary as the last line.

    Raises InvalidCase where the folder or its labels cannot be read; a case that cannot is counted.
    """
    labels = read_labels(folder)
    results = [run_case(path, labels.get(path.name)) for path in list_case_files(folder)]
    if out is not None:
        out.write_text(json.dumps([result.as_json() for result in results], indent=1) + "\n")
    for result in results:
        if result.crash:
            print(f"{result.name}: {result.crash}")
        if verbose and result.wrong:
            _print_wrong_case(result)
    rows = list_category_rows(results) if verbose else []
    for row in [*rows, *list_calibration_rows(results)]:
        print(row)
    print(format_summary(results))


def _print_wrong_case(result: CaseResult) -> None:
    label = result.category or ("healthy" if result.healthy else "faulty")
    print(f"{result.name} ({label})")
    if result.right:
        print(f"    right: {_list_names(result, sorted(result.right)[:_SHOWN])}")
    for kind, judged in (("finding", result.findings), ("note", result.notes)):
        for found in judged[:_SHOWN]:
            mark = "+" if result.holds_right(found) else "-"
            print(f"  {mark} {kind} {found.category} {found.confidence:.2f}: {found.sentence}")
            print(f"      on {_list_names(result, found.spans[:_SHOWN])}")


def _list_names(result: CaseResult, spans: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{result.names.get(each, '?')[:40]} ({each[-6:]})" for each in spans) or "-"
