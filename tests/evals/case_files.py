"""Writes cases as files of a user's own."""

import json
from pathlib import Path
from typing import Any

from evals.labelled_case import LabelledCase


def as_json(case: LabelledCase) -> dict[str, Any]:
    return {
        "trace": case.trace.model_dump(mode="json"),
        "spans": [span.model_dump(mode="json") for span in case.spans],
        "turns": [turn.model_dump(mode="json") for turn in case.turns],
    }


def write_case(path: Path, case: LabelledCase) -> None:
    path.write_text(json.dumps(as_json(case)))
