"""What the stand-in makes of records: merging, selecting, cutting, adding up, keeping."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from standin import record_views, selection, timestamps
from standin.app import create_app
from standin.chat import ScriptedChat
from standin.record_store import Records
from standin.stats import build_stats
from standin.switches import Switches
from standin.writes import RequestRefused, Write
from testkit.case_tables import each_case

TRACE = "019a0000-0000-7000-8000-000000000001"
WANTED = {"trace_id": TRACE, "project_name": "shop"}
INPUT = {"score": math.nan, "most": [math.inf, -math.inf], "n": 0.5}


def span(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"019a0000-0000-7000-8000-{number:012d}",
        "trace_id": TRACE,
        "project_name": "shop",
        "name": f"span {number}",
        "start_time": "2026-11-20T10:00:00Z",
        "end_time": f"2026-11-20T10:00:{number % 60:02d}Z",
        **more,
    }


def stored(*spans: dict[str, Any], **trace: Any) -> Records:
    records = Records()
    start = {"id": TRACE, "project_name": "shop", "start_time": "2026-11-20T10:00:00Z"}
    records.put_traces([start | trace])
    if spans:
        records.put_spans(spans)
    return records


async def call(
    records: Records,
    path: str,
    switches: Switches | None = None,
    *,
    method: str = "GET",
    **more: Any,
) -> httpx.Response:
    app = create_app(records, chat=ScriptedChat([]), switches=switches or Switches())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://standin"
    ) as http:
        return await http.request(method, path, **more)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_later_message_wins_whatever_the_order_of_arrival(swapped: bool) -> None:
    first = span(1, type="general", last_updated_at="2026-11-20T10:00:01Z", tags=["early"])
    whole = span(1, type="llm", last_updated_at="2026-11-20T10:00:02Z", model="gpt-4.1")
    records = stored(*([whole, first] if swapped else [first, whole]))
    (entry,) = records.workspace().spans_of(TRACE)
    assert entry.fields["type"] == "llm"
    assert entry.fields["model"] == "gpt-4.1"
    assert entry.fields["tags"] == ["early"]


def test_an_update_before_its_record_is_kept_and_unseen_until_the_record_comes() -> None:
    records = stored()
    one = span(1)
    body = {"trace_id": TRACE, "project_name": "shop", "output": {"a": 1}}
    records.apply(Write("PATCH", f"/v1/private/spans/{one['id']}", body, timestamps.now()))
    assert records.workspace().spans_of(TRACE) == []
    records.put_spans([one])
    (entry,) = records.workspace().spans_of(TRACE)
    assert entry.fields["output"] == {"a": 1}


def test_a_trace_adds_up_its_spans() -> None:
    records = stored(
        span(1, type="llm", usage={"total_tokens": 5}, total_estimated_cost=0.1, provider="openai"),
        span(2, type="tool", usage={"total_tokens": 7}, total_estimated_cost=0.2),
        end_time="2026-11-20T10:00:01.5Z",
    )
    for value, number in ((1.0, 1), (0.0, 2)):
        score = {"id": span(number)["id"], "name": "good", "value": value, "source": "sdk"}
        path = "/v1/private/spans/feedback-scores"
        records.apply(Write("PUT", path, {"scores": [score]}, timestamps.now()))
    workspace = records.workspace()
    shown = record_views.trace(workspace, workspace.traces[TRACE], extra_spans=3)
    assert shown["duration"] == 1_500.0
    assert (shown["span_count"], shown["llm_span_count"], shown["has_tool_spans"]) == (5, 1, True)
    assert shown["usage"] == {"total_tokens": 12}
    assert shown["total_estimated_cost"] == pytest.approx(0.3)
    assert shown["providers"] == ["openai"]
    assert [(s["name"], s["value"]) for s in shown["span_feedback_scores"]] == [("good", 0.5)]


async def test_a_search_pages_from_the_newest_id_to_the_oldest() -> None:
    records = stored(*[span(number) for number in range(10, 16)])
    body: dict[str, Any] = {"trace_id": TRACE, "project_name": "shop", "limit": 4}
    path = "/v1/private/spans/search"
    first = await call(records, path, method="POST", json=body)
    ids = [json.loads(line)["id"] for line in first.content.split(b"\r\n") if line]
    assert ids == [span(number)["id"] for number in (15, 14, 13, 12)]
    rest = await call(records, path, method="POST", json={**body, "last_retrieved_id": ids[-1]})
    assert [json.loads(x)["name"] for x in rest.text.splitlines()] == ["span 11", "span 10"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"trace_id": TRACE}, 400),
        ({"project_name": "nobody's"}, 404),
        ({"project_name": "shop", "limit": 2_001}, 422),
        ({"project_name": "shop", "filters": [{"field": "name", "operator": "like"}]}, 400),
    ],
)
async def test_an_invalid_search_is_refused(body: dict[str, Any], status: int) -> None:
    path = "/v1/private/spans/search"
    assert (await call(stored(), path, method="POST", json=body)).status_code == status


async def test_long_values_are_cut_to_a_string_only_when_asked_and_never_in_single_reads() -> None:
    image = "data:image/png;base64," + "A" * 400
    records = stored(span(1, input={"text": "x" * 20_000}, output={"seen": image}))
    body = {"project_name": "shop", "trace_id": TRACE}
    path = "/v1/private/spans/search"
    cut = await call(records, path, method="POST", json={**body, "truncate": True})
    record = json.loads(cut.text)
    assert (type(record["input"]), len(record["input"])) == (str, 10_001)
    assert record["output"] == {"seen": "[image]"}
    whole = json.loads((await call(records, path, method="POST", json=body)).text)
    assert len(whole["input"]["text"]) == 20_000
    single = await call(records, f"/v1/private/spans/{span(1)['id']}")
    assert single.json()["output"] == {"seen": image}


async def test_excluded_fields_are_left_out_except_by_old_backends() -> None:
    records = stored(span(1, input={"a": 1}))
    body = {"project_name": "shop", "exclude": ["input"]}
    path = "/v1/private/spans/search"
    new = await call(records, path, method="POST", json=body)
    old = await call(records, path, Switches(ignore_exclude=True), method="POST", json=body)
    assert "input" not in json.loads(new.text)
    assert json.loads(old.text)["input"] == {"a": 1}


async def test_a_page_is_sorted_unless_the_workspace_is_too_large() -> None:
    records = stored(span(5), span(30), span(12))
    query = {
        "project_name": "shop",
        "size": "2",
        "sorting": json.dumps([{"field": "duration", "direction": "DESC"}]),
    }
    page = (await call(records, "/v1/private/spans", params=query)).json()
    assert [each["name"] for each in page["content"]] == ["span 30", "span 12"]
    assert (page["total"], "duration" in page["sortableBy"]) == (3, True)
    ignored = Switches(ignore_sorting=True)
    page = (await call(records, "/v1/private/spans", ignored, params=query)).json()
    assert page["sortableBy"] == []


async def test_old_backends_have_no_statistics_and_cannot_ask_who_sent_a_trace() -> None:
    source = json.dumps([{"field": "source", "operator": "=", "value": "sdk"}])
    stats, asked = "/v1/private/traces/stats", {"project_name": "shop"}
    found = {}
    for generation in ("A", "B", "C"):
        old = Switches(generation=generation)  # type: ignore[arg-type]
        answers = [
            await call(stored(source="sdk"), stats, old, params=asked),
            await call(stored(source="sdk"), stats, old, params={**asked, "filters": source}),
            await call(stored(), "/v1/private/traces", old, params={**asked, "filters": source}),
        ]
        found[generation] = [each.status_code for each in answers]
    assert found == {"A": [404, 404, 400], "B": [200, 400, 400], "C": [200, 200, 200]}


RECORD = {
    "name": "Answer",
    "duration": 5_000.0,
    "start_time": "2026-11-20T10:00:00Z",
    "tags": ["prod", "v2"],
    "metadata": {"model": {"name": "x"}},
    "usage": {"total_tokens": 12},
    "feedback_scores": [{"name": "good", "value": 0.4}],
    "error_info": {"exception_type": "KeyError"},
}


@each_case(
    "field, operator, value, key",
    [
        ("name", "=", "answer", None),
        ("name", "!=", "other", None),
        ("name", "contains", "SWE", None),
        ("name", "not_contains", "xyz", None),
        ("name", "starts_with", "ans", None),
        ("name", "ends_with", "er", None),
        ("name", "in", "other, answer", None),
        ("name", "not_in", "other", None),
        ("duration", ">", "900", None),
        ("duration", "<=", "5000", None),
        ("start_time", ">=", "2026-11-20T09:00:00Z", None),
        ("start_time", "<", "2026-11-20T12:00:00+01:00", None),
        ("tags", "contains", "v2", None),
        ("metadata", "=", "x", "model.name"),
        ("usage.total_tokens", "=", "12", None),
        ("feedback_scores", "<", "0.5", "good"),
        ("error_info", "is_not_empty", "", None),
        ("thread_id", "is_empty", "", None),
    ],
)
def test_every_operator_finds_what_it_should(
    field: str, operator: str, value: str, key: str | None
) -> None:
    one = {"field": field, "operator": operator, "value": value, "key": key}
    assert selection.filtered([RECORD], [one]) == [RECORD]


def test_a_filter_on_a_number_refuses_text() -> None:
    with pytest.raises(RequestRefused):
        selection.filtered([RECORD], [{"field": "duration", "operator": ">", "value": "long"}])


def test_percentiles_lie_between_the_nearest_values() -> None:
    records = [{"duration": float(value), "start_time": ""} for value in range(1, 102)]
    by_name = {each["name"]: each["value"] for each in build_stats(records, "span_count")["stats"]}
    assert by_name["span_count"] == 101
    assert by_name["duration"] == {"p50": 51.0, "p90": 91.0, "p99": 100.0}


def test_a_data_file_survives_a_torn_last_line(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    records = Records(path)
    records.put_traces([{"id": TRACE, "start_time": "2026-11-20T10:00:00Z", "name": "é"}])
    records.close()
    with path.open("a") as file:
        file.write('{"method":"POST","path":"/v1/priv')
    again = Records(path)
    again.put_spans([span(1)])
    again.close()
    last = Records(path)
    last.close()
    assert last.workspace().traces[TRACE].fields["name"] == "é"
    assert len(last.workspace().spans_of(TRACE)) == 1


async def test_nan_in_a_body_is_served_as_its_name_between_quotes() -> None:
    records = stored()
    body = json.dumps({"spans": [span(2, ttft=math.nan, input=INPUT)]})
    written = await call(records, "/v1/private/spans/batch", method="POST", content=body)
    assert written.status_code == 204
    read = await call(records, f"/v1/private/spans/{span(2)['id']}")
    assert read.json()["input"] == {
        "score": "NaN",
        "most": ["Infinity", "-Infinity"],
        "n": 0.5,
    }
    found = await call(records, "/v1/private/spans/search", method="POST", json=WANTED)
    assert found.json()["ttft"] == "NaN"
    for stats in ("/v1/private/spans/stats", "/v1/private/traces/stats"):
        assert (await call(records, f"{stats}?project_name=shop")).status_code == 200


@each_case("numbers", [{"total_estimated_cost": math.nan}, {"usage": {"tokens": math.inf}}])
async def test_nan_as_a_cost_or_a_count_is_refused(numbers: dict[str, Any]) -> None:
    body = json.dumps({"spans": [span(2, **numbers)]})
    answer = await call(stored(), "/v1/private/spans/batch", method="POST", content=body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Unable to process JSON")


async def test_nan_as_a_score_is_refused_and_the_trace_stays_readable() -> None:
    records = stored()
    path = f"/v1/private/traces/{TRACE}"
    body = '{"name": "good", "value": NaN, "source": "sdk"}'
    answer = await call(records, f"{path}/feedback-scores", method="PUT", content=body)
    assert answer.status_code == 400
    assert "feedback_scores" not in (await call(records, path)).json()


def test_records_that_are_put_in_are_not_changed() -> None:
    given = span(1, input={"score": math.nan})
    records = stored(given)
    assert records.workspace().spans[given["id"]].fields["input"] == {"score": "NaN"}
    assert isinstance(given["input"]["score"], float)
