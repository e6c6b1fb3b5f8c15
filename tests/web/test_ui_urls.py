"""Addresses of spans in Opik's UI."""

from app.settings import Settings
from app.web.markdown.ui_urls import UiLinks

TEMPLATE = Settings.model_fields["opik_ui_span_url"].default
SPAN = "0199dead-0000-7000-8000-000000000001"
PARTS = {"workspace": "default", "project_id": "p-1", "trace_id": "t-1"}


def test_a_span_is_shown_in_the_logs_of_its_project() -> None:
    url = UiLinks("https://opik.test/opik", TEMPLATE).span_url_builder(**PARTS)
    assert url is not None
    assert (
        url(SPAN)
        == f"https://opik.test/opik/default/projects/p-1/logs?trace=t-1&span={SPAN}&lastSection=ai_assistants"
    )


def test_every_part_is_encoded_and_none_is_a_template() -> None:
    parts = {**PARTS, "workspace": "a/b ?{span_id}&ü"}
    url = UiLinks("https://opik.test", TEMPLATE).span_url_builder(**parts)
    assert url is not None
    assert url("x").startswith("https://opik.test/a%2Fb%20%3F%7Bspan_id%7D%26%C3%BC/projects/")


def test_an_own_template_is_followed() -> None:
    links = UiLinks("https://opik.test", "{ui}/redirect?span={span_id}")
    url = links.span_url_builder(workspace="w", project_id="", trace_id="t")
    assert url is not None
    assert url("s 1") == "https://opik.test/redirect?span=s%201"


def test_a_trace_is_shown_in_the_logs_of_its_project() -> None:
    template = Settings.model_fields["opik_ui_trace_url"].default
    links = UiLinks("https://opik.test/opik", trace=template)
    url = links.trace_url_builder(workspace="a b", project_id="p-1")
    assert url is not None
    assert url("t-1") == "https://opik.test/opik/a%20b/projects/p-1/logs?trace=t-1"
    assert links.trace_url_builder(workspace="w", project_id="") is None
    assert UiLinks(trace=template).trace_url_builder(workspace="w", project_id="p") is None
    assert links.span_url_builder(**PARTS) is None


def test_without_the_uis_address_or_the_project_there_is_no_link() -> None:
    assert UiLinks("", TEMPLATE).span_url_builder(**PARTS) is None
    assert (
        UiLinks("https://opik.test", TEMPLATE).span_url_builder(**{**PARTS, "project_id": ""})
        is None
    )
