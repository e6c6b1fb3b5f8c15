"""The Opik SDK inside a process of its own: what it must not touch, and when it must not be there.

Under pytest the SDK leaves error reports alone by itself, so none of this shows in the suite's own
process.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from standin.app import create_app
from standin.faults import Delay, Fault
from standin.record_store import Records
from standin.switches import Switches
from testkit import credentials
from testkit.processes import ROOT, CompletedPython, find_free_port, run_python
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import serving, wait_until
from tests.telemetry.observed import Target
from tests.telemetry.test_sentry import WITHOUT, Reported, crash_twice, reported

KEY = credentials.OWN_TRACES_KEY


@contextlib.asynccontextmanager
async def observed_process(folder: Path, **more: str) -> AsyncIterator[tuple[Reported, Target]]:
    """A service that reports errors and traces itself, among settings of others for the SDK."""
    target = Target(create_app(Records(), chat=DirectedChat(answer("x")), switches=Switches()))
    elsewhere = f"http://127.0.0.1:{find_free_port()}"
    home = folder / "home"
    home.mkdir()
    (home / ".opik.config").write_text(
        f"[opik]\nurl_override = {elsewhere}\napi_key = foreign\nworkspace = foreign\n"
        "sentry_enable = true\n"
    )
    async with serving(target.standin, grace=1) as url:
        settings = {
            "HOME": str(home),
            "OPIK_URL_OVERRIDE": elsewhere,
            "OPIK_API_KEY": "foreign",
            "OPIK_WORKSPACE": "foreign",
            "OPIK_PROJECT_NAME": "foreign",
            "OPIK_SENTRY_ENABLE": "true",
            "OPIK_INTERNAL_URL": url,
            "OPIK_INTERNAL_API_KEY": KEY,
            **more,
        }
        async with reported(folder, **settings) as running:
            yield running, target


@pytest.mark.slow
async def test_the_sdk_leaves_our_error_reports_alone_and_takes_no_foreign_settings(
    tmp_path: Path,
) -> None:
    async with observed_process(tmp_path) as (running, target):
        await crash_twice(running)
        await wait_until(lambda: len(target.traces) == 2)
    crashed = running.receiver.errors
    assert [each["exception"]["values"][0]["type"] for each in crashed] == ["ValueError"] * 2
    assert "foreign" not in target.read_requests_as_text()
    assert {each.headers["authorization"] for each in target.standin.switches.received} == {KEY}
    assert [each["metadata"]["outcome"] for each in target.traces] == ["turn_finished", "internal"]


@pytest.mark.slow
async def test_a_process_with_undeliverable_traces_counts_them_and_ends_in_time(
    tmp_path: Path,
) -> None:
    async with observed_process(tmp_path) as (running, target):
        target.standin.switches.faults = [Fault(Delay(3_600))]
        for _ in range(3):
            assert (await running.service.ask()).error is None
        assert await running.process.stop() == 0
    log = running.process.log
    assert "own_traces_lost" in log
    assert "lost=3" in log
    assert KEY not in log


LEFT_ALONE = """
import sys, threading
import sentry_sdk
from app.telemetry.turn_traces import OwnTraces

sentry_sdk.init(dsn="http://public@127.0.0.1:9/1", default_integrations=False)
before = sentry_sdk.get_client(), sys.excepthook, threading.active_count()
OwnTraces("http://127.0.0.1:9", None, None, "p", False).start()
assert "opik" in sys.modules
print(before == (sentry_sdk.get_client(), sys.excepthook, threading.active_count()))
"""


async def test_loading_the_sdk_replaces_no_client_no_hook_and_starts_no_thread() -> None:
    assert await run_python("-c", LEFT_ALONE, folder=ROOT) == CompletedPython(0, "True\n", "")


async def test_without_an_address_the_sdk_is_not_even_loaded() -> None:
    code = WITHOUT.replace("sentry_sdk", "opik")
    ended = await run_python("-c", code, folder=ROOT, OPIK_INTERNAL_URL="")
    assert (ended.code, ended.printed) == (0, "[]\n"), ended.log


MISSING = """
import runpy, sys

sys.modules["opik"] = None
runpy.run_module("app", run_name="__main__")
"""


async def test_an_address_without_the_sdk_stops_the_start_with_one_line() -> None:
    values = {"AGENT_OPIK_URL": "http://127.0.0.1:1", "OPIK_INTERNAL_URL": "http://127.0.0.1:2"}
    code, _, log = await run_python("-c", MISSING, folder=ROOT, **values)
    assert code == 1
    assert log.startswith("Settings: OPIK_INTERNAL_URL: needs the Opik SDK")
    assert "EXTRAS=opik" in log
    assert log.count("\n") == 1
