"""Which pages may call the service, and which may not."""

from typing import Any

import pytest

from testkit.case_tables import each_case
from testkit.service import PREFIX, Service, running


@pytest.fixture
async def service(tmp_path: Any) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}") as service:
        yield service


@each_case(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.test"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:9999"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://evil.test", "X-Forwarded-Host": "opik.test"},
        {"Origin": "http://[::1"},
    ],
)
@each_case("method", ["GET", "POST", "DELETE"])
async def test_pages_of_another_site_are_refused_reading_included(
    service: Service, method: str, headers: dict[str, str]
) -> None:
    response = await service.http.request(
        method,
        service.session(),
        headers=headers,
        json={"message": "x"} if method == "POST" else None,
    )
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert not service.switches.received


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://opik.test"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://opik.test", "X-Forwarded-Host": "opik.test"},
        {"Origin": "http://opik.test:5173", "Host": "opik.test"},
        {},
    ],
)
async def test_the_panels_own_page_is_served(service: Service, headers: dict[str, str]) -> None:
    assert (await service.ask(headers=headers)).error is None


async def test_an_allowed_origin_may_call_with_credentials(tmp_path: Any) -> None:
    origin = "http://localhost:5173"
    allowed = {"allowed_origins": (origin,)}
    async with running(f"sqlite:///{tmp_path / 'c.db'}", **allowed) as service:
        foreign = {"Origin": origin, "Sec-Fetch-Site": "same-site"}
        preflight = await service.http.options(
            service.session(),
            headers={
                **foreign,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,comet-workspace",
            },
        )
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        assert preflight.headers["access-control-allow-credentials"] == "true"
        async with service.asking(headers=foreign) as stream:
            response = stream.response
            assert response.headers["access-control-allow-origin"] == origin
            await response.aread()
        refused = await service.http.get(service.session(), headers={"Origin": "http://evil.test"})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


@each_case(
    "host, status",
    [
        ("opik.test", 200),
        ("Opik.Test:5173", 200),
        ("a.lan.test", 200),
        ("lan.test", 403),
        ("opik.test.evil.test", 403),
        ("evil-lan.test", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
async def test_only_allowed_hosts_are_served_and_what_asks_by_address_under_any(
    tmp_path: Any, host: str, status: int
) -> None:
    more = {"allowed_hosts": ("opik.test", "*.lan.test"), "metrics_enabled": True}
    async with running(f"sqlite:///{tmp_path / 'h.db'}", **more) as service:
        models = await service.http.get(
            f"{service.url}{PREFIX}/models", headers={"Host": host, "Origin": f"http://{host}"}
        )
        assert models.status_code == status
        for name in ("healthz", "readyz", "metrics"):
            probe = await service.http.get(f"{service.url}{PREFIX}/{name}", headers={"Host": host})
            assert (name, probe.status_code) == (name, 200)
