"""Writes the small cases as case files: `python -m evals.small_cases FOLDER`."""

import argparse
import json
from pathlib import Path

from evals.case_records import LABELS_FILE
from evals.small_cases import list_small_cases


def write_small_cases(folder: Path) -> int:
    """Writes a file for each case, and their kinds into `labels.json`; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = {}
    for case in list_small_cases():
        text = json.dumps(case.build(), indent=1, ensure_ascii=False)
        (folder / case.file_name).write_text(text + "\n")
        labels[case.file_name] = {"category": case.kind}
    (folder / LABELS_FILE).write_text(json.dumps(labels, indent=1) + "\n")
    return len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.small_cases", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="is made where it is missing")
    folder: Path = parser.parse_args().folder
    print(f"{write_small_cases(folder)} cases in {folder}")


if __name__ == "__main__":
    main()
