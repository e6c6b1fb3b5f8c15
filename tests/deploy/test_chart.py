"""The Helm chart: rendered by Helm's own engine, checked against the schemas of Kubernetes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from helm_python.errors import HelmError
from ruamel.yaml import YAML

from app import __version__
from app.settings import Settings
from app.shutdown import STREAM_END_SECONDS
from testkit.processes import ROOT

CHART = ROOT / "deploy" / "helm" / "opik-assist"
VALUE_FILES = sorted((CHART / "ci").glob("*.yaml"))
KUBERNETES = ("1.25", "1.30", "1.34")
"""The oldest version that the chart supports, one between, and a new one."""
CUSTOM = {"ServiceMonitor"}
"""Kinds of operators, for which Kubernetes has no schema."""


def read_values(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = YAML(typ="safe").load(path.read_text())
    return values


def named(name: str) -> dict[str, Any]:
    return read_values(CHART / "ci" / f"{name}-values.yaml")


class Rendered:
    """The objects of a release."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        with helm_python.Chart.load(CHART) as chart:
            texts = chart.render(dict(values or {}), name="demo", namespace="opik")
        self.notes = texts.pop("opik-assist/templates/NOTES.txt")
        self.objects: list[dict[str, Any]] = [
            each for text in texts.values() for each in YAML(typ="safe").load_all(text) if each
        ]

    def find(self, kind: str) -> dict[str, Any]:
        """The only object of this kind that no hook makes."""
        (found,) = (
            each
            for each in self.objects
            if each["kind"] == kind
            and "helm.sh/hook" not in each["metadata"].get("annotations", {})
        )
        return found

    @property
    def kinds(self) -> set[str]:
        return {each["kind"] for each in self.objects}

    @property
    def pods(self) -> Iterator[dict[str, Any]]:
        for each in self.objects:
            if each["kind"] in {"Deployment", "Job"}:
                yield each["spec"]["template"]["spec"]
            elif each["kind"] == "Pod":
                yield each["spec"]

    @property
    def pod(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.find("Deployment")["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.pod["containers"]
        return dict(container)


@pytest.mark.parametrize("path", [None, *VALUE_FILES], ids=lambda path: path and path.stem)
def test_every_value_file_gives_valid_objects(path: Path | None) -> None:
    rendered = Rendered(path and read_values(path))
    for each in rendered.objects:
        assert each["metadata"]["name"]
        if each["kind"] not in CUSTOM:
            for version in KUBERNETES:
                kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("path", [None, *VALUE_FILES], ids=lambda path: path and path.stem)
def test_helm_has_nothing_to_complain_about(path: Path | None) -> None:
    report = helm_python.lint(CHART, path and read_values(path), strict=True)
    messages = [each["error"] for each in report["messages"]]
    assert (messages, report["errors"]) == (["icon is recommended"], [])


@pytest.mark.parametrize("path", [None, *VALUE_FILES], ids=lambda path: path and path.stem)
def test_no_container_may_write_gain_rights_or_ask_the_cluster(path: Path | None) -> None:
    for pod in Rendered(path and read_values(path)).pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("path", [None, *VALUE_FILES], ids=lambda path: path and path.stem)
def test_the_service_can_read_its_settings(
    path: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = Rendered(path and read_values(path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("mysql://u:p@h/d")
    for name, value in rendered.find("ConfigMap")["data"].items():
        monkeypatch.setenv(name, "secret" if name.endswith("_FILE") else value)
    settings = Settings.load()
    assert rendered.container["ports"][0]["containerPort"] == settings.port
    (seconds,) = (rendered.pod["terminationGracePeriodSeconds"],)
    needed = settings.drain_seconds + settings.shutdown_seconds + STREAM_END_SECONDS
    assert needed + 5 <= seconds < needed + 7
    probes = {name: rendered.container[f"{name}Probe"] for name in ("startup", "liveness")}
    assert {probe["httpGet"]["path"] for probe in probes.values()} == {
        f"{settings.url_prefix}/healthz"
    }
    ready = rendered.container["readinessProbe"]["httpGet"]["path"]
    assert ready == f"{settings.url_prefix}/readyz"


def test_lists_maps_and_large_numbers_arrive_as_they_were_meant() -> None:
    data = Rendered(named("replicas")).find("ConfigMap")["data"]
    assert data["AGENT_MODEL"] == "openai/gpt-4.1,anthropic/*"
    assert data["AGENT_CONTEXT_TOKENS"] == "1000000"
    assert data["DRAIN_SECONDS"] == "7.5"
    assert data["SENTRY_SEND_DEFAULT_PII"] == "false"
    assert data["MODEL_PRICES"] == '{"gpt-4.1":{"in":2,"out":8}}'
    assert "LOG_LEVEL" not in data


def test_every_secret_of_the_service_comes_from_a_secret() -> None:
    rendered = Rendered(named("replicas"))
    variables = {each["name"]: each for each in rendered.container["env"]}
    secrets = {name.upper() for name, field in Settings.model_fields.items() if not field.repr}
    assert secrets <= set(variables)
    secret = rendered.find("Secret")
    assert set(secret["stringData"]) <= set(variables)
    for name, each in variables.items():
        reference = each["valueFrom"]["secretKeyRef"]
        assert (reference["name"], reference["key"]) == (secret["metadata"]["name"], name)
        assert reference["optional"] is (name != "SESSION_SERVICE_URI")
    assert "change%40me" not in str([each for each in rendered.objects if each["kind"] != "Secret"])


def test_a_database_is_reached_by_a_secret_a_file_or_a_volume() -> None:
    existing = Rendered(named("job"))
    assert "Secret" not in existing.kinds
    names = {each["valueFrom"]["secretKeyRef"]["name"] for each in existing.container["env"]}
    assert names == {"opik-assist-secrets"}
    files = Rendered(named("files"))
    assert files.find("ConfigMap")["data"]["SESSION_SERVICE_URI_FILE"].startswith("/run/secrets/")
    assert all(
        each["valueFrom"]["secretKeyRef"]["optional"]
        for each in files.container["env"]
        if "valueFrom" in each
    )
    claims = [Rendered(named("sqlite")), Rendered()]
    volumes = [each.pod["volumes"][-1]["persistentVolumeClaim"]["claimName"] for each in claims]
    assert volumes == ["my-claim", "demo-opik-assist"]
    assert ["PersistentVolumeClaim" in each.kinds for each in claims] == [False, True]
    assert claims[1].find("Deployment")["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", ["job", "job-own-secret"])
def test_a_job_migrates_before_pods_that_only_check(name: str) -> None:
    rendered = Rendered(named(name))
    (job,) = (each for each in rendered.objects if each["kind"] == "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["opik-assist", "migrate"]
    assert rendered.find("ConfigMap")["data"]["MIGRATE_AT_START"] == "false"
    (reference,) = (
        each["valueFrom"]["secretKeyRef"]["name"]
        for each in container["env"]
        if each["name"] == "SESSION_SERVICE_URI"
    )
    hooks = [
        each["metadata"]["name"]
        for each in rendered.objects
        if each["kind"] == "Secret" and "annotations" in each["metadata"]
    ]
    assert [reference] == (hooks or ["opik-assist-secrets"])


def test_a_job_that_reads_the_address_from_a_file_gets_no_secret() -> None:
    secrets = {"SENTRY_DSN": "https://key@host/1"}
    rendered = Rendered({**named("files"), "secrets": secrets, "migrations": {"mode": "job"}})
    kinds = {each["kind"] for each in rendered.objects if "annotations" in each["metadata"]}
    assert "Job" in kinds
    assert rendered.find("Secret")["stringData"] == secrets
    assert "Secret" not in kinds


def test_what_selects_pods_selects_those_of_the_service_only() -> None:
    rendered = Rendered(named("replicas"))
    labels = rendered.find("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        rendered.find("Service")["spec"]["selector"],
        *(
            rendered.find(kind)["spec"][field]["matchLabels"]
            for kind, field in (
                ("Deployment", "selector"),
                ("PodDisruptionBudget", "selector"),
                ("NetworkPolicy", "podSelector"),
            )
        ),
    ]
    others = [each["metadata"]["labels"] for each in rendered.objects if each["kind"] == "Pod"]
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not any(selector.items() <= each.items() for each in others)
    target = rendered.find("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]
    assert target == rendered.find("Deployment")["metadata"]["name"] == "opik-ai-backend"
    assert "replicas" not in rendered.find("Deployment")["spec"]


def test_the_ways_in_lead_to_the_prefix_and_hold_nothing_back() -> None:
    rendered = Rendered(named("replicas"))
    ingress = rendered.find("Ingress")
    rules = ingress["spec"]["rules"]
    assert [each["host"] for each in rules] == ["opik.example.com", "opik.example.org"]
    assert {each["http"]["paths"][0]["path"] for each in rules} == {"/opik-ai/"}
    annotations = ingress["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    monitor = rendered.find("ServiceMonitor")["spec"]
    assert monitor["endpoints"][0]["path"] == "/opik-ai/metrics"
    assert monitor["selector"]["matchLabels"].items() <= (
        rendered.find("Service")["metadata"]["labels"].items()
    )
    assert rendered.find("ConfigMap")["data"]["METRICS_ENABLED"] == "true"

    notes = Rendered().notes
    assert "proxy_pass http://demo-opik-assist.opik.svc:8081;" in notes
    assert "location /opik-ai/ {" in notes
    assert "location = /opik-ai/metrics {\n       return 404;\n" in notes
    assert "TOGGLE_OPIK_AI_ENABLED" in notes


MYSQL = {"database": {"kind": "mysql"}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"config": {"AGENT_OPIK_URL": ""}}, "AGENT_OPIK_URL is not set"),
    ({"config": {"TURN_STEP": 3}}, "TURN_STEP"),
    ({"config": {"MIGRATE_AT_START": False}}, "MIGRATE_AT_START"),
    ({"config": {"SENTRY_DSN": "https://key@host/1"}}, "SENTRY_DSN"),
    ({"replicas": 3}, "replicas"),
    ({"replicaCount": "three"}, "replicaCount"),
    ({"replicaCount": 3}, "several replicas need database.kind mysql"),
    ({"autoscaling": {"enabled": True}}, "several replicas need database.kind mysql"),
    ({"migrations": {"mode": "job"}}, "needs database.kind mysql"),
    ({"database": {"kind": "postgresql"}}, "kind"),
    (MYSQL, "set secrets.SESSION_SERVICE_URI, existingSecret"),
    ({"secrets": {"SESSION_SERVICE_URI": "mysql://u:p@h/d"}}, "set database.kind to mysql"),
    ({**named("job"), "secrets": {"SENTRY_DSN": "https://k@h/1"}}, "use one of them"),
    ({"metrics": {"serviceMonitor": {"enabled": True}}}, "needs metrics.enabled"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
]


def test_values_that_cannot_work_are_refused_with_what_to_change() -> None:
    wrong = []
    for values, words in REFUSED:
        try:
            Rendered(values)
            wrong.append(f"{values}: accepted")
        except HelmError as error:
            if words not in str(error):
                wrong.append(f"{values}: {error}")
    assert wrong == []


def test_the_chart_has_the_version_of_the_service() -> None:
    with helm_python.Chart.load(CHART) as chart:
        metadata = chart.metadata
    assert (metadata["version"], metadata["appVersion"]) == (__version__, __version__)
    image = Rendered().container["image"]
    assert image == f"opik-assist:{__version__}"


def test_every_line_of_the_values_has_a_comment_above_it() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r" *[\w./-]+:", line) and not before.lstrip().startswith("#")
    ]
    assert bare == []
