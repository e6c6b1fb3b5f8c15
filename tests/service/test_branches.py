"""Questions asked in place of others: edited, regenerated, and the branches that they begin."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from app.db.schema import turns
from app.db.store import Store
from standin.chat import text
from testkit.scripted_chat import answer
from testkit.service import Service, running


@pytest.fixture
async def service(database_uri: str) -> Any:
    async with running(database_uri) as service:
        yield service


async def read(service: Service, **query: str) -> dict[str, Any]:
    response = await service.http.get(service.session(), params=query)
    assert response.status_code == 200, response.text
    history: dict[str, Any] = response.json()
    return history


async def read_questions(service: Service, **query: str) -> dict[str, dict[str, Any]]:
    """The user's messages of a branch, by their text."""
    messages = (await read(service, **query))["content"]
    return {each["content"]: each for each in messages if each["role"] == "user"}


async def ask(service: Service, question: str, **more: Any) -> str:
    """Asks, and returns the id of the turn."""
    reader = await service.ask(question, **more)
    assert reader.error is None
    return str(reader.frames[-1]["invocationId"])


def read_prompt(service: Service) -> list[str]:
    """What the model last read of users and of itself."""
    messages = service.chat.requests[-1]["messages"]
    return [each["content"] for each in messages if each["role"] in {"user", "assistant"}][1:]


async def test_an_edited_question_begins_the_active_branch(service: Service) -> None:
    one, two = await ask(service, "One?"), await ask(service, "Two?")
    edited = await ask(service, "Two, edited?", replaces=two)
    shown = await read_questions(service)
    assert list(shown) == ["One?", "Two, edited?"]
    assert shown["One?"]["siblings"] == [one]
    assert shown["Two, edited?"]["siblings"] == [two, edited]
    assert {each["turnId"] for each in (await read(service))["content"]} == {one, edited}
    assert await ask(service, "Three?")
    assert list(await read_questions(service)) == ["One?", "Two, edited?", "Three?"]


async def test_a_replaced_branch_stays_and_is_read_by_its_leaf(service: Service) -> None:
    await ask(service, "One?")
    two = await ask(service, "Two?")
    three = await ask(service, "Three?")
    edited = await ask(service, "Two, edited?", replaces=two)
    assert list(await read_questions(service, leaf=three)) == ["One?", "Two?", "Three?"]
    assert list(await read_questions(service, leaf=two)) == ["One?", "Two?"]
    assert list(await read_questions(service, leaf=edited.upper())) == ["One?", "Two, edited?"]
    shown = (await read_questions(service))["Two, edited?"]
    assert (shown["siblings"], shown["leaves"]) == ([two, edited], [three, edited])


async def test_a_regenerated_answer_has_the_same_question_and_parent(
    service: Service, store: Store
) -> None:
    service.chat.scripts = [answer("First."), answer("Second."), answer("Third.")]
    one = await ask(service, "One?")
    again = await ask(service, "One?", replaces=one)
    again_too = await ask(service, "One?", replaces=again)
    assert [each["content"] for each in (await read(service))["content"]] == ["One?", "Third."]
    assert (await read_questions(service))["One?"]["siblings"] == [one, again, again_too]
    async with store._transactions._engine.connect() as db:
        assert {row.parent_turn_id for row in await db.execute(turns.select())} == {None}


async def test_a_question_is_asked_again_without_its_message(service: Service) -> None:
    hostile = "Why? ![x](http://e.test/i.png) `a\u200b` ⟦"
    one = await ask(service, hostile)
    response = await service.http.post(service.session(), json={"replaces": one})
    assert response.status_code == 200
    assert '"error"' not in response.text
    assert read_prompt(service) == [hostile]
    assert len((await read(service))["content"][0]["siblings"]) == 2
    missing = await service.http.post(service.session(), json={"replaces": str(uuid4())})
    assert missing.status_code == 404
    neither = await service.http.post(service.session(), json={})
    assert (neither.status_code, neither.json()["code"]) == (400, "invalid_request")


async def test_branches_of_branches(service: Service) -> None:
    one = await ask(service, "1?")
    await ask(service, "1-2?")
    other = await ask(service, "1b?", replaces=one)
    other_two = await ask(service, "1b-2?")
    other_two_b = await ask(service, "1b-2b?", replaces=other_two)
    assert list(await read_questions(service)) == ["1b?", "1b-2b?"]
    three = await ask(service, "1-3?", query={"leaf": one})
    assert list(await read_questions(service)) == ["1?", "1-3?"]
    shown = await read_questions(service, leaf=other_two_b)
    assert shown["1b?"]["siblings"] == [one, other]
    assert shown["1b?"]["leaves"] == [three, other_two_b]
    assert shown["1b-2b?"]["siblings"] == [other_two, other_two_b]
    await ask(service, "1b-2c?", replaces=other_two)
    assert list(await read_questions(service)) == ["1b?", "1b-2c?"]


async def test_the_model_reads_its_own_branch_only(service: Service) -> None:
    service.chat.scripts = [answer(f"Answer {number}.") for number in range(6)]
    await ask(service, "One?")
    two = await ask(service, "Two?")
    three = await ask(service, "Three?")
    await ask(service, "Two, edited?", replaces=two)
    assert read_prompt(service) == ["One?", "Answer 0.", "Two, edited?"]
    await ask(service, "Four?")
    assert read_prompt(service) == ["One?", "Answer 0.", "Two, edited?", "Answer 3.", "Four?"]
    await ask(service, "Three, edited?", replaces=three)
    assert read_prompt(service) == ["One?", "Answer 0.", "Two?", "Answer 1.", "Three, edited?"]


async def test_the_list_counts_the_questions_of_the_active_branch(service: Service) -> None:
    await ask(service, "One?")
    two = await ask(service, "Two?")
    await ask(service, "Three?")
    await ask(service, "Two, edited?", replaces=two)
    listed = await service.http.get(f"{service.session()}/conversations")
    assert [(each["title"], each["questions"]) for each in listed.json()["content"]] == [
        ("One?", 2)
    ]


async def test_a_place_that_does_not_exist_is_not_found(service: Service) -> None:
    nothing_yet = await service.http.send(service.question("x", replaces=str(uuid4())))
    assert nothing_yet.status_code == 404
    one = await ask(service, "One?")
    new = await service.http.post(f"{service.session()}/conversations")
    other = {"conversation": new.json()["id"]}
    for wrong in (str(uuid4()), "x", "", one):
        replaced = await service.http.send(service.question("x", replaces=wrong, query=other))
        after = await service.http.send(service.question("x", query={**other, "leaf": wrong}))
        history = await service.http.get(service.session(), params={**other, "leaf": wrong})
        exported = await service.http.get(
            f"{service.session()}/export", params={**other, "leaf": wrong}
        )
        for refused in (replaced, after, history, exported):
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), wrong
    mistyped = await service.http.send(service.question("x", replaces=5))
    assert mistyped.status_code in {400, 422}
    listed = await service.http.get(f"{service.session()}/conversations")
    assert [each["questions"] for each in listed.json()["content"]] == [0, 1]


async def test_a_running_turn_cannot_be_replaced(service: Service) -> None:
    service.chat.scripts = [[text("So "), asyncio.Event()]]
    async with service.asking("Slow?") as stream:
        await stream.until(lambda stream: stream.reader.texts)
        turn_id = stream.reader.frames[-1]["invocationId"]
        refused = await service.ask("Faster?", replaces=turn_id)
    assert refused.error
    assert "still answering" in refused.error


async def test_a_stopped_turn_is_replaced(service: Service) -> None:
    service.chat.scripts = [[text("So "), asyncio.Event()], answer("Done.")]
    async with service.asking("Slow?") as stream:
        await stream.until(lambda stream: stream.reader.texts)
        turn_id = stream.reader.frames[-1]["invocationId"]
    await ask(service, "Slow?", replaces=turn_id)
    assert [each["content"] for each in (await read(service))["content"]] == ["Slow?", "Done."]


async def test_a_replaced_turn_counts_for_limits(database_uri: str) -> None:
    async with running(database_uri, workspace_tokens_per_day=200) as service:
        one = await ask(service, "One?")
        await ask(service, "One?", replaces=one)
        refused = await service.ask("One?", replaces=one)
        assert refused.error
        assert "tokens of today" in refused.error
        assert len((await read_questions(service))["One?"]["siblings"]) == 2


async def test_follow_up_questions_of_the_last_turn_are_part_of_the_history(
    service: Service,
) -> None:
    service.chat.scripts = [answer("First."), answer("Second."), [text("So "), asyncio.Event()]]
    reader = await service.ask("One?")
    suggested = next(each["suggestions"] for each in reader.frames if "suggestions" in each)
    assert suggested
    history = await read(service)
    assert history["suggestions"] == suggested
    one = history["content"][0]["turnId"]
    await ask(service, "Two?")
    async with service.asking("Three?") as stream:
        await stream.until(lambda stream: stream.reader.texts)
        assert (await read(service))["suggestions"] == []
        assert (await read(service, leaf=one))["suggestions"] == suggested


async def test_the_history_keeps_model_usage_and_thumb(service: Service) -> None:
    reader = await service.ask("One?")
    await service.ask("Two?")
    history = await read(service)
    assert history["rating"] is None
    used = next(each["turn"] for each in reader.frames if each.get("message_type") == "usage")
    assert used["total_tokens"] == 110
    answers = [each for each in history["content"] if each["role"] == "assistant"]
    assert [(each["model"], each["usage"]) for each in answers] == [("gpt-4.1", used)] * 2
    for value in (1, 0):
        await service.http.put(f"{service.session()}/feedback", json={"value": value})
        assert (await read(service))["rating"] == value
    await service.http.delete(f"{service.session()}/feedback")
    assert (await read(service))["rating"] is None
