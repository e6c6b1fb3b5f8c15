"""Records the programs with their faults through the Opik SDK: `python -m evals.record [name...]`.

Each run is a process of its own, since one fault kills it. The SDK sends to the stand-in backend
over a real socket; what arrives is kept, one compressed JSON file a run.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from evals.programs import agent, crew, imports, questions, report, sqlbot, support
from evals.programs.plan import Plan
from standin import record_views
from standin.app import create_app
from standin.chat import ScriptedChat
from standin.record_store import Records
from standin.switches import Switches

_ONE_RUN = "--one"
RECORDINGS = Path(__file__).parent / "recordings"
PROGRAMS = {
    "questions": questions,
    "agent": agent,
    "support": support,
    "report": report,
    "imports": imports,
    "sqlbot": sqlbot,
    "crew": crew,
}


def run_program(program: str, fault: str) -> None:
    """Runs one program in this process and waits until the SDK has sent everything."""
    import opik

    try:
        PROGRAMS[program].run(Plan(fault))
    except Exception as error:
        print(f"{program} {fault} ended with {type(error).__name__}")
    opik.flush_tracker()


def main(only: Sequence[str]) -> None:
    RECORDINGS.mkdir(exist_ok=True)
    records = Records()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(records, chat=ScriptedChat(), switches=Switches()),
            port=0,
            log_level="warning",
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)  # uvicorn gives no other sign
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        for program, module in PROGRAMS.items():
            for fault in ("", *module.FAULTS):
                if not only or fault in only or program in only:
                    _record_run(records, port, program, fault)
    finally:
        server.should_exit = True
        thread.join()


def _record_run(records: Records, port: int, program: str, fault: str) -> None:
    known = set(records.workspace().traces)
    environment = {
        **os.environ,
        "OPIK_URL_OVERRIDE": f"http://127.0.0.1:{port}/api",
        "OPIK_WORKSPACE": "default",
        "OPIK_SENTRY_ENABLE": "false",
        "OPIK_ANALYTICS_ENABLE": "false",
    }
    command = [sys.executable, "-m", "evals.record", _ONE_RUN, program, fault]
    subprocess.run(command, env=environment, check=True, timeout=60)
    workspace = records.workspace()
    (new,) = set(workspace.traces) - known
    recording = {
        "trace": record_views.trace(workspace, workspace.traces[new]),
        "spans": [record_views.span(workspace, entry) for entry in workspace.spans_of(new)],
    }
    write_recording(RECORDINGS / f"{program}-{fault or 'healthy'}.json.gz", recording)


def write_recording(path: Path, recording: dict[str, Any]) -> None:
    """Compressed without a time stamp, so that equal content gives an equal file; the folders of
    the machine that recorded it are taken out of the tracebacks."""
    text = json.dumps(recording, separators=(",", ":"), ensure_ascii=False)
    for folder in (str(Path.cwd()), sys.prefix, sys.base_prefix):
        text = text.replace(folder, "/app")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    if sys.argv[1:2] == [_ONE_RUN]:
        run_program(*sys.argv[2:4])
    else:
        main(sys.argv[1:])
