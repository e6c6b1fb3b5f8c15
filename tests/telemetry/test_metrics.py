"""What Prometheus reads: the names are public, and no label tells about people or content."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from app.telemetry.metrics import MOST_NAMES, OTHER, Metrics
from standin.chat import finish, text
from standin.faults import Fault, Refuse
from testkit.processes import ROOT, service_process, serving_backend
from testkit.scripted_chat import DirectedChat, answer, calling
from testkit.service import PREFIX, TRACE_ID, Service, running

NAMES = {
    "opik_assist_backend_failures_total": {"kind"},
    "opik_assist_build": {"version"},
    "opik_assist_database_failures_total": {"kind"},
    "opik_assist_first_text_seconds": set(),
    "opik_assist_model_calls_total": {"model", "outcome"},
    "opik_assist_streams_open": set(),
    "opik_assist_tokens_total": {"kind"},
    "opik_assist_tool_calls_total": {"tool", "outcome"},
    "opik_assist_turn_seconds": set(),
    "opik_assist_turns_total": {"outcome"},
}
"""Dashboards and alerts use them: add, never rename."""

_PARTS_OF_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


async def read(service: Service) -> dict[str, float]:
    """Each sample's value by its name with labels."""
    response = await service.http.get(f"{service.url}{PREFIX}/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return parse(response.text)


def parse(text: str) -> dict[str, float]:
    samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


async def test_a_turn_is_counted_by_outcome_model_tools_and_tokens(
    migrated_sqlite_uri: str,
) -> None:
    chat = DirectedChat(calling(("get_trace_data", "{}")), answer("It was the tool."))
    async with running(migrated_sqlite_uri, chat=chat, metrics_enabled=True) as service:
        await service.ask()
        found = await read(service)
    assert found['opik_assist_turns_total{outcome="finished"}'] == 1
    assert found['opik_assist_model_calls_total{model="gpt-4.1",outcome="ok"}'] == 2
    assert found['opik_assist_tool_calls_total{outcome="ok",tool="get_trace_data"}'] == 1
    assert found['opik_assist_tokens_total{kind="prompt"}'] == 200
    assert found['opik_assist_tokens_total{kind="completion"}'] == 20
    assert found["opik_assist_first_text_seconds_count"] == 1
    assert found["opik_assist_turn_seconds_count"] == 1
    assert found["opik_assist_streams_open"] == 0


async def test_an_open_stream_is_counted(migrated_sqlite_uri: str) -> None:
    goes_on = asyncio.Event()
    chat = DirectedChat([text("It "), goes_on, text("was."), finish("stop")])
    async with running(migrated_sqlite_uri, chat=chat, metrics_enabled=True) as service:
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            assert (await read(service))["opik_assist_streams_open"] == 1
            goes_on.set()
            await stream.rest()
        assert (await read(service))["opik_assist_streams_open"] == 0


async def test_a_backend_that_fails_is_counted(migrated_sqlite_uri: str) -> None:
    async with running(migrated_sqlite_uri, metrics_enabled=True) as service:
        service.switches.faults = [Fault(Refuse())]
        await service.http.get(service.session())
        assert (await read(service))['opik_assist_backend_failures_total{kind="unreachable"}'] >= 1


async def test_names_and_labels_are_fixed_and_hold_no_id(migrated_sqlite_uri: str) -> None:
    calls = calling(("get_trace_data", "{}"), ("lookup_mary@example.com", "{}"))
    chat = DirectedChat(calls, answer("It was the tool."))
    async with running(migrated_sqlite_uri, chat=chat, metrics_enabled=True) as service:
        await service.ask("What did mary@example.com do?")
        shown = (await service.http.get(f"{service.url}{PREFIX}/metrics")).text
    declared = set(re.findall(r"^# TYPE (\w+)", shown, re.MULTILINE))
    assert declared == set(NAMES)
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", shown, re.MULTILINE):
        keys = set(re.findall(r'(\w+)="', labels)) - {"le"}
        assert keys == NAMES[_PARTS_OF_HISTOGRAM.sub("", name) if "seconds" in name else name]
    assert TRACE_ID not in shown
    assert "mary" not in shown
    assert f'tool="{OTHER}"' in shown


def test_names_of_models_are_bounded() -> None:
    metrics = Metrics()
    names = [metrics.limit_model(f"model-{each}") for each in range(MOST_NAMES + 5)]
    assert names[MOST_NAMES:] == [OTHER] * 5
    assert metrics.limit_model("model-0") == "model-0"


async def test_metrics_are_off_by_default(migrated_sqlite_uri: str) -> None:
    async with running(migrated_sqlite_uri) as service:
        assert (await service.http.get(f"{service.url}{PREFIX}/metrics")).status_code == 404


@pytest.mark.slow
async def test_processes_behind_one_port_add_up_their_counts(tmp_path: Path) -> None:
    shared = tmp_path / "metrics"
    folders = tmp_path / "a", tmp_path / "b"
    for each in (shared, *folders):
        each.mkdir()
    settings = {"METRICS_ENABLED": "true", "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    async with (
        serving_backend() as backend,
        service_process(backend, folders[0], **settings) as (first, _),
        service_process(backend, folders[1], **settings) as (second, _),
    ):
        await first.ask()
        await second.ask()
        for service in (first, second):
            assert (await read(service))['opik_assist_turns_total{outcome="finished"}'] == 2


def test_the_dashboard_asks_for_known_metrics_only() -> None:
    dashboard = (ROOT / "deploy" / "grafana" / "opik-assist.json").read_text()
    assert json.loads(dashboard)["panels"]
    asked = set(re.findall(r"opik_assist_\w+", dashboard))
    assert {_PARTS_OF_HISTOGRAM.sub("", each) for each in asked} <= set(NAMES)
    assert len(asked) >= len(NAMES) - 1
