"""Asks models the questions of the cases through the whole service and grades the answers by rule.

The key of the models' server is read from EVALS_API_KEY. The service's other settings are those of
the environment (AGENT_TEMPERATURE, TURN_STEPS, …).
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TextIO

import anyio

from app.errors import StartRefused
from evals.cases import held_back_cases, open_cases
from evals.labelled_case import (
    InvalidCase,
    LabelledCase,
    format_case_name,
    generate_labelled_case,
    read_case_folder,
)
from evals.opik_experiments import send_results
from evals.results import ResultRow
from evals.runner import NO_MODEL, CaseSource, Endpoint, Prompt, Variant, run_evals
from evals.service_under_test import check_environment
from evals.summary_table import format_summary

KEY_VARIABLE = "EVALS_API_KEY"
DATASET = "opik-assist-evals"
BUILT_IN = "built-in"
_GENERATED = {"open": open_cases, "held-back": held_back_cases}


def main(arguments: Sequence[str] | None = None, *, out: TextIO = sys.stdout) -> int:
    """Returns 0 if at least one question was answered and, with --to-opik, all results arrived;
    else 1."""
    parser = _build_parser()
    options = parser.parse_args(arguments)
    if not re.match(r"https?://", options.base_url):
        parser.error("--base-url needs an http(s) address up to and with /v1 (make: BASE_URL=...)")
    try:
        check_environment()
        variants = _read_variants(options)
        if options.to_opik and not find_spec("opik"):
            raise ValueError("--to-opik needs the Opik SDK: pip install 'opik-assist[opik]'")
        cases = take_evenly(_read_cases(options.cases or list(_GENERATED)), options.most)
    except (InvalidCase, StartRefused, OSError, ValueError) as error:
        parser.error(str(error))
    results = _ResultFiles(options.out, [each.name for each in variants], out)
    out.write(
        f"{len(cases)} cases, {len(variants)} variants, {options.repeat} times; "
        f"results in {options.out}\n"
    )
    work = partial(
        run_evals,
        cases,
        variants,
        endpoint=Endpoint(options.base_url, os.environ.get(KEY_VARIABLE, "")),
        repeat=options.repeat,
        at_once=options.at_once,
        report=results.add,
    )
    try:
        anyio.run(work)
    except KeyboardInterrupt:
        out.write("Ended early; what follows is of the answers so far.\n")
    finally:
        results.close()
    arrived = not (options.to_opik and results.rows) or _send_to_opik(
        results.rows, options.out.name, out
    )
    return 0 if arrived and any(_is_model_answer(row) for row in results.rows) else 1


def _is_model_answer(row: ResultRow) -> bool:
    """Whether it is an answer, and one of a model."""
    return row.variant != NO_MODEL.name and row.verdict != "failed"


def _send_to_opik(rows: Sequence[ResultRow], run: str, out: TextIO) -> bool:
    """Whether all of it reached Opik."""
    report = send_results(rows, dataset=DATASET, run=run)
    out.write(f"{report.message}\n")
    return report.complete


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.ask", description=__doc__)
    add = parser.add_argument
    add("--model", action="append", required=True, help="as the server names it; repeatable")
    add("--base-url", required=True, help="an OpenAI-compatible server, such as http://host/v1")
    add(
        "--prompt",
        action="append",
        help=f"file with instructions that replace the built-in ones, or {BUILT_IN}; repeatable",
    )
    add("--baseline", action="store_true", help="also each model without analysis, for comparison")
    add(
        "--cases",
        action="append",
        help="open, held-back, or a folder of case files; repeatable; default: open and held-back",
    )
    add("--most", type=_at_least_one, help="so many cases only, evenly taken from all")
    add("--repeat", type=_at_least_one, default=1, help="times that each question is asked")
    add("--at-once", type=_at_least_one, default=4, help="questions under way at a time")
    started = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    add("--out", type=Path, default=Path("build", "evals", started), help="folder for the results")
    add(
        "--to-opik",
        action="store_true",
        help=f"also send questions, answers and verdicts as experiments on the dataset {DATASET},"
        " to where the SDK's own variables say (OPIK_URL_OVERRIDE, OPIK_API_KEY, OPIK_WORKSPACE)",
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _read_variants(options: argparse.Namespace) -> list[Variant]:
    prompts = [_read_prompt(each) for each in options.prompt or [BUILT_IN]]
    variants = [Variant(model, prompt) for model, prompt in product(options.model, prompts)]
    if options.baseline:
        variants += [Variant(model, baseline=True) for model in options.model]
    variants.append(NO_MODEL)
    if len({each.name for each in variants}) < len(variants):
        raise ValueError("two variants would have one name: a model or a prompt is named twice")
    return variants


def _read_prompt(path: str) -> Prompt | None:
    if path == BUILT_IN:
        return None
    text = Path(path).read_text(encoding="utf-8").strip()
    if not text:
        raise ValueError(f"{path} is empty")
    return Prompt(Path(path).stem, text)


def _read_cases(names: Sequence[str]) -> list[CaseSource]:
    sources: dict[str, CaseSource] = {}
    for name in names:
        found: list[tuple[str, CaseSource]]
        if name in _GENERATED:
            found = [
                (format_case_name(each), partial(generate_labelled_case, each))
                for each in _GENERATED[name]()
            ]
        else:
            own = read_case_folder(Path(name))
            found = [(each.name, partial(_return_case, each)) for each in own]
        for case, source in found:
            if case in sources:
                raise InvalidCase(f"{name}: there is another case named {case}.")
            sources[case] = source
    return list(sources.values())


def _return_case(case: LabelledCase) -> LabelledCase:
    return case


def take_evenly(sources: Sequence[CaseSource], most: int | None) -> Sequence[CaseSource]:
    """At most so many of the sources, evenly: faulty cases stand before healthy ones, and taking
    the first would leave these out."""
    if most is None or most >= len(sources):
        return sources
    return [sources[index * len(sources) // most] for index in range(most)]


class _ResultFiles:
    """Writes each row when it comes, as a JSON line in its variant's file; a summary at the end."""

    def __init__(self, folder: Path, variants: Sequence[str], out: TextIO) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows: list[ResultRow] = []
        self._folder = folder
        self._variants = variants
        self._out = out
        self._files = {
            name: (folder / f"{number}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.jsonl").open(
                "w", encoding="utf-8"
            )
            for number, name in enumerate(variants, 1)
        }

    def add(self, row: ResultRow) -> None:
        self.rows.append(row)
        file = self._files[row.variant]
        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        file.flush()
        tokens = row.prompt_tokens + row.completion_tokens
        outcome = f"{row.verdict} {row.code}".strip()
        self._out.write(
            f"  {row.variant}: {row.case}: {outcome}, {tokens:,} tokens, {row.seconds:.1f} s\n"
        )

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        if self.rows:
            text = format_summary(self.rows, self._variants)
            (self._folder / "summary.md").write_text(text, encoding="utf-8")
            self._out.write(f"\n{text}")


if __name__ == "__main__":
    sys.exit(main())
