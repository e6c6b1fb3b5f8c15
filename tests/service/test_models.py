"""Whole turns with the models of every provider, in every generation of the backend."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from standin.chat import ChatError, text
from standin.faults import Answer, Fault
from standin.switches import Generation, Switches, WorkspaceKey
from testkit.any_model import NO_TOOLS_TEXT, AnyModelChat, ModelReply
from testkit.scripted_chat import answer
from testkit.service import PREFIX, Service, running, span_id

LOOK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_span_details", {"span_id": span_id(3)}),
    ("get_trace_data", {}),
)
LOOKING = ModelReply("Let me look.", LOOK)
CLAUDE = "anthropic/claude-sonnet-4-5"
UNKNOWN_MODEL = ChatError(404, "The model `gpt-4.1` does not exist or you do not have access.")
LENGTHS = {
    "openai": "This model's maximum context length is 128000 tokens. However, you requested more.",
    "anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "gemini": "The input token count (1100000) exceeds the maximum number of tokens allowed",
    "vertex-ai": "The input token count (1100000) exceeds the maximum number of tokens allowed",
    "local": "the request exceeds the available context size (8192 tokens), try increasing it",
}


@dataclass(frozen=True)
class Row:
    """A model, the key that makes it usable, and what reaches it."""

    model: str
    key: WorkspaceKey
    native: bool
    answers_as: str


ROWS = {
    "openai": Row("openai/gpt-4.1", WorkspaceKey("openai"), True, "gpt-4.1"),
    "openai-reasoning": Row("gpt-5-mini", WorkspaceKey("openai"), True, "gpt-5-mini"),
    "openai-responses": Row(
        "gpt-4.1", WorkspaceKey("openai", responses_mode=True), True, "gpt-4.1"
    ),
    "openrouter": Row(
        "openrouter/mistralai/mistral-large",
        WorkspaceKey("openrouter"),
        True,
        "mistralai/mistral-large",
    ),
    "custom-llm": Row(
        "custom-llm/house/qwen3",
        WorkspaceKey("custom-llm", "house", ("custom-llm/house/qwen3",)),
        True,
        "qwen3",
    ),
    "ollama": Row(
        "custom-llm/qwen3", WorkspaceKey("ollama", models=("custom-llm/qwen3",)), True, "qwen3"
    ),
    "opik-free": Row("opik-free-model", WorkspaceKey("opik-free"), True, "opik-free-model"),
    "anthropic": Row(CLAUDE, WorkspaceKey("anthropic"), False, "claude-sonnet-4-5"),
    "gemini": Row("gemini-2.5-pro", WorkspaceKey("gemini"), False, "gemini-2.5-pro"),
    "vertex-ai": Row(
        "vertex_ai/gemini-2.5-pro", WorkspaceKey("vertex-ai"), False, "gemini-2.5-pro"
    ),
}
UNPRICED = {"custom-llm", "ollama", "opik-free"}
GENERATIONS: list[Generation] = ["A", "B", "C"]


@pytest.fixture(params=ROWS)
async def at(
    request: pytest.FixtureRequest, migrated_sqlite_uri: str
) -> AsyncIterator[tuple[Service, Row]]:
    row = ROWS[request.param]
    async with running(
        migrated_sqlite_uri, agent_model=(row.model,), agent_temperature=0.2
    ) as service:
        stand(service, row.key)
        yield service, row


def stand(service: Service, *keys: WorkspaceKey) -> None:
    service.switches.keys = list(keys)
    service.switches.free_model = "opik-free-model"


def plays(service: Service, *replies: ModelReply | ChatError) -> AnyModelChat:
    chat = AnyModelChat(*replies)
    service.chat.reply = chat.reply  # type: ignore[method-assign]
    return chat


def frames(reader: Any, kind: str) -> list[dict[str, Any]]:
    return [frame for frame in reader.frames if frame.get("message_type") == kind]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_every_model_uses_tools_and_answers(
    at: tuple[Service, Row], generation: Generation
) -> None:
    service, row = at
    service.switches.generation = generation
    service.switches.models_endpoint = generation == "C"
    chat = plays(service, LOOKING, ModelReply("The tool **lookup_order** failed."))
    reader = await service.ask()
    assert reader.error is None
    assert reader.texts == ["Let me look.", "The tool **lookup_order** failed."]
    assert [(each.name, each.completed) for each in reader.rows] == [
        (name, True) for name, _ in LOOK
    ]
    assert "KeyError" in json.dumps(chat.requests[-1]["messages"])
    roles = [each["role"] for each in chat.requests[-1]["messages"]]
    assert ("tool" in roles) == row.native
    assert not any(NO_TOOLS_TEXT in text for text in reader.texts)
    assert [role for role, _ in await service.read_messages()] == ["user", *["assistant"] * 3]


async def test_nothing_of_a_request_is_ever_shown(at: tuple[Service, Row]) -> None:
    service, _ = at
    plays(service, LOOKING, ModelReply("Done."))
    async with service.asking() as stream:
        await stream.rest()
    shown = "".join(
        frame["content"]["parts"][0]["text"] for frame in frames(stream.reader, "response")
    )
    assert "<" not in shown
    assert "span_id" not in shown


async def test_model_and_usage_are_sent_once_a_turn(at: tuple[Service, Row]) -> None:
    service, row = at
    plays(service, LOOKING, ModelReply("Done."))
    first, second = await service.ask(), await service.ask()
    assert [frame["model"] for frame in frames(first, "model")] == [row.answers_as]
    (used,) = frames(second, "usage")
    assert second.frames[-1] == used
    assert used["turn"]["total_tokens"] * 3 == used["conversation"]["total_tokens"] == 330
    assert ("cost" in used["turn"]) is (row.key.provider not in UNPRICED)


async def test_temperature_is_never_sent_to_a_model_that_reasons(at: tuple[Service, Row]) -> None:
    service, row = at
    chat = plays(service, ModelReply("Done."))
    await service.ask()
    assert ("temperature" in chat.requests[0]) == (row.model != "gpt-5-mini")
    assert len(chat.requests) == 1


async def test_a_refusal_for_length_shrinks_the_conversation_and_goes_on(
    at: tuple[Service, Row],
) -> None:
    service, row = at
    words = LENGTHS.get(row.key.provider, LENGTHS["local"])
    long = "What is it? " * 300
    chat = plays(service, ModelReply("It is. " * 300), ChatError(400, words), ModelReply("Short."))
    await service.ask(long)
    reader = await service.ask("And now?")
    assert reader.texts == ["Short."]
    refused, retried = (json.dumps(each["messages"]) for each in chat.requests[-2:])
    assert long in refused
    assert long not in retried
    assert "left out here" in retried
    assert "And now?" in retried
    assert (await service.read_messages())[0] == ("user", long)


async def test_a_conversation_may_change_model_and_protocol_between_turns(
    migrated_sqlite_uri: str,
) -> None:
    allowed = ("openai/gpt-4.1", CLAUDE, "gemini-2.5-flash")
    async with running(migrated_sqlite_uri, agent_models_allowed=allowed) as service:
        stand(service, WorkspaceKey("openai"), WorkspaceKey("anthropic"), WorkspaceKey("gemini"))
        chat = plays(
            service,
            LOOKING,
            ModelReply("First."),
            LOOKING,
            ModelReply("Second."),
            ModelReply("Third."),
        )
        for model in (None, CLAUDE, "openai/gpt-4.1"):
            assert (await service.ask(model=model)).error is None
        last = await service.ask(model="gemini-2.5-flash")
    assert last.texts == ["Third."]
    sent = [json.dumps(each["messages"]) for each in chat.requests]
    assert "<result-" in sent[2]
    native = chat.requests[4]["messages"]
    assert [each["role"] for each in native].count("tool") == 4
    ids = [each["tool_call_id"] for each in native if each["role"] == "tool"]
    assert len(set(ids[2:])) == 2


@pytest.mark.parametrize("models", [True, False])
async def test_a_configured_model_without_a_key_gives_way_to_one_that_has_one(
    migrated_sqlite_uri: str, models: bool
) -> None:
    async with running(migrated_sqlite_uri, agent_model=("openai/gpt-4.1",)) as service:
        stand(service, WorkspaceKey("anthropic"))
        service.switches.models_endpoint = models
        plays(service, ModelReply("Done."))
        reader = await service.ask()
    assert reader.texts == ["Done."]
    assert [frame["provider"] for frame in frames(reader, "model")] == ["anthropic"]


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_models_are_tried_in_turn_where_the_backend_does_not_list_its_keys(
    migrated_sqlite_uri: str, status: int
) -> None:
    names = ("openai/gpt-4.1", "gpt-4o", "unheard-of", CLAUDE)
    async with running(migrated_sqlite_uri, agent_model=names, retry_max_attempts=1) as service:
        stand(service, WorkspaceKey("anthropic"))
        hide_lists(service.switches, status)
        plays(service, ModelReply("Done."))
        for _ in range(2):
            reader = await service.ask()
        asked = service.switches.requests("POST", "/v1/private/chat/completions")
    assert reader.texts == ["Done."]
    assert [each.body["model"] for each in asked] == [
        "gpt-4.1",
        "openrouter/openai/gpt-4.1",
        "unheard-of",
        "claude-sonnet-4-5",
        "claude-sonnet-4-5",
    ]


async def test_a_listed_model_that_its_provider_refuses_is_not_tried_in_every_turn(
    migrated_sqlite_uri: str,
) -> None:
    async with running(migrated_sqlite_uri, agent_model=("openai/gpt-4.1", CLAUDE)) as service:
        stand(service, WorkspaceKey("openai"), WorkspaceKey("anthropic"))
        chat = plays(service, UNKNOWN_MODEL, ModelReply("Done."))
        for _ in range(2):
            assert (await service.ask()).texts == ["Done."]
        listings = service.switches.requests("GET", "/v1/private/llm-provider-key")
    assert [each["model"] for each in chat.requests] == [
        "gpt-4.1",
        "claude-sonnet-4-5",
        "claude-sonnet-4-5",
    ]
    assert len(listings) == 1


async def test_no_other_model_writes_behind_the_text_of_one_that_failed(
    migrated_sqlite_uri: str,
) -> None:
    async with running(migrated_sqlite_uri, agent_model=("openai/gpt-4.1", CLAUDE)) as service:
        stand(service, WorkspaceKey("openai"), WorkspaceKey("anthropic"))
        service.chat.scripts = [[text("Half an "), UNKNOWN_MODEL], answer("Done.")]
        reader = await service.ask()
    assert reader.texts == ["Half an ", reader.error]


async def test_without_any_key_the_failure_of_the_configured_model_is_shown(
    migrated_sqlite_uri: str,
) -> None:
    async with running(migrated_sqlite_uri) as service:
        stand(service)
        reader = await service.ask()
        assert reader.error is not None
        assert "no API key for OpenAI" in reader.error
        stand(service, WorkspaceKey("openai"))
        assert (await service.ask()).texts == ["It was the tool."]


@pytest.mark.parametrize("key", [ROWS["custom-llm"].key, WorkspaceKey("gemini")])
async def test_auto_selects_a_model_that_the_workspace_has_a_key_for(
    migrated_sqlite_uri: str, key: WorkspaceKey
) -> None:
    async with running(migrated_sqlite_uri, agent_model=("auto",)) as service:
        stand(service, key)
        service.switches.free_model = None
        plays(service, ModelReply("Done."))
        reader = await service.ask()
    assert [frame["provider"] for frame in frames(reader, "model")] == [key.provider]


async def test_models_that_may_be_named_are_listed_with_whether_they_work(
    migrated_sqlite_uri: str,
) -> None:
    allowed = ("openai/gpt-4.1", CLAUDE, "house-model")
    async with running(migrated_sqlite_uri, agent_models_allowed=allowed) as service:
        url = f"{service.url}{PREFIX}/models"
        listed = (await service.http.get(url)).json()["models"]
        refused = await service.http.send(service.question(model="gpt-4o"))
        reader = await service.ask(model=CLAUDE)
    assert {each["name"]: each["usable"] for each in listed} == {
        "openai/gpt-4.1": True,
        CLAUDE: False,
        "house-model": None,
    }
    assert refused.status_code == 400
    assert "model" in refused.json()["message"]
    assert reader.error is not None
    assert "no API key for Anthropic" in reader.error


async def test_keys_are_asked_for_once_and_nothing_else_of_them_is_kept(
    migrated_sqlite_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(migrated_sqlite_uri) as service:
        for _ in range(3):
            await service.ask()
        assert len(service.switches.requests("GET", "/v1/private/llm-provider-key")) == 1
        bodies = [each.body for each in service.switches.received]
    assert "sk-****" not in json.dumps(bodies, default=str) + caplog.text


async def test_a_backend_that_lists_no_keys_is_not_asked_for_them_again(
    migrated_sqlite_uri: str,
) -> None:
    async with running(migrated_sqlite_uri) as service:
        hide_lists(service.switches, 404)
        for _ in range(3):
            await service.ask()
        assert len(service.switches.requests("GET", "/v1/private/llm-provider-key")) == 1


async def test_costs_are_sent_by_own_prices_or_by_the_list_with_its_date(
    migrated_sqlite_uri: str,
) -> None:
    prices = {"openai/gpt-4.1": {"in": 2, "out": 8, "cached": 0.5}}
    allowed = ("gpt-4o",)
    async with running(
        migrated_sqlite_uri, model_prices=prices, agent_models_allowed=allowed
    ) as service:
        first = frames(await service.ask(), "usage")[0]
        listed = frames(await service.ask(model="gpt-4o"), "usage")[0]
    assert first["turn"]["cost"] == pytest.approx((100 * 2 + 10 * 8) / 1e6)
    assert first["conversation"]["cost"] == first["turn"]["cost"]
    assert "price_date" not in first["turn"]
    assert listed["turn"]["cost"] == pytest.approx((100 * 2.5 + 10 * 10) / 1e6)
    assert date.fromisoformat(listed["turn"]["price_date"]) <= datetime.now(UTC).date()


def hide_lists(switches: Switches, status: int) -> None:

    for path in ("/v1/private/llm-provider-key", "/v1/private/llm/models"):
        switches.faults.append(Fault(Answer(status, {"code": status, "message": "no"}), path=path))
