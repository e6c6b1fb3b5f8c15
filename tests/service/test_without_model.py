"""What a user gets where no model says a word: what the analysis found, and what to configure."""

import asyncio
from typing import Any

import pytest

from standin.chat import ChatError, text
from standin.switches import WorkspaceKey
from testkit.case_tables import each_case
from testkit.scripted_chat import calling
from testkit.service import TRACE_ID, Service, running, span_id
from tests.web.markdown_judge import dangers

UI = "https://opik.example"
NO_MODEL = "No model was used"


@pytest.fixture
async def service(tmp_path: Any) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}", opik_ui_url=UI) as service:
        yield service


async def test_without_a_key_the_findings_are_the_answer_and_the_error_stands_below(
    service: Service,
) -> None:
    service.switches.keys = []
    reader = await service.ask()
    found, error = reader.texts
    assert found.startswith(NO_MODEL)
    assert "KeyError" in found
    assert f"[lookup\\_order]({UI}/" in found
    assert f"span={span_id(3)}" in found
    assert "**Longest steps**" in found
    assert dangers(found, ui_base=UI) == []
    assert error == reader.error
    assert error.startswith("This workspace has no API key for OpenAI: add one under ")
    assert await service.read_messages() == [
        ("user", "What caused this error?"),
        ("assistant", found),
        ("assistant", error),
    ]
    service.switches.keys = [WorkspaceKey("openai")]
    assert (await service.ask("And now?")).texts == ["It was the tool."]
    assert NO_MODEL in str(service.chat.requests[-1]["messages"])


@each_case(
    "failure",
    [
        ChatError(500, "boom"),
        ChatError(429, "rate limit"),
        ChatError(401, "Incorrect API key provided"),
        ChatError(400, "Model not supported"),
    ],
)
async def test_a_model_that_fails_before_its_first_word_leaves_the_findings(
    service: Service, failure: ChatError
) -> None:
    service.chat.scripts = [[failure]]
    reader = await service.ask()
    assert [each.startswith(NO_MODEL) for each in reader.texts] == [True, False]
    assert reader.texts[1] == reader.error


@each_case(
    "scripts",
    [
        [[text("Half an "), ChatError(500, "boom")]],
        [calling(("get_trace_data", "{}")), [ChatError(500, "boom")]],
    ],
)
async def test_after_a_word_or_a_call_of_the_model_there_is_only_the_error(
    service: Service, scripts: list[Any]
) -> None:
    service.chat.scripts = [list(script) for script in scripts]
    service.chat.requests.clear()
    reader = await service.ask()
    assert reader.error is not None
    assert not any(each.startswith(NO_MODEL) for each in reader.texts)


async def test_a_model_without_a_word_until_the_time_is_up_leaves_the_findings(
    tmp_path: Any,
) -> None:
    async with running(f"sqlite:///{tmp_path / 'a.db'}", turn_seconds=1) as service:
        service.chat.scripts = [[asyncio.Event()]]
        reader = await service.ask()
    assert [each.startswith(NO_MODEL) for each in reader.texts] == [True, False]
    assert reader.texts[1] == reader.error
    assert "the limit for one answer" in reader.error


async def test_a_hostile_trace_has_no_effect_through_the_findings(service: Service) -> None:
    hostile = "![x](https://evil.test/p) <img src=x> [s1](https://evil.test) ##> x"
    service.standin.records.put_spans(
        [
            {
                "id": span_id(3),
                "trace_id": TRACE_ID,
                "project_name": "shop",
                "name": hostile,
                "error_info": {"exception_type": hostile, "message": hostile, "traceback": ""},
            }
        ]
    )
    service.switches.keys = []
    reader = await service.ask()
    assert reader.texts[0].startswith(NO_MODEL)
    assert dangers(reader.texts[0], ui_base=UI) == []
