"""The list of traces in a real browser: filters and order by the backend, failed ones first."""

import json
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from playwright.async_api import Locator, expect

from app.explorer import trace_list
from standin.workspace import Subject
from testkit.service import OTHER_TRACE_ID, TRACE_ID
from tests.page.browser import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

_FAILED = {"exception_type": "ValueError", "message": "no order", "traceback": ""}
_MANY = 60  # more than a page of the list


def _record(visit: Visit, number: int, **more: Any) -> None:
    """A trace that began `number` minutes into the day and took `number` seconds."""
    trace = {
        "id": str(UUID(int=UUID(OTHER_TRACE_ID).int + 16 * number)),
        "project_name": "shop",
        "name": f"run-{number}",
        "start_time": f"2026-11-20T12:{number:02d}:00Z",
        "end_time": f"2026-11-20T12:{number:02d}:{min(number, 59):02d}Z",
        **more,
    }
    visit.service.standin.records.put_traces([trace])


def _rows(visit: Visit) -> Locator:
    return visit.page.get_by_role("table", name="Traces", exact=True).locator("tbody tr")


async def test_the_list_shows_what_is_known_of_each_trace_and_leads_to_it(visit: Visit) -> None:
    _record(visit, 1, name="practice", project_name="coach", tags=["tts"], thread_id="session-7")
    await visit.open("/")
    rows = _rows(visit)
    for part in ("shop", "4.00 sec", "4"):
        await expect(rows.filter(has_text="answer-question")).to_contain_text(part)
    for part in ("coach", "tts", "session-7"):
        await expect(rows.filter(has_text="practice")).to_contain_text(part)
    await visit.page.get_by_label("Project").select_option("coach")
    await expect(rows).to_have_count(1)
    await visit.page.get_by_role("link", name="practice").click()
    await expect(visit.page.get_by_role("heading", name="practice")).to_be_visible()
    await visit.page.go_back()
    await expect(rows).to_have_count(1)


async def test_the_newest_failed_traces_stand_above_all_others(visit: Visit) -> None:
    for number in range(1, 30):
        _record(visit, number, **({"error_info": _FAILED} if number in (2, 3, 4, 5) else {}))
    await visit.open("/")
    failed = visit.page.get_by_role("table", name="Traces that failed lately").locator("tbody tr")
    await expect(failed).to_have_count(3)
    await expect(failed.first).to_contain_text("run-5")
    await expect(failed.first).to_contain_text("ValueError: no order")
    await expect(failed.first).to_be_in_viewport()
    await visit.page.get_by_role("link", name="all 4").click()
    await expect(_rows(visit)).to_have_count(4)


async def test_filters_are_the_backend_s_and_parts_of_the_address(visit: Visit) -> None:
    _record(visit, 2, tags=["blue"], thread_id="t-1")
    _record(visit, 30, tags=["blue"], name="long", error_info=_FAILED)
    await visit.open("/?tag=blue")
    await expect(_rows(visit)).to_have_count(2)
    await visit.page.get_by_role("button", name="Slow").click()
    await expect(_rows(visit)).to_have_count(1)
    await visit.page.get_by_role("button", name="Failed", exact=True).click()
    await visit.page.get_by_label("Search").fill("long")
    wanted = {"tag": ["blue"], "slow": ["5000"], "failed": ["1"], "q": ["long"]}
    await visit.page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == wanted)
    await expect(_rows(visit)).to_have_count(1)
    asked = visit.service.switches.requests("GET", "/v1/private/traces")[-1].query
    fields = {each["field"] for each in json.loads(asked["filters"])}
    assert fields == {"tags", "duration", "error_info"}
    await visit.page.reload()
    await expect(_rows(visit)).to_have_count(1)
    await visit.page.get_by_label("Thread").fill("t-none")
    await expect(visit.page.get_by_text("No traces here.")).to_be_visible()


async def test_a_range_of_time_is_a_filter_and_scores_are_shown(visit: Visit) -> None:
    for number in (1, 20, 40):
        _record(visit, number)
    middle = str(UUID(int=UUID(OTHER_TRACE_ID).int + 16 * 20))
    score = {"name": "helpful", "value": 0.25, "source": "ui"}
    workspace = visit.service.standin.records.workspace()
    workspace.scores[Subject("trace", middle)] = {"helpful": score}
    local = await visit.page.evaluate(
        """time => { const at = new Date(time);
        at.setMinutes(at.getMinutes() - at.getTimezoneOffset());
        return at.toISOString().slice(0, 16); }""",
        "2026-11-20T12:10:00Z",
    )
    await visit.open("/?until=2026-11-20T12:30:00.000Z")
    await expect(_rows(visit)).to_have_count(3)
    await visit.page.get_by_label("From").fill(local)
    await expect(_rows(visit)).to_have_count(1)
    await expect(_rows(visit)).to_contain_text("run-20")
    await expect(_rows(visit)).to_contain_text("helpful 0.25")
    query = parse_qs(urlsplit(visit.page.url).query)
    wanted = {"since": "2026-11-20T12:10:00.000Z", "until": "2026-11-20T12:30:00.000Z"}
    assert query == {name: [time] for name, time in wanted.items()}
    await visit.page.reload()
    await expect(visit.page.get_by_label("From")).to_have_value(local)
    await visit.page.get_by_role("link", name="run-20").click()
    await expect(visit.page.locator(".scores")).to_contain_text("helpful 0.25")
    await visit.page.go_back()
    await visit.page.get_by_label("From").fill("")
    await expect(_rows(visit)).to_have_count(3)


async def test_all_projects_say_where_older_traces_are_found(visit: Visit) -> None:
    for number in range(_MANY):
        _record(visit, number)
    with patch.object(trace_list, "MERGED_TRACES", 50):
        await visit.open("/")
        await expect(_rows(visit)).to_have_count(50)
        await expect(visit.page.get_by_role("button", name="Next page")).to_have_count(0)
        await expect(visit.page.get_by_text("Choose a project to see more")).to_be_visible()


async def test_the_list_is_sorted_and_paged_by_the_backend(visit: Visit) -> None:
    for number in range(_MANY):
        _record(visit, number)
    await visit.open("/")
    await visit.page.get_by_label("Project").select_option("shop")
    await expect(_rows(visit).first).to_contain_text(f"run-{_MANY - 1}")
    await visit.page.get_by_role("button", name="Next page").click()
    await expect(visit.page.get_by_text("Page 2 of 2")).to_be_visible()
    await expect(_rows(visit)).to_have_count(_MANY + 1 - 50)
    await visit.page.get_by_role("button", name="Duration").click()
    await expect(visit.page.get_by_text("Page 1 of 2")).to_be_visible()
    head = visit.page.get_by_role("columnheader", name="Duration")
    await expect(head).to_have_attribute("aria-sort", "descending")
    await expect(_rows(visit).first).to_contain_text("59 sec")
    await expect(_rows(visit).first).to_contain_text("run-59")


async def test_a_backend_that_does_not_sort_is_said_to_show_the_newest(visit: Visit) -> None:
    visit.service.switches.ignore_sorting = True
    await visit.open("/?sort=cost")
    await expect(visit.page.get_by_text("newest first")).to_be_visible()


async def test_a_list_that_fails_shows_why_and_can_be_tried_again(visit: Visit) -> None:
    await visit.page.route(
        "**/ui/api/traces?*",
        lambda route: route.fulfill(
            status=502, json={"message": "Opik is down."}, headers={"X-Request-ID": "r-17"}
        ),
    )
    await visit.open("/")
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_contain_text("Opik is down. (request r-17)")
    await visit.page.unroute("**/ui/api/traces?*")
    await alert.get_by_role("button", name="Try again").click()
    await expect(_rows(visit)).to_have_count(1)
    visit.faults.clear()  # the 502 that was provoked


async def test_the_workspace_of_the_address_is_sent_and_kept(visit: Visit) -> None:
    sent: list[str | None] = []
    visit.page.on("request", lambda each: sent.append(each.headers.get("comet-workspace")))
    await visit.open("/?workspace=default")
    await _rows(visit).get_by_role("link", name="answer-question").click()
    await expect(visit.page.get_by_role("heading", name="answer-question")).to_be_visible()
    assert parse_qs(urlsplit(visit.page.url).query) == {
        "workspace": ["default"],
        "trace": [TRACE_ID],
    }
    assert sent[-1] == "default"
