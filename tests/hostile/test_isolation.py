"""Several people at once on several services: each finds their own conversations only."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from standin.app import create_app as create_standin
from standin.chat import Chunk, finish, text, usage
from standin.faults import Answer, Fault
from standin.record_store import Records
from standin.switches import Switches, UserAccount
from testkit import credentials
from testkit.panel_reader import PanelReader
from testkit.processes import Backend, service_process
from testkit.service import (
    OTHER_TRACE_ID,
    PREFIX,
    TRACE_ID,
    WAIT_SECONDS,
    record_trace,
    service_at,
    serving,
)

WORKSPACES = ("acme", "beta")
TOKENS = {
    "anna": (credentials.ANNA, credentials.ANNA_AGAIN),
    "bob": (credentials.BOB, credentials.BOB_AGAIN),
}
STEPS = 8


class EchoChat:
    """Says the last question again, and every earlier one that the request holds."""

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        contents = [str(each["content"]) for each in request["messages"] if each["role"] == "user"]
        asked = [each for each in contents if each.startswith("asked by ")]
        yield text("; ".join(asked))
        yield finish("stop")
        yield usage(1, 1)


@dataclass
class Town:
    """Services on one database before one backend, and the people who use them."""

    urls: list[str]
    switches: Switches
    http: httpx.AsyncClient

    def swap_tokens(self) -> None:
        """Each token of Anna's becomes one of Bob's, and the other way round."""
        accounts = self.switches.accounts
        assert accounts is not None
        for one, other in zip(TOKENS["anna"], TOKENS["bob"], strict=True):
            accounts[one], accounts[other] = accounts[other], accounts[one]


@contextlib.asynccontextmanager
async def _start_backend() -> AsyncIterator[Backend]:
    """Two users who may enter both workspaces; every trace is in both."""
    switches = Switches()
    everywhere = frozenset(WORKSPACES)
    switches.accounts = {
        token: UserAccount(user, everywhere) for user, tokens in TOKENS.items() for token in tokens
    }
    chat = EchoChat()
    standin = create_standin(Records(), chat=chat, switches=switches)
    for workspace, trace_id in itertools.product(WORKSPACES, (TRACE_ID, OTHER_TRACE_ID)):
        record_trace(standin, trace_id, workspace=workspace)
    async with serving(standin, grace=1) as url:
        yield Backend(url, standin, chat)


@contextlib.asynccontextmanager
async def town_of(
    database_uri: str, *, services: int, access_cache_seconds: float
) -> AsyncIterator[Town]:
    """All services in the test's own process."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(_start_backend())
        urls = []
        for _ in range(services):
            service = service_at(
                backend.url, database_uri, access_cache_seconds=access_cache_seconds
            )
            urls.append(await stack.enter_async_context(service))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=WAIT_SECONDS))
        yield Town(urls, backend.standin.switches, http)


@pytest.fixture
async def town(database_uri: str) -> AsyncIterator[Town]:
    async with town_of(database_uri, services=2, access_cache_seconds=0) as town:
        yield town


@pytest.fixture
async def town_of_processes(database_uri: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Each service as a process of its own."""
    command = ("-m", "testkit.changed_service", "access_cache_seconds=0")
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(_start_backend())
        urls = []
        for _ in range(3):
            service, _ = await stack.enter_async_context(
                service_process(
                    backend, tmp_path, command=command, SESSION_SERVICE_URI=database_uri
                )
            )
            urls.append(service.url)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=WAIT_SECONDS))
        yield Town(urls, backend.standin.switches, http)


@dataclass
class Person:
    """One user in one workspace with one trace; `asked` is what their history has to hold."""

    town: Town
    user: str
    workspace: str
    trace_id: str
    chance: random.Random
    asked: list[str] = field(default_factory=list)
    thumb: bool = False

    async def live(self) -> None:
        """Does one thing after the other, looking at the history after each."""
        for step in range(STEPS):
            act = self.chance.choice(
                [self.ask, self.ask, self.ask, self.forget, self.come_expired, self.stray]
            )
            await act(step)
            await self.look()

    async def ask(self, step: int, *, token: str = "") -> None:
        question = f"asked by {self.user} in {self.workspace} of {self.trace_id}, {step}"
        response = await self._send_request("POST", token=token, json={"message": question})
        assert response.status_code == 200
        reader = PanelReader()
        reader.read(response.content)
        self.asked.append(question)
        assert reader.texts == ["; ".join(self.asked)]

    async def forget(self, _: int) -> None:
        assert (await self._send_request("DELETE")).status_code == 200
        self.asked.clear()

    async def come_expired(self, _: int) -> None:
        await self._be_refused({401}, token="of-last-year")

    async def stray(self, _: int) -> None:
        """Into a workspace that is not theirs."""
        await self._be_refused({401, 403}, workspace="gamma")

    async def _be_refused(self, statuses: set[int], **credentials: str) -> None:
        """By a status for programs, and in the stream that the panel reads."""
        asked = {"message": "let me in"}
        for method, body in (("GET", None), ("POST", asked), ("DELETE", None)):
            response = await self._send_request(
                method, accept="application/json", json=body, **credentials
            )
            assert response.status_code in statuses
        streamed = await self._send_request("POST", json=asked, **credentials)
        reader = PanelReader()
        reader.read(streamed.content)
        assert reader.error is not None
        assert "asked by" not in streamed.text

    async def look(self) -> None:
        response = await self._send_request("GET")
        if not self.asked:
            assert response.status_code == 404
            return
        content = response.json()["content"]
        assert [each["content"] for each in content if each["role"] == "user"] == self.asked

    async def _send_request(
        self,
        method: str,
        *,
        token: str = "",
        workspace: str = "",
        accept: str = "*/*",
        json: Any = None,
    ) -> httpx.Response:
        token = token or self.chance.choice(TOKENS[self.user])
        url = self.chance.choice(self.town.urls)
        return await self.town.http.request(
            method,
            f"{url}{PREFIX}/trace-analyzer/session/{self.trace_id}",
            headers={
                "Cookie": f"sessionToken={token}",
                "Comet-Workspace": workspace or self.workspace,
                "Accept": accept,
            },
            json=json,
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_users_active_at_once_each_read_only_their_own_conversations(
    town_of_processes: Town, seed: int
) -> None:
    people = [
        Person(town_of_processes, user, workspace, trace_id, random.Random(f"{seed} {number}"))
        for number, (user, workspace, trace_id) in enumerate(
            itertools.product(TOKENS, WORKSPACES, (TRACE_ID, OTHER_TRACE_ID))
        )
    ]
    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(person.live())
    assert sum(len(person.asked) for person in people) > 0


async def test_a_token_that_changes_hands_opens_the_new_owners_conversations_only(
    town: Town,
) -> None:
    anna = Person(town, "anna", "acme", TRACE_ID, random.Random(1))
    bob = Person(town, "bob", "acme", TRACE_ID, random.Random(2))
    await anna.ask(0)
    await bob.ask(0)
    town.swap_tokens()
    swapped = Person(town, "bob", "acme", TRACE_ID, random.Random(3), asked=list(anna.asked))
    await swapped.look()
    await swapped.ask(1)


async def test_a_question_belongs_to_the_tokens_current_user_right_after_a_change(
    database_uri: str,
) -> None:
    async with town_of(database_uri, services=1, access_cache_seconds=600) as town:
        anna = Person(town, "anna", "acme", TRACE_ID, random.Random(1))
        bob = Person(town, "bob", "acme", TRACE_ID, random.Random(2))
        for person in (anna, bob):
            for token in TOKENS[person.user]:
                await person.ask(0, token=token)
                await person.look()
        town.swap_tokens()
        for token in TOKENS["bob"]:
            await anna.ask(1, token=token)
        for token in TOKENS["anna"]:
            await bob.ask(1, token=token)


@pytest.mark.parametrize("lost", ["token", "workspace", "trace"])
async def test_a_permission_that_is_taken_away_ends_with_its_time(
    database_uri: str, lost: str
) -> None:
    switches = Switches(accounts={credentials.ANNA: UserAccount("anna", frozenset(WORKSPACES))})
    standin = create_standin(Records(), chat=EchoChat(), switches=switches)
    record_trace(standin, workspace="acme")
    who = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}
    async with (
        serving(standin, grace=1) as backend,
        service_at(backend, database_uri, access_cache_seconds=0.5) as url,
        httpx.AsyncClient(timeout=WAIT_SECONDS, headers=who) as http,
    ):
        session = f"{url}{PREFIX}/trace-analyzer/session/{TRACE_ID}"
        asked = {"message": "asked by anna"}
        assert (await http.post(session, json=asked)).status_code == 200
        assert (await http.get(session)).status_code == 200
        if lost == "token":
            switches.accounts = {}
        elif lost == "workspace":
            switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"beta"}))}
        else:
            gone = Answer(404, {"errors": ["Trace not found"]})
            switches.faults.append(Fault(gone, path=f"/v1/private/traces/{TRACE_ID}"))
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                answer = await http.get(session)
                if answer.status_code != 200:
                    break
                await asyncio.sleep(0.05)
        assert answer.status_code in {401, 403, 404}
        refused = await http.post(session, json=asked, headers={"Accept": "application/json"})
        assert refused.status_code == answer.status_code
