"""Records the programs' traces: `python -m demo.programs.record [name ...]`.

Each program runs in a process of its own and sends through the real Opik SDK to the stand-in
backend, whose journal is the recording. Only one thing is changed afterwards: in tracebacks the
path of this checkout and of its environment becomes `/srv/app`.
"""

import gzip
import importlib
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from standin.app import create_app
from standin.offline_model import OfflineModel
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "demo" / "traces"
PROGRAMS = (
    "support_bot",
    "research_team",
    "ticket_loop",
    "healthy_bot",
    "music_coach",
    "practice_plan",
    "grading_loop",
    "order_chain",
    "guarded_bot",
    "nightly_batch",
    "scale_lesson",
    "order_status",
)
PACKED_FROM = 100_000
_RUN = "--run"


def run_here(name: str) -> None:
    """Runs one program in this process and waits until the SDK has sent everything."""
    import opik

    try:
        importlib.import_module(f"demo.programs.{name}").run()
    except Exception as error:
        print(f"{name} ended with {type(error).__name__}")
    opik.flush_tracker()


def record(name: str) -> Path:
    """Runs one program in a new process and keeps what the SDK sent; gives the file."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.jsonl"
        records = Records(journal)
        app = create_app(records, chat=OfflineModel(0), switches=Switches())
        with serve_in_thread(app) as url:
            subprocess.run(
                [sys.executable, "-m", "demo.programs.record", _RUN, name],
                env={**os.environ, **_environment(url)},
                cwd=ROOT,
                check=True,
            )
        records.close()
        return _keep(name, _scrubbed(journal.read_text(encoding="utf-8")).encode())


def _environment(url: str) -> dict[str, str]:
    return {
        "OPIK_URL_OVERRIDE": f"{url}/api",
        "OPIK_SENTRY_ENABLE": "false",
        "OPIK_ANALYTICS_ENABLE": "false",
    }


def _scrubbed(text: str) -> str:
    """The journal without paths of this machine."""
    here = {str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")}
    for path in sorted(here, key=len, reverse=True):
        text = text.replace(path, "/srv/app" if path == str(ROOT) else "/srv/app/lib")
    return text


def _keep(name: str, data: bytes) -> Path:
    path = TRACES / f"{name}.jsonl"
    if len(data) < PACKED_FROM:
        path.write_bytes(data)
        return path
    path = path.with_suffix(".jsonl.gz")
    path.write_bytes(gzip.compress(data, mtime=0))
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == [_RUN]:
        run_here(sys.argv[2])
    else:
        TRACES.mkdir(exist_ok=True)
        for each in sys.argv[1:] or PROGRAMS:
            print(record(each).relative_to(ROOT))
