"""Steps that rank or cut a list with scores: they keep the best, or by mistake the worst."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

RANKED = CaseList("ranking")

_TEXTS = {
    "fares.md": "Bicycles travel for 4 euros, cars from 19 euros.",
    "cabins.md": "Cabins have two or four beds and a shower.",
    "pets.md": "Dogs stay on deck 5, on a leash.",
    "meals.md": "The buffet opens an hour after departure.",
    "harbour.md": "The gate closes 30 minutes before departure.",
    "lost.md": "Found items are kept for six weeks.",
}
_RELEVANCE = [0.94, 0.71, 0.52, 0.33, 0.21, 0.08]
_SEARCHED = [0.81, 0.74, 0.7, 0.69, 0.61, 0.6]
_ASKED = "What does a bicycle cost?"
_UNANSWERED = "The pages given do not say what a bicycle costs."
_ANSWERED = "A bicycle costs 4 euros."


def _flat(name: str, score: float, key: str = "score") -> dict[str, Any]:
    return {"source": name, key: score, "text": _TEXTS[name]}


def _nested(name: str, score: float, key: str = "score") -> dict[str, Any]:
    return {"node": {"metadata": {"file": name}, "text": _TEXTS[name]}, key: score}


def _document(name: str, score: float, key: str = "score") -> dict[str, Any]:
    return {"page_content": _TEXTS[name], "metadata": {"source": name, key: score}}


_SHAPES = {"flat": _flat, "nested": _nested, "document": _document}


def _search(shape: str) -> SpanPlan:
    found = [_SHAPES[shape](name, score) for name, score in zip(_TEXTS, _SEARCHED, strict=True)]
    return tool("search_pages", {"query": _ASKED, "top_k": 6}, {"documents": found})


def _ranked(shape: str, key: str = "score") -> list[dict[str, Any]]:
    return [
        _SHAPES[shape](name, score, key) for name, score in zip(_TEXTS, _RELEVANCE, strict=True)
    ]


def _add(name: str, *steps: SpanPlan, right: bool) -> None:
    answer = _UNANSWERED if right else _ANSWERED
    last = model(says(answer), asked=_ASKED)
    RANKED.add(name, *steps, last, question=_ASKED, answer=answer)


for _shape in _SHAPES:
    _worst, _best = _ranked(_shape)[:-4:-1], _ranked(_shape)[:3]
    for _kept, _name in ((_worst, f"{_shape}_lowest_kept"), (_best, f"{_shape}_best_kept_healthy")):
        _add(
            _name,
            _search(_shape),
            span("rerank", input={"query": _ASKED}, output={"results": _ranked(_shape)}),
            span("nimm_beste", input={"n": 3}, output={"auswahl": _kept}, right=_kept is _worst),
            right=_kept is _worst,
        )

_add(
    "call_ranks_and_step_keeps_the_lowest",
    _search("nested"),
    span(
        "reranking",
        tool("rank_api", {"documents": 6}, {"results": _ranked("flat", "relevance")}),
        input={"query": _ASKED, "top_n": 4},
        output=[{"source": name, "text": text} for name, text in list(_TEXTS.items())[:1:-1]],
        right=True,
    ),
    right=True,
)

for _given in (_ranked("flat"), _ranked("document", "rerank_score")):
    _kept_texts = [each.get("text") or each["page_content"] for each in _given[:2:-1]]
    for _texts in (_kept_texts, [*_TEXTS.values()][:3]):
        _is_worst = _texts is _kept_texts
        _add(
            f"texts_of_{len(_given[0])}_keys_{'lowest' if _is_worst else 'best_healthy'}",
            span(
                "choose_passages",
                input={"passages": _given, "most": 3},
                output={"passages": _texts},
                right=_is_worst,
            ),
            right=_is_worst,
        )

for _right in (True, False):
    _order = _ranked("document", "relevanceScore")
    _order = _order[::-1] if _right else _order
    _add(
        "dropped_ones_are_better" if _right else "dropped_ones_are_worse_healthy",
        tool(
            "cross_encoder",
            {"query": _ASKED, "documents": 6},
            {"documents": _order[:3], "removed": [each["metadata"] for each in _order[3:]]},
            right=_right,
        ),
        span("join_texts", input={"texts": [each["page_content"] for each in _order[:3]]}),
        right=_right,
    )

_add(
    "distances_healthy",
    tool(
        "vector_search",
        {"query": _ASKED, "top_k": 6},
        {
            "matches": [
                _flat(name, 1 - score) for name, score in zip(_TEXTS, _SEARCHED, strict=True)
            ]
        },
    ),
    span(
        "cut",
        input={"n": 3},
        output=[_flat(name, 1 - score) for name, score in zip(_TEXTS, _SEARCHED, strict=True)][:3],
    ),
    right=False,
)
_add(
    "reranker_turns_the_order_healthy",
    _search("flat"),
    span(
        "rerank",
        input={"query": _ASKED, "top_n": 3},
        output=[_flat(name, 0.9 - 0.2 * at) for at, name in enumerate(list(_TEXTS)[:2:-1])],
    ),
    right=False,
)

_CABINS = [{"cabin": f"C-{600 + at}", "score": 98 - 7 * at} for at in range(8)]
RANKED.add(
    "worst_cabins_are_asked_for_healthy",
    tool("cabin_ratings", {"ship": "Tern"}, {"cabins": _CABINS}),
    span("pick", input={"n": 3}, output={"cabins": _CABINS[:-4:-1]}),
    model(says("C-607, C-606 and C-605 need a refit."), asked="Which cabins need a refit?"),
    question="Which three cabins are rated lowest?",
    answer="C-607, C-606 and C-605 need a refit.",
)
