"""Whose conversation it is, and what of a caller travels on."""

from pathlib import Path
from typing import Any

import pytest

from app.db.schema import metadata
from standin.app import create_app as create_standin
from standin.faults import Answer, Fault
from standin.record_store import Records
from standin.switches import Switches, UserAccount
from testkit import credentials
from testkit.scripted_chat import DirectedChat
from testkit.service import TRACE_ID, Service, record_trace, running, serving

ANNA = {
    "Cookie": f"theme=dark; sessionToken={credentials.ANNA}; _ga=GA1",
    "Comet-Workspace": "acme",
}
ANNA_AGAIN = {"Cookie": f"sessionToken={credentials.ANNA_AGAIN}", "Comet-Workspace": "acme"}
BOB = {"Cookie": f"sessionToken={credentials.BOB}", "Comet-Workspace": "acme"}


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri, access_cache_seconds=0) as service:
        both = frozenset({"acme", "beta"})
        service.switches.accounts = {
            credentials.ANNA: UserAccount("anna", both),
            credentials.ANNA_AGAIN: UserAccount("anna", both),
            credentials.BOB: UserAccount("bob", both),
        }
        for workspace in both:
            record_trace(service.standin, workspace=workspace)
        yield service


async def status(service: Service, headers: dict[str, str]) -> int:
    response = await service.http.get(service.session(), headers=headers)
    return response.status_code


async def test_history_survives_a_new_login_and_is_closed_to_others(service: Service) -> None:
    service.headers = ANNA
    await service.ask()
    assert await status(service, ANNA_AGAIN) == 200
    assert await status(service, BOB) == 404
    assert await status(service, {**ANNA, "Comet-Workspace": "beta"}) == 404
    assert await status(service, {"Comet-Workspace": "acme"}) == 401
    assert await status(service, {**ANNA, "Cookie": "sessionToken=gone"}) == 401


async def test_one_user_cannot_delete_or_rate_another_users_conversation(service: Service) -> None:
    service.headers = ANNA
    await service.ask()
    await service.http.delete(service.session(), headers=BOB)
    rated = await service.http.put(f"{service.session()}/feedback", json={"value": 1}, headers=BOB)
    assert rated.status_code == 404
    assert await status(service, ANNA) == 200


async def test_only_token_and_workspace_reach_the_backend(service: Service) -> None:
    service.headers = {**ANNA, "Authorization": f"Bearer {credentials.BEARER}", "X-Custom": "1"}
    await service.ask()
    assert service.switches.received
    for request in service.switches.received:
        assert request.headers["cookie"] == f"sessionToken={credentials.ANNA}"
        assert request.headers["comet-workspace"] == "acme"
        assert not {"authorization", "x-custom", "referer"} & set(request.headers)


async def test_a_cookie_that_the_backend_sets_is_never_sent_back(service: Service) -> None:
    service.switches.accounts = None
    service.switches.set_cookie = "JSESSIONID=of-anna; Path=/"
    service.headers = ANNA
    await service.ask()
    service.headers = {}
    assert (await service.ask()).error is None
    cookies = [each.headers.get("cookie", "") for each in service.switches.received]
    assert "" in cookies
    assert not [each for each in cookies if "JSESSIONID" in each]


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("path", ["traces", "workspace-permissions", "spans", "chat"])
async def test_a_redirect_of_the_backend_is_not_followed(
    tmp_path: Path, path: str, status: int
) -> None:
    elsewhere = Switches()
    async with (
        serving(create_standin(Records(), chat=DirectedChat([]), switches=elsewhere)) as other,
        running(f"sqlite:///{tmp_path / 'a.db'}") as service,
    ):
        away = Answer(status, headers={"location": f"{other}/v1/private/{path}"})
        service.switches.faults.append(Fault(away, path=f"/v1/private/{path}"))
        assert (await service.ask()).error
        assert any(path in each.path for each in service.switches.received)
    assert not elsewhere.received


async def test_a_name_that_becomes_known_adopts_the_conversations_of_its_token(
    service: Service,
) -> None:
    service.switches.permissions_status = 404
    service.headers = ANNA
    await service.ask("Before the upgrade?")
    assert await status(service, ANNA_AGAIN) == 404
    service.switches.permissions_status = None
    assert (await service.read_messages())[0] == ("user", "Before the upgrade?")
    assert await status(service, ANNA_AGAIN) == 200
    assert await status(service, BOB) == 404


async def test_a_conversation_stays_visible_while_the_backend_names_its_users_now_and_then(
    service: Service,
) -> None:
    service.headers = ANNA
    names_nobody, names_all = 404, None
    asked = []
    for number, behaviour in enumerate([names_nobody, names_all, names_nobody, names_all]):
        service.switches.permissions_status = behaviour
        assert [words for role, words in await read_all(service) if role == "user"] == asked
        asked.append(f"Question {number}?")
        await service.ask(asked[-1])
        assert await status(service, BOB) == 404
    assert [words for role, words in await read_all(service) if role == "user"] == asked


async def read_all(service: Service) -> list[tuple[str, str]]:
    found = await status(service, service.headers) == 200
    return await service.read_messages() if found else []


async def test_without_accounts_a_conversation_without_cookie_is_adopted_too(
    service: Service,
) -> None:
    service.switches.accounts = None
    service.switches.permissions_status = 404
    await service.ask("As nobody?")
    service.switches.permissions_status = None
    assert (await service.read_messages())[0] == ("user", "As nobody?")


@pytest.mark.parametrize("code", [401, 403, 500])
async def test_a_backend_that_fails_to_name_the_caller_opens_nothing(
    service: Service, code: int
) -> None:
    service.headers = ANNA
    await service.ask()
    service.switches.permissions_status = code
    assert await status(service, ANNA) in {401, 403, 502}


async def test_neither_token_nor_cookie_is_stored(service: Service, store: Any) -> None:
    service.headers = ANNA
    service.switches.permissions_status = 404
    await service.ask()
    dump = await _read_all_rows(store)
    assert credentials.ANNA not in dump
    assert "token:" in dump
    assert TRACE_ID in dump


async def _read_all_rows(store: Any) -> str:
    async with store._transactions._engine.connect() as db:
        rows = [list(await db.execute(table.select())) for table in metadata.sorted_tables]
    return repr(rows)


@pytest.mark.parametrize("asked", [f"traces/{TRACE_ID}", "workspace-permissions"])
async def test_a_permission_is_asked_once_a_minute_for_reading_and_anew_for_a_turn(
    database_uri: str, asked: str
) -> None:
    async with running(database_uri) as service:

        def times() -> int:
            return len(service.switches.requests("GET", f"/v1/private/{asked}"))

        await service.ask()
        once = times()
        assert once
        await service.history()
        await service.history()
        assert times() == once
        await service.ask()
        assert times() == 2 * once


async def test_an_api_key_works_where_no_cookie_is(service: Service) -> None:
    accounts = service.switches.accounts
    assert accounts is not None
    accounts[credentials.API_KEY] = UserAccount("anna", frozenset({"acme"}))
    by_key = {"Authorization": credentials.API_KEY, "Comet-Workspace": "acme"}
    service.headers = by_key
    assert (await service.ask("With a key?")).error is None
    for request in service.switches.received:
        assert request.headers["authorization"] == credentials.API_KEY
        assert "cookie" not in request.headers
    service.headers = ANNA
    assert (await service.read_messages())[0] == ("user", "With a key?")
    assert await status(service, {**by_key, **BOB}) == 404


async def test_a_key_whose_user_the_backend_does_not_name_owns_what_it_asked(
    service: Service,
) -> None:
    accounts = service.switches.accounts
    assert accounts is not None
    accounts[credentials.API_KEY] = UserAccount("anna", frozenset({"acme"}))
    service.switches.permissions_status = 404
    service.headers = {"Authorization": credentials.API_KEY, "Comet-Workspace": "acme"}
    await service.ask("With a key?")
    assert await status(service, service.headers) == 200
    assert await status(service, BOB) == 404


async def test_the_password_of_a_proxy_is_no_api_key(service: Service) -> None:
    service.switches.accounts = None
    service.headers = {"Authorization": "Basic b3BlcmF0b3I6c2VjcmV0"}
    await service.ask("Behind a password?")
    assert all("authorization" not in each.headers for each in service.switches.received)
    assert await status(service, {}) == 200
