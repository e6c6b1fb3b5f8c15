"""The compose files: what an Opik beside us relies on, and what a container is not allowed."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.settings import Settings, database_url
from app.shutdown import STREAM_END_SECONDS
from testkit.processes import ROOT

NAME = "opik-ai-backend"


def _load(name: str) -> dict[str, Any]:
    """A compose file with the defaults of its variables filled in."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / name).read_text())
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    return loaded


@pytest.fixture
def own() -> dict[str, Any]:
    return _load("docker-compose.yml")


@pytest.fixture
def joined() -> dict[str, Any]:
    return _load("docker-compose.opik.yml")


def test_opik_finds_the_service_where_the_former_one_was(own: dict[str, Any]) -> None:
    service = own["services"][NAME]
    assert service["container_name"] == service["hostname"] == NAME
    assert service["profiles"] == [NAME]
    assert service["environment"]["URL_PREFIX"] == "/opik-ai"
    assert service["ports"] == ["127.0.0.1:8081:8081"]


def test_no_container_of_ours_may_write_or_gain_rights(own: dict[str, Any]) -> None:
    for name in (NAME, "migrate"):
        service = own["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container


def test_the_schema_is_made_once_before_the_service_starts(own: dict[str, Any]) -> None:
    services = own["services"]
    waits = {"migrate": {"condition": "service_completed_successfully"}}
    assert services[NAME]["depends_on"] == waits
    assert services[NAME]["environment"]["MIGRATE_AT_START"] == "false"
    assert services["migrate"]["command"] == ["alembic", "upgrade", "head"]
    assert services["migrate"]["restart"] == "no"


def test_a_container_is_given_the_time_that_an_end_in_order_takes(own: dict[str, Any]) -> None:
    grace = own["services"][NAME]["stop_grace_period"]
    assert grace.endswith("s")
    times = ("drain_seconds", "shutdown_seconds")
    assert not set(own["services"][NAME]["environment"]) & {name.upper() for name in times}
    needed = sum(Settings.model_fields[name].default for name in times) + STREAM_END_SECONDS
    assert int(grace[:-1]) >= needed + 5


def test_joining_an_opik_starts_no_second_database(
    own: dict[str, Any], joined: dict[str, Any]
) -> None:
    assert NAME not in own["services"]["mysql"]["profiles"]
    assert own["services"]["migrate"]["depends_on"]["mysql"]["required"] is False
    assert set(joined["services"]) == {NAME, "migrate"}
    assert joined["networks"]["default"] == {"external": True, "name": "opik_default"}
    assert joined["services"][NAME]["environment"]["AGENT_OPIK_URL"] == "http://backend:8080"


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.opik.yml"])
def test_every_variable_is_a_setting_and_every_database_one_that_we_can_use(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    for service in (NAME, "migrate"):
        environment = _load(name)["services"][service]["environment"]
        assert set(environment) <= known
        url = database_url(environment["SESSION_SERVICE_URI"])
        assert (url.host, url.port, url.drivername) == ("mysql", 3306, "mysql+asyncmy")
