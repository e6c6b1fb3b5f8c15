"""Where in Opik's UI a span or a trace is shown."""

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
    """The UI's address (without a slash at its end; "" for none) and the templates of a span's
    and of a trace's."""

    ui: str = ""
    span: str = ""
    trace: str = ""

    def span_url_builder(
        self, *, workspace: str, project_id: str, trace_id: str
    ) -> BuildUrl | None:
        """Makes the URL of a span of this trace; None where a part of it is not known."""
        known = {"workspace": workspace, "project_id": project_id, "trace_id": trace_id}
        return self._build(self.span, known, "span_id")

    def trace_url_builder(self, *, workspace: str, project_id: str) -> BuildUrl | None:
        """Makes the URL of a trace of this project; None where a part of it is not known."""
        return self._build(
            self.trace, {"workspace": workspace, "project_id": project_id}, "trace_id"
        )

    def _build(self, template: str, known: Mapping[str, str], last: str) -> BuildUrl | None:
        needed = set(_PLACEHOLDER.findall(template)) - {"ui", last}
        if not self.ui or not template or any(not known.get(name) for name in needed):
            return None

        def url(id: str) -> str:
            return self._fill_template(template, {**known, last: id})

        return url

    def _fill_template(self, template: str, parts: Mapping[str, str]) -> str:
        encoded = {name: quote(part, safe="") for name, part in parts.items()}
        encoded["ui"] = self.ui
        return _PLACEHOLDER.sub(lambda found: encoded[found[1]], template)


class TurnLinks:
    """Follows the events of a conversation and knows what may be linked to right now.

    A text may link to Opik's UI, to the spans and traces that it cites, and to what stood in the
    question that it answers.
    """

    def __init__(self, ui: UiLinks, *, workspace: str, trace_id: str, question: str = "") -> None:
        self._ui = ui
        self._workspace = workspace
        self._trace_id = trace_id
        self._project_id = ""
        self._question = question
        self.links = self._build_links()

    def follow(self, event: Event) -> None:
        """Takes in a question, or what was read of the trace."""
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
