"""How the page, its files and what it reads are served: addresses, headers, rights, limits."""

import re
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.caller import Caller
from app.errors import LimitReached
from app.explorer import explorer
from app.explorer.explorer import Explorer
from app.explorer.span_rows import Waterfall
from app.opik import deep_json
from app.web import ui_api
from app.web.page_files import CONTENT_SECURITY_POLICY
from standin.switches import UserAccount
from standin.workspace import AttachedFile, Subject
from testkit import credentials
from testkit.service import PREFIX, TRACE_ID, Service, record_trace, running, span_id

ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}


@pytest.fixture
async def service(tmp_path: Path) -> Any:
    async with running(f"sqlite:///{tmp_path / 'a.db'}") as service:
        yield service


async def get(service: Service, path: str, **more: Any) -> httpx.Response:
    return await service.http.get(f"{service.url}{PREFIX}/ui{path}", **more)


async def test_the_document_allows_only_our_own_scripts_and_is_revalidated(
    service: Service,
) -> None:
    document = await get(service, "/")
    assert document.status_code == 200
    assert document.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert document.headers["cache-control"] == "no-cache"
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", document.text) == []
    known = {"If-None-Match": document.headers["etag"]}
    assert (await get(service, "/", headers=known)).status_code == 304


async def test_every_file_that_the_document_names_may_be_kept_for_ever(service: Service) -> None:
    document = (await get(service, "/")).text
    files = set(re.findall(r'(?:src|href)="([^"]+)"', document))
    assert len(files) > 20
    for file in files:
        answer = await get(service, f"/{file}")
        assert (file, answer.status_code) == (file, 200)
        assert "immutable" in answer.headers["cache-control"]
        kind = {"css": "text/css", "svg": "image/svg+xml"}.get(file.rpartition(".")[2])
        assert answer.headers["content-type"].startswith(kind or "text/javascript")
    old = re.sub(r"assets/\w+/", "assets/0123456789abcdef/", next(iter(files)))
    assert (await get(service, f"/{old}")).status_code == 404


async def test_the_page_has_one_address_and_keeps_the_query(service: Service) -> None:
    answer = await get(service, f"?trace={TRACE_ID}")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{PREFIX}/ui/?trace={TRACE_ID}"


async def test_links_from_other_sites_lead_to_the_page_but_not_to_what_it_reads(
    service: Service,
) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await get(service, "/", headers=foreign)).status_code == 200
    assert (await get(service, "/api/projects", headers=foreign)).status_code == 403


async def test_the_page_can_be_switched_off(tmp_path: Path) -> None:
    async with running(f"sqlite:///{tmp_path / 'a.db'}", ui_enabled=False) as service:
        for path in ("/", "/api/projects"):
            assert (await get(service, path)).status_code == 404


async def test_the_page_reads_with_the_rights_of_its_caller(service: Service) -> None:
    service.switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"acme"}))}
    record_trace(service.standin, workspace="acme")
    trace = f"/api/traces/{TRACE_ID}"
    paths = ["/api/projects", "/api/traces", trace, f"{trace}/spans"]
    paths.append(f"{trace}/spans/{span_id(3)}")
    for path in paths:
        assert (path, (await get(service, path, headers=ANNA)).status_code) == (path, 200)
        assert (path, (await get(service, path)).status_code) == (path, 403)
        other = {**ANNA, "Comet-Workspace": "beta"}
        assert (path, (await get(service, path, headers=other)).status_code) == (path, 403)


async def test_a_span_is_read_only_as_a_part_of_its_trace(service: Service) -> None:
    other = "01990000-0000-7000-8000-000000000009"
    record_trace(service.standin, other, name="other")
    answer = await get(service, f"/api/traces/{other}/spans/{span_id(3)}")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/traces?size=1000",
        "/api/traces?sort=name",
        "/api/traces?project_id=..%2f..",
        "/api/traces?min_cost=NaN",
        "/api/traces/..%2fprojects",
        f"/api/traces/{TRACE_ID}/spans/x",
        f"/api/traces/{TRACE_ID}/attachments",
    ],
)
async def test_wrong_parameters_are_refused_before_the_backend_is_asked(
    service: Service, path: str
) -> None:
    answer = await get(service, path)
    assert answer.status_code in {400, 404, 422}
    assert answer.json()["message"]
    assert "Value error" not in answer.text
    assert service.switches.requests("GET", "/v1/private") == []


async def test_a_waterfall_has_the_tree_the_times_the_errors_and_the_critical_path(
    service: Service,
) -> None:
    found = (await get(service, f"/api/traces/{TRACE_ID}/spans")).json()
    assert (found["complete"], found["duration_ms"]) == (True, 4000)
    agent, plan, lookup, answer = found["spans"]
    assert (agent["name"], agent.get("parent"), agent["duration_ms"]) == ("agent", None, 4000)
    assert (plan["parent"], plan["start_ms"], plan["model"]) == (agent["id"], 1000, "gpt-4.1")
    assert lookup["error"] == "KeyError: 'orders'"
    assert answer["critical"] == [[3000, 4000]]


async def test_a_body_with_numbers_that_json_lacks_and_deep_values_is_shown(
    service: Service,
) -> None:
    number = {"a": None, "list": [1.5, None]}
    record_trace(service.standin, output=number, metadata="x" * 2_000_000)
    details = (await get(service, f"/api/traces/{TRACE_ID}")).json()["details"]
    assert details["output"] == number
    assert (details["cut"], len(details["metadata"])) == (["metadata"], explorer.BODY_CHARACTERS)


async def test_attachments_are_downloads_that_no_browser_runs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = service.standin.records.workspace()
    for name, kind in (("a.png", "image/png"), ("b.html", "text/html")):
        workspace.attach(Subject("span", span_id(3)), AttachedFile(name, kind, b"<script>"))
    place = {"project_id": workspace.projects["shop"]["id"], "span_id": span_id(3)}
    path = f"/api/traces/{TRACE_ID}/attachments"
    listed = (await get(service, path, params=place)).json()["attachments"]
    assert [(each["file_name"], each["file_size"]) for each in listed] == [
        ("a.png", 8),
        ("b.html", 8),
    ]
    for name, kind in (("a.png", "image/png"), ("b.html", "application/octet-stream")):
        file = await get(service, f"{path}/file", params={**place, "file_name": name})
        assert (file.content, file.headers["content-type"]) == (b"<script>", kind)
        assert file.headers["content-disposition"].startswith("attachment;")
        assert file.headers["content-security-policy"] == "default-src 'none'; sandbox"
    missing = await get(service, f"{path}/file", params={**place, "file_name": "c"})
    assert missing.status_code == 404
    monkeypatch.setattr(explorer, "ATTACHMENT_BYTES", 7)
    large = await get(service, f"{path}/file", params={**place, "file_name": "a.png"})
    assert large.status_code == 422
    assert large.json()["message"].startswith("This attachment is too large to be shown here")


async def test_a_span_that_is_too_large_to_be_read_is_not_reported_as_missing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_json, "MOST_CONTAINERS", 100)
    workspace = service.standin.records.workspace()
    workspace.spans[span_id(3)].fields["output"] = {"rows": [[]] * 200}
    project = {"project_id": workspace.projects["shop"]["id"]}
    answer = await get(service, f"/api/traces/{TRACE_ID}/spans/{span_id(3)}", params=project)
    assert answer.status_code == 422
    assert answer.json()["message"] == "This span is too large to read."


async def test_a_read_that_finds_no_free_place_is_refused_with_a_time_to_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explorer, "READS_AT_ONCE", 1)
    monkeypatch.setattr(explorer, "READ_WAIT_SECONDS", 0.01)
    busy = Explorer(None, None)  # type: ignore[arg-type]
    async with busy.reserve_read(Caller()):
        with pytest.raises(LimitReached) as refused:
            async with busy.reserve_read(Caller()):
                raise AssertionError("two reads at once")
    assert refused.value.retry_after
    async with busy.reserve_read(Caller()):
        pass


async def test_one_user_never_takes_all_places_for_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "READS_AT_ONCE", 3)
    monkeypatch.setattr(explorer, "READS_PER_CALLER", 1)
    monkeypatch.setattr(explorer, "READ_WAIT_SECONDS", 0.01)
    shared = Explorer(None, None)  # type: ignore[arg-type]
    anna, bob = Caller(token=credentials.ANNA), Caller(token=credentials.BOB)
    async with shared.reserve_read(anna), shared.reserve_read(bob):
        with pytest.raises(LimitReached):
            async with shared.reserve_read(anna):
                raise AssertionError("two reads of one user at once")
    async with shared.reserve_read(anna):
        pass


async def test_answers_are_encoded_off_the_event_loop(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    class Encoder:
        def dump_json(self, *_: Any, **__: Any) -> bytes:
            threads.append(threading.get_ident())
            return b"{}"

    monkeypatch.setitem(ui_api.RESPONSES, Waterfall, Encoder())  # type: ignore[arg-type]
    assert (await get(service, f"/api/traces/{TRACE_ID}/spans")).status_code == 200
    assert threads
    assert threading.get_ident() not in threads
