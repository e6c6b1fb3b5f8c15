"""Where in Opik's UI a span is shown."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{(ui|workspace|project_id|trace_id|span_id)\}")

SpanUrl = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class UiLinks:
    """The UI's address (without a slash at its end; "" for none) and the template of a span's."""

    ui: str = ""
    template: str = ""

    def of_trace(self, *, workspace: str, project_id: str, trace_id: str) -> SpanUrl | None:
        """Makes the URL of a span of this trace; None where a part of it is not known."""
        known = {"workspace": workspace, "project_id": project_id, "trace_id": trace_id}
        needed = set(_PLACEHOLDER.findall(self.template))
        if not self.ui or any(not known[name] for name in needed & known.keys()):
            return None

        def url(span_id: str) -> str:
            return self._filled({**known, "span_id": span_id})

        return url

    def _filled(self, parts: Mapping[str, str]) -> str:
        encoded = {name: quote(part, safe="") for name, part in parts.items()}
        encoded["ui"] = self.ui
        return _PLACEHOLDER.sub(lambda found: encoded[found[1]], self.template)
