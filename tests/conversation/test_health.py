"""Readiness: what makes a process unready, what is only reported, and what is asked how often."""

import anyio
import pytest

from app.conversation import health as health_module
from app.conversation.health import BACKEND_CACHE_SECONDS, Health
from app.errors import DatabaseUnavailable

TOO_OLD = "The schema is older than this version needs."


class World:
    """What a readiness check looks at, and how often it was looked at."""

    def __init__(self) -> None:
        self.now = 100.0
        self.schema_fault: str | None = None
        self.database_down = False
        self.backend = True
        self.draining = False
        self.database_asked = 0
        self.backend_asked = 0
        self.held: anyio.Event | None = None

    async def ask_database(self) -> str | None:
        self.database_asked += 1
        if self.held is not None:
            await self.held.wait()
        if self.database_down:
            raise DatabaseUnavailable("The database does not answer.")
        return self.schema_fault

    async def ask_backend(self) -> bool:
        self.backend_asked += 1
        return self.backend

    def health(self) -> Health:
        return Health(
            schema_fault=self.ask_database,
            backend_answers=self.ask_backend,
            draining=lambda: self.draining,
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(health_module, "monotonic", lambda: world.now)
    return world


async def test_a_service_with_database_and_schema_is_ready(world: World) -> None:
    found = await world.health().readiness()
    assert found.faults == ()
    assert (found.database.reachable, found.database.schema) == (True, "right")


async def test_a_database_that_does_not_answer_leaves_the_schema_unknown(world: World) -> None:
    world.database_down = True
    found = await world.health().readiness()
    assert found.faults == ("The database does not answer.",)
    assert (found.database.reachable, found.database.schema) == (False, "unknown")


async def test_a_wrong_schema_is_a_fault_of_a_reachable_database(world: World) -> None:
    world.schema_fault = TOO_OLD
    found = await world.health().readiness()
    assert found.faults == (TOO_OLD,)
    assert (found.database.reachable, found.database.schema) == (True, "wrong")


async def test_a_service_that_shuts_down_is_not_ready(world: World) -> None:
    health = world.health()
    world.draining = True
    assert (await health.readiness()).faults == ("The service is shutting down.",)


async def test_a_service_that_shuts_down_reports_the_last_state_of_its_database(
    world: World,
) -> None:
    health = world.health()
    world.schema_fault = TOO_OLD
    await health.readiness()
    world.draining = True
    found = await health.readiness()
    assert found.faults == ("The service is shutting down.", TOO_OLD)
    assert world.database_asked == 1


async def test_an_unavailable_backend_is_reported_but_is_no_fault(world: World) -> None:
    world.backend = False
    found = await world.health().readiness()
    assert found.faults == ()
    assert not found.backend_answers


async def test_the_backend_is_asked_again_only_after_some_seconds(world: World) -> None:
    health = world.health()
    await health.readiness()
    world.backend = False
    world.now += BACKEND_CACHE_SECONDS
    assert (await health.readiness()).backend_answers
    world.now += 0.1
    assert not (await health.readiness()).backend_answers
    assert world.backend_asked == 2


async def test_the_database_is_asked_anew_each_time(world: World) -> None:
    health = world.health()
    await health.readiness()
    world.now += 0.1
    world.database_down = True
    assert (await health.readiness()).faults


async def test_many_who_ask_at_once_do_not_multiply_the_questions(world: World) -> None:
    health = world.health()
    world.held = anyio.Event()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(health.readiness)
        await anyio.wait_all_tasks_blocked()
        world.now += 0.1
        world.held.set()
    assert world.database_asked <= 2
    assert world.backend_asked == 1
