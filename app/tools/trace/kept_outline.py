"""Keeps the outline of a loaded trace for the next turns."""

from dataclasses import dataclass

from app.agent.citations import Aliases
from app.analysis.text.outline import build_outline
from app.analysis.trace_analysis import TraceAnalysis
from app.tools.analysis_report import list_reported_spans


@dataclass(frozen=True, slots=True)
class _Written:
    """An outline, the analysis that it shows, and the aliases in it in the order of their use."""

    analysis: TraceAnalysis
    budget_tokens: int
    aliases: dict[str, str]
    text: str


class KeptOutline:
    """The last outline of one trace; another conversation that names the spans alike gets the
    same text, which takes longer to write than all else that a turn on a kept trace does."""

    def __init__(self) -> None:
        self._last: _Written | None = None

    def find(self, analysis: TraceAnalysis, aliases: Aliases, *, budget_tokens: int) -> str | None:
        """The last outline where it is that of this analysis and names all spans as `aliases` do;
        else None."""
        last = self._last
        if last is None or last.budget_tokens != budget_tokens or not _is_same(last, analysis):
            return None
        # Named in the order of the outline, as writing it anew would.
        names = [aliases.name_span(span_id) for span_id in last.aliases]
        return last.text if names == list(last.aliases.values()) else None

    def write(self, analysis: TraceAnalysis, aliases: Aliases, *, budget_tokens: int) -> str:
        """The outline of the analysis; names its spans, and those of findings, in `aliases`."""
        used: dict[str, str] = {}

        def name_span(span_id: str) -> str:
            used[span_id] = aliases.name_span(span_id)
            return used[span_id]

        text = build_outline(analysis, alias=name_span, budget_tokens=budget_tokens)
        # A client that read the analysis may ask about any span in it by its alias.
        for span_id in list_reported_spans(analysis):
            name_span(span_id)
        self._last = _Written(analysis, budget_tokens, used, text)
        return text


def _is_same(last: _Written, analysis: TraceAnalysis) -> bool:
    """Whether the outline shows this analysis: findings are added, all else stays."""
    shown = last.analysis
    return shown.findings == analysis.findings and shown.baseline == analysis.baseline
