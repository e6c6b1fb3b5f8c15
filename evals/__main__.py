"""Measures the analysis without a model.

Without --cases over generated traces with known faults; with it over a folder of case files. The
last line printed about a folder has all figures, in a form that scripts may read.
"""

import argparse
from pathlib import Path

from evals.case_folder import measure_folder
from evals.cases import held_back_cases, open_cases
from evals.generated_report import print_report
from evals.labelled_case import InvalidCase


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, help="of the generated cases")
    parser.add_argument("--cases", type=Path, metavar="FOLDER", help="measure these cases instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write findings and notes there")
    parser.add_argument("--verbose", action="store_true", help="print all that is wrong, and why")
    given = parser.parse_args()
    if given.cases is None:
        if given.json is not None:
            parser.error("--json needs --cases")
        seeds = [] if given.seed is None else [given.seed]
        print_report("Open cases", open_cases(*seeds), verbose=given.verbose)
        print_report("Held-back cases", held_back_cases(*seeds), verbose=given.verbose)
        return
    try:
        measure_folder(given.cases, out=given.json, verbose=given.verbose)
    except InvalidCase as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
