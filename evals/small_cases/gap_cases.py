"""One of several lookups returned nothing: overlooked, or noticed by a reply or the answer."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

GAPS = CaseList("gap")


def _read(number: int, text: str, reply: str, *, right: bool = False) -> SpanPlan:
    """A step that loads a scanned page and has a model grade it."""
    return span(
        "grade_page",
        tool("load_page", {"page": f"page-{number}"}, {"pages": 1, "text": text}, right=right),
        model(says(reply), asked=[{"role": "user", "content": text}], right=right),
        input={"page": f"page-{number}"},
        at=0.0,
        right=right,
    )


def _graded(name: str, reply: str, *, right: bool) -> None:
    pages = [
        _read(number, f"Essay {number} on tides, with two sources.", f"Grade: {number}, well done")
        for number in range(1, 6)
    ]
    GAPS.add(name, *pages, _read(6, "", reply, right=right), answer="All pages are graded.")


_graded("page_graded_unread", "Grade: 4, well argued and clear", right=True)
for _language, _reply in {
    "english": "The page is blank, ask for a new scan",
    "german": "Die Seite ist leer, bitte neu einscannen",
    "spanish": "Página ilegible, pedir otra copia",
    "japanese": "空白のページです。再スキャンしてください",
}.items():
    _graded(f"{_language}_reply_says_so_healthy", _reply, right=False)


def _topics(name: str, answer: str, last: Any, *, right: bool) -> None:
    """Searches of a contract for four topics, the last of which finds nothing."""
    found = [
        tool("retriever", {"topic": topic}, {"documents": [f"Clause on {topic}: 30 days."]}, at=0.0)
        for topic in ("payment", "termination", "insurance")
    ]
    GAPS.add(
        name,
        *found,
        tool("retriever", {"topic": last}, {"documents": []}, at=0.0, right=right),
        model(says(answer), asked="Sum up the contract by topic."),
        question="Sum up the contract, please.",
        answer=answer,
    )


_topics(
    "topic_left_out",
    "Payment, termination and insurance: 30 days each. The deposit is due in 30 days as well.",
    "arbitration",
    right=True,
)
_topics(
    "answer_denies_the_topic_healthy",
    "Payment, termination and insurance: 30 days each. There is no arbitration clause.",
    "arbitration",
    right=False,
)
_topics(
    "answer_denies_in_portuguese_healthy",
    "Pagamento, rescisão e seguro: 30 dias cada. Não há cláusula de arbitragem.",
    "arbitragem",
    right=False,
)
