"""The chat proxy failing in every way: what a user reads, how soon, and what is left behind."""

from pathlib import Path

import pytest

from standin.faults import (
    Answer,
    ChatCutAfter,
    ChatErrorAfter,
    CutAfter,
    Delay,
    Endless,
    PauseAfter,
    Refuse,
    garbage,
    html_page,
)
from standin.switches import Generation
from testkit.scripted_chat import answer, calling
from testkit.service import span_id
from tests.service.outages import (
    ANSWER,
    ATTEMPTS,
    CHAT,
    FOREVER,
    TIMEOUT,
    Case,
    asked_under,
    at,
    cases,
    hurried,
    is_as_before,
)

AWAY = r"The Opik backend cannot be reached: try again in a moment\."
GATEWAY = r"The Opik backend is not answering right now: try again in a moment\."
SILENT = rf"The model sent nothing for {TIMEOUT:g} seconds: ask again, or ask for less\."
NOT_A_REPLY = r"The Opik backend answered with something that is not a model's reply: try again\. "
A_PAGE = r"This assistant's address of Opik answered with a web page in place of a model's reply: "
TOO_LARGE = r"The model's reply came in a piece too large to be read: ask for less\."
BROKE_OFF = r"The model's answer broke off before its end\. Ask again, or ask it to continue\."
FAILED = r"OpenAI failed to answer: try again in a moment\."
EXPIRED = r"Your Opik session has expired: sign in to Opik again, then ask once more\."
NOT_ALLOWED = r"Opik does not let you use the models of this workspace: ask its administrator\."
ENOUGH = (
    r"The model's provider accepts no more requests for the moment: wait a minute and ask again"
)

REPLY_BYTES = 4_096
EVENTS = {"content-type": "text/event-stream"}
PACKED = {**EVENTS, "content-encoding": "gzip"}
A_DATE = {"Retry-After": "Sun, 22 Nov 2026 10:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
LATE = {"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
GENERATIONS: list[Generation] = ["A", "B", "C"]


def frame(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text.encode()


HUGE = frame("x" * 10_000_000)
BEGINNING = "It was "
ONE_FRAME = CutAfter(lines=2)
"""In the generations whose frames end with a blank line."""


@cases(
    Case("reset once", at(CHAT, Refuse(), times=1)),
    Case("slow first byte", at(CHAT, Delay(TIMEOUT / 10))),
    Case("502 page once", at(CHAT, html_page(502), times=1)),
    Case("503 once", at(CHAT, Answer(503), times=1)),
    Case("429 once", at(CHAT, Answer(429), times=1)),
    Case("429 with seconds once", at(CHAT, Answer(429, headers={"Retry-After": "0"}), times=1)),
    Case("429 with a date once", at(CHAT, Answer(429, headers=A_DATE), times=1)),
    Case("503 frame once", at(CHAT, ChatErrorAfter(0, 503, "busy"), times=1)),
    Case("packed though not asked for", (), switches={"gzip_answers": True, "gzip_unasked": True}),
)
async def test_an_answer_arrives_despite_proxy_faults(case: Case, tmp_path: Path) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        assert (await asked_under(case, service)).texts == [ANSWER]
        await is_as_before(service, network)


@cases(
    Case("reset", at(CHAT, Refuse()), AWAY),
    Case("no first byte", at(CHAT, Delay(FOREVER)), SILENT),
    Case("silence before a frame", at(CHAT, PauseAfter(0, FOREVER)), SILENT),
    Case("half of the first frame", at(CHAT, CutAfter(bytes=30)), AWAY),
    Case("garbage", at(CHAT, garbage()), NOT_A_REPLY),
    Case("page", at(CHAT, html_page(200)), A_PAGE),
    Case("page of a gateway", at(CHAT, html_page(502)), GATEWAY),
    Case("broken packing", at(CHAT, Answer(200, b"no gzip", PACKED)), NOT_A_REPLY),
    Case("10 MB frame", at(CHAT, Answer(200, HUGE, EVENTS)), TOO_LARGE),
    Case("endless comments", at(CHAT, Endless(b": ping\n" * 9_000)), TOO_LARGE),
    Case("endless line", at(CHAT, Endless(b"x" * 65_536)), TOO_LARGE),
    Case("500", at(CHAT, Answer(500)), "The model's provider failed to answer"),
    Case("503 for ever", at(CHAT, Answer(503)), GATEWAY),
    Case("429 for ever", at(CHAT, Answer(429, headers={"Retry-After": "0"})), ENOUGH),
    Case("429 for hours", at(CHAT, Answer(429, headers={"Retry-After": "9000"})), ENOUGH),
    Case("429 until a late date", at(CHAT, Answer(429, headers=LATE)), ENOUGH),
    Case("401", at(CHAT, Answer(401, {"code": 401, "message": "no"})), EXPIRED),
    Case("403", at(CHAT, Answer(403, {"code": 403, "message": "no"})), NOT_ALLOWED),
)
async def test_a_turn_without_a_reply_shows_a_message(case: Case, tmp_path: Path) -> None:
    async with hurried(tmp_path, **case.settings, reply_bytes=REPLY_BYTES) as (service, network):
        reader = await asked_under(case, service)
        # What the analysis found stands above, except where the caller's rights are in doubt.
        assert len(reader.texts) == (1 if case.message_pattern in (EXPIRED, NOT_ALLOWED) else 2)
        assert reader.texts[-1] == reader.error
        assert await service.read_messages() == [
            ("user", "What broke?"),
            *(("assistant", each) for each in reader.texts),
        ]
        # An empty stream is asked for once more as a whole.
        assert len(service.switches.requests("POST", CHAT)) <= ATTEMPTS + 1
        await is_as_before(service, network)


@cases(
    Case("half a frame", at(CHAT, CutAfter(bytes=len(frame(BEGINNING)) + 20)), BROKE_OFF),
    Case("cut between frames", at(CHAT, ONE_FRAME), BROKE_OFF),
    Case("an end without a mark", at(CHAT, ChatCutAfter(1)), BROKE_OFF),
    Case("silence", at(CHAT, PauseAfter(len(frame(BEGINNING)) + 20, FOREVER)), SILENT),
    Case("10 MB frame", at(CHAT, Answer(200, frame(BEGINNING) + HUGE, EVENTS)), BROKE_OFF),
    Case("garbage", at(CHAT, Answer(200, frame(BEGINNING) + b'{"\xff\n', EVENTS)), BROKE_OFF),
)
async def test_text_received_before_the_fault_is_kept(case: Case, tmp_path: Path) -> None:
    async with hurried(tmp_path, **case.settings, reply_bytes=REPLY_BYTES) as (service, network):
        reader = await asked_under(case, service)
        assert reader.texts[0] == BEGINNING
        assert await service.read_messages() == [
            ("user", "What broke?"),
            ("assistant", BEGINNING),
            ("assistant", reader.error),
        ]
        assert len(service.switches.requests("POST", CHAT)) == 1
        await is_as_before(service, network)


async def test_an_endless_text_is_cut_at_its_limit_and_kept(tmp_path: Path) -> None:
    async with hurried(tmp_path, reply_bytes=REPLY_BYTES) as (service, network):
        endless = Case("endless", at(CHAT, Endless(frame("word ") * 100)), BROKE_OFF)
        reader = await asked_under(endless, service)
        text = (await service.read_messages())[1][1]
        assert text.rstrip() == reader.texts[0].rstrip()
        assert REPLY_BYTES - 10 < len(text) <= REPLY_BYTES
        await is_as_before(service, network)


async def test_a_stream_that_drops_for_ever_ends_with_the_turns_time(tmp_path: Path) -> None:
    async with hurried(tmp_path, turn_seconds=6) as (service, network):
        drops = Endless(b": ping\n", pause=TIMEOUT / 10)
        reader = await asked_under(Case("drops", at(CHAT, drops, times=1)), service)
        assert reader.texts == [ANSWER]
        await is_as_before(service, network)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("before", [(), (BEGINNING,)], ids=["at once", "after text"])
async def test_an_error_frame_of_any_generation_is_shown_and_the_text_before_it_kept(
    generation: Generation, before: tuple[str, ...], tmp_path: Path
) -> None:
    async with hurried(tmp_path) as (service, network):
        error = ChatErrorAfter(len(before), 500, "boom")
        case = Case("error", at(CHAT, error), FAILED, switches={"generation": generation})
        reader = await asked_under(case, service)
        assert reader.error is not None
        assert 'The answer was: "boom"' in reader.error
        # Before the model's first word the analysis answers.
        answered = before or reader.texts[:1]
        shown = [*answered, reader.error]
        assert reader.texts == shown
        assert await service.read_messages() == [
            ("user", "What broke?"),
            *(("assistant", each) for each in shown),
        ]
        await is_as_before(service, network)


async def test_a_fault_in_a_later_step_keeps_earlier_texts_and_tool_calls(tmp_path: Path) -> None:
    look = ("get_span_details", f'{{"span_id": "{span_id(3)}"}}')
    async with hurried(tmp_path) as (service, network):
        service.chat.scripts = [calling(look, status="Let me look."), answer(ANSWER)]
        reader = await asked_under(Case("reset", at(CHAT, Refuse(), skip=1), AWAY), service)
        assert reader.texts == ["Let me look.", reader.error]
        assert all(row.completed for row in reader.rows)
        messages = await service.read_messages()
        assert messages[1] == ("assistant", "Let me look.")
        assert "lookup_order" in messages[2][1]
        assert messages[-1] == ("assistant", reader.error)
        await is_as_before(service, network)
