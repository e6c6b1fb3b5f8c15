"""Conversations on the page, before the real service and a model under the test's direction."""

import asyncio
import sqlite3
from pathlib import Path

import anyio
import pytest
from playwright.async_api import expect

from standin.chat import ChatError, text
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, WAIT_SECONDS, span_id
from tests.page.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

_READ_SPAN = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
# One of the short names that the trace's four spans have in the outline is the failed one's.
_CITED = "[s1], [s2], [s3], [s4]"


async def test_a_starter_question_is_answered_while_the_model_still_speaks(visit: Visit) -> None:
    looked, spoken = asyncio.Event(), asyncio.Event()
    visit.service.chat.scripts = [
        calling(_READ_SPAN, status="I look at it."),
        [looked, text("It was **the "), spoken, *answer("tool**.")],
    ]
    await visit.open_trace()
    starter = visit.chat.locator(".chip").first
    question = await starter.inner_text()
    await starter.click()
    await expect(visit.messages).to_have_text(
        [question, "I look at it.", "Fetching span details for lookup_order"]
    )
    await expect(visit.messages.get_by_role("img", name="done")).to_have_count(1)
    named = visit.messages.last.get_by_role("link", name="lookup_order")
    await expect(named).to_have_attribute("href", f"?trace={TRACE_ID}&span={span_id(3)}")
    looked.set()
    await expect(visit.messages.last).to_have_text("It was the")
    await expect(visit.messages.last.locator("strong")).to_have_text("the")
    spoken.set()
    await visit.answered()
    await expect(visit.messages.last).to_have_text("It was the tool.")
    await expect(visit.messages.last.locator("strong")).to_have_text("the tool")


async def test_stop_ends_the_model_call_and_keeps_what_was_written(visit: Visit) -> None:
    visit.service.chat.scripts = [[text("Half an answer"), asyncio.Event()], answer("Whole.")]
    await visit.open_trace()
    await visit.ask("Why?")
    await expect(visit.messages.last).to_have_text("Half an answer")
    await visit.page.get_by_role("button", name="Stop").click()
    await expect(visit.messages).to_have_text(["Why?", "Half an answer", "Stopped"])
    with anyio.fail_after(WAIT_SECONDS):
        while not visit.service.switches.chats.cancelled:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
    await visit.open_trace()
    await expect(visit.messages).to_have_text(["Why?", "Half an answer (stopped)"])
    await visit.ask("And now?")
    await visit.answered()
    await expect(visit.messages.last).to_have_text("Whole.")


@pytest.mark.slow
async def test_escape_stops_and_shift_enter_begins_a_line(visit: Visit) -> None:
    visit.service.chat.scripts = [[text("Long"), asyncio.Event()]]
    await visit.open_trace()
    field = visit.page.get_by_label("Your question")
    await field.press_sequentially("One")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await field.press("Enter")
    await expect(visit.messages.first).to_have_text("One\ntwo", use_inner_text=True)
    await expect(visit.messages.last).to_have_text("Long")
    await expect(field).to_be_focused()
    await field.press("Escape")
    await expect(visit.messages.last).to_have_text("Stopped")


@pytest.mark.slow
async def test_a_reload_shows_the_conversation_with_its_tool_rows(visit: Visit) -> None:
    visit.service.chat.scripts = [calling(_READ_SPAN, status="I look."), answer("It *was*.")]
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    shown = await visit.messages.all_inner_texts()
    await visit.open_trace()
    assert await visit.messages.all_inner_texts() == shown
    assert shown == ["Why?", "I look.", "Fetching span details for lookup_order", "It was."]
    await expect(visit.messages.get_by_role("img", name="done")).to_have_count(1)


@pytest.mark.slow
async def test_thumbs_are_stored_and_taken_back(visit: Visit, database_file: Path) -> None:
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    good = visit.page.get_by_role("button", name="Good answers")
    bad = visit.page.get_by_role("button", name="Bad answers")
    for button, stored in ((good, [1]), (bad, [0]), (bad, [])):
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "true" if stored else "false")
        assert _thumbs(database_file) == stored


def _thumbs(path: Path) -> list[int]:
    with sqlite3.connect(path) as db:
        found = [row[0] for row in db.execute("SELECT value FROM opik_assist_feedback")]
    db.close()
    return found


@pytest.mark.slow
async def test_a_failed_turn_is_shown_as_an_error(visit: Visit) -> None:
    visit.service.chat.scripts = [[ChatError(401, "Incorrect API key")]]
    await visit.open_trace()
    await visit.ask("Why?")
    await expect(visit.chat.get_by_role("alert")).to_contain_text("Incorrect API key")


@pytest.mark.slow
async def test_tokens_that_no_provider_reported_are_marked_as_an_estimate(visit: Visit) -> None:
    visit.service.chat.scripts = [[text("Half of"), ChatError(500, "It broke")]]
    await visit.open_trace()
    await visit.ask("Why?")
    await expect(visit.chat.locator(".spent")).to_contain_text("~")


@pytest.mark.slow
async def test_a_span_that_is_cited_is_marked_in_the_list_and_in_the_address(visit: Visit) -> None:
    visit.service.chat.scripts = [answer(f"See {_CITED}.")]
    await visit.open_trace()
    await visit.ask("Why?")
    await visit.answered()
    await visit.messages.get_by_role("link", name="lookup_order").click()
    picked = visit.page.get_by_role("region", name="Span", exact=True)
    await expect(picked).to_contain_text("KeyError: 'orders'")
    await expect(picked).to_contain_text("8812")
    assert f"span={span_id(3)}" in visit.page.url
    await visit.page.reload()
    await expect(picked).to_contain_text("KeyError: 'orders'")
    await expect(visit.messages.last.get_by_role("link", name="lookup_order")).to_be_visible()


@pytest.mark.slow
async def test_follow_up_questions_of_the_stream_can_be_asked(visit: Visit) -> None:
    frames = [
        '{"message_type":"response","content":{"parts":[{"text":"Done."}]},"partial":false}',
        '{"message_type":"suggestions","suggestions":["And the cost?", 7]}',
    ]
    stream = "".join(f"data: {frame}\n\n" for frame in frames)
    path = f"**/session/{TRACE_ID}?*"
    await visit.open_trace()
    await visit.page.route(
        path, lambda route: route.fulfill(body=stream, content_type="text/event-stream")
    )
    await visit.ask("Why?")
    await visit.answered()
    await visit.page.unroute(path)
    chips = visit.chat.locator(".chip")
    await expect(chips).to_have_text(["And the cost?"])
    await chips.click()
    await visit.answered()
    await expect(visit.messages.nth(2)).to_have_text("And the cost?")


@pytest.mark.slow
async def test_the_service_s_starter_questions_are_taken_where_it_has_some(visit: Visit) -> None:
    await visit.page.route(
        "**/suggestions", lambda route: route.fulfill(json={"suggestions": ["What is slow?"]})
    )
    await visit.open_trace()
    await expect(visit.chat.locator(".chip")).to_have_text(["What is slow?"])


@pytest.mark.slow
async def test_a_phone_shows_one_pane_at_a_time_and_nothing_too_wide(phone: Visit) -> None:
    phone.service.chat.scripts = [
        answer(f"See {_CITED}.\n\n```\n{'x' * 300}\n```\n\n| a | b |\n|--|--|\n|{'y' * 90}|z|")
    ]
    await phone.open("/")
    assert await _overflow(phone) <= 0
    await phone.open_trace()
    tree = phone.page.get_by_role("region", name="Spans")
    await expect(tree).to_be_hidden()
    await phone.ask("Why?")
    await phone.answered()
    assert await _overflow(phone) <= 0
    await phone.messages.get_by_role("link", name="lookup_order").click()
    await expect(tree).to_be_visible()
    await expect(phone.chat).to_be_hidden()
    assert await _overflow(phone) <= 0
    await phone.page.get_by_role("button", name="Chat").click()
    await expect(phone.chat).to_be_visible()


async def _overflow(visit: Visit) -> int:
    width: int = await visit.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


@pytest.mark.slow
async def test_frames_are_the_same_wherever_the_network_cuts_the_stream(visit: Visit) -> None:
    stream = (
        'data: {"text":"é 🎸"}\n\n: ping\n\ndata:{"c":3}\r\n \nnothing\ndata: \ndata: x7\n'
        'data: {"d":"data\\u003a"}\ndata: {"half":'
    ).encode()
    reads = [[stream[:cut], stream[cut:]] for cut in range(len(stream) + 1)]
    await visit.open("/")
    seen = await visit.page.evaluate(
        """async ([assets, reads]) => {
             const { FrameReader } = await import(assets + "/stream.js");
             return reads.map((pair) => {
               const frames = new FrameReader();
               return pair.flatMap((read) => frames.feed(new Uint8Array(read)));
             });
           }""",
        [await visit.assets(), [[list(part) for part in pair] for pair in reads]],
    )
    assert seen == [[{"text": "é 🎸"}, {"c": 3}, {"d": "data:"}]] * len(reads)


async def _ask(visit: Visit, question: str, answered: str) -> None:
    visit.service.chat.scripts = [answer(answered)]
    await visit.ask(question)
    await expect(visit.messages.last).to_have_text(answered)
    await visit.answered()


@pytest.mark.slow
async def test_conversations_are_begun_renamed_switched_and_deleted(visit: Visit) -> None:
    await visit.open_trace()
    await _ask(visit, "First?", "One.")
    title = visit.chat.get_by_role("heading", level=2)
    await expect(title).to_have_text("First?")
    await visit.page.get_by_role("button", name="New conversation").click()
    await expect(visit.messages).to_have_count(0)
    await _ask(visit, "Second?", "Two.")
    await visit.page.get_by_role("button", name="Rename this conversation").click()
    await visit.page.get_by_label("Title").fill("About the shop")
    await visit.page.keyboard.press("Enter")
    await expect(title).to_have_text("About the shop")
    await visit.page.get_by_role("button", name="Conversations (2)").click()
    listed = visit.page.get_by_role("list", name="Conversations").get_by_role("button")
    await expect(listed.first).to_be_focused()
    await visit.page.keyboard.press("ArrowDown")
    await visit.page.keyboard.press("Enter")
    await expect(visit.messages).to_have_text(["First?", "One."])
    assert "conversation=" in visit.page.url
    await visit.page.reload()
    await expect(visit.messages).to_have_text(["First?", "One."])
    await visit.page.get_by_role("button", name="Delete this conversation").click()
    await visit.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(visit.messages).to_have_text(["Second?", "Two."])
    await expect(visit.page.get_by_role("button", name="Conversations (1)")).to_be_visible()


@pytest.mark.slow
async def test_a_conversation_is_exported_as_markdown_and_as_json(visit: Visit) -> None:
    await visit.open_trace()
    await _ask(visit, "Pourquoi échoué?", "It was the tool.")
    for name, end, part in (("Markdown", "md", "## Question"), ("JSON", "json", '"messages"')):
        await visit.page.get_by_role("button", name="Export this conversation").click()
        async with visit.page.expect_download() as saved:
            await visit.chat.get_by_role("button", name=name, exact=True).click()
        saved_file = await saved.value
        assert saved_file.suggested_filename == f"pourquoi-échoué.{end}"
        assert part in (await saved_file.path()).read_text()


@pytest.mark.slow
async def test_a_question_is_edited_and_answered_again_and_versions_are_kept(visit: Visit) -> None:
    await visit.open_trace()
    await _ask(visit, "Why?", "One.")
    await visit.page.get_by_role("button", name="Edit this question").click()
    visit.service.chat.scripts = [answer("Two.")]
    await visit.page.get_by_label("Edit your question").fill("Why exactly?")
    await visit.page.keyboard.press("Enter")
    await expect(visit.messages).to_have_text(["Why exactly?", "Two."])
    await expect(visit.chat).to_contain_text("2 / 2")
    visit.service.chat.scripts = [answer("Three.")]
    await visit.page.get_by_role("button", name="Answer again").click()
    await expect(visit.messages).to_have_text(["Why exactly?", "Three."])
    await expect(visit.chat).to_contain_text("3 / 3")
    for shown in (["Why exactly?", "Two."], ["Why?", "One."]):
        await visit.page.get_by_role("button", name="Previous version").click()
        await expect(visit.messages).to_have_text(shown)
    await _ask(visit, "And then?", "More of one.")
    await expect(visit.messages).to_have_text(["Why?", "One.", "And then?", "More of one."])
    assert "Three." not in str(visit.service.chat.requests[-1])


@pytest.mark.slow
async def test_the_branch_that_is_shown_is_exported(visit: Visit) -> None:
    await visit.open_trace()
    await _ask(visit, "Why?", "One.")
    visit.service.chat.scripts = [answer("Two.")]
    await visit.page.get_by_role("button", name="Answer again").click()
    await expect(visit.chat).to_contain_text("2 / 2")
    await visit.page.get_by_role("button", name="Previous version").click()
    await expect(visit.messages).to_have_text(["Why?", "One."])
    await visit.page.get_by_role("button", name="Export this conversation").click()
    async with visit.page.expect_download() as saved:
        await visit.chat.get_by_role("button", name="Markdown").click()
    exported = (await (await saved.value).path()).read_text()
    assert "One." in exported
    assert "Two." not in exported


@pytest.mark.slow
async def test_model_tokens_thumbs_and_follow_ups_are_there_after_a_reload(visit: Visit) -> None:
    await visit.open_trace()
    await _ask(visit, "Why?", "It was the tool.")
    await visit.page.get_by_role("button", name="Bad answers").click()
    spent = await visit.chat.locator(".spent").inner_text()
    assert "gpt-4.1" in spent
    assert "token" in spent
    chips = await visit.chat.get_by_role("group", name="Follow-up questions").inner_text()
    assert chips
    await visit.open_trace()
    await expect(visit.chat.locator(".spent")).to_have_text(spent)
    await expect(visit.page.get_by_role("button", name="Bad answers")).to_have_attribute(
        "aria-pressed", "true"
    )
    follow_ups = visit.chat.get_by_role("group", name="Follow-up questions")
    await expect(follow_ups).to_have_text(chips.replace("\n", ""))


@pytest.mark.slow
async def test_the_chosen_model_is_asked(visit: Visit) -> None:
    models = [{"name": "gpt-4.1", "usable": True}, {"name": "x", "usable": False}]
    await visit.page.route("**/models", lambda route: route.fulfill(json={"models": models}))
    await visit.open_trace()
    picker = visit.chat.get_by_label("Model")
    await expect(picker.get_by_role("option", name="x (no key)")).to_be_disabled()
    await picker.select_option("gpt-4.1")
    async with visit.page.expect_request(lambda each: each.method == "POST") as asked:
        await visit.ask("Why?")
    assert (await asked.value).post_data_json["model"] == "gpt-4.1"


@pytest.mark.slow
async def test_an_answer_is_copied_as_markdown(visit: Visit) -> None:
    await visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visit.open_trace()
    await _ask(visit, "Why?", "It was the tool.")
    await visit.page.get_by_role("button", name="Copy answer").click()
    await expect(visit.chat.get_by_text("Copied", exact=True)).to_be_attached()
    assert await visit.page.evaluate("navigator.clipboard.readText()") == "It was the tool."


@pytest.mark.slow
async def test_a_long_answer_is_followed_until_the_reader_scrolls(visit: Visit) -> None:
    more, end = asyncio.Event(), asyncio.Event()
    line = "A line of the answer.\n\n"
    visit.service.chat.scripts = [
        [text(line * 60), more, text(line * 60), end, *answer(line * 60 + "The end.")]
    ]
    await visit.open_trace()
    await visit.ask("Why?")
    box = visit.chat.locator(".scroll")
    away = "each => each.scrollHeight - each.clientHeight - each.scrollTop"
    lines = visit.messages.last.locator("p")
    await expect(lines).to_have_count(60)
    await expect(lines.last).to_be_in_viewport()
    await box.hover()
    await visit.page.mouse.wheel(0, -600)
    await expect(visit.page.get_by_role("button", name="To the end")).to_be_visible()
    before = await box.evaluate("each => each.scrollTop")
    more.set()
    await expect(lines).to_have_count(120)
    assert await box.evaluate("each => each.scrollTop") == before
    await visit.page.get_by_role("button", name="To the end").click()
    end.set()
    await visit.answered()
    assert await box.evaluate(away) < 4


@pytest.mark.slow
async def test_a_refused_question_shows_the_reason_with_the_request_id(visit: Visit) -> None:
    await visit.open_trace()
    await visit.page.route(
        f"**/session/{TRACE_ID}?*",
        lambda route: route.fulfill(
            status=429, json={"message": "Too many."}, headers={"X-Request-ID": "r-9"}
        ),
    )
    await visit.ask("Why?")
    await expect(visit.chat.get_by_role("alert").first).to_contain_text("Too many. (request r-9)")
    visit.faults.clear()  # the 429 that was provoked
