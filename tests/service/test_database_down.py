"""What callers meet while the database is away, and when it is back."""

from collections.abc import Iterator
from typing import Any

import pytest

from testkit import databases
from testkit.service import Service, running


@pytest.fixture
def mortal_uri(private_server: databases.PrivateServer) -> Iterator[str]:
    uri = databases.create_database(private_server.uri("information_schema"))
    databases.migrate(uri)
    yield uri
    databases.drop_database(uri)


@pytest.fixture
async def service(mortal_uri: str) -> Any:
    async with running(mortal_uri) as service:
        yield service


async def test_an_outage_is_reported_and_the_first_request_after_it_succeeds(
    service: Service, private_server: databases.PrivateServer
) -> None:
    await service.ask()
    private_server.kill()
    try:
        reader = await service.ask("While it is away?")
        assert reader.error is not None
        assert "database" in reader.error
        feedback = f"{service.session()}/feedback"
        responses = [
            await service.http.send(service.question(headers={"Accept": "application/json"})),
            await service.http.get(service.session()),
            await service.http.delete(service.session()),
            await service.http.put(feedback, json={"value": 1}),
            await service.http.delete(feedback),
        ]
        assert [each.status_code for each in responses] == [503] * 5
        assert {each.json()["code"] for each in responses} == {"database_unavailable"}
        assert all("127.0.0.1" not in each.text for each in responses)
    finally:
        private_server.start()
    assert len(await service.history()) == 2
    assert (await service.ask("And now?")).error is None
