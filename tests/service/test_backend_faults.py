"""The REST API failing in every way: what a user reads, how soon, and what is left behind."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import anyio
import httpx

from standin.app import create_app as create_standin
from standin.faults import (
    Answer,
    CutAfter,
    Delay,
    Endless,
    PauseAfter,
    Refuse,
    garbage,
    html_page,
)
from standin.record_store import Records
from standin.switches import Switches, UserAccount
from testkit import credentials
from testkit.scripted_chat import DirectedChat, answer, calling
from testkit.service import (
    TRACE_ID,
    Service,
    record_trace,
    service_at,
    serving,
    span_id,
    wait_until,
)
from tests.service.outages import (
    ANSWER,
    FOREVER,
    LONGEST,
    SEARCH,
    TIMEOUT,
    TRACE,
    WHO,
    Case,
    asked_under,
    at,
    cases,
    hurried,
    is_as_before,
)

AWAY = r"The Opik backend cannot be reached now\. Try again in a moment\."
NOT_READ = r"The Opik backend's answer about the trace cannot be read\. Ask your "
FAILED = r"The Opik backend failed \(status {}\)\. Try again in a moment\."
ENOUGH = r"Opik accepts no more requests for the moment\. Wait a minute and ask again\."
EXPIRED = r"Your Opik session has expired\. Sign in again\."

A_DATE = {"Retry-After": "Sun, 22 Nov 2026 10:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
PACKED = {"content-type": "application/json", "content-encoding": "gzip"}


@cases(
    Case("reset once", at(TRACE, Refuse(), times=1)),
    Case("slow first byte", at("/v1/private", Delay(TIMEOUT / 10))),
    Case("too slow once", at(TRACE, Delay(FOREVER), times=1)),
    Case("cut once", at(TRACE, CutAfter(bytes=40), times=1)),
    Case("503 once", at(TRACE, Answer(503), times=1)),
    Case("502 page once", at(SEARCH, html_page(502), times=1)),
    Case("429 once", at(TRACE, Answer(429), times=1)),
    Case("429 with seconds once", at(TRACE, Answer(429, headers={"Retry-After": "0"}), times=1)),
    Case("429 with a reset once", at(WHO, Answer(429, headers={"RateLimit-Reset": "0"}), times=1)),
    Case("429 with a date once", at(SEARCH, Answer(429, headers=A_DATE), times=1)),
    Case("a page of spans cut", at(SEARCH, CutAfter(lines=2), times=1)),
    Case("a page of spans that falls silent", at(SEARCH, PauseAfter(40, FOREVER), times=1)),
    Case("an endless page of spans", at(SEARCH, Endless(), times=1)),
    Case("packed answers", (), switches={"gzip_answers": True}),
    Case("packed though not asked for", (), switches={"gzip_answers": True, "gzip_unasked": True}),
)
async def test_an_answer_arrives_despite_backend_faults(case: Case, tmp_path: Path) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        reader = await asked_under(case, service)
        assert reader.texts == [ANSWER]
        assert "lookup_order" in str(service.chat.requests[0]["messages"])
        await is_as_before(service, network)


@cases(
    Case("reset", at(TRACE, Refuse()), AWAY),
    Case("no first byte", at(TRACE, Delay(FOREVER)), AWAY),
    Case("silence in the middle", at(TRACE, PauseAfter(20, FOREVER)), AWAY),
    Case("half a record", at(TRACE, CutAfter(bytes=40)), AWAY),
    Case("garbage", at(TRACE, garbage()), NOT_READ),
    Case("page", at(TRACE, html_page(200)), NOT_READ),
    Case("page of a gateway", at(TRACE, html_page(502)), FAILED.format(502)),
    Case("broken packing", at(TRACE, Answer(200, b"no gzip", PACKED)), AWAY),
    Case("drops for ever", at(TRACE, Endless(b"x", pause=TIMEOUT / 10)), AWAY),
    Case("500", at(TRACE, Answer(500, {"errors": ["no"]})), FAILED.format(500)),
    Case("503 for ever", at(TRACE, Answer(503)), FAILED.format(503)),
    Case("429 for ever", at(TRACE, Answer(429, headers={"Retry-After": "0"})), ENOUGH),
)
async def test_a_question_about_a_trace_that_cannot_be_read_shows_a_message(
    case: Case, tmp_path: Path
) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        await asked_under(case, service)
        assert service.chat.requests == []
        await is_as_before(service, network)


@cases(
    Case("reset for spans", at(SEARCH, Refuse()), AWAY),
    Case("no first byte for spans", at(SEARCH, Delay(FOREVER)), AWAY),
    Case("500 for spans", at(SEARCH, Answer(500)), FAILED.format(500)),
    Case("401 for spans", at(SEARCH, Answer(401)), EXPIRED),
)
async def test_a_turn_whose_spans_cannot_be_read_shows_a_message(
    case: Case, tmp_path: Path
) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        reader = await asked_under(case, service)
        assert service.chat.requests == []
        assert await service.read_messages() == [
            ("user", "What broke?"),
            ("assistant", reader.error),
        ]
        await is_as_before(service, network)


@cases(
    Case("half a record", at(SEARCH, CutAfter(bytes=40))),
    Case("garbage", at(SEARCH, garbage())),
    Case("page", at(SEARCH, html_page(200))),
    Case("broken packing", at(SEARCH, Answer(200, b"no gzip", PACKED))),
)
async def test_spans_that_cannot_be_read_are_reported_to_the_model(
    case: Case, tmp_path: Path
) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        reader = await asked_under(case, service)
        assert reader.texts == [ANSWER]
        result = str(service.chat.requests[0]["messages"])
        assert "only 0 of the trace's 4 spans could be read" in result
        await is_as_before(service, network)


@cases(
    Case("reset", at(WHO, Refuse()), AWAY),
    Case("no first byte", at(WHO, Delay(FOREVER)), AWAY),
    Case("garbage", at(WHO, garbage()), "The Opik backend's answer about the workspace"),
    Case("500", at(WHO, Answer(500)), FAILED.format(500)),
    Case("no first byte for the check", at(TRACE, Delay(FOREVER)), AWAY),
)
async def test_a_turn_that_cannot_begin_shows_a_message_and_stores_nothing(
    case: Case, tmp_path: Path
) -> None:
    async with hurried(tmp_path, **case.settings) as (service, network):
        await asked_under(case, service)
        assert (await service.http.get(service.session())).status_code == 404
        await is_as_before(service, network)


async def test_an_unreachable_backend_is_reported_and_its_return_noticed(
    tmp_path: Path,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    chat = DirectedChat(answer(ANSWER))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    backend = f"http://127.0.0.1:{port}"
    database = f"sqlite:///{tmp_path / 'a.db'}"
    async with service_at(backend, database) as url, httpx.AsyncClient(timeout=60) as http:
        service = Service(url, backend, database, standin, chat, http)
        await asked_under(Case("refused", (), AWAY), service)
        async with serving(standin, port=port, grace=1):
            assert (await service.ask()).texts == [ANSWER]


LOOK = ("get_span_details", f'{{"span_id": "{span_id(3)}", "include_output": true}}')


async def with_a_long_output(service: Service) -> None:
    """The third span has an output that is read whole only when a tool asks for it."""
    long = {"id": span_id(3), "trace_id": TRACE_ID, "project_name": "shop", "output": "x" * 20_000}
    service.standin.records.put_spans([long])


def tool_answers(service: Service) -> list[str]:
    messages = service.chat.requests[-1]["messages"]
    return [str(each["content"]) for each in messages if each["role"] == "tool"]


async def test_a_session_that_expires_within_a_turn_is_reported_and_earlier_text_kept(
    tmp_path: Path,
) -> None:
    async with hurried(tmp_path) as (service, network):
        record_trace(service.standin, workspace="team")
        signed_in = {credentials.ADA: UserAccount("ada", frozenset({"team"}))}
        service.switches.accounts = signed_in
        service.headers = {"Cookie": f"sessionToken={credentials.ADA}", "Comet-Workspace": "team"}
        gate = asyncio.Event()
        service.chat.scripts = [[*calling(LOOK, status="Let me look.")[:1], gate, *calling(LOOK)]]
        async with service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
            service.switches.accounts = {}
            gate.set()
            reader = await stream.rest()
        assert reader.error is not None
        assert reader.error.startswith("Your Opik session has expired: sign in to Opik again, ")
        assert reader.texts[0] == "Let me look."
        service.switches.accounts = {credentials.ADA_AGAIN: signed_in[credentials.ADA]}
        service.headers["Cookie"] = f"sessionToken={credentials.ADA_AGAIN}"
        messages = await service.read_messages()
        assert messages[0] == ("user", "What caused this error?")
        assert messages[1] == ("assistant", "Let me look.")
        assert messages[-1] == ("assistant", reader.error)
        service.chat.scripts = [answer(ANSWER)]
        await is_as_before(service, network)


async def held_between_two_steps(service: Service, change: Any) -> list[str]:
    """What a tool answered whose turn saw its trace change after it was loaded."""
    await with_a_long_output(service)
    gate = asyncio.Event()
    service.chat.scripts = [[gate, *calling(LOOK)], answer(ANSWER)]
    with anyio.fail_after(LONGEST):
        asking = asyncio.create_task(service.ask())
        await service.chat.asked.wait()
        await change()
        gate.set()
        assert (await asking).error is None
    return tool_answers(service)


async def test_a_trace_that_disappears_within_a_turn_leaves_what_was_read(tmp_path: Path) -> None:
    async with hurried(tmp_path) as (service, _):

        async def delete() -> None:
            deleted = await service.http.delete(f"{service.backend}{TRACE}")
            assert deleted.status_code == 204

        (result,) = await held_between_two_steps(service, delete)
        assert "Only the first 10,000 characters could be read" in result
        assert "Opik has no such span in this workspace." in result
        assert (await service.read_messages())[-1] == ("assistant", ANSWER)
        response = await service.http.send(
            service.question("And now?", headers={"Accept": "application/json"})
        )
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_trace_that_changes_within_a_turn_is_read_anew_by_the_next(tmp_path: Path) -> None:
    async with hurried(tmp_path) as (service, network):

        async def change() -> None:
            record_trace(service.standin, name="renamed-meanwhile")

        (result,) = await held_between_two_steps(service, change)
        assert "xxxx" in result
        assert "renamed-meanwhile" not in str(service.chat.requests[-1]["messages"])
        await is_as_before(service, network)
        assert "renamed-meanwhile" in str(service.chat.requests[-1]["messages"])


async def test_a_span_whose_name_ends_in_half_a_character_can_be_cited(tmp_path: Path) -> None:
    async with hurried(tmp_path) as (service, network):
        cut = {"id": span_id(3), "trace_id": TRACE_ID, "name": "lookup \ud83d"}
        page = Answer(200, json.dumps(cut) + "\n")
        service.switches.faults += at(SEARCH, page, times=2)
        cited = f"It was {{span:{span_id(3)}}}."
        service.chat.scripts = [answer(cited), answer(ANSWER)]
        assert (await service.ask()).error is None
        assert (await service.read_messages())[-1] == ("assistant", cited)
        await is_as_before(service, network)


async def test_suggestions_and_a_turn_at_once_read_the_spans_of_a_slow_backend_once(
    tmp_path: Path,
) -> None:
    async with hurried(tmp_path, opik_backend_timeout=LONGEST) as (service, network):
        service.switches.faults += at(SEARCH, PauseAfter(1, TIMEOUT / 2), times=1)
        suggested = asyncio.create_task(service.http.get(f"{service.session()}/suggestions"))
        await wait_until(lambda: service.switches.requests("POST", SEARCH))
        assert (await service.ask()).texts == [ANSWER]
        assert len((await suggested).json()["suggestions"]) == 3
        assert len(service.switches.requests("POST", SEARCH)) == 1
        await is_as_before(service, network)
