"""The limits of one request and one turn at their edges, through the service."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.token_estimate import estimate_tokens
from standin.faults import Delay, Fault
from standin.switches import WorkspaceKey
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, running, span_id


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a.db'}"


def details(number: int) -> tuple[str, str]:
    return "get_span_details", json.dumps({"span_id": span_id(number)})


def unlike_others(number: int) -> dict[str, Any]:
    """A span with a name and a duration of its own, so that no line can stand for several."""
    name = "".join("abcdefghij"[int(digit)] for digit in f"{number:03}") * 4
    times = {"start_time": "2026-11-20T10:00:03Z", "end_time": f"2026-11-20T10:00:03.{number:03}Z"}
    owner = {"trace_id": TRACE_ID, "parent_span_id": span_id(1), "project_name": "shop"}
    return {"id": span_id(number), "name": name, "type": "general", **owner, **times}


def results(service: Service) -> list[str]:
    """What the model has read of tools, in its last request, without the fence."""
    messages = service.chat.requests[-1]["messages"]
    fenced = [each["content"] for each in messages if each["role"] == "tool"]
    return ["\n".join(each.split("\n")[1:-1]) for each in fenced]


def offered(service: Service) -> list[bool]:
    """Of each request to the model, whether it offered tools."""
    return [bool(each.get("tools")) for each in service.chat.requests]


async def test_a_body_of_as_many_bytes_as_allowed_passes_and_one_more_is_refused(
    uri: str,
) -> None:
    async with running(uri, body_bytes=100) as service:
        for padding, status, accepted in ((0, 200, "*/*"), (1, 413, "application/json")):
            body = b'{"message": "why?"}'
            body += b" " * (100 - len(body) + padding)
            response = await service.http.post(
                service.session(),
                content=body,
                headers={"Content-Type": "application/json", "Accept": accepted},
            )
            assert response.status_code == status
        assert response.json()["code"] == "request_too_large"
        assert response.json()["message"] == "The body is larger than 100 bytes."


async def test_after_as_many_replies_as_allowed_comes_a_last_one_without_tools(uri: str) -> None:
    async with running(uri, turn_steps=2) as service:
        service.chat.scripts = [calling(details(3)), answer("In two.")]
        assert (await service.ask()).texts == ["In two."]
        assert offered(service) == [True, True]

        service.chat.requests.clear()
        service.chat.scripts = [calling(details(2)), calling(details(3)), answer("At last.")]
        assert (await service.ask()).texts == ["At last."]
        assert offered(service) == [True, True, False]


async def test_of_the_calls_of_a_reply_as_many_as_allowed_are_run(uri: str) -> None:
    async with running(uri, calls_per_step=2) as service:
        service.chat.scripts = [calling(details(1), details(2), details(3)), answer("Done.")]
        reader = await service.ask()
        assert reader.texts == ["Done."]
        first, second, third = results(service)
        assert "not run" not in first + second
        assert third.startswith("[not run: at most 2 different calls in one reply")


@pytest.mark.parametrize("model", ["openai/gpt-4.1", "anthropic/claude-sonnet-4-5"])
async def test_of_a_flood_of_calls_twice_as_many_as_are_run_are_answered(
    uri: str, model: str
) -> None:
    wanted = [details(number) for number in range(2, 502)]
    asked = "".join(
        f'<call-TOKEN>\n{{"name": "{name}", "arguments": {arguments}}}\n</call-TOKEN>\n'
        for name, arguments in wanted
    )
    async with running(uri, calls_per_step=3, agent_model=(model,)) as service:
        service.switches.keys = [WorkspaceKey(model.partition("/")[0])]
        service.chat.scripts = [answer("Wait."), calling(*wanted), answer("Enough.")]
        await service.ask()
        if model.startswith("anthropic"):
            system = service.chat.requests[0]["messages"][0]["content"]
            token = re.search(r"<call-([0-9a-f]+)>", system)
            assert token is not None
            service.chat.scripts[1] = answer(asked.replace("TOKEN", token[1]))
        reader = await service.ask()
    assert reader.texts[-1] == "Enough."
    assert len(reader.rows) == 6
    assert len(str(service.chat.requests[-1]["messages"])) < 20_000


async def test_a_result_within_its_characters_is_whole_and_a_longer_one_is_cut_to_them(
    uri: str,
) -> None:
    async def read(limit: int, where: str) -> str:
        async with running(where, tool_result_characters=limit) as service:
            long = {**_span(3), "output": {"text": "x" * 900}}
            service.standin.records.put_spans([long])
            service.chat.scripts = [
                calling(
                    (
                        "get_span_details",
                        json.dumps({"span_id": span_id(3), "include_output": True}),
                    )
                ),
                answer("Done."),
            ]
            await service.ask()
            return results(service)[0]

    whole = await read(8_000, uri)
    assert len(whole) > 900
    assert "cut" not in whole
    cut = await read(1_000, f"{uri}.b")
    assert len(cut) <= 1_000
    assert "[cut: " in cut


async def test_a_tool_that_takes_longer_than_a_call_may_is_ended_and_the_turn_goes_on(
    uri: str,
) -> None:
    async with running(uri, tool_seconds=0.05, opik_backend_timeout=5) as service:
        slow = Fault(Delay(600), path="/v1/private/traces/search")
        service.switches.faults.append(slow)
        service.chat.scripts = [
            calling(("find_similar_traces", '{"outcome": "failed"}')),
            answer("Without it."),
        ]
        assert (await service.ask()).texts == ["Without it."]
        assert results(service) == ["The call took longer than 0 s and was ended."]


async def test_the_results_of_a_turn_share_their_characters_and_the_oldest_gives_way(
    uri: str,
) -> None:
    async def read(limit: int) -> list[str]:
        """The results with their fences, of two calls that come one after the other."""
        async with running(f"{uri}.{limit}", turn_tool_characters=limit) as service:
            service.standin.records.put_spans([{**_span(3), "output": {"text": "x" * 900}}])
            whole = json.dumps({"span_id": span_id(3), "include_output": True})
            service.chat.scripts = [
                calling(("get_span_details", whole)),
                calling(details(2)),
                answer("Done."),
            ]
            await service.ask()
            messages = service.chat.requests[-1]["messages"]
            return [each["content"] for each in messages if each["role"] == "tool"]

    first, second = await read(100_000)
    together = len(first) + len(second)
    assert [len(each) for each in await read(together)] == [len(first), len(second)]
    shrunk, kept = await read(together - 1)
    assert f"{len(first):,} characters, left out here" in shrunk
    assert len(kept) == len(second)


def _span(number: int) -> dict[str, Any]:
    return {
        "id": span_id(number),
        "trace_id": "01990000-0000-7000-8000-000000000001",
        "parent_span_id": span_id(1),
        "project_name": "shop",
        "name": "lookup_order",
        "type": "tool",
        "start_time": "2026-11-20T10:00:02Z",
        "end_time": "2026-11-20T10:00:03Z",
    }


@pytest.mark.parametrize(
    ("tokens", "with_tools"), [(110, [True, False]), (111, [True, True, False])]
)
async def test_a_turn_below_its_tokens_goes_on_and_at_them_comes_to_its_last_answer(
    uri: str, tokens: int, with_tools: list[bool]
) -> None:
    # Each reply reports 110 tokens.
    async with running(uri, turn_tokens=tokens) as service:
        last = answer("At last.")
        service.chat.scripts = [calling(details(2)), calling(details(3)), last]
        if tokens == 110:
            service.chat.scripts = [calling(details(2)), last]
        assert (await service.ask()).texts == ["At last."]
        assert offered(service) == with_tools


async def test_the_outline_takes_a_quarter_of_a_small_context_and_keeps_what_went_wrong(
    uri: str,
) -> None:
    outlines = []
    for context in (4_000, 100_000):
        async with running(uri, agent_context_tokens=context) as service:
            service.standin.records.put_spans([unlike_others(each) for each in range(5, 400)])
            await service.ask()
            outlines.append(service.chat.requests[0]["messages"][1]["content"])
    small, large = map(estimate_tokens, outlines)
    assert 600 < small < 1_100 < large
    assert "KeyError" in outlines[0]
