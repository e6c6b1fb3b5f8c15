"""A conversation as a file."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.web.markdown.allowed_links import find_urls
from standin.chat import text
from testkit.scripted_chat import answer, calling
from testkit.service import TRACE_ID, Service, running, span_id
from tests.web.markdown_judge import dangers
from tests.web.test_markdown import HOLES

UI = "https://ui.example.com/opik"
SPAN = {
    "id": span_id(3),
    "trace_id": TRACE_ID,
    "project_name": "shop",
    "type": "tool",
    "start_time": "2026-11-20T10:00:02Z",
}
HOSTILE = "".join(f"{hole}\n\n" for hole in HOLES.values())


@pytest.fixture
async def service(tmp_path: Path) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}", opik_ui_url=UI) as service:
        yield service


async def export(service: Service, **query: str) -> httpx.Response:
    response = await service.http.get(f"{service.session()}/export", params=query)
    assert response.status_code == 200, response.text
    return response


async def ask_with_tool(service: Service) -> None:
    details = ("get_span_details", json.dumps({"span_id": span_id(3)}))
    service.chat.scripts = [
        calling(details, status="Let me look."),
        answer("See [s2]."),
    ]
    assert (await service.ask("What failed?")).error is None


async def test_markdown_has_questions_answers_links_and_tool_calls(service: Service) -> None:
    await ask_with_tool(service)
    response = await export(service, format="markdown")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="what-failed.md"'
    head, question, reply = response.text.split("\n## ")
    assert head.startswith("# What failed?\n")
    assert f"({UI}/default/projects/" in head
    assert TRACE_ID in head
    assert question == "Question\n\nWhat failed?\n"
    lines = reply.split("\n")
    assert lines[:5] == ["Answer", "", "Let me look.", "", "Tool calls:"]
    assert lines[6].startswith("- ")
    assert lines[8].startswith(f"See [plan]({UI}/")
    assert f"span={span_id(2)}" in lines[8]


async def test_json_has_the_messages_of_the_history_and_the_conversation(service: Service) -> None:
    await ask_with_tool(service)
    response = await export(service, format="json")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-disposition"] == 'attachment; filename="what-failed.json"'
    exported = response.json()
    listed = (await service.http.get(f"{service.session()}/conversations")).json()["content"][0]
    assert {name: exported[name] for name in listed} == listed
    assert exported["trace_id"] == TRACE_ID
    messages = (await service.http.get(service.session())).json()["content"]
    assert exported["messages"] == messages
    assert [len(each.get("toolCalls", ())) for each in messages] == [0, 0, 1, 0]
    assert f"]({UI}/" in messages[-1]["content"]


async def test_the_exported_branch_and_conversation_are_those_of_the_query(
    service: Service,
) -> None:
    one = (await service.ask("One?")).frames[-1]["invocationId"]
    await service.ask("One, edited?", replaces=one)
    first = (await export(service, format="json")).json()
    await service.http.post(f"{service.session()}/conversations")
    assert first["messages"][0]["content"] == "One, edited?"
    branch = (await export(service, format="json", conversation=first["id"], leaf=one)).json()
    assert branch["messages"][0]["content"] == "One?"
    empty = await export(service, format="markdown")
    assert empty.text.startswith("# New conversation\n")
    assert "## " not in empty.text


async def test_a_format_is_markdown_unless_json_is_asked_for(service: Service) -> None:
    await service.ask("One?")
    assert (await export(service)).headers["content-type"].startswith("text/markdown")
    refused = await service.http.get(f"{service.session()}/export?format=pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, "unprocessable")
    nothing = await service.http.delete(service.session())
    assert nothing.status_code == 200
    assert (await service.http.get(f"{service.session()}/export")).status_code == 404


@pytest.mark.parametrize("place", ["question", "answer", "title", "span", "name"])
async def test_hostile_content_is_inert_wherever_it_stands(service: Service, place: str) -> None:
    if place in {"span", "name"}:
        name = HOSTILE if place == "span" else "]( http://e.test ) ![x](http://e.test) ```<b>`"
        service.standin.records.put_spans([{**SPAN, "name": name}])
    await ask_with_tool(service)
    service.chat.scripts = [answer(HOSTILE if place == "answer" else "So.")]
    assert (await service.ask(HOSTILE if place == "question" else "Why?")).error is None
    own = HOSTILE if place == "question" else ""
    await check_export(service, allowed=find_urls(own))
    if place == "title":
        listed = (await service.http.get(f"{service.session()}/conversations")).json()["content"]
        path = f"{service.session()}/conversations/{listed[0]['id']}"
        for start in range(0, len(HOSTILE), 200):
            title = HOSTILE[start : start + 200]
            await service.http.patch(path, json={"title": title})
            await check_export(service, allowed=find_urls(title))


async def check_export(service: Service, *, allowed: frozenset[str]) -> None:
    markdown = (await export(service, format="markdown")).text
    assert dangers(markdown, ui_base=UI, allowed=allowed) == []
    exported = (await export(service, format="json")).json()
    texts = [exported["title"]]
    for message in exported["messages"]:
        texts += [
            message["content"],
            *(row["display_name"] for row in message.get("toolCalls", ())),
        ]
    found = [dangers(each, ui_base=UI, allowed=allowed) for each in texts]
    assert found == [[]] * len(texts)


async def test_code_that_a_stopped_answer_left_open_swallows_nothing(service: Service) -> None:
    service.chat.scripts = [[text("```python\nx = 1"), asyncio.Event()], answer("Done.")]
    async with service.asking("One?") as stream:
        await stream.until(lambda stream: stream.reader.texts)
    await service.ask("Two?")
    exported = (await export(service)).text
    assert "```python\nx = 1\n```\n" in exported
    assert exported.endswith("## Question\n\nTwo?\n\n## Answer\n\nDone.\n")


async def test_a_file_is_named_in_the_language_of_its_title(service: Service) -> None:
    await service.ask('为什么失败? "; filename=x')
    disposition = (await export(service)).headers["content-disposition"]
    assert "filename*=UTF-8''%E4%B8%BA%E4%BB%80" in disposition
    assert disposition.count('"') == 2
    await service.http.delete(service.session())
    await service.ask("???")
    disposition = (await export(service)).headers["content-disposition"]
    assert disposition.startswith('attachment; filename="conversation-')


async def test_a_file_that_holds_only_the_end_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.log_reader._FIRST_ROWS", 6)
    async with running(f"sqlite:///{tmp_path / 'a.db'}", export_characters=1) as service:
        await service.ask("One?")
        assert (await export(service, format="json")).json()["complete"] is True
        for question in ("Two?", "Three?", "Four?"):
            await service.ask(question)
        exported = (await export(service, format="json")).json()
        assert exported["complete"] is False
        assert exported["messages"][-2]["content"] == "Four?"
        assert "One?" not in {each["content"] for each in exported["messages"]}
        assert "Earlier questions are left out" in (await export(service)).text
