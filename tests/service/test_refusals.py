"""What is refused, with which status, and in which words."""

import json
from typing import Any

import httpx
import pytest

from standin.chat import ChatError, finish, text
from standin.faults import Answer, Fault, Refuse
from standin.switches import UserAccount
from testkit import credentials
from testkit.case_tables import each_case
from testkit.scripted_chat import answer
from testkit.service import OTHER_TRACE_ID, PREFIX, Service, record_trace, running
from tests.web.markdown_judge import dangers

JSON = {"Accept": "application/json"}


@pytest.fixture
async def service(tmp_path: Any) -> Any:
    async with running(
        f"sqlite:///{tmp_path / 'a.db'}", body_bytes=2_000, access_cache_seconds=0
    ) as service:
        yield service


def problem(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"code", "message"}
    assert body["message"]
    return response.status_code, body["code"]


async def test_unknown_routes_and_methods_answer_in_json(service: Service) -> None:
    assert problem(await service.http.get(f"{service.url}/nothing")) == (404, "not_found")
    response = await service.http.patch(service.session())
    assert problem(response) == (405, "wrong_method")
    assert set(response.headers["allow"].split(", ")) >= {"GET"}


@each_case("trace_id", ["1", "..%2Ftraces", "x" * 36, "{trace}", "0199-0"])
@each_case("method", ["GET", "POST", "DELETE"])
async def test_a_trace_id_that_is_no_uuid_is_refused(
    service: Service, method: str, trace_id: str
) -> None:
    response = await service.http.request(
        method, service.session(trace_id), json={"message": "x"} if method == "POST" else None
    )
    assert problem(response)[0] in {400, 404}
    assert not service.switches.received


@each_case(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"streaming": true}', 400),
        (b'{"message": ""}', 400),
        (b'{"message": "  \\n "}', 400),
        (b'{"message": 7}', 400),
        (b'{"message": "x", "streaming": "often"}', 400),
        (b'{"message": "\xff"}', 400),
        (b"[" * 1_900, 400),
        (b'{"message": "' + b"x" * 2_000 + b'"}', 413),
    ],
)
async def test_a_malformed_or_oversized_body_is_an_http_status(
    service: Service, body: bytes, status: int
) -> None:
    response = await service.http.post(
        service.session(), content=body, headers={"Content-Type": "application/json", **JSON}
    )
    assert problem(response)[0] == status
    assert service.chat.requests == []


async def test_a_message_longer_than_allowed_is_refused_at_its_edge(tmp_path: Any) -> None:
    async with running(f"sqlite:///{tmp_path / 'b.db'}", message_characters=10) as service:
        assert (await service.ask("x" * 10)).error is None
        response = await service.http.send(service.question("x" * 11, headers=JSON))
        assert problem(response) == (413, "request_too_large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_type_is_refused(service: Service, media_type: str) -> None:
    response = await service.http.post(
        service.session(), content=b'{"message": "x"}', headers={"Content-Type": media_type}
    )
    assert problem(response) == (415, "wrong_media_type")


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_caller_who_may_not_read_the_trace_gets_the_status_everywhere(
    service: Service, status: int
) -> None:
    service.switches.faults.append(
        Fault(Answer(status, {"errors": ["no"]}), path="/v1/private/traces")
    )
    feedback = f"{service.session()}/feedback"
    responses = [
        await service.http.send(service.question(headers=JSON)),
        await service.http.get(service.session()),
        await service.http.put(feedback, json={"value": 1}),
        await service.http.delete(feedback),
        await service.http.get(f"{service.session()}/suggestions"),
        await service.http.get(f"{service.session()}/analysis"),
    ]
    assert [problem(each)[0] for each in responses] == [status] * 6
    assert service.chat.requests == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_caller_who_may_not_read_the_trace_cannot_delete_its_conversation(
    service: Service, status: int
) -> None:
    await service.ask()
    service.switches.faults.append(
        Fault(Answer(status, {"errors": ["no"]}), path="/v1/private/traces")
    )
    assert problem(await service.http.delete(service.session()))[0] == status
    service.switches.faults.clear()
    assert len(await service.history()) == 2


async def test_a_trace_that_does_not_exist_is_not_found(service: Service) -> None:
    response = await service.http.send(service.question(trace_id=OTHER_TRACE_ID, headers=JSON))
    assert problem(response) == (404, "not_found")


@pytest.mark.parametrize("fault", [Answer(500, "<html>"), Answer(503), Refuse()])
async def test_a_backend_that_fails_is_a_frame_for_the_panel_and_a_status_for_programs(
    service: Service, fault: Any
) -> None:
    service.switches.faults.append(Fault(fault, path="/v1/private"))
    reader = await service.ask()
    assert reader.error is not None
    assert reader.error.startswith("The Opik backend")
    assert "(request " in reader.error
    response = await service.http.send(service.question(headers=JSON))
    assert problem(response) == (502, "backend_unavailable")
    assert problem(await service.http.get(service.session())) == (502, "backend_unavailable")


async def test_a_missing_key_shows_how_to_add_it_and_is_kept_in_the_history(
    service: Service,
) -> None:
    service.switches.keys = []
    reader = await service.ask()
    assert reader.error is not None
    assert reader.error.startswith("This workspace has no API key for OpenAI: add one under ")
    assert "provider='openai'" in reader.error
    messages = await service.read_messages()
    assert messages[-1] == ("assistant", reader.error)


async def test_provider_messages_are_shortened_and_keys_and_addresses_masked(
    service: Service,
) -> None:
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    reason = f"Incorrect API key provided: {secret}. See https://inner.example/x?k=1. " + "y " * 400
    service.chat.scripts = [[ChatError(401, reason)]]
    reader = await service.ask()
    assert reader.error is not None
    assert secret[:20] not in reader.error
    assert "inner.example" not in reader.error
    assert len(reader.error) < 700
    assert secret[:20] not in json.dumps(await service.history())


async def test_backend_messages_before_a_turn_are_made_harmless_too(service: Service) -> None:
    detail = "![x](//evil.example/p.png) <img src=//evil.example/x> [go](https://evil.example)"
    service.switches.faults.append(Fault(Answer(500, {"errors": [detail]})))
    reader = await service.ask()
    assert reader.error is not None
    assert "evil" in reader.error
    assert dangers(reader.error) == []


@pytest.mark.parametrize("path", ["/v1/private/traces", "/v1/private/spans", "/v1/private/chat"])
@pytest.mark.parametrize("status", [400, 500])
async def test_a_token_that_looks_like_a_plain_id_is_not_repeated(
    service: Service, path: str, status: int
) -> None:
    token = credentials.PLAIN_ID
    service.switches.accounts = {token: UserAccount("anna", frozenset({"acme"}))}
    record_trace(service.standin, workspace="acme")
    service.headers = {"Cookie": f"sessionToken={token}", "Comet-Workspace": "acme"}
    echo = Answer(status, {"errors": [f"No session {token}"], "message": f"No session {token}"})
    service.switches.faults.append(Fault(echo, path=path))
    reader = await service.ask()
    assert reader.error is not None
    assert "No session [masked]" in reader.error
    service.switches.faults.clear()
    assert token not in (await service.http.get(service.session(), headers=service.headers)).text


async def test_a_token_in_an_error_within_a_stream_is_not_repeated(service: Service) -> None:
    token = credentials.PLAIN_ID
    service.headers = {"Cookie": f"sessionToken={token}"}
    service.chat.scripts = [[text("So "), ChatError(500, f"No session {token}")]]
    reader = await service.ask()
    assert reader.error is not None
    assert "No session [masked]" in reader.error


@each_case("rest", [ChatError(500, "boom"), finish("length"), finish("content_filter")])
async def test_a_failed_turn_keeps_its_text_and_its_error(service: Service, rest: Any) -> None:
    service.chat.scripts = [[text("Half an "), rest]]
    reader = await service.ask()
    assert reader.error is not None
    assert reader.texts == ["Half an ", reader.error]
    assert (await service.read_messages())[-3:] == [
        ("user", "What caused this error?"),
        ("assistant", "Half an "),
        ("assistant", reader.error),
    ]


async def test_an_error_frame_is_the_last_frame(service: Service) -> None:
    service.chat.scripts = [[ChatError(500, "boom")]]
    reader = await service.ask()
    assert [bool(frame.get("error")) for frame in reader.frames][-1:] == [True]
    assert sum(bool(frame.get("error")) for frame in reader.frames) == 1


async def test_after_a_failure_the_next_question_works(service: Service) -> None:
    service.chat.scripts = [[ChatError(500, "boom")], answer("Better now.")]
    await service.ask()
    assert (await service.ask()).texts == ["Better now."]
    roles = [each["role"] for each in service.chat.requests[-1]["messages"]]
    assert roles[-2:] == ["assistant", "user"]


async def test_health_shows_version_and_storage_without_any_request(service: Service) -> None:
    service.switches.faults.append(Fault(Refuse(), path="/"))
    response = await service.http.get(f"{service.url}{PREFIX}/healthz")
    assert response.json()["status"] == "healthy"
    assert response.json()["session_service"] == "database"
    assert response.json()["storage"] == "sqlite"
    assert response.json()["version"]


async def test_a_request_id_of_the_proxy_is_kept_and_a_strange_one_is_not(
    service: Service,
) -> None:
    for sent, kept in (("abc-123", True), ("x" * 65, False), ("a b", False)):
        response = await service.http.get(
            f"{service.url}{PREFIX}/healthz", headers={"X-Request-ID": sent}
        )
        assert (response.headers["x-request-id"] == sent) is kept


async def test_a_crash_names_its_request_in_the_response_and_in_the_log(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.web.routes.read_leaf", lambda _: {}["no such key"])
    response = await service.http.get(service.session(), headers={"X-Request-ID": "r-9"})
    assert problem(response) == (500, "internal")
    assert response.headers["x-request-id"] == "r-9"
    [crash] = [each for each in caplog.records if "request_crashed" in each.getMessage()]
    assert "'request': 'r-9'" in crash.getMessage()
    assert crash.exc_info
