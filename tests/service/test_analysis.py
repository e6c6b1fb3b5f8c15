"""The analysis of a trace over HTTP, without a model."""

from typing import Any

import pytest

from standin.faults import Answer, Fault
from testkit.scripted_chat import answer
from testkit.service import (
    OTHER_TRACE_ID,
    TRACE_ID,
    Service,
    record_trace,
    running,
    span_id,
)
from tests.service.outages import SEARCH

_FOREIGN = "<img src=x>\u202egnp.\nname"


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri) as service:
        yield service


async def read_analysis(service: Service) -> Any:
    response = await service.http.get(f"{service.session()}/analysis")
    assert response.status_code == 200, response.text
    return response.json()


def aliases_of(found: Any) -> dict[str, str]:
    """The aliases of all spans that the analysis names, by id."""
    named = [each for item in found["findings"] + found["notes"] for each in item["spans"]]
    return {each["id"]: each["alias"] for each in named + found["profile"]["critical_path"]}


def first_outline(service: Service) -> str:
    content: str = service.chat.requests[0]["messages"][1]["content"]
    return content


def put_failing_span(service: Service, number: int, name: str) -> None:
    service.standin.records.put_spans(
        [
            {
                "id": span_id(number),
                "trace_id": TRACE_ID,
                "parent_span_id": span_id(1),
                "project_name": "shop",
                "name": name,
                "type": "tool",
                "start_time": "2026-11-20T10:00:00Z",
                "end_time": "2026-11-20T10:00:03Z",
                "error_info": {"exception_type": "TimeoutError", "message": "No answer in 3 s"},
            }
        ]
    )


async def test_findings_and_profile_of_a_failed_trace_are_read_without_a_model(
    service: Service,
) -> None:
    found = await read_analysis(service)
    assert set(found) == {"findings", "notes", "profile", "complete"}
    first = found["findings"][0]
    assert "lookup_order" in {each["name"] for each in first["spans"] if each["id"] == span_id(3)}
    assert "lookup_order" in first["sentence"]
    assert 0.5 < first["confidence"] <= 1
    profile = found["profile"]
    assert profile["duration_ms"] == 4_000
    assert {each["id"] for each in profile["critical_path"]} == {span_id(n) for n in (1, 2, 3, 4)}
    assert sum(each["ms"] for each in profile["critical_path"]) == 4_000
    assert sum(each["share"] for each in profile["critical_path"]) == pytest.approx(1, abs=0.01)
    assert (profile["cost"], profile["tokens"]) == (0, 900)
    assert found["complete"] is True
    assert service.chat.requests == []
    assert (await service.http.get(service.session())).status_code == 404
    assert await read_analysis(service) == found


async def test_without_a_conversation_aliases_are_those_of_the_first_outline(
    service: Service,
) -> None:
    found = await read_analysis(service)
    await service.ask()
    outline = first_outline(service)
    for each in (*found["findings"][0]["spans"], *found["profile"]["critical_path"]):
        assert f"{each['alias']} * {each['name']}" in outline


async def test_aliases_of_a_conversation_keep_their_meaning_in_the_analysis(
    service: Service,
) -> None:
    service.chat.scripts = [answer("It was this.")]
    await service.ask()
    before = aliases_of(await read_analysis(service))
    assert before[span_id(3)] in first_outline(service)
    put_failing_span(service, 0, "EarlierFailure")
    service.standin.records.put_traces([{"id": TRACE_ID, "project_name": "shop", "tags": ["new"]}])
    aliases = aliases_of(await read_analysis(service))
    assert aliases[span_id(3)] == before[span_id(3)]
    assert aliases[span_id(0)] not in before.values()
    service.chat.scripts = [answer("It was ", f"[{aliases[span_id(0)]}].")]
    reader = await service.ask()
    assert "EarlierFailure" in reader.texts[0]


@pytest.mark.parametrize("what", ["spans", "bodies"])
async def test_an_analysis_of_what_was_partly_read_is_not_complete(
    service: Service, what: str
) -> None:
    if what == "spans":
        service.switches.extra_span_count = 7
    else:
        no = Answer(400, {"errors": ["no"]})
        service.switches.faults += [Fault(no, SEARCH, times=1), Fault(no, SEARCH, skip=2)]
    assert (await read_analysis(service))["complete"] is False


async def test_a_trace_without_spans_has_an_analysis(service: Service) -> None:
    record_trace(service.standin, OTHER_TRACE_ID)
    other = service.session(OTHER_TRACE_ID)
    response = await service.http.get(f"{other}/analysis")
    assert response.status_code == 200
    assert response.json()["profile"]["critical_path"] == []


async def test_foreign_names_come_on_one_line_without_invisible_characters(
    service: Service,
) -> None:
    put_failing_span(service, 9, _FOREIGN + "x" * 10_000)
    found = await read_analysis(service)
    for item in found["findings"]:
        assert len(item["sentence"]) <= 600
        assert not {"\n", "\u202e"} & set(item["sentence"])
        for each in item["spans"]:
            assert len(each["name"]) <= 80
            assert not {"\n", "\u202e"} & set(each["name"])
