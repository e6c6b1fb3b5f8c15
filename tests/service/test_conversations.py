"""Several conversations about one trace: list, create, rename, delete, select."""

import asyncio
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

from app.db.schema import feedback
from app.db.store import Store
from app.web.markdown.allowed_links import BREAK
from standin.chat import text
from standin.switches import UserAccount
from testkit import credentials
from testkit.scripted_chat import answer
from testkit.service import OTHER_TRACE_ID, TRACE_ID, Service, record_trace, running
from tests.web.markdown_judge import dangers

ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}
BOB = {"Cookie": f"sessionToken={credentials.BOB}", "Comet-Workspace": "acme"}


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri) as service:
        both = frozenset({"acme", "beta"})
        service.switches.accounts = {
            credentials.ANNA: UserAccount("anna", both),
            credentials.BOB: UserAccount("bob", both),
        }
        for workspace in both:
            record_trace(service.standin, workspace=workspace)
        record_trace(service.standin, OTHER_TRACE_ID, workspace="acme")
        service.headers = ANNA
        yield service


async def send(service: Service, method: str, path: str = "", **more: Any) -> httpx.Response:
    """A request below the trace's session, with the service's headers unless others are given."""
    url = f"{service.session(more.pop('trace_id', TRACE_ID))}{path}"
    return await service.http.request(method, url, **{"headers": service.headers, **more})


async def list_conversations(service: Service, **more: Any) -> list[dict[str, Any]]:
    response = await send(service, "GET", "/conversations", **more)
    assert response.status_code == 200, response.text
    content: list[dict[str, Any]] = response.json()["content"]
    return content


async def create(service: Service, **more: Any) -> str:
    response = await send(service, "POST", "/conversations", **more)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def questions(service: Service, query: str = "") -> list[str]:
    response = await send(service, "GET", query)
    assert response.status_code == 200, response.text
    return [each["content"] for each in response.json()["content"] if each["role"] == "user"]


async def test_a_new_conversation_is_the_panels_from_now_on(service: Service) -> None:
    assert await list_conversations(service) == []
    await service.ask("First?")
    first = (await list_conversations(service))[0]["id"]
    second = await create(service)
    assert await questions(service) == []
    await service.ask("Second?")
    assert await questions(service) == ["Second?"]
    assert await questions(service, f"?conversation={first}") == ["First?"]
    assert await questions(service, f"?conversation={second.upper()}") == ["Second?"]


async def test_the_list_describes_each_conversation_the_newest_first(service: Service) -> None:
    await service.ask("Why did  lookup_order\nfail?")
    await service.ask("And then?")
    second = await create(service)
    new, old = await list_conversations(service)
    assert (new["id"], new["number"], new["title"]) == (second, 2, "New conversation")
    assert (new["questions"], new["model"], new["running"]) == (0, None, False)
    assert (old["number"], old["title"]) == (1, "Why did lookup_order fail?")
    assert (old["questions"], old["model"], old["running"]) == (2, "gpt-4.1", False)
    assert old["created_at"] < old["last_updated_at"] < new["created_at"]
    assert new["created_at"].endswith("Z")


async def test_a_question_goes_to_the_conversation_that_the_url_names(service: Service) -> None:
    first, second = await create(service), await create(service)
    await service.ask("To the first?", query={"conversation": first})
    await service.ask("To the second?", query={"conversation": second})
    await service.ask("To the first again?", query={"conversation": first})
    both = ["To the first?", "To the first again?"]
    assert await questions(service, f"?conversation={first}") == both
    assert await questions(service) == ["To the second?"]
    read = [each["content"] for each in service.chat.requests[-1]["messages"]]
    assert "To the first?" in read
    assert "To the second?" not in read


async def test_conversations_answer_at_the_same_time(service: Service) -> None:
    first, second = await create(service), await create(service)
    pause = asyncio.Event()
    service.chat.scripts = [[text("So "), pause, *answer("slow.")], answer("Quick.")]
    async with service.asking("Slow?") as stream:
        await stream.until(lambda stream: stream.reader.texts)
        running_now = [each["running"] for each in await list_conversations(service)]
        quick = await service.ask("Meanwhile?", query={"conversation": first})
        pause.set()
        slow = await stream.rest()
    assert running_now == [True, False]
    assert (quick.texts, slow.texts) == (["Quick."], ["So slow."])
    assert await questions(service, f"?conversation={second}") == ["Slow?"]


async def test_one_conversation_answers_one_question_at_a_time(service: Service) -> None:
    first = await create(service)
    await create(service)
    service.chat.scripts = [[text("So "), asyncio.Event()]]
    async with service.asking("Slow?", query={"conversation": first}) as stream:
        await stream.until(lambda stream: stream.reader.texts)
        busy = await service.ask("At once?", query={"conversation": first})
    assert busy.error
    assert "still answering" in busy.error


async def test_a_title_is_changed(service: Service) -> None:
    await service.ask("First?")
    path = f"/conversations/{(await list_conversations(service))[0]['id']}"
    changed = await send(service, "PATCH", path, json={"title": " The  order's\ttale "})
    assert changed.status_code == 200
    assert changed.json()["title"] == "The order's tale"
    await service.ask("Second?")
    assert (await list_conversations(service))[0] == {
        **changed.json(),
        "questions": 2,
        "last_updated_at": (await list_conversations(service))[0]["last_updated_at"],
    }


async def test_a_title_has_one_to_200_characters(service: Service) -> None:
    path = f"/conversations/{await create(service)}"
    for title in ("", " ", "\u200b\u202e", "x" * 201, 5, None, ["x"]):
        refused = await send(service, "PATCH", path, json={"title": title})
        assert refused.status_code == 422, title
        assert "title" in refused.json()["message"]
    assert (await send(service, "PATCH", path, json={})).status_code == 422
    for title in ("x", "🐢" * 200):
        assert (await send(service, "PATCH", path, json={"title": title})).json()["title"] == title


async def test_a_title_is_inert(service: Service) -> None:
    hostile = "![x](http://e.test/?q) <img src=//e.test> [a](javascript:x)\n# \x00\u202eb"
    await service.ask(hostile)
    listed = await list_conversations(service)
    changed = await send(
        service, "PATCH", f"/conversations/{listed[0]['id']}", json={"title": hostile}
    )
    for title in (listed[0]["title"], changed.json()["title"]):
        assert dangers(title, allowed=frozenset({"http://e.test/?q"})) == []
        assert title.isprintable() or BREAK in title
        assert not {"\n", "\x00", "\u202e"} & set(title)


async def test_one_conversation_is_deleted_and_the_others_stay(service: Service) -> None:
    first, second = await create(service), await create(service)
    await service.ask("To the first?", query={"conversation": first})
    for _ in range(2):
        assert (await send(service, "DELETE", f"/conversations/{second}")).status_code == 204
    assert [each["id"] for each in await list_conversations(service)] == [first]
    assert await questions(service) == ["To the first?"]
    assert (await send(service, "GET", f"?conversation={second}")).status_code == 404
    deleted = await send(service, "DELETE", f"?conversation={first}")
    assert (deleted.status_code, deleted.json()) == (200, None)
    assert (await send(service, "DELETE", f"?conversation={first}")).status_code == 404
    assert await list_conversations(service) == []


async def test_deleting_without_a_parameter_forgets_all_about_this_trace(service: Service) -> None:
    await create(service)
    await create(service)
    await create(service, trace_id=OTHER_TRACE_ID)
    assert (await send(service, "DELETE")).status_code == 200
    assert await list_conversations(service) == []
    assert len(await list_conversations(service, trace_id=OTHER_TRACE_ID)) == 1


async def test_a_deletion_ends_the_turn_of_this_conversation_only(service: Service) -> None:
    first, second = await create(service), await create(service)
    pause = asyncio.Event()
    service.chat.scripts = [[text("So "), pause, *answer("slow.")]]
    async with (
        service.asking("To the first?", query={"conversation": first}) as ended,
        service.asking("To the second?", query={"conversation": second}) as kept,
    ):
        for stream in (ended, kept):
            await stream.until(lambda stream: stream.reader.texts)
        assert (await send(service, "DELETE", f"/conversations/{first}")).status_code == 204
        assert (await ended.rest()).texts[-1] != "So slow."
        pause.set()
        assert (await kept.rest()).texts == ["So slow."]
    assert [each["id"] for each in await list_conversations(service)] == [second]


async def test_each_conversation_has_its_own_thumb(service: Service, store: Store) -> None:
    first, second = await create(service), await create(service)
    for query, value in ((f"?conversation={first}", 0), ("", 1)):
        path = f"/feedback{query}"
        assert (await send(service, "PUT", path, json={"value": value})).status_code == 200
    assert await read_thumbs(store) == {first: 0, second: 1}
    removed = await send(service, "DELETE", f"/feedback?conversation={first}")
    assert removed.status_code == 204
    assert await read_thumbs(store) == {second: 1}


async def read_thumbs(store: Store) -> dict[str, int]:
    async with store._transactions._engine.connect() as db:
        return {row.session_id: row.value for row in await db.execute(feedback.select())}


EACH_CALL: list[tuple[str, str, Any]] = [
    ("GET", "?conversation={}", None),
    ("POST", "?conversation={}", {"message": "x"}),
    ("DELETE", "?conversation={}", None),
    ("PUT", "/feedback?conversation={}", {"value": 1}),
    ("DELETE", "/feedback?conversation={}", None),
    ("PATCH", "/conversations/{}", {"title": "x"}),
    ("GET", "/export?format=markdown&conversation={}", None),
    ("GET", "/export?format=json&conversation={}", None),
]


async def test_other_callers_traces_and_ids_find_no_conversation(service: Service) -> None:
    await service.ask("Mine?")
    mine = (await list_conversations(service))[0]["id"]
    elsewhere: list[dict[str, Any]] = [
        {"headers": BOB},
        {"headers": {**ANNA, "Comet-Workspace": "beta"}},
        {"trace_id": OTHER_TRACE_ID},
    ]
    for method, path, body in EACH_CALL:
        for more in elsewhere:
            refused = await send(service, method, path.format(mine), json=body, **more)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), path
        for wrong in (str(uuid4()), "x", "é", "1" * 5000, f"{mine}%00", f"{mine}'"):
            refused = await send(service, method, path.format(wrong), json=body)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), wrong
    for more in elsewhere:
        assert await list_conversations(service, **more) == []
        await send(service, "DELETE", f"/conversations/{mine}", **more)
    assert await questions(service) == ["Mine?"]


async def test_conversations_are_closed_to_callers_without_access(service: Service) -> None:
    mine = await create(service)
    stranger = {"Cookie": f"sessionToken={credentials.EVE}", "Comet-Workspace": "acme"}
    calls = [("GET", "/conversations", None), ("POST", "/conversations", None), *EACH_CALL]
    for method, path, body in calls:
        refused = await send(service, method, path.format(mine), json=body, headers=stranger)
        assert refused.status_code in {401, 403}, path


@pytest.mark.parametrize("limit", ["trace_conversations", "owner_conversations"])
async def test_conversations_are_bounded_in_number(database_uri: str, limit: str) -> None:
    async with running(database_uri, **{limit: 3}) as service:
        service.switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"acme"}))}
        record_trace(service.standin, workspace="acme")
        service.headers = ANNA
        url = f"{service.session()}/conversations"
        async with anyio.create_task_group() as group:
            answers: list[httpx.Response] = []

            async def post() -> None:
                answers.append(await service.http.post(url, headers=ANNA))

            for _ in range(6):
                group.start_soon(post)
        assert sorted(each.status_code for each in answers) == [201] * 3 + [429] * 3
        assert {each.json().get("code") for each in answers} == {None, "limit_reached"}
        listed = await list_conversations(service)
        assert [each["number"] for each in listed] == [3, 2, 1]
        await send(service, "DELETE", f"/conversations/{listed[1]['id']}")
        assert await create(service)


async def test_in_an_opik_without_accounts_all_share_a_bounded_list(database_uri: str) -> None:
    limits = {"trace_conversations": 2, "owner_conversations": 1}
    async with running(database_uri, **limits) as service:
        await create(service)
        await create(service)
        assert (await send(service, "POST", "/conversations")).status_code == 429
