"""Several service processes on one database, some of them killed: nothing is lost or mixed up."""

from pathlib import Path

import pytest

from soak.load import LoadPlan, LoadRun

TURNS = 150
"""How many questions are asked here; `make soak` asks thousands."""


@pytest.mark.slow
async def test_processes_that_are_killed_lose_double_and_mix_up_nothing(
    database_uri: str, tmp_path: Path
) -> None:
    plan = LoadPlan(seed=7, turns=TURNS, users=12, owners=2, traces=3, killed_every=2, deletes=0.1)
    report = await LoadRun(plan, database_uri, folder=tmp_path).run()
    assert report.findings == []
    assert int(report.figures["processes ended"]) > 0
    assert int(report.figures["deleted"]) > 0
