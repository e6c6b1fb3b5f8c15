"""What the SDK sends of the results, to a server that writes it all down."""

import gzip
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.serving import serve_in_thread

pytestmark = pytest.mark.slow

IDS = ["019b76da-a800-7d7e-8967-056f4828cb38", "019b76da-a800-7d69-99d1-041548c02202"]
"""Of the two questions' items: the same in every run, or an experiment would not find them."""


@dataclass
class Recorder:
    """Answers as Opik does where the SDK needs it; `refused` are paths, by their beginning, with
    the status that they are refused with."""

    refused: dict[str, int] = field(default_factory=dict)
    received: list[tuple[str, str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        methods = ["GET", "POST", "PUT", "PATCH"]
        return Starlette(routes=[Route("/api/{path:path}", self.take, methods=methods)])

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        path = request.path_params["path"].removeprefix("v1/private/")
        self.received.append((request.method, path, json.loads(body) if body else None))
        for refused, status in self.refused.items():
            if path.startswith(refused):
                return JSONResponse({"errors": ["no"]}, status)
        if path == "datasets/retrieve":
            return JSONResponse({"errors": ["Dataset not found"]}, 404)
        return JSONResponse({"version": "1.0.0"})

    def bodies(self, method: str, path: str) -> list[Any]:
        return [body for *way, body in self.received if way == [method, path]]


def sent(recorder: Recorder, home: Path) -> dict[str, Any]:
    """What the sending process printed."""
    with serve_in_thread(recorder.app()) as url:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "OPIK_URL_OVERRIDE": f"{url}/api",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "tests.evals.send_results"],
            env=environment,
            check=True,
            capture_output=True,
            timeout=120,
        )
    report: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return report


def test_results_become_an_experiment_on_a_dataset(tmp_path: Path) -> None:
    recorder = Recorder()
    report = sent(recorder, tmp_path)
    assert report["message"] == "Sent to Opik: dataset evals-of-a-test, 1 experiments."
    assert report["complete"]
    assert report["release"] == "ours", "the SDK has replaced our Sentry client"

    (created,) = recorder.bodies("POST", "datasets")
    assert created["name"] == "evals-of-a-test"
    (items,) = recorder.bodies("PUT", "datasets/items")
    assert [item["data"]["case"] for item in items["items"]] == ["a", "b"]
    ids = [item["id"] for item in items["items"]]
    assert ids == IDS

    (experiment,) = recorder.bodies("POST", "experiments")
    assert (experiment["name"], experiment["dataset_name"]) == ("v run-1", "evals-of-a-test")
    links = [e for b in recorder.bodies("POST", "experiments/items") for e in b["experiment_items"]]
    assert [link["dataset_item_id"] for link in links] == [ids[0], ids[0], ids[1]]
    traces = [t for b in recorder.bodies("POST", "traces/batch") for t in b["traces"]]
    assert {trace["id"] for trace in traces} == {link["trace_id"] for link in links}
    assert sorted(trace["tags"][0] for trace in traces) == ["culprit", "failed", "wrong"]
    assert all(trace["end_time"] for trace in traces)
    scores = [s for b in recorder.bodies("PUT", "traces/feedback-scores") for s in b["scores"]]
    by_trace = {score["id"]: score["value"] for score in scores if score["name"] == "right"}
    assert [by_trace[link["trace_id"]] for link in links] == [1.0, 0.0, 0.0]


def test_a_refusal_by_opik_is_reported(tmp_path: Path) -> None:
    report = sent(Recorder(refused={"": 403}), tmp_path)
    assert report["message"] == "Not sent to Opik (status 403); the results are in the folder."
    assert not report["complete"]


# 501 is a server's fault that the SDK does not wait and try again for.
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("datasets/items", 403),
        ("traces/batch", 403),
        ("traces/batch", 501),
        ("traces/feedback-scores", 403),
        ("experiments/items", 501),
    ],
)
def test_results_that_opik_stored_in_part_are_reported(
    path: str, status: int, tmp_path: Path
) -> None:
    report = sent(Recorder(refused={path: status}), tmp_path)
    assert report["message"] == (
        f"Only a part was sent to Opik (status {status}): 0 of 1 experiments are complete; "
        "the results are in the folder."
    )
    assert not report["complete"]
