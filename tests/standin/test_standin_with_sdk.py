"""The stand-in backend, written to and read back with the real Opik SDK."""

import json
import os
import subprocess
import sys
from pathlib import Path

from standin.app import create_app
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches
from testkit.scripted_chat import DirectedChat, answer

ROOT = Path(__file__).parents[2]


def test_what_the_sdk_writes_it_reads_back(tmp_path: Path) -> None:
    journal = tmp_path / "records.jsonl"
    records = Records(journal)
    app = create_app(records, chat=DirectedChat(answer("x")), switches=Switches())
    with serve_in_thread(app) as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.standin.writing", url],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "OPIK_URL_OVERRIDE": f"{url}/api",
                "OPIK_SENTRY_ENABLE": "false",
                "OPIK_ANALYTICS_ENABLE": "false",
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    records.close()
    assert done.returncode == 0, done.stderr[-3_000:]
    read = json.loads(done.stdout.splitlines()[-1])
    assert read["trace"] == ["by-hand", 1, 1, 0.002]
    assert read["score"] == ["good", "so so"]
    tokens = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    assert tokens.items() <= read["usage"].items()
    assert read["span"] == ["gpt-4.1", 2_000.0, 10_001]
    assert read["page"] == [1, ["a", "b"], "thread-1"]
    assert read["failed"] == ["look_up"]
    assert {"duration", "trace_count", "total_estimated_cost"} <= set(read["stats"])
    assert read["thread"] == [4, "active"]
    assert read["searched"] == 2
    assert read["workspace"] == {
        "who": ["admin", "default"],
        "granted": 3,
        "keys": ["openai"],
        "name": "default",
    }
    assert read["rest"] == {
        "comments": ["Look at this"],
        "thread": ["thread-1", "inactive"],
        "project": ["sdk-check", True],
        "projects": ["sdk-check"],
        "span_stats": True,
        "left": 0,
    }

    reopened = Records(journal)
    assert len(reopened.workspace().traces) == 2
    assert {entry.fields["name"] for entry in reopened.workspace().spans.values()} == {
        "tracked",
        "look_up",
    }
    reopened.close()
