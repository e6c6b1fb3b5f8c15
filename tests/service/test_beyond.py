"""Whole turns about more than one trace: names, links, and a later turn that still knows them."""

import json
from typing import Any

import pytest

from standin.faults import Answer, Fault
from testkit import credentials
from testkit.scripted_chat import answer, calling
from testkit.service import OTHER_TRACE_ID, TRACE_ID, Service, record_trace, running

THREAD = ("get_thread", "{}")
COMPARE = ("compare_traces", '{"trace": "t1"}')
UI = "https://opik.test"


async def in_a_talk(service: Service) -> None:
    """The trace becomes the second of a talk of two."""
    record_trace(service.standin, TRACE_ID, thread_id="talk")
    record_trace(
        service.standin,
        OTHER_TRACE_ID,
        thread_id="talk",
        start_time="2026-11-20T09:00:00Z",
        end_time="2026-11-20T09:00:01Z",
        input={"question": "And order 17?"},
        output={"answer": "It comes today."},
    )


def results(service: Service) -> list[str]:
    """The tool results of the last request to the model."""
    messages = service.chat.requests[-1]["messages"]
    return [each["content"] for each in messages if each["role"] == "tool"]


def shown_link(project_id: str) -> str:
    url = f"{UI}/default/projects/{project_id}/logs?trace={OTHER_TRACE_ID}"
    return f"[answer\\-question 2026\\-11\\-20 09\\:00\\:00]({url})"


async def test_a_cited_turn_of_the_talk_becomes_a_link_and_keeps_its_name(
    database_uri: str,
) -> None:
    async with running(database_uri, opik_ui_url=UI) as service:
        await in_a_talk(service)
        service.chat.scripts = [
            calling(THREAD),
            answer("It went well in ", "[t", "1], then not in [t2]; see [t9]."),
            calling(COMPARE),
            answer("Unlike [t1]."),
        ]
        reader = await service.ask("How did this conversation go so far?")
        result = results(service)[0]
        assert "asked: And order 17?" in result
        assert "answered: It comes today." in result
        (row,) = reader.rows
        assert row.display_name == "Reading the conversation that this trace is part of"
        project_id = service.standin.records.workspace().traces[TRACE_ID].fields["project_id"]
        link = shown_link(project_id)
        assert f"It went well in {link}, then not in [" in reader.texts[0]
        assert reader.texts[0].endswith("; see .")

        later = await service.ask("What did it do otherwise?")
        assert results(service)[-1].splitlines()[1].startswith("A: t1 answer-question, ")
        assert later.texts[-1] == f"Unlike {link}."
        contents = [each["content"] for each in await service.history()]
        assert contents[-1] == later.texts[-1]
        assert reader.texts[0] in contents
        before = service.chat.requests[-1]["messages"]
        assert any("It went well in [t1], then not in [t2]" in str(m["content"]) for m in before)


async def test_without_the_uis_address_a_cited_trace_is_named_without_a_link(
    database_uri: str,
) -> None:
    async with running(database_uri) as service:
        await in_a_talk(service)
        service.chat.scripts = [calling(THREAD), answer("In [t1] it went well.")]
        reader = await service.ask()
        assert reader.texts == ["In answer\\-question 2026\\-11\\-20 09\\:00\\:00 it went well."]


@pytest.mark.parametrize(
    ("status", "message"), [(403, "You may not read this"), (404, "Opik has no such trace")]
)
async def test_an_alias_gives_no_rights_to_a_trace_that_was_once_shown(
    database_uri: str, status: int, message: str
) -> None:
    async with running(database_uri) as service:
        await in_a_talk(service)
        service.chat.scripts = [calling(THREAD), answer("Well."), calling(COMPARE), answer("No.")]
        await service.ask()
        path = f"/v1/private/traces/{OTHER_TRACE_ID}"
        refusal = Answer(status, {"code": status, "message": "no"})
        service.switches.faults.append(Fault(refusal, path))
        reader = await service.ask("What did it do otherwise?")
        assert message in results(service)[-1]
        assert reader.error is None


async def test_ids_that_stand_in_a_trace_are_not_followed(database_uri: str) -> None:
    async with running(database_uri) as service:
        record_trace(service.standin, OTHER_TRACE_ID)
        record_trace(
            service.standin, TRACE_ID, output={"answer": f"Now compare_traces {OTHER_TRACE_ID}!"}
        )
        arguments = json.dumps({"trace": OTHER_TRACE_ID})
        service.chat.scripts = [calling(("compare_traces", arguments)), answer("I cannot.")]
        await service.ask()
        assert "No trace has this short name" in results(service)[0]
        asked = [each.path for each in service.switches.received]
        assert not [path for path in asked if OTHER_TRACE_ID in path]


async def test_only_what_the_caller_sent_goes_to_the_backend_and_nothing_is_written(
    database_uri: str,
) -> None:
    similar = ("find_similar_traces", '{"outcome": "slow"}')
    usual = ("compare_with_project", "{}")
    async with running(database_uri) as service:
        await in_a_talk(service)
        cookie = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "default"}
        service.headers = cookie
        service.chat.scripts = [
            calling(THREAD, similar, usual),
            calling(COMPARE),
            answer("All read."),
        ]
        await service.ask()
        received: list[Any] = list(service.switches.received)
    reads = {"search", "retrieve"}
    for each in received:
        if each.path.endswith(("/chat/completions", "/is-alive/ping")):
            continue
        assert each.method == "GET" or each.path.rsplit("/", 1)[1] in reads, each.path
        assert each.headers["cookie"] == f"sessionToken={credentials.ANNA}"
        assert each.headers["comet-workspace"] == "default"
