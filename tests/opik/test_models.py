"""What is read of a workspace's keys and models, and what is not."""

from typing import Any

import httpx
import pytest
import respx

from app.caller import Caller
from app.opik.models import ModelCatalog
from testkit.backend import rest_client_at

BASE = "http://backend:8080"
KEYS = f"{BASE}/v1/private/llm-provider-key"
MODELS = f"{BASE}/v1/private/llm/models"
CALLER = Caller(token="t", workspace="team")


async def read_list(what: str, answer: httpx.Response) -> Any:
    with respx.mock() as router:
        router.get(KEYS if what == "keys" else MODELS).mock(return_value=answer)
        async with httpx.AsyncClient() as http:
            catalog = ModelCatalog(rest_client_at(BASE, http, timeout=5))
            return await getattr(catalog, f"list_{what}")(CALLER)


async def test_of_a_key_only_provider_models_and_mode_are_read() -> None:
    row = {
        "id": "x",
        "provider": "custom-llm",
        "provider_name": "house",
        "api_key": "sk-secret",
        "headers": {"Authorization": "secret"},
        "base_url": "http://inner",
        "configuration": {"models": "custom-llm/a, custom-llm/b,", "secret": "secret"},
    }
    openai = {"provider": "openai", "configuration": {"openai_pipeline_mode": "RESPONSES_API"}}
    plain = {"provider": "gemini", "configuration": None}
    keys = await read_list("keys", httpx.Response(200, json={"content": [row, openai, plain]}))
    assert [(each.provider, each.models, each.responses_mode) for each in keys] == [
        ("custom-llm", ("custom-llm/a", "custom-llm/b"), False),
        ("openai", (), True),
        ("gemini", (), False),
    ]
    assert "secret" not in repr(keys)
    assert "inner" not in repr(keys)


async def test_models_are_read_by_provider() -> None:
    body = {
        "openai": [{"id": "gpt-5", "structuredOutput": True, "reasoning": True}],
        "vertex-ai": [{"id": "g", "qualifiedName": "vertex_ai/g"}],
    }
    models = await read_list("models", httpx.Response(200, json=body))
    assert models["openai"][0].reasoning is True
    assert models["vertex-ai"][0].qualified_name == "vertex_ai/g"


@pytest.mark.parametrize("what", ["keys", "models"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(403, json={"code": 403, "message": "no"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"content": [{"api_key": "k"}]}),
    ],
)
async def test_a_backend_without_these_lists_is_no_failure(
    what: str, answer: httpx.Response
) -> None:
    assert await read_list(what, answer) is None
