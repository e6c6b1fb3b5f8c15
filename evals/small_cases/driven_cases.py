"""What browsers, readers of pages, voice pipelines and flows record in places of their own, answers
that give up in more languages, and healthy look-alikes."""

from typing import Any

from evals.small_cases.builder import CaseList, Json, model, says, span, tool

DRIVEN = CaseList("driven_browser")
PAGES = CaseList("page_facts")
VOICE = CaseList("first_byte")
FLOW = CaseList("flow_step")
TOOL_NODE = CaseList("tool_node")
TONGUES = CaseList("gives_up")


def _act(name: str, said: Json | str, *, done: str = "The cabin is booked.") -> None:
    """An agent that drives a browser, one of whose actions returned this."""
    right = not name.endswith("_healthy")
    first = {"error": None, "extracted_content": "Opened the list of cabins", "is_done": False}
    DRIVEN.add(
        name,
        tool("open_link", {"index": 3}, first, seconds=0.8),
        tool("press", {"index": 21}, said, right=right, seconds=0.9),
        model(says(done), asked="Book a cabin on the night ferry."),
        question="Book a cabin on the night ferry.",
        answer=done,
    )


def _content(text: str) -> Json:
    return {"error": None, "extracted_content": text, "is_done": False, "success": None}


_act("index_is_gone", _content("Element index 21 not available - the page may have changed."))
_act("index_does_not_exist", _content("Element with index 21 does not exist."))
_act("reference_is_old", "Ref e48 not found in the current page snapshot.")
_act("no_node_for_selector", "No element found for selector: #confirm")
_act("driver_timed_out", "locator.click: Timeout 30000ms exceeded.")
_act("element_went_stale", {"text": "stale element reference: element is not attached"})
_act("observed_error", {"observation": "Could not locate the element with uid 4_12."})
_act("pressed_healthy", _content('Pressed button "Confirm"'))
_act("read_text_healthy", _content("Element 5 is shown when the ferry is not available by car."))


for _name, _said in {
    "a_node_is_down_healthy": "Node pump-3 is not available since 04:10.",
    "no_nodes_with_a_state_healthy": "No nodes found with state overdue.",
}.items():
    DRIVEN.add(
        _name,
        tool("show_status", {"group": "pumps"}, _said),
        model(says(f"The harbour says: {_said}"), asked="What is the state of the pumps?"),
        question="What is the state of the pumps?",
        answer=f"The harbour says: {_said}",
    )


def _read(name: str, result: Json | str) -> None:
    """A page of prices that a service reads, with what it keeps of the site's answer."""
    right = not name.endswith("_healthy")
    PAGES.add(
        name,
        tool("scrape", {"url": "https://isles.example/fares"}, result, right=right),
        model(says("The isles publish no fares."), asked="What do the isles charge for a car?"),
        question="What do the isles charge for a car?",
        answer="The isles publish no fares.",
    )


_FARES = "# Fares\n- Car and driver 48 €\n- Bicycle 6 €"
_PAGE = {"title": "Fares", "sourceURL": "https://isles.example/fares", "statusCode": 200}
_read("read_well_healthy", {"success": True, "data": {"markdown": _FARES, "metadata": _PAGE}})
_read(
    "about_codes_healthy",
    {"markdown": "A site that answers 403 wants no programs.", "metadata": {"statusCode": 200}},
)
_read(
    "site_forbade_it",
    {
        "success": True,
        "data": {
            "markdown": "# Adgang nægtet",
            "metadata": _PAGE | {"statusCode": 403, "error": "Forbidden"},
        },
    },
)
_read("site_was_down", [{"text": "Vent venligst", "crawl": {"httpStatusCode": 503, "depth": 0}}])
_read(
    "reader_warns",
    "Title: \n\nURL Source: https://isles.example/fares\n\n"
    "Warning: Target URL returned error 403: Forbidden\n\nMarkdown Content:\n",
)
_read(
    "robot_check_in_french",
    {"content": "Vérifiez que vous êtes humain en effectuant l’action ci-dessous."},
)
_read("robot_check_in_german", "# isles.example\nBestätigen Sie, dass Sie ein Mensch sind.")
_read("robot_check_in_japanese", {"markdown": "あなたが人間であることを確認してください"})


def _speak(name: str, facts: Json, *, right: bool = False) -> None:
    """A turn of a voice agent whose model took nine seconds."""
    VOICE.add(
        name,
        span("stt", output={"transcript": "When does the ferry leave?"}, seconds=0.4),
        model(
            says("It leaves at six in the evening."),
            tokens=(140, 11),
            seconds=9,
            right=right,
            metadata=facts,
        ),
        span("tts", input={"text": "It leaves at six in the evening."}, seconds=2.1),
        question="When does the ferry leave?",
        answer="It leaves at six in the evening.",
    )


_speak("of_the_model", {"metrics.ttfb": 8.4}, right=True)
_speak("in_milliseconds", {"ttfb_ms": 8_400}, right=True)
_speak("of_a_node", {"lk.llm_node_ttft": 8.4}, right=True)
_speak("early_healthy", {"metrics.ttfb": 0.3})

_REJECTED = {"data": None, "error": {"name": "CrmError", "message": "400: no such property berth"}}
_STEPS = {"op": "RunStep", "run": "r-88120"}
FLOW.add(
    "failed_before_another_step",
    tool("step load-booking", _STEPS, {"data": {"booking": "B-71"}, "error": None}),
    tool("step save-to-crm", _STEPS | {"note": "window seat"}, _REJECTED, right=True),
    tool("step tell-crew", _STEPS, {"data": {"told": 3}, "error": None}),
    span("step close", input=_STEPS, output={"closed": True}),
    answer="The booking is changed.",
)
FLOW.add(
    "failed_before_a_step_that_does_the_same_healthy",
    tool("step load-booking", _STEPS, {"data": {"booking": "B-71"}, "error": None}),
    tool("step save-to-crm", _STEPS | {"note": "window seat"}, _REJECTED),
    tool("step save-to-archive", _STEPS | {"note": "window seat"}, {"data": {"id": 9}}),
    span("step close", input=_STEPS, output={"closed": True}),
    answer="The booking is changed.",
)


def _message(kind: str, **members: Any) -> Json:
    way = ["langchain_core", "messages", kind]
    return {"lc": 1, "type": "constructor", "id": way, "kwargs": members}


def _node(name: str, *results: Json) -> None:
    TOOL_NODE.add(
        name,
        span(
            "tools",
            input={"messages": [_message("AIMessage", content="", tool_calls=[{"id": "c1"}])]},
            output={"messages": list(results)} if len(results) > 1 else results[0],
            right=not name.endswith("_healthy"),
        ),
        model(says("There are 14 seats left.")),
    )


_FAILED = {"status": "error", "tool_call_id": "c1", "content": "Error: expected a date as `day`"}
_FINE = {"status": "success", "tool_call_id": "c1", "content": "14 seats"}
_node("constructed_message_failed", {"messages": [_message("ToolMessage", **_FAILED)]})
_node("constructed_message_alone_failed", _message("ToolMessage", **_FAILED))
_node("plain_message_failed", {"messages": [{"type": "tool", **_FAILED}]})
_node("constructed_message_worked_healthy", {"messages": [_message("ToolMessage", **_FINE)]})
_node(
    "model_spoke_of_an_error_healthy",
    {"messages": [_message("AIMessage", content="Error: is what the page said.")]},
)


_ANSWERS = {
    "turkish": "Üzgünüm, bu konuda bir kural bulamadım.",
    "ukrainian": "На жаль, не вдалося знайти таке правило.",
    "czech": "Bohužel jsem takové pravidlo nenašel, nepodařilo se mi najít nic.",
    "hungarian": "Sajnos nem találtam erről szabályt.",
    "romanian": "Îmi pare rău, nu am găsit o regulă despre asta.",
    "greek": "Λυπάμαι, δεν βρήκα σχετικό κανόνα.",
    "vietnamese": "Xin lỗi, tôi không tìm thấy quy định này.",
    "indonesian": "Maaf, saya tidak menemukan aturan tentang itu.",
    "finnish": "Valitettavasti en löytänyt tällaista sääntöä.",
    "arabic": "عذراً، لم أعثر على قاعدة بهذا الشأن.",
    "hebrew": "מצטער, לא מצאתי כלל בנושא.",
    "hindi": "क्षमा करें, ऐसा कोई नियम नहीं मिला।",
}
for _language, _answer in _ANSWERS.items():
    TONGUES.add(
        f"after_an_empty_search_{_language}",
        tool("search_rules", {"query": "dogs", "top_k": 5}, {"matches": []}, right=True),
        model(says(_answer), asked="May I bring my dog?"),
        question="May I bring my dog?",
        answer=_answer,
    )


_OFFERS = ("I will sell once the desk has named a price.", "The desk names a price once you sell.")


def _talk(name: str, turns: int, end: Json, *, answer: Any = None) -> None:
    """Two agents that wait for each other, until something ends it."""
    said: list[Json] = [{"role": "user", "content": "Sell me a berth on the night ferry."}]
    steps = []
    for number in range(turns):
        agent, text = ("seller", "desk")[number % 2], _OFFERS[number % 2]
        call = model(says(text), asked=[*said], name="create", seconds=2)
        steps.append(
            span(f"turn {agent}", call, output={"text": text}, right=not name.endswith("_healthy"))
        )
        said.append({"role": "user", "name": agent, "content": text})
    STOPPED.add(name, *steps, answer=answer or _OFFERS[0], output=end)


STOPPED = CaseList("stopped_talk")
_talk("maximum_of_turns", 5, {"messages": 6, "stop_reason": "Maximum number of turns 5 reached."})
_talk("turn_limit", 4, {"result": {"termination_reason": "turn limit reached"}})
_talk("asked_back_once_healthy", 3, {"stop_reason": "Text 'DONE' mentioned"})
_talk("a_limit_of_the_subject_healthy", 4, {"reason": "The return limit is exceeded: 30 days."})


def _chapters(name: str, *, count: int, seconds: float, also: float = 0.3) -> None:
    """Chapters that a model translates one after another, none of which needs the one before."""
    right = not name.endswith("_healthy")
    steps = [
        span(
            "activity:translate_chapter",
            model(
                says(f"Port {number} was built in 18{number}4 by its fishermen."),
                asked=f"Translate the chapter on port {number}.",
                tokens=(40, 60),
                seconds=seconds,
                right=right,
            ),
            input={"port": number},
            output={"chapter": number, "characters": 5_000 + number},
            right=right,
        )
        for number in range(1, count + 1)
    ]
    end = tool("print_guide", {"guide": "ports"}, {"pages": count}, seconds=also)
    IN_TURN.add(name, *steps, end, question="Write a guide to the ports.", answer={"pages": count})


IN_TURN = CaseList("written_in_turn")
_chapters("four_of_three_seconds", count=4, seconds=3.0)
_chapters("four_short_ones_healthy", count=4, seconds=0.7)
_chapters("beside_a_longer_step_healthy", count=4, seconds=2.2, also=6.0)


def _store(name: str, *outcomes: Json, called: str = "batch_store") -> None:
    """Berths that are stored in one call."""
    given = {"berths": [{"berth": number} for number in range(len(outcomes))]}
    items = [{"berth": number, **each} for number, each in enumerate(outcomes)]
    REJECTED.add(
        name,
        tool(called, given, items, right=not name.endswith("_healthy")),
        answer={"state": "success", "stored": len(outcomes)},
    )


REJECTED = CaseList("items_with_errors")
_KEY = {"error": [{"message": "no vector: connection to the model failed with status 401"}]}
_store("all_of_them", {"result": {"errors": _KEY}}, {"result": {"errors": _KEY}})
_store("one_has_an_error", {"id": "b0"}, {"error": {"code": "TooLong", "message": "name"}})
_store("none_of_them_healthy", {"result": {"errors": None}}, {"result": {"errors": None}})
_store("without_result_healthy", {"result": {}}, {"result": {}})
_store("measured_errors_healthy", {"error": 0.12}, {"error": 0.09}, called="save_fit")
_store("what_was_looked_for_healthy", {"error": "drift"}, {"error": ""}, called="check_berths")
