"""One trace in a real browser: waterfall, details, findings."""

import json
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Locator, expect

from standin.workspace import AttachedFile, Subject
from testkit.service import OTHER_TRACE_ID, span_id
from tests.page.browser import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

_FAILED = {"exception_type": "ValueError", "message": "no order", "traceback": ""}
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da"
    "6364f80f00010501012718e3660000000049454e44ae426082"
)


def _id(number: int) -> str:
    return str(UUID(int=UUID(OTHER_TRACE_ID).int + 1 + number))


def _record(visit: Visit, spans: list[dict[str, Any]]) -> None:
    """A trace of one minute with these spans, their ids by their places; the first is the root."""
    times = {"start_time": "2026-11-20T10:00:00Z", "end_time": "2026-11-20T10:01:00Z"}
    trace = {"id": OTHER_TRACE_ID, "project_name": "shop", "name": "big", **times}
    records = visit.service.standin.records
    records.put_traces([trace])
    place = {"trace_id": OTHER_TRACE_ID, "project_name": "shop", "type": "general"}
    records.put_spans(
        {
            "id": _id(at),
            **place,
            **times,
            "parent_span_id": None if at == 0 else _id(span.pop("parent", 0)),
            **span,
        }
        for at, span in enumerate(spans)
    )


def _tree(visit: Visit) -> Locator:
    return visit.page.get_by_role("tree", name="Spans")


def _items(visit: Visit) -> Locator:
    return _tree(visit).get_by_role("treeitem")


def _second(number: int) -> dict[str, str]:
    """The times of a span that ran for the first, second, ... second of the minute."""
    return {
        "start_time": f"2026-11-20T10:00:{number:02d}Z",
        "end_time": f"2026-11-20T10:00:{number + 1:02d}Z",
    }


async def test_a_waterfall_of_ten_thousand_spans_draws_only_what_is_in_view(visit: Visit) -> None:
    kinds = ["llm", "tool", "general"]
    _record(
        visit,
        [
            {"name": f"step {at}", "type": kinds[at % 3], "parent": max(0, (at - 1) // 9)}
            for at in range(10_000)
        ],
    )
    await visit.open(f"/?trace={OTHER_TRACE_ID}")
    await expect(_items(visit).first).to_have_attribute("aria-setsize", "10000")
    assert await _items(visit).count() < 100
    await _items(visit).first.focus()
    await visit.page.keyboard.press("End")
    await expect(_items(visit).and_(visit.page.locator(":focus"))).to_have_attribute(
        "aria-posinset", "10000"
    )
    assert await _items(visit).count() < 100
    await visit.page.get_by_label("Search spans by name").fill("step 9999")
    await expect(visit.page.get_by_text("1 match")).to_be_visible()
    await expect(_items(visit).last).to_contain_text("step 9999")


async def test_bars_lie_where_the_spans_ran_and_mark_the_critical_path(visit: Visit) -> None:
    _record(
        visit,
        [{"name": "root"}, {"name": "half", **_second(0), "end_time": "2026-11-20T10:00:30Z"}],
    )
    await visit.open(f"/?trace={OTHER_TRACE_ID}")
    track = _items(visit).nth(1).locator(".track")
    bar, critical = track.locator(".bar"), track.locator(".critical")
    whole, part = await track.bounding_box(), await bar.bounding_box()
    assert whole
    assert part
    assert abs(part["x"] - whole["x"]) < 2
    assert abs(part["width"] - whole["width"] / 2) < 2
    assert await critical.count() == 1
    await expect(_items(visit).nth(1)).to_have_accessible_name(
        "half, general, 30 sec, on the critical path"
    )


async def test_repeated_siblings_are_one_row_that_opens(visit: Visit) -> None:
    calls = [{"name": "embed", "type": "tool", **_second(at)} for at in range(20)]
    calls[7]["error_info"] = _FAILED
    _record(visit, [{"name": "root"}, *calls, {"name": "answer", "type": "llm", **_second(50)}])
    await visit.open(f"/?trace={OTHER_TRACE_ID}")
    await expect(_items(visit)).to_have_count(3)
    group = _items(visit).nth(1)
    await expect(group).to_contain_text("20 ×")
    await expect(group.locator(".mark")).to_have_text("!")
    await expect(group.locator(".critical")).to_have_count(1)  # they follow each other closely
    await group.click()
    await expect(_items(visit).first).to_have_attribute("aria-setsize", "23")
    await visit.page.get_by_role("button", name="Collapse all").click()
    await expect(_items(visit)).to_have_count(1)
    await visit.page.get_by_role("button", name="Expand all").click()
    await expect(_items(visit).first).to_have_attribute("aria-setsize", "23")
    await visit.page.get_by_role("button", name="Errors only (1)").click()
    await expect(_items(visit)).to_have_count(2)
    await expect(_items(visit).last).to_contain_text("embed")


async def test_a_span_in_the_address_is_opened_within_its_group(visit: Visit) -> None:
    _record(visit, [{"name": "root"}, *({"name": "embed", **_second(at)} for at in range(20))])
    await visit.open(f"/?trace={OTHER_TRACE_ID}&span={_id(15)}")
    picked = _tree(visit).locator("[aria-selected=true]")
    await expect(picked).to_contain_text("embed")
    await expect(picked).to_be_in_viewport()
    await expect(visit.page.get_by_role("region", name="Span", exact=True)).to_contain_text("embed")


async def test_the_tree_is_used_by_keyboard_alone(visit: Visit) -> None:
    await visit.open_trace()
    focused = _items(visit).and_(visit.page.locator(":focus"))
    await _items(visit).first.focus()
    await visit.page.keyboard.press("ArrowDown")
    await expect(focused).to_contain_text("plan")
    await visit.page.keyboard.press("ArrowLeft")
    await expect(focused).to_contain_text("agent")
    await visit.page.keyboard.press("ArrowLeft")
    await expect(_items(visit)).to_have_count(1)
    await visit.page.keyboard.press("ArrowRight")
    await expect(_items(visit)).to_have_count(4)
    await visit.page.keyboard.press("End")
    await visit.page.keyboard.press("Enter")
    await visit.page.wait_for_url(lambda url: f"span={span_id(4)}" in url)
    tabbable = "[...document.querySelectorAll('[role=treeitem]')].filter(e => e.tabIndex === 0)"
    assert await visit.page.evaluate(f"{tabbable}.length") == 1


async def test_a_span_shows_its_messages_as_a_conversation_and_as_json(visit: Visit) -> None:
    call = {"id": "c1", "type": "function"}
    call["function"] = {"name": "look_up", "arguments": '{"id": 7}'}  # type: ignore[assignment]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "[input-attachment-1-17.png]"},
    ]
    output = {"choices": [{"message": {"role": "assistant", "content": "In the shop."}}]}
    _record(
        visit, [{"name": "chat", "type": "llm", "input": {"messages": messages}, "output": output}]
    )
    png = AttachedFile("input-attachment-1-17.png", "image/png", _PNG)
    visit.service.standin.records.workspace().attach(Subject("span", _id(0)), png)
    await visit.open(f"/?trace={OTHER_TRACE_ID}&span={_id(0)}")
    details = visit.page.get_by_role("region", name="Span", exact=True)
    shown = details.locator(".message")
    await expect(shown).to_have_count(5)
    for at, text in enumerate(
        ("Be brief.", "Where is it?", "calls look_up", "17.png", "In the shop.")
    ):
        await expect(shown.nth(at)).to_contain_text(text)
    await expect(shown.nth(3).locator(".badge.file")).to_be_visible()
    await expect(details.get_by_role("img", name=png.name)).to_be_visible()
    async with visit.page.expect_download() as saved:
        await details.get_by_role("button", name=png.name).click()
    assert (await saved.value).suggested_filename == png.name
    await details.get_by_role("button", name="JSON", exact=True).first.click()
    await expect(details.locator(".json-key").filter(has_text="messages")).to_be_visible()


async def test_findings_and_notes_are_there_before_any_question(visit: Visit) -> None:
    await visit.open_trace()
    overview = visit.page.get_by_role("region", name="Trace")
    finding = overview.locator("li.finding").first
    await expect(finding).to_contain_text("KeyError")
    await finding.get_by_role("link", name="lookup_order").click()
    await visit.page.wait_for_url(lambda url: f"span={span_id(3)}" in url)
    details = visit.page.get_by_role("region", name="Span", exact=True)
    await expect(details).to_contain_text("KeyError 'orders'")
    await details.get_by_role("button", name="Close the span").click()
    await expect(overview).to_contain_text("Findings")
    assert visit.service.chat.requests == []


async def test_a_trace_that_is_not_there_shows_why_and_a_way_back(visit: Visit) -> None:
    await visit.open(f"/?trace={OTHER_TRACE_ID}")
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_contain_text("Opik has no such trace in this workspace. (request ")
    await visit.page.get_by_role("link", name="All traces").click()
    await expect(visit.page.get_by_role("heading", name="Traces")).to_be_visible()
    visit.faults.clear()  # the 404 that was provoked


async def test_json_opens_level_by_level_and_long_texts_by_hand(visit: Visit) -> None:
    value = {"rows": list(range(500)), "text": "x" * 5000, "deep": {"a": {"b": {"c": 1}}}}
    _record(visit, [{"name": "root", "output": json.loads(json.dumps(value))}])
    await visit.open(f"/?trace={OTHER_TRACE_ID}&span={_id(0)}")
    details = visit.page.get_by_role("region", name="Span", exact=True)
    await details.get_by_role("button", name="[500 items]").click()
    await expect(details.locator(".json-number")).to_have_count(100)
    await details.get_by_role("button", name="400 more").click()
    await expect(details.locator(".json-number")).to_have_count(200)
    await details.get_by_role("button", name="3000 more characters").click()
    assert len(await details.locator(".json-string").inner_text()) == 5000
