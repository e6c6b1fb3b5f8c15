"""The examples do what their page says."""

import json
import os
import shutil
import sys
from pathlib import Path

import anyio
import pytest
from ruamel.yaml import YAML

from testkit import credentials
from testkit.processes import ROOT, build_environment, serving_backend
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import PREFIX, TRACE_ID, record_trace, running, span_id

EXAMPLES = ROOT / "examples"
QUESTION = 'What does "C:\\orders" mean,\nand why did it fail?'


async def run(folder: Path, *command: str, **environment: str) -> tuple[int, str]:
    tools = f"{Path(sys.executable).parent}:{os.defpath}"
    values = build_environment(OPIK_API_KEY=credentials.API_KEY, HOME=str(folder), **environment)
    ended = await anyio.run_process(
        command, env={**values, "PATH": tools}, cwd=folder, check=False, stderr=-2
    )
    return ended.returncode, ended.stdout.decode()


@pytest.mark.parametrize("example", ["ask.sh", "ask.py"])
async def test_a_program_asks_the_service(
    migrated_sqlite_uri: str, tmp_path: Path, example: str
) -> None:
    if example.endswith(".sh") and shutil.which("curl") is None:
        pytest.skip("no curl")
    interpreter = "sh" if example.endswith(".sh") else sys.executable
    chat = DirectedChat(answer("It was ", "the tool."))
    async with running(migrated_sqlite_uri, chat=chat) as service:
        command = (interpreter, str(EXAMPLES / example), TRACE_ID, QUESTION)
        url = {"OPIK_ASSIST_URL": f"{service.url}{PREFIX}"}
        status, printed = await run(tmp_path, *command, **url)
        service.headers = {"Authorization": credentials.API_KEY}
        role, asked = (await service.read_messages())[0]
        refused, _ = await run(tmp_path, *command[:2], "no-trace", QUESTION, **url)
    assert (role, asked.replace("\n", " ")) == ("user", QUESTION.replace("\n", " "))
    assert refused != 0
    assert status == 0, printed
    if example == "ask.py":
        assert printed == "It was the tool."
    else:
        frames = [json.loads(line[6:]) for line in printed.splitlines() if line[:6] == "data: "]
        assert any(each["message_type"] == "response" for each in frames)


@pytest.mark.slow
async def test_a_build_fails_by_a_trace_with_findings_only(tmp_path: Path) -> None:
    healthy = str(span_id(0x7000))
    check = ("sh", str(EXAMPLES / "check_build.sh"))
    async with serving_backend() as backend:
        record_trace(backend.standin, trace_id=healthy)
        at = {"OPIK_URL_OVERRIDE": backend.url}
        fine, _ = await run(tmp_path, *check, healthy, **at)
        failed, printed = await run(tmp_path, *check, healthy, TRACE_ID, **at)
    assert (fine, failed) == (0, 1), printed


def test_the_workflow_runs_the_check() -> None:
    workflow = YAML(typ="safe").load(EXAMPLES / "check-trace.yml")
    steps = workflow["jobs"]["check"]["steps"]
    assert any("examples/check_build.sh" in each.get("run", "") for each in steps)
