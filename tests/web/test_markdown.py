"""Texts that the panel may render: nothing loads, nothing leads away, all else is as it was."""

import json
import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from app.citation_tokens import Citation, split_citations
from app.web.markdown.allowed_links import BREAK, CITATION_PLACE, AllowedLinks, find_urls
from app.web.markdown.filter import MarkdownFilter, make_inert
from app.web.markdown.inline_code import split_unbreakable
from testkit.case_tables import each_case
from tests.web.markdown_judge import dangers

UI = "https://ui.example.com/opik"
SPAN = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "01234567-89ab-cdef-0123-0123456789ab"
UNKNOWN = "99999999-89ab-cdef-0123-456789abcdef"
ALLOWED = frozenset(["https://ok.test/x", "www.ok.test"])
PLAIN = AllowedLinks(ui_base=UI, allowed=ALLOWED)
LINKED = AllowedLinks(
    ui_base=UI,
    span_url=lambda span_id: f"{UI}/p?span={span_id}",
    trace_url=lambda trace_id: f"{UI}/p?trace={trace_id}",
    allowed=ALLOWED,
)
EVIL_NAME = "](http://e.test) ![x](http://e.test) <img src=x> `a` www.e.test a@b.cc |"
NAMES = {SPAN: EVIL_NAME, OTHER: "llm_call"}

HOLES = {
    "image": "![x](http://e.test/i.png)",
    "image in the UI": f"![x]({UI}/api/delete)",
    "image by reference": "![x][r]\n\n[r]: http://e.test",
    "image in a link's text": f"[![x](http://e.test)]({UI}/a)",
    "image after an escaped exclamation mark": "\\\\![x](http://e.test)",
    "link": "[x](http://e.test)",
    "link to a script": "[x](javascript:alert(1))",
    "link to a relative path": "[x](/api/delete)",
    "link to a mail address": "[x](mailto:a@b.cc)",
    "link with its destination in the next line": "[x](\nhttp://e.test)",
    "link with its destination in angle brackets": "[x](<http://e.test>)",
    "link with a title": '[x](http://e.test "a (b)")',
    "link with its scheme as a reference": "[x](&#104;ttp://e.test)",
    "link by reference": "[x][r]\n\n[r]: http://e.test",
    "link by its own text": "[r]\n\n[r]: http://e.test",
    "definition in a quote": "[r]\n\n> 1. [r]: http://e.test",
    "definition with a label of two lines": "[a b]\n\n[a\nb]: http://e.test",
    "definition whose label holds half of a piece of code": "[x`]: http://e.test`\n\n[x`]",
    "definition after a byte order mark": "\ufeff[r]: http://e.test\n\n[r]",
    "definition whose label runs into a fence": "[x\n```\n]: http://e.test\n```\n\n[x ``` ]",
    "link whose label ends in code": "[[`]`[`](http://e.test)`",
    "link whose label ends between two backticks": "[x``](http://e.test)``",
    "link to a host that begins as the UI's": f"[x]({UI}.e.test/)",
    "link with the UI as user": "[x](https://ui.example.com@e.test/opik/)",
    "link that climbs out of the UI": f"[x]({UI}/../api)",
    "link that climbs out of the UI in disguise": f"[x]({UI}/%2e%2E/api)",
    "bare URL": "see http://e.test/?q=1 now",
    "bare URL in capitals": "HTTPS://E.TEST",
    "bare URL after letters": "xhttp://e.test",
    "bare URL without a scheme": "www.e.test",
    "bare URL with an escaped colon": "http\\://e.test",
    "bare URL with escaped slashes": "http:\\/\\/e.test http:/\\/e.test",
    "bare URL with an escaped dot": "www\\.e.test",
    "bare URL with a reference": "http&colon;//e.test &#x68;ttp://e.test www&period;e.test",
    "bare URL with a long reference": "&#" + "0" * 40 + "104;ttp://e.test",
    "bare URL within the UI's": f"x{UI}/$www.e.test",
    "the API beside the UI": f"[x]({UI}/api/v1/session/redirect/projects/?path=aHR0cHM6&w=DATA)",
    "the API beside the UI, bare": f"{UI}/api/v1/session/redirect/projects/?path=aHR0cHM6&w=DATA",
    "the API in other letters": f"[x]({UI}/x/../%61pi/a) [x]({UI}/%2561PI/) [x]({UI}//API?a)",
    "this service beside the UI": f"[x]({UI}/opik-ai/x) {UI}/opik-ai",
    "this service, bare, before HTML": f"{UI}/opik-ai<a@b.cc> {UI}/opik-ai<b>",
    "this service, bare, before a reference": f"{UI}/opik-ai&lt; {UI}/opik-ai&lt;x {UI}/api&amp;",
    "bare URL that goes on after the allowed one": "https://ok.test/x<b https://ok.test/x/y",
    "bare URL whose host goes on with a full-width dot": f"{UI}\u3002e.test",
    "mail address": "a@b.cc",
    "mail address with an escape": "a\\@b.cc",
    "mail address in angle brackets": "<a@b.cc> <1@b.cc> <*@b.cc>",
    "URL in angle brackets": "<http://e.test>",
    "HTML": "<img src=x onerror=alert(1)>",
    "HTML over lines": "<img\nsrc=x>",
    "HTML block": "<script>\nalert(1)\n</script>",
    "HTML comment, declaration, instruction": "<!-- x --> <!DOCTYPE x> <?php ?> </b>",
    "HTML after an escaped backslash": "\\\\<img src=x>",
    "HTML after a list that ends a fence": "- a\n  ```\n<img src=x>\n  ```\n",
    "HTML after a quote that ends a fence": "> ```\n<img src=x>\n> ```\n",
    "HTML after a fence that a tab indents": "- a\n\n\t```\n<img src=x>\n",
    "HTML after a fence that no list holds": "a\n    ```\n    <img src=x>\n    ```\n",
    "HTML after a number that begins no list": "a\n2. b\n    ```\n    <img src=x>\n    ```\n",
    "HTML after a fence that closes with more": "```\na\n`````\n<img src=x>",
    "HTML after a fence with backticks behind": "```a`\n<img src=x>\n```\n",
    "HTML after an indented closing fence": "```\na\n   ```\n<img src=x>",
    "HTML in code that an earlier backtick opened": "a ` b\n`<img src=x>`",
    "HTML in code that an escaped backtick opened": "a \\`<img src=x>`",
    "HTML in code after a carriage return and a line feed": "`\r\n`<img src=x>`",
    "HTML in code that a cell ends": "|a|b|\n|-|-|\n|`|`<img src=x>|\n",
    "HTML in code after a title with a backtick": f'[x]({UI}/ "`") a` `<img src=x>`',
    "HTML in code after a label with half of a piece": "[^a`]: ` `<img src=x>`",
    "HTML in code after a link that was none": f"x]({UI}/`<img src=x>`",
    "HTML in code after a bare URL with a backtick": f"{UI}/a` `<img src=x>`",
    "HTML in code after a foreign URL with a backtick": "http://e.test/a` `<img src=x>`",
    "HTML in longer backticks": "``a` `<img src=x>`",
    "HTML whose bracket stands before a name": f"<⟦span:{OTHER}⟧ x>",
    "image whose mark stands before a name": f"!⟦span:{OTHER}⟧",
    "image whose mark stands before nothing": f"!⟦span:{UNKNOWN}⟧[x](http://e.test)",
    "URL around nothing": f"ht⟦span:{UNKNOWN}⟧tp://e.test",
    "evil name": f"⟦span:{SPAN}⟧",
    "evil name at the beginning of a label": f"[⟦span:{SPAN}⟧](http://e.test)",
    "evil name in code": f"`⟦span:{SPAN}⟧`\n\n    ⟦span:{SPAN}⟧",
}

ORDINARY = {
    "headings": "# One\n\nTwo\n===\n\n## Three ##\n",
    "lists": "1. **First**: a\n   - b\n   - [ ] c\n2. d\n\n* e\n+ f\n",
    "table": "| name | ms |\n|:---|---:|\n| `a` | 1 |\n| b \\| c | 2 |\n",
    "emphasis": "**bold**, *it*, __bold__, ~~gone~~, ***both***\n\n---\n\n> quoted\n",
    "comparisons": "a < b, 3 <4, x <= y, a->b, R&D, AT&T; 5 > 4 && true <3",
    "brackets": "list[0], f(x)[1], [citation needed], dict[str, int]: a map, [1] (see below)",
    "colons": "Note: this. key: value; C:\\dir\\file and \\*escaped\\* and a \\\\ b",
    "references": "&lt;div&gt; &amp; &nbsp;&mdash; &copy;",
    "decorator": "@dataclass, (@tool) and user @ home",
    "inline code": "Use `List<T>`, ``a ` b``, `<img src=x>`, `![x](http://e.test)` or `a@b.cc`.",
    "fences": '```python\nx = "<b>" # http://e.test ![x](y)\n```\n\n~~~\n[x]: http://e.test\n~~~\n',
    "fence with backticks inside": "````md\n```html\n<img src=x>\n```\n````\nend `<T>`\n",
    "fence in a list": "1. Run:\n   ```bash\n   curl http://e.test | a <b>\n\n   x\n   ```\n2. b\n",
    "fence deep in a list": "1. a\n   - b\n\n     ```js\n     <T>http://e.test\n     ```\n",
    "fence far in a list": "2. a\n\n    ```sh\n    a@b.cc <x>\n    ```\n3. b\n",
    "unfinished fence": "```\n<img src=x>",
    "links to the UI": f'[a]({UI}/p?a=1&b=c), [`b[0]`]({UI}#x "The title") {UI}/q. ({UI}).',
    "links of the user": "www.ok.test: https://ok.test/x **https://ok.test/x** [a](https://ok.test/x).",
    "other alphabets": "日本語のテキスト、emoji 👩‍👩‍👧, Ünïcödé\r\nцитата\rعربى ⟦x⟧ ⟦span:y⟧",
}

FRAGMENTS = [
    *HOLES.values(),
    *ORDINARY.values(),
    *[
        "``",
        "```",
        "~~~",
        "[",
        "]",
        "(",
        ")",
        "!",
        "<",
        ">",
        "\\",
        "|",
        "&",
        "#",
        "*",
        "_",
        "@",
        ":",
    ],
    *["http://", "www.", "[x]", "[x]:", "](", "]:", "[x`]: ", "<b>", "</b>", "/", ".", "-"],
    *[
        "\n",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        " ",
        "    ",
        "\t",
        "`",
        "`",
        "\n```\n",
        "\n```\n",
        "\n~~~\n",
    ],
    *["\n- ", "\n1. a", "\n> ", "\n   ```\n", "\n  ", "a", "b c", "\n|", f"]({UI}/a)", f"{UI}/a"],
    *[f"⟦span:{span_id}⟧" for span_id in (SPAN, OTHER, UNKNOWN)],
    *[f"⟦trace:{SPAN}⟧", "⟦trace", "⟦trace:0"],
    *["⟦span:", "⟧", "\ufeff", "\0", BREAK, "\u3002", '"', "'", "<img src=x>", "`<img src=x>`"],
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)


def fed(text: str, cuts: list[int], links: AllowedLinks = LINKED) -> list[str]:
    """What a filter gives out for a text cut at these places, and before and after citations."""
    a_filter = MarkdownFilter(links)
    shown = []
    at = 0
    for part in split_citations(text, lambda _, id: NAMES.get(id)):
        if isinstance(part, str):
            places = sorted({0, len(part), *(cut - at for cut in cuts if 0 < cut - at < len(part))})
            shown += [a_filter.feed([part[a:b]]) for a, b in pairwise(places)]
            at += len(part)
        else:
            shown.append(a_filter.feed([part]))
            at += len(part.token)
    return [*shown, a_filter.end()]


def found_in(text: str) -> list[str]:
    return dangers(text, ui_base=UI, allowed=ALLOWED)


@each_case("text", HOLES.values())
@each_case("links", [PLAIN, LINKED])
def test_nothing_loads_and_nothing_leads_away(text: str, links: AllowedLinks) -> None:
    assert found_in(make_inert(text, links, NAMES)) == []


def test_the_judge_finds_images_html_and_foreign_links() -> None:
    assert dangers("![x](y)") == ["image x"] * 2
    assert dangers("a <b>") == ["html_inline <b>"] * 2
    assert dangers("<div>") == ["html_block <div>"] * 2
    assert dangers(f"[x]({UI}/a) {UI}/b", ui_base=UI) == []
    assert dangers(f"[x]({UI}.e.test)", ui_base=UI) == [f"link {UI}.e.test"] * 2
    assert dangers("http\\://e.test, a@b.cc") == ["link http://e.test", "link a@b"] * 2


def test_a_part_beside_the_ui_is_no_link_whatever_punctuation_follows_it() -> None:
    parts = ["opik-ai", "api", "%2e%2e", "p/%2e%2e"]
    texts = [
        f"{before}{UI}/{part}{after}"
        for before in ("", "x", "**", "(", f"⟦span:{OTHER}⟧ ")
        for part in parts
        for mark in "!\"#$&'()*+,.:;<=>?@[]\\^_`{|}~é "
        for after in (mark, f"{mark}x", f"{mark}x{mark}", f"{mark}{mark}x{mark}{mark} y")
    ]
    assert [text for text in texts if found_in(make_inert(text, LINKED, NAMES))] == []


@each_case("text", ["##> x", "# > x", "a\n######   > x\nb", "#" + " " * 400 + "> x"])
def test_no_heading_hides_what_follows_it(text: str) -> None:
    closed = re.compile(r"^(#{1,6})\s*>\s*(.+)$", re.MULTILINE)
    assert closed.search(text)
    shown = make_inert(text, LINKED, NAMES)
    assert closed.search(shown) is None
    assert shown.replace(BREAK, "") == text
    assert "".join(fed(text, list(range(len(text))))) == shown


@each_case("text", ORDINARY.values())
def test_ordinary_answers_pass_unchanged(text: str) -> None:
    assert make_inert(text, LINKED, NAMES) == text


@given(TEXTS, st.sampled_from([PLAIN, LINKED]))
def test_no_mixture_loads_or_leads_away(text: str, links: AllowedLinks) -> None:
    assert found_in(make_inert(text, links, NAMES)) == []


@given(TEXTS, st.lists(st.integers(0, 400)))
def test_any_split_of_a_text_gives_the_same_whole(text: str, cuts: list[int]) -> None:
    assert "".join(fed(text, cuts)) == make_inert(text, LINKED, NAMES)


@each_case("text", [*HOLES.values(), *ORDINARY.values()])
def test_a_text_that_comes_by_single_characters_is_the_same(text: str) -> None:
    assert "".join(fed(text, list(range(len(text))))) == make_inert(text, LINKED, NAMES)


@given(TEXTS, st.lists(st.integers(0, 400)))
def test_what_is_shown_so_far_loads_nothing_wherever_it_is_cut(text: str, cuts: list[int]) -> None:
    parts = [part for shown in fed(text, cuts) for part in split_unbreakable(shown)]
    assert "".join(parts) == make_inert(text, LINKED, NAMES)
    for end in range(0, len(parts), max(1, len(parts) // 5)):
        assert [thing for thing in found_in("".join(parts[:end])) if thing[:5] != "link "] == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<![]@&`\\~:/.")))
def test_text_without_markup_passes_unchanged(text: str) -> None:
    assert make_inert(text, LINKED, NAMES) == text


@each_case(
    "text",
    ["a" * 20, "`", "![", "<a", "http://", "www.a", "[x](https://", "&a", "⟦span:", " ", "1"],
)
def test_little_is_held_back(text: str) -> None:
    a_filter = MarkdownFilter(LINKED)
    shown = "".join(a_filter.feed([text]) for _ in range(5000))
    assert len(text) * 5000 - len(shown) < 700


def test_a_url_is_shown_as_code() -> None:
    text = "See http://e.test/a_(b)?c, [there](https://e.test) or **www.e.test**."
    shown = "See `http://e.test/a_(b)?c`, [there] (`https://e.test`) or **`www.e.test`**."
    assert make_inert(text, LINKED, NAMES) == shown


def test_where_it_may_be_code_a_url_is_broken_and_nothing_else_is_added() -> None:
    shown = make_inert("- ```\n  curl http://e.test\n", LINKED, NAMES)
    assert shown == f"- ```\n  curl http:{BREAK}//e.test\n"


def test_a_citation_becomes_a_link_with_the_spans_name() -> None:
    text = f"Slow: ⟦span:{OTHER}⟧, ⟦span:{UNKNOWN}⟧!"
    assert make_inert(text, LINKED, NAMES) == f"Slow: [llm\\_call]({UI}/p?span={OTHER}), !"
    assert make_inert(text, PLAIN, NAMES) == "Slow: llm\\_call, !"


def test_a_cited_trace_becomes_a_link_to_it_or_its_name() -> None:
    text = f"Since ⟦trace:{OTHER}⟧, ⟦trace:{UNKNOWN}⟧!"
    assert make_inert(text, LINKED, NAMES) == f"Since [llm\\_call]({UI}/p?trace={OTHER}), !"
    assert make_inert(text, PLAIN, NAMES) == "Since llm\\_call, !"
    assert found_in(make_inert(f"⟦trace:{SPAN}⟧", LINKED, NAMES)) == []


def test_a_citation_in_code_becomes_the_spans_name() -> None:
    text = f"`x = ⟦span:{OTHER}⟧`\n\n```\n⟦span:{OTHER}⟧\n```\n"
    assert make_inert(text, LINKED, NAMES) == "`x = llm_call`\n\n```\nllm_call\n```\n"


def test_a_citation_without_a_name_vanishes_and_a_later_one_with_a_name_is_shown() -> None:
    a_filter = MarkdownFilter(PLAIN)
    before = a_filter.feed([Citation("span", SPAN), " and "])
    after = a_filter.feed([Citation("span", SPAN, "late"), " "])
    assert before + after + a_filter.end() == " and late "


def test_no_character_of_a_text_is_taken_for_a_citation() -> None:
    mark = CITATION_PLACE
    text = f"a{mark} `{mark}b` <{mark}>\n```\n{mark}\n```\n"
    cited = f"{text}{mark}⟦span:{OTHER}⟧{mark}`{mark}⟦span:{OTHER}⟧`"
    assert make_inert(text, PLAIN, NAMES) == text.replace("<", f"<{BREAK}")
    shown = make_inert(cited, PLAIN, NAMES).removeprefix(make_inert(text, PLAIN, NAMES))
    assert shown == f"{mark}{BREAK}llm\\_call{BREAK}{mark}`{mark}llm_call`"


@each_case(
    "name, shown",
    [
        ("](https://evil)", f"\\]\\(https\\:{BREAK}\\/\\/evil\\)"),
        ("![x](http://e)", f"\\!\\[x\\]\\(http\\:{BREAK}\\/\\/e\\)"),
        ("<img src=x>", "\\<img src\\=x\\>"),
        ("a\r\n b\u202ec\u200bd\x00", "a bcd"),
        ("`a`", "&#96;a&#96;"),
        ("", "span"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_a_spans_name_stays_text(name: str, shown: str) -> None:
    assert make_inert(f"⟦span:{SPAN}⟧", PLAIN, {SPAN: name}) == shown
    assert found_in(make_inert(f"⟦span:{SPAN}⟧", LINKED, {SPAN: name})) == []


@example("", "", f"[x]({UI}/opik-ai/x) {UI}/opik-ai<a@b.cc> <1@b.cc> <*@b.cc>")
@given(st.text(max_size=60), TEXTS, TEXTS)
def test_no_name_opens_anything(name: str, before: str, after: str) -> None:
    text = f"{before}⟦span:{SPAN}⟧{after}"
    assert found_in(make_inert(text, PLAIN, {**NAMES, SPAN: name})) == []
    assert found_in(make_inert(text, LINKED, {**NAMES, SPAN: name})) == []


@each_case(
    "name",
    ["http", "htt", "http:", "//e.test", "www", "b", "#104", "@e.test", "", "```", "]:", "1."],
)
def test_a_name_joins_with_nothing_around_it(name: str) -> None:
    cited = f"⟦span:{SPAN}⟧"
    around = f"{cited}://e.test {cited}p://e.test http:{cited} {cited}.e.test a{cited} <{cited}>"
    text = f"{around} &{cited};ttp://e.test\n{cited}\n<img src=x>\n\n[x]{cited}: http://e.test\n[x]"
    assert found_in(make_inert(text, PLAIN, {SPAN: name})) == []


def test_an_url_of_a_span_cannot_end_its_link() -> None:
    links = AllowedLinks(ui_base=UI, span_url=lambda _: f"{UI}/a b)<c>[`\\")
    assert (
        make_inert(f"⟦span:{OTHER}⟧", links, NAMES)
        == f"[llm\\_call]({UI}/a%20b%29%3Cc%3E%5B%60%5C)"
    )


def test_the_urls_of_a_message_are_found_without_the_punctuation_around_them() -> None:
    text = "See https://a.test/x?y=1, (www.b.test) [c](http://c.test) and https://d.test/(e)."
    assert find_urls(text) == {"https://a.test/x?y=1", "www.b.test", "http://c.test"}


@given(TEXTS)
def test_parts_that_may_be_code_fit_into_a_frame(text: str) -> None:
    shown = make_inert(text * 3, LINKED, NAMES)
    assert all(len(json.dumps(part)) < 700 for part in split_unbreakable(shown) if "<img" in part)
