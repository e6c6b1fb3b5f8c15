"""The compose files: what an Opik beside us relies on, and what a container is not allowed."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.settings import Settings, database_url
from app.shutdown import STREAM_END_SECONDS
from testkit.processes import ROOT

NAME = "opik-ai-backend"
ON_MYSQL = "opik-ai-backend-on-mysql"
OURS = (NAME, ON_MYSQL)

VARIABLES = {
    *(name.upper() for name in Settings.model_fields),
    *(f"{name.upper()}_FILE" for name, field in Settings.model_fields.items() if not field.repr),
}


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


@pytest.mark.parametrize(("name", "profile"), [(NAME, NAME), (ON_MYSQL, "own-mysql")])
def test_opik_finds_the_service_where_the_former_one_was(
    own: dict[str, Any], name: str, profile: str
) -> None:
    service = own["services"][name]
    aliases = service.get("networks", {}).get("default", {}).get("aliases", [])
    assert NAME in (name, *aliases)
    assert service["hostname"] == NAME
    assert service["profiles"] == [profile]
    assert service["environment"]["URL_PREFIX"] == "/opik-ai"
    assert service["ports"] == ["127.0.0.1:8081:8081"]


def test_every_setting_reaches_the_container(own: dict[str, Any]) -> None:
    for name in OURS:
        missing = VARIABLES - set(own["services"][name]["environment"])
        assert missing == set(), "add these to x-settings in docker-compose.yml"
        assert set(own["services"][name]["environment"]) == VARIABLES


def test_the_service_keeps_conversations_on_a_volume_unless_it_has_a_mysql(
    own: dict[str, Any],
) -> None:
    urls = [
        database_url(own["services"][each]["environment"]["SESSION_SERVICE_URI"]) for each in OURS
    ]
    assert (urls[0].get_backend_name(), urls[0].database) == ("sqlite", "/data/opik-assist.db")
    assert own["services"][NAME]["volumes"] == ["data:/data"]
    assert "depends_on" not in own["services"][NAME]
    assert (urls[1].drivername, urls[1].host) == ("mysql+asyncmy", "mysql")
    assert own["services"][ON_MYSQL]["depends_on"] == {"mysql": {"condition": "service_healthy"}}
    assert own["services"]["mysql"]["profiles"] == own["services"][ON_MYSQL]["profiles"]


def test_every_container_has_limits(own: dict[str, Any]) -> None:
    for service in own["services"].values():
        assert float(service["cpus"]) == 1
        assert service["mem_limit"] == "1g"


def test_no_container_of_ours_may_write_or_gain_rights(own: dict[str, Any]) -> None:
    for name in OURS:
        service = own["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container


def test_a_container_is_given_the_time_that_an_end_in_order_takes(own: dict[str, Any]) -> None:
    grace = own["services"][NAME]["stop_grace_period"]
    assert grace.endswith("s")
    times = ("drain_seconds", "shutdown_seconds")
    needed = sum(Settings.model_fields[name].default for name in times) + STREAM_END_SECONDS
    assert int(grace[:-1]) >= needed + 5


def test_joining_an_opik_uses_its_database_and_its_backend(joined: dict[str, Any]) -> None:
    assert set(joined["services"]) == {NAME}
    assert joined["networks"]["default"] == {"external": True, "name": "opik_default"}
    environment = joined["services"][NAME]["environment"]
    assert environment["AGENT_OPIK_URL"] == "http://backend:8080"
    url = database_url(environment["SESSION_SERVICE_URI"])
    assert (url.host, url.port, url.drivername) == ("mysql", 3306, "mysql+asyncmy")


def _find_compose() -> list[str]:
    """A Docker Compose that is here: Debian's old one, or a newer one of Docker's client."""
    if (found := shutil.which("docker-compose")) is not None:
        return [found]
    docker = shutil.which("docker")
    if (
        docker
        and not subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        return [docker, "compose"]
    pytest.skip("no Docker Compose")


@pytest.mark.slow
def test_compose_hands_on_what_the_environment_and_a_dotenv_file_set(tmp_path: Path) -> None:
    values = {name: f"value-of-{name.lower()}" for name in VARIABLES} | {"PORT": "9001"}
    in_file = {name: value for name, value in values.items() if name.startswith("AGENT_")}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in in_file.items()))
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    shown = subprocess.run(
        [*_find_compose(), "--profile", NAME, "config"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]} | {k: v for k, v in values.items() if k not in in_file},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    service = YAML(typ="safe").load(shown)["services"][NAME]
    assert service["environment"] == values
    assert "9001" in str(service["ports"])
