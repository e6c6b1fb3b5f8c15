"""A fixed number of runs of the fuzzer, from the recordings on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS = 100_000


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="atheris has no wheel for this Python")
def test_no_input_breaks_a_decoder_and_no_split_changes_its_result(tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    command = [sys.executable, "-m", "tests.fuzzing.decoders", f"-runs={RUNS}", "-seed=1"]
    bounds = ["-max_len=2048", "-timeout=20", f"-artifact_prefix={tmp_path}/"]
    run = subprocess.run(
        [*command, *bounds, str(found), str(ROOT / "tests" / "recordings")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    assert f"Done {RUNS} runs" in run.stderr
