"""The published description of the interface, held against the running service."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from app.main import create_app
from app.settings import Settings
from testkit.scripted_chat import answer, calling
from testkit.service import PREFIX, Service, running, span_id

_METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
async def service(tmp_path: Path) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}") as service:
        yield service


async def described(service: Service) -> Any:
    response = await service.http.get(f"{service.url}{PREFIX}/openapi.json")
    assert response.status_code == 200
    return response.json()


def checker(document: Any, schema: str) -> Draft202012Validator:
    """Checks that a value is what is described and nothing else, though the schemas are open."""
    components = close_objects(document["components"])
    whole = {**components["schemas"][schema], "components": components}
    validator_for(whole).check_schema(whole)
    return Draft202012Validator(whole)


def close_objects(schema: Any) -> Any:
    if isinstance(schema, list):
        return [close_objects(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close_objects(each) for name, each in schema.items()}
    if "allOf" in closed:
        for part in closed["allOf"]:
            del part["additionalProperties"]
        return {**closed, "unevaluatedProperties": False}
    return {"additionalProperties": False, **closed} if closed.get("type") == "object" else closed


async def test_every_route_is_described_and_nothing_else(service: Service) -> None:
    document = await described(service)
    described_routes = {
        (f"{document['servers'][0]['url']}{path}", method.upper())
        for path, item in document["paths"].items()
        for method in item.keys() & _METHODS
    }
    app = create_app(Settings(_env_file=None, agent_opik_url="http://x", url_prefix=PREFIX))
    existing_routes = {
        (route.path, method)
        for route in app.routes
        if route.include_in_schema  # type: ignore[attr-defined]
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
    }
    assert described_routes == existing_routes


async def test_what_the_service_answers_is_what_is_described(service: Service) -> None:
    document = await described(service)
    details = ("get_span_details", json.dumps({"span_id": span_id(3)}))
    service.chat.scripts = [calling(details, status="Let me look."), answer("It was it.")]
    reader = await service.ask()
    for frame in reader.frames:
        checker(document, "Frame").validate(frame)
    kinds = {frame["message_type"] for frame in reader.frames}
    assert kinds == {"model", "response", "tool_call", "tool_complete", "usage", "suggestions"}
    feedback = await service.http.put(f"{service.session()}/feedback", json={"value": 1})
    for schema, response in {
        "History": await service.http.get(service.session()),
        "Conversations": await service.http.get(f"{service.session()}/conversations"),
        "Conversation": await service.http.post(f"{service.session()}/conversations"),
        "Export": await service.http.get(f"{service.session()}/export?format=json"),
        "Suggestions": await service.http.get(f"{service.session()}/suggestions"),
        "Analysis": await service.http.get(f"{service.session()}/analysis"),
        "Models": await service.http.get(f"{service.url}{PREFIX}/models"),
        "Health": await service.http.get(f"{service.url}{PREFIX}/healthz"),
        "Ready": await service.http.get(f"{service.url}{PREFIX}/readyz"),
        "Rated": feedback,
        "Nothing": await service.http.delete(service.session()),
        "Problem": await service.http.get(service.session()),
    }.items():
        checker(document, schema).validate(response.json())


async def test_a_failed_turn_ends_in_the_frame_that_is_described(service: Service) -> None:
    document = await described(service)
    service.switches.keys = []
    reader = await service.ask()
    assert reader.error
    checker(document, "Frame").validate(reader.frames[-1])


async def test_a_page_of_another_site_reads_no_description(service: Service) -> None:
    async with httpx.AsyncClient(headers={"Sec-Fetch-Site": "cross-site"}) as http:
        response = await http.get(f"{service.url}{PREFIX}/openapi.json")
    assert response.status_code == 403
