"""Names of spans, tools and keys, word by word."""

from app.analysis.recorded.names import (
    NAME_READ,
    has_word,
    join_letters,
    match_names,
    name_stem,
    spell_name,
    split_words,
)

SPELLINGS = {
    "get_ticket": "get ticket",
    "get-ticket": "get ticket",
    "getTicket": "get ticket",
    "GetTicket": "get ticket",
    "Get ticket": "get ticket",
    "tools/get.ticket": "tools get ticket",
    "HTMLParser": "html parser",
    "listIDs": "list ids",
    "S3Bucket": "s3 bucket",
    "überweisungSenden": "überweisung senden",
    "ticket → refund": "ticket refund",
    "検索API": "検索 api",
    "खोज_करो": "खोज करो",
    "ค้นหาเที่ยวบิน": "ค้นหาเที่ยวบิน",
    "检索、排序": "检索 排序",
    "": "",
    "__": "",
}


def test_words_of_a_name_are_equal_however_it_is_spelled() -> None:
    assert {name: spell_name(name) for name in SPELLINGS} == SPELLINGS


def test_words_leave_out_digits() -> None:
    assert split_words("step2_getTicket") == ("step", "get", "ticket")
    assert has_word("ticket2", frozenset(["ticket"]))
    assert not has_word("get_ticket", frozenset(["tick"]))


def test_a_pattern_matches_beginnings_of_words_whole_words_and_scripts_without_blanks() -> None:
    matches = match_names(r"valid|ping\b|set ?up", anywhere="검색|suche")
    right = [
        "validate_cart",
        "isValid",
        "ping",
        "sendPing",
        "setup",
        "set-up",
        "고객검색",
        "Produktsuche",
    ]
    wrong = ["invalid", "shipping", "list_mappings", "pingu", "reset_upload", "lookup", ""]
    assert [name for name in right if not matches(name)] == []
    assert [name for name in wrong if matches(name)] == []


def test_only_the_beginning_of_a_long_name_is_read() -> None:
    long = "call " + "x" * NAME_READ + " ticket"
    assert not has_word(long, frozenset(["ticket"]))
    assert not match_names("ticket")(long)


def test_equal_steps_share_a_stem_and_one_tool_its_letters() -> None:
    assert name_stem("page 3") == name_stem("page 41") == "page #"
    assert name_stem("fetch: a") == name_stem("fetch: b") == "fetch"
    assert join_letters("Get order 2") == join_letters("get_order2") == "getorder2"
