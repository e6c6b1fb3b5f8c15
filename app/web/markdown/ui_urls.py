"""Builds the URLs under which Opik's UI shows spans and traces."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from app.events import Event, TraceRead, TurnStarted
from app.web.markdown.allowed_links import AllowedLinks, find_urls

_PLACEHOLDER = re.compile(r"\{(ui|workspace|project_id|trace_id|span_id)\}")

BuildUrl = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class UiLinks:
    """The UI's URL without a slash at its end ("" for none), and the templates of the URLs of a
    span and of a trace; those without `{ui}` are relative to the page that shows them."""

    ui: str = ""
    span: str = ""
    trace: str = ""

    def span_url_builder(
        self, *, workspace: str, project_id: str, trace_id: str
    ) -> BuildUrl | None:
        """Builds the URLs of spans of this trace; None where a part of them is not known."""
        known = {"workspace": workspace, "project_id": project_id, "trace_id": trace_id}
        return self._builder(self.span, known, "span_id")

    def trace_url_builder(self, *, workspace: str, project_id: str) -> BuildUrl | None:
        """Builds the URLs of traces of this project; None where a part of them is not known."""
        known = {"workspace": workspace, "project_id": project_id}
        return self._builder(self.trace, known, "trace_id")

    def _builder(self, template: str, known: Mapping[str, str], last: str) -> BuildUrl | None:
        needed = set(_PLACEHOLDER.findall(template)) - {last}
        available = {**known, "ui": self.ui}
        if not template or any(not available.get(name) for name in needed):
            return None

        return lambda id: self._fill_template(template, {**known, last: id})

    def _fill_template(self, template: str, parts: Mapping[str, str]) -> str:
        encoded = {name: quote(part, safe="") for name, part in parts.items()}
        encoded["ui"] = self.ui
        return _PLACEHOLDER.sub(lambda found: encoded[found[1]], template)


PAGE_LINKS = UiLinks(span="?trace={trace_id}&span={span_id}", trace="?trace={trace_id}")
"""Links within the service's own page."""


class TurnLinks:
    """Follows the events of a conversation; `links` is what a text may link to right now: Opik's
    UI, the spans and traces that it cites, and URLs in the question that it answers."""

    def __init__(self, ui: UiLinks, *, workspace: str, trace_id: str, question: str = "") -> None:
        self._ui = ui
        self._workspace = workspace
        self._trace_id = trace_id
        self._project_id = ""
        self._question = question
        self.links = self._build_links()

    def follow(self, event: Event) -> None:
        """Notes a question, and the project of the trace that was read."""
        if isinstance(event, TurnStarted):
            self._question = event.question
        elif isinstance(event, TraceRead):
            self._project_id = event.project_id
        else:
            return
        self.links = self._build_links()

    def _build_links(self) -> AllowedLinks:
        place = {"workspace": self._workspace, "project_id": self._project_id}
        return AllowedLinks(
            self._ui.ui,
            self._ui.span_url_builder(trace_id=self._trace_id, **place),
            self._ui.trace_url_builder(**place),
            find_urls(self._question),
        )
