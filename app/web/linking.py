"""What the texts of a conversation may link to, as its events tell it."""

from app.events import Event, TraceRead, TurnStarted
from app.web.markdown.allowed_links import Links, urls_in
from app.web.markdown.ui_urls import UiLinks


class Linking:
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
        self.links = self._made()

    def follow(self, event: Event) -> None:
        """Takes in a question, or what was read of the trace."""
        if isinstance(event, TurnStarted):
            self._question = event.question
        elif isinstance(event, TraceRead):
            self._project_id = event.project_id
        else:
            return
        self.links = self._made()

    def _made(self) -> Links:
        place = {"workspace": self._workspace, "project_id": self._project_id}
        return Links(
            self._ui.ui,
            self._ui.spans_of(trace_id=self._trace_id, **place),
            self._ui.traces_of(**place),
            urls_in(self._question),
        )
