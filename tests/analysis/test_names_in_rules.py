"""What rules read out of names, and what they must not: words inside of other words."""

from collections.abc import Callable
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category
from app.analysis.recorded.kind import SpanKind
from app.analysis.rules.data_flow.named_values import identifies, removes_values
from app.analysis.rules.failures.failed_code import runs_program
from app.analysis.rules.lookups import is_lookup, is_named_search
from app.analysis.rules.performance.set_duration import lasts_as_set
from app.analysis.tree import Node, build_tree
from tests.analysis.timeline import span, trace


def node(name: str, end: float = 1, **more: Any) -> Node:
    return build_tree([span("a", 0, end, name=name, **more)]).nodes[0]


def names_for_which(asked: Callable[[str], bool], names: str) -> list[str]:
    return [name for name in names.split() if asked(name)]


def test_lookups_are_known_by_words_of_their_names() -> None:
    lookups = (
        "get_order getOrder PDFReader flight_finder deep_research websearch run_sql text2sql"
        " Produktsuche wyszukaj ricerca_voli 主文検索 поиск_рейсов fetch-page"
    )
    others = "forget_user widget upload thread_closer merge_findings budget payload frage ready"
    assert names_for_which(is_lookup, lookups) == lookups.split()
    assert names_for_which(is_lookup, others) == []


def test_searches_are_known_by_words_of_their_names() -> None:
    searches = "search_docs vector_search Wissenssuche queryIndex rag semantic_match opzoeken 검색"
    others = "conquer_level storage_size fragment researcher get_order paragraph"
    assert names_for_which(is_named_search, searches) == searches.split()
    assert names_for_which(is_named_search, others) == []


def test_tools_for_averages_and_storage_retrieve_nothing() -> None:
    kinds = {name: node(name, type="tool").view.kind for name in ("rag_lookup", "average_price")}
    assert kinds == {"rag_lookup": SpanKind.RETRIEVAL, "average_price": SpanKind.TOOL_CALL}


def test_programs_are_known_by_words_of_their_names() -> None:
    programs = (
        "python run_code executeScript code_interpreter sandbox.exec PythonREPL bash runShell"
        " ejecutar_código notebook_exec 代码执行"
    )
    others = (
        "geocode_address zip_code_lookup decode_vin execute_trade reply replace_seat"
        " interpret_results get_qr_code nutshell"
    )
    assert names_for_which(lambda name: runs_program(node(name)), programs) == programs.split()
    assert names_for_which(lambda name: runs_program(node(name)), others) == []
    assert not runs_program(node("execute_tool search_flights"))


def test_steps_that_remove_values_are_known_by_words_of_their_names() -> None:
    removing = "mask_pii clear_cart releaseLock close_session logout reset anonymizeUser"
    others = "find_closest_store create_release nuclear_report clearance_items sanitary_check"
    assert names_for_which(removes_values, removing) == removing.split()
    assert names_for_which(removes_values, others) == []


def test_keys_that_end_like_ids_but_are_words_identify_nothing() -> None:
    ids = "id orderid customeremail userid uuid phonenumber bankaccount tenant"
    others = "ispaid unpaid prepaid isvalid avoid datagrid hybrid note"
    assert names_for_which(identifies, ids) == ids.split()
    assert names_for_which(identifies, others) == []


def test_only_the_last_word_of_a_key_is_the_unit_of_a_set_time() -> None:
    set_times = {"exposure": 0.8, "hold": 0.8, "wait_s": 0.8, "delayMs": 800, "Wartedauer": 0.8}
    others = {"threshold": 0.8, "num_items": 800, "admins": 800, "params": 800, "timeout_ms": 800}
    assert [k for k, v in set_times.items() if not lasts_as_set(node("x", 800, input={k: v}))] == []
    assert [k for k, v in others.items() if lasts_as_set(node("x", 800, input={k: v}))] == []


def test_a_name_that_holds_a_word_of_waiting_explains_no_long_step() -> None:
    names = [
        "pollution_index",
        "catalogue",
        "wait_for_reply",
        "poll",
        "human_review",
        "waitress_rota",
    ]
    found = {}
    for name in names:
        short = [span(f"s{at}", at * 10, at * 10 + 9, parent_span_id="root") for at in range(4)]
        long = span("long", 40, 60_000, name=name, parent_span_id="root", type="tool")
        spans = [span("root", 0, 60_001), *short, long]
        findings = analyse_trace(trace(end=60_001), spans).findings
        found[name] = any(each.category is Category.LONGEST_STEP for each in findings)
    right = {"pollution_index", "catalogue", "waitress_rota"}
    assert found == {name: name in right for name in names}
