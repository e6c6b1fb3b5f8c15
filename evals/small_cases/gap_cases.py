"""Lookups that returned nothing: overlooked, or noticed by a reply or the answer."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

GAPS = CaseList("gap")
WRITTEN_ON = CaseList("written_on_nothing")


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


# Answers that were written on an empty result, however the program goes on with them.
_ASKED = "How old must a child be to sail alone?"
_INVENTED = "Yes. Under rule SR-7.2 children may sail alone from the age of nine, without a form."


def _written(name: str, *steps: SpanPlan, answer: Any = _INVENTED) -> None:
    WRITTEN_ON.add(name, *steps, question=_ASKED, answer=answer)


def _rules(**more: Any) -> SpanPlan:
    given = {"coleção": "regras_2019", "k": 4, "filtro": {"idioma": "pt"}}
    return tool("regras_pesquisa", given, {"resultados": []}, **more)


_PROMPT = f"Rules: (none)\n\n{_ASKED}"
_written("index_named_in_portuguese", _rules(right=True), model(says(_INVENTED), asked=_PROMPT))
_written(
    "sent_on_by_a_last_model_call",
    _rules(right=True),
    model(says(_INVENTED), asked=_PROMPT),
    model(calls("send_letter", {"pages": 1}), asked=_INVENTED),
    tool("send_letter", {"pages": 1}, {"sent": True}),
)
_written(
    "object_that_a_program_opens",
    _rules(right=True),
    model(says(json.dumps({"age": 9, "text": _INVENTED[5:-16]})), asked=_PROMPT),
    model(says('{"approved": true}'), asked=_INVENTED),
    answer={"age": 9, "text": _INVENTED[5:-16]},
)
_written(
    "nothing_to_rank",
    _rules(right=True),
    tool("rerank", {"model": "cross-ranker-base", "n": 0}, {"order": []}),
    model(says(_INVENTED), asked=_PROMPT),
)
_AGED = "Children sail alone from the age of nine."


def _searched(language: str, name: str, key: str, words: Any) -> None:
    """Two stores searched by the same words: none of them has anything, or the second one does."""
    calls_of = [
        tool(name, {"store": store, key: words}, {"items": [], "count": 0}, right=True)
        for store in ("rules", "letters")
    ]
    _written(f"words_in_{language}", *calls_of, model(says(_INVENTED), asked=_PROMPT))
    found = tool(name, {"store": "letters", key: words}, {"items": [{"text": _AGED}], "count": 1})
    _written(
        f"words_in_{language}_found_once_healthy",
        tool(name, {"store": "rules", key: words}, {"items": [], "count": 0}),
        found,
        model(says(_AGED), asked=f"Rules: {_AGED}\n\n{_ASKED}"),
        answer=_AGED,
    )


_searched("english", "archive.search", "terms", ["minors", "alone"])
_searched("swedish", "sök_i_arkivet", "sökord", "barn ensamma")
_searched("polish", "szukaj_w_archiwum", "słowa", ["dziecko", "samo"])
_searched("spanish", "buscar_archivo", "palabras_clave", ["niños", "solos"])
_searched("japanese", "文書検索", "キーワード", "子供 一人")
_written(
    "second_search_found_it_healthy",
    _rules(),
    tool("rerank", {"model": "cross-ranker-base", "n": 0}, {"order": []}),
    tool("regras_pesquisa", {"k": 4, "índice": "regras"}, {"resultados": [{"text": _AGED}]}),
    model(says(_AGED), asked=f"Rules: {_AGED}\n\n{_ASKED}"),
    answer=_AGED,
)
_STORY = "The mate rolls his eyes and lets you aboard. The night smells of tar."
_written(
    "went_on_with_another_tool_healthy",
    model(calls("search_tales", {"query": "mate's temper"}), asked="I talk to the mate."),
    tool("search_tales", {"query": "mate's temper"}, {"hits": []}),
    model(calls("throw_coin", {"times": 3}), asked="I talk to the mate."),
    tool("throw_coin", {"times": 3}, {"heads": 2, "tails": 1}),
    model(says(_STORY), asked="Tell it: two heads."),
    answer=_STORY,
)


# A question that was embedded as nothing, and goes on to a step that is no second try.
for _name, _vector in (("embed_question", {"vector": []}), ("text_embedder", {"embedding": []})):
    _question = {"text": "Which deck has the quiet cabins on the evening ferry?"}
    GAPS.add(
        f"empty_vector_of_{_name}",
        span(_name, input=_question, output=_vector, right=True),
        span("retriever", input=_vector, output={"documents": []}, right=True),
        span(
            "build_prompt",
            input={"documents": [], "question": _question["text"]},
            output={"prompt": f"Documents:\n\nQuestion: {_question['text']}"},
        ),
        model(says("The deck plan does not say.")),
        answer="The deck plan does not say.",
        says=_name,
    )
