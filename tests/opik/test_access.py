"""Who the caller is and whether they may read a trace: read from the backend, cached briefly."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx

from app.caller import Caller, Owner
from app.errors import BackendUnavailable, NotAllowed, NotFound, NotSignedIn
from app.opik import access as access_module
from app.opik.access import BackendAccess
from app.opik.client import OpikClient
from testkit import credentials
from testkit.backend import rest_client_at

BASE = "http://opik.test"
TRACE_ID = str(UUID(int=1))
ANNA = Caller(token=credentials.ANNA, workspace="acme")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(access_module, "monotonic", clock)
    return clock


@contextlib.asynccontextmanager
async def access_with(key: bytes) -> AsyncIterator[BackendAccess]:
    async def owner_key() -> bytes:
        return key

    async with httpx.AsyncClient() as http:
        rest = rest_client_at(BASE, http, timeout=1)
        yield BackendAccess(OpikClient(rest), owner_key=owner_key)


@pytest.fixture
async def access(clock: Clock) -> Any:
    async with access_with(b"k" * 32) as access:
        yield access


@pytest.fixture
def opik() -> Any:
    with respx.mock(base_url=f"{BASE}/v1/private", assert_all_called=False) as router:
        yield router


def knows(opik: respx.Router, user: str, workspace: str | None = "acme") -> respx.Route:
    body = {"userName": user, "workspaceName": workspace, "permissions": []}
    return opik.get("/workspace-permissions").respond(json=body)


async def test_the_backend_names_the_owner(access: BackendAccess, opik: respx.Router) -> None:
    knows(opik, "anna", "Acme Inc")
    identity = await access.identify(ANNA, fresh=True)
    assert identity.owner == Owner("Acme Inc", "user:anna")


async def test_a_new_login_of_the_same_user_is_the_same_owner(
    access: BackendAccess, opik: respx.Router
) -> None:
    knows(opik, "anna")
    first = await access.identify(ANNA, fresh=True)
    second = await access.identify(
        Caller(token=credentials.ANNA_AGAIN, workspace="acme"), fresh=True
    )
    assert first.owner == second.owner


async def test_an_old_backend_leaves_the_signed_token_as_the_owner(
    access: BackendAccess, opik: respx.Router
) -> None:
    opik.get("/workspace-permissions").respond(404)
    owner = (await access.identify(ANNA, fresh=True)).owner
    assert owner.workspace == "acme"
    assert owner.name.startswith("token:")
    assert credentials.ANNA not in owner.name
    other = await access.identify(Caller(token=credentials.ANNA, workspace="beta"), fresh=True)
    assert other.owner.name != owner.name


async def test_the_owner_name_of_a_token_depends_on_the_key(
    opik: respx.Router,
) -> None:
    opik.get("/workspace-permissions").respond(404)
    names = []
    for key in (b"k" * 32, b"l" * 32, b"k" * 32):
        async with access_with(key) as access:
            names.append((await access.identify(ANNA, fresh=True)).owner.name)
    assert names[0] == names[2] != names[1]


async def test_an_old_backend_leaves_a_caller_without_cookie_anonymous(
    access: BackendAccess, opik: respx.Router
) -> None:
    opik.get("/workspace-permissions").respond(405)
    identity = await access.identify(Caller(), fresh=True)
    assert identity.owner == Owner("default", "anonymous")
    assert identity.former_owners == ()


async def test_a_name_that_becomes_known_takes_over_conversations_of_the_token(
    access: BackendAccess, opik: respx.Router
) -> None:
    opik.get("/workspace-permissions").respond(404)
    before = (await access.identify(ANNA, fresh=True)).owner
    knows(opik, "anna")
    assert (await access.identify(ANNA, fresh=True)).former_owners == (before,)


async def test_a_cookie_never_takes_over_anonymous_conversations(
    access: BackendAccess, opik: respx.Router
) -> None:
    knows(opik, "anna")
    with_cookie = await access.identify(ANNA, fresh=True)
    assert all(former.name != "anonymous" for former in with_cookie.former_owners)
    without = await access.identify(Caller(workspace="acme"), fresh=True)
    assert without.former_owners == (Owner("acme", "anonymous"),)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BackendUnavailable), (401, NotSignedIn), (403, NotAllowed), (500, BackendUnavailable)],
)
async def test_a_failure_to_name_the_caller_is_raised_without_a_fallback(
    access: BackendAccess, opik: respx.Router, status: int, kind: type[Exception]
) -> None:
    opik.get("/workspace-permissions").respond(status)
    with pytest.raises(kind):
        await access.identify(ANNA, fresh=False)


async def test_a_permission_is_cached_for_a_minute_and_then_read_again(
    access: BackendAccess, opik: respx.Router, clock: Clock
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}").respond(200)
    await access.check(ANNA, TRACE_ID, fresh=False)
    clock.now = 59
    await access.check(ANNA, TRACE_ID, fresh=False)
    assert route.call_count == 1
    clock.now = 61
    route.respond(403)
    with pytest.raises(NotAllowed):
        await access.check(ANNA, TRACE_ID, fresh=False)


async def test_a_fresh_check_that_is_refused_ends_the_cached_permission(
    access: BackendAccess, opik: respx.Router
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}").respond(200)
    await access.check(ANNA, TRACE_ID, fresh=False)
    route.respond(404)
    with pytest.raises(NotFound):
        await access.check(ANNA, TRACE_ID, fresh=True)
    with pytest.raises(NotFound):
        await access.check(ANNA, TRACE_ID, fresh=False)


async def test_a_permission_of_one_caller_opens_nothing_for_another(
    access: BackendAccess, opik: respx.Router
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}").respond(200)
    await access.check(ANNA, TRACE_ID, fresh=False)
    route.respond(403)
    for other in (
        Caller(token=credentials.BOB, workspace="acme"),
        Caller(token=credentials.ANNA),
        Caller(),
    ):
        with pytest.raises(NotAllowed):
            await access.check(other, TRACE_ID, fresh=False)


async def test_an_overlong_user_name_still_makes_an_owner_that_fits(
    access: BackendAccess, opik: respx.Router
) -> None:
    knows(opik, "x" * 5_000)
    assert len((await access.identify(ANNA, fresh=True)).owner.name) <= 255
