"""What `make audit` makes of the answers of pip-audit."""

import json
import subprocess
from typing import Any

import pytest

from scripts import audit

CLEAN = {"name": "a", "version": "1", "vulns": []}
FAULTY = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("output", "code", "printed"),
    [
        (json.dumps({"dependencies": [CLEAN, UNKNOWN]}), 0, "1 packages audited, 1 unknown"),
        (json.dumps({"dependencies": [CLEAN, FAULTY]}), 1, "b 2: PYSEC-1, fixed in ['3']"),
        (json.dumps({"dependencies": [UNKNOWN]}), 2, "NOT RUN: PyPI knows none of these packages."),
        ("", 2, "NOT RUN: PyPI could not be asked: no network"),
    ],
)
def test_only_an_audit_that_found_nothing_succeeds(
    output: str,
    code: int,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, output, "no network")

    monkeypatch.setattr(subprocess, "run", answer)
    assert audit.main() == code
    assert printed in capsys.readouterr().out
