from collections.abc import Callable

from app.analysis.outline import write_outline
from app.analysis.tokens import estimate_tokens
from tests.analysis.timeline import draw, span, trace


def aliases() -> Callable[[str], str]:
    known: dict[str, str] = {}
    return lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")


def test_errors_come_before_the_tree() -> None:
    text = write_outline(
        trace(),
        draw("""
            root    |-----|
              fetch* |--|
        """),
        alias=aliases(),
    )
    assert text.index("fetch broke") < text.index("root")


def test_a_trace_too_large_for_the_budget_says_how_much_is_missing() -> None:
    spans = [span(chr(0x4E00 + i), i, i + 1) for i in range(1000)]
    text = write_outline(trace(), spans, alias=aliases(), budget_tokens=500)
    assert estimate_tokens(text) <= 500
    assert "not shown" in text
