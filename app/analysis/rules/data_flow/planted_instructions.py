"""Instructions to a model in what a tool or a search returned: pages, mails and documents that say
what an assistant has to do.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.answer_text import gives_up
from app.analysis.recorded.body import Body
from app.analysis.rules.asked_words import telling_words
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node, by_start
from app.analysis.user_question import asked_question

_CONFIDENCE = 0.8
_TEXT_READ = 20_000  # characters of a text
_SHOWN = 100
_LEAST_SHARED = 2  # words: a single one may be that of its subject
_SENTENCE_END = re.compile(r"-->|\n|[.!?](?:\s|\Z)|[。！？]")
_LONGEST_ORDER = 300  # characters of the sentence that gives the order
_SHORTEST_QUOTE = 30  # characters by which it is found in a request
_MAY_STAND_IN = re.compile(
    r"instruct|instruk[cst]|инструкц|prompt|system|sistem|as+istent|asystent|ассистент|assistant"
    r"|\bAI\b|\bLLM|\bKI\b|\bIA\b|anweisung|consigne|istruzion|instruç|instrucc|instructie|指令|指示|助手|アシスタント|지시",
    re.IGNORECASE,
)
_MARKS = (
    "instru",
    "prompt",
    "system",
    "sist",
    "llm",
    " ai",
    "ki-m",
    "anweisung",
    "consigne",
    "istruz",
    "asyst",
    "ассист",
)
_MARKS_ELSEWHERE = ("指令", "指示", "助手", "アシスタント", "지시", "어시스턴트")
"""Beginnings of the words one of which stands in any order; most texts have none of them."""


class _Order(NamedTuple):
    """A way to give a model orders. A lower-case text without one of `words` and one of `beside`,
    where there are any, holds none: looking for them takes a hundredth of the pattern's time."""

    words: tuple[str, ...]
    beside: tuple[str, ...]
    pattern: re.Pattern[str]


def _order(words: str, beside: str, pattern: str) -> _Order:
    return _Order(
        tuple(words.split("|")),
        tuple(filter(None, beside.split("|"))),
        re.compile(pattern, re.IGNORECASE),
    )


_ORDERS = (
    _order(
        "ignore|disregard|forget|override|skip|bypass",
        "instruction|prompt|rules|guidelines|task|request|question",
        r"(?:ignore|disregard|forget|override|skip|bypass) (?:[\w'’]+ ){0,4}?(?:instructions?"
        r"|prompts?|rules|guidelines|task|request|question)\b",
    ),
    _order(
        "ai |ai-|llm",
        "assistant|agent|model|system|reader|crawler",
        r"\b(?:AI|LLM)[ -](?:assistants?|agents?|models?|systems?|readers?|crawlers?)\b"
        r"(?: \w+){0,4}?(?:\s?[:,]| must\b| should\b| shall\b| please\b)",
    ),
    _order(
        " ai| llm| language model| assistant| agent",
        "note|message|instruction|notice|attention",
        r"\b(?:note|message|instructions?|notice|attention)\s?(?:to|for|:)? (?:the |all |any )?"
        r"(?:AI|LLM|language model|assistant|agent)s?\b",
    ),
    _order(
        "if you are a",
        "",
        r"\bif you are an? (?:AI|LLM|language model|assistant|agent)",
    ),
    _order(
        "system>|system >|instruction>|instruction >|instructions>|instructions >|system\n>"
        "|[system]|[inst]|system prompt",
        "",
        r"<\s?/?(?:system|instructions?)\s?>|\[(?:system|inst)\]|\bsystem prompt\b",
    ),
    _order(
        "ignorier|vergiss|vergesst|missacht",
        "anweisung|regel|vorgabe|aufgabe",
        r"(?:ignorier\w*|vergiss|vergesst|missachte\w*) (?:\w+ ){0,4}?(?:anweisung|regel|vorgabe"
        r"|aufgabe)",
    ),
    _order("ki-", "", r"\bKI-(?:assistent|modell|system)\w*\s?[:,]"),
    _order(
        "ignor|oubli",
        "instructions|consignes|règles",
        r"(?:ignor\w*|oubli\w*) (?:\w+ ){0,4}?(?:instructions|consignes|règles)",
    ),
    _order(
        "ignor|olvid|esquec|esqueç|dimentic",
        "instrucciones|instruções|istruzioni|reglas|regras|regole",
        r"(?:ignor\w*|olvid\w*|esque[cç]\w*|dimentic\w*) (?:\w+ ){0,4}?(?:instrucciones"
        r"|instruções|istruzioni|reglas|regras|regole)",
    ),
    _order(
        "asistente|assistente|assistant",
        "ia:|ia :|ia,|ia ,|ia\n",
        r"\b(?:asistente|assistente|assistant)s? (?:de |di |d['’])?IA\s?[:,]",
    ),
    _order(
        "ignor|bortse|se bort|glem|pomiń|игнорир",
        "instruks|instruk|regler|reguł|инструкц|правил",
        r"(?:ignor\w*|bortse|se bort|glem\w*|pomiń|игнорир\w*) (?:\w+ ){0,4}?"
        r"(?:instruk|regler|reguł|инструкц|правил)",
    ),
    _order(
        "sistem|system|ki-|assistent|asistent|assistant|asystent|ассистент",
        "not|nachricht|hinweis|mensa|messa|aviso|avviso|besked|meddel|wiadomo|opmerking|uwaga"
        "|achtung|attention|atenci|atenç|attenzione|let op|obs|merk|внимани",
        r"\b(?:not[aei]\w*|nachricht|hinweis|mensa\w+|messagg\w+|aviso|avviso|besked|meddel\w+"
        r"|wiadomość|opmerking|uwaga|achtung|attention|atención|atenção|attenzione|let op|obs|merk"
        r"|внимание)\s?[:,!]?\s?(?:(?:per|para|für|pour|til|till|dla|voor|an|al|au|à|для) "
        r"(?:\w{1,4} |l['’]|all['’])?(?:sistem\w*|system\w*|KI|IA|AI|as+istent\w*|assistant\w*"
        r"|asystent\w*|ассистент\w*)\b|(?:as+istent|assistant|asystent|ассистент)\w*\s?[:,])",
    ),
    _order("negeer", "", r"negeer (?:\w+ ){0,4}?(?:instructies|regels)"),
    _order("ignorera", "", r"ignorera (?:\w+ ){0,4}?(?:instruktion|regl)"),
    _order(
        "忽略|无视|無視|忘れ|무시|助手|アシスタント|어시스턴트",
        "",
        r"(?:请)?助手.{0,2}(?:请)?注意|注意.{0,3}助手|アシスタント(?:へ|宛)|어시스턴트에게"
        r"|(?:忽略|无视|無視).{0,10}(?:指令|指示|提示)|(?:指示|命令).{0,6}(?:無視|忘れ)|지시.{0,6}무시",
    ),
)
_ABOUT_IT = re.compile(
    r"inject|jailbreak|instruction|prompt|manipul|suspicious|malicious|untrusted|anweisung|consigne"
    r"|instruc|istruzion|verdächtig|suspect|sospech|sospett|instructie|指令|指示|지시",
    re.IGNORECASE,
)
"""What a question about such texts, an answer that reports one, or a check that removes it says."""
_NAME = re.compile(
    r"[^\W\d_]{0,20}[A-ZÄÖÜÅÉÈ][\w.-]{3,40}|[\w.+-]{1,40}@[\w.-]{3,40}|https?://\S{4,80}"
)


def find_planted_instructions(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the span whose result gives orders, and the first model call that read them.

    It is a finding where what that call wrote has a name of the order; where the model only read
    the text, and where somebody speaks of it, a note.
    """
    if _ABOUT_IT.search(analysis.once(asked_question)[:_TEXT_READ]):
        return
    calls = sorted(analysis.once(list_model_calls), key=by_start)
    for node in analysis.once(list_tool_calls):
        if not calls or calls[-1].start < node.end:
            continue
        order = _find_order(node.view.output)
        reader = _find_reader(order, node, calls) if order else None
        if reader is None:
            continue
        sentence = (
            f"{node.title} returned a text that gives orders to a model"
            f" (“{one_line(order, limit=_SHOWN)}”), and {reader.title} was given"
            " it as a part of its task."
        )
        standing = Standing.FINDING if _was_obeyed(order, reader) else Standing.NOTE
        yield build_finding(
            Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, [node, reader], standing=standing
        )
        return


def _find_order(body: Body) -> str:
    """The sentence of a result that gives an order; empty where none does."""
    for leaf in body.first_by_type.texts:
        text: str = leaf.value[:_TEXT_READ]
        start = _find_start(text) if len(text) >= _SHORTEST_QUOTE else None
        if start is not None and _MAY_STAND_IN.search(text):
            return text[start : start + _LONGEST_ORDER]
    return ""


def _find_start(text: str) -> int | None:
    """Where the first order of a text begins."""
    lower = text.lower()
    marks = _MARKS if text.isascii() else _MARKS + _MARKS_ELSEWHERE
    if not (any(mark in lower for mark in marks) or "AI" in text):
        return None
    found = (
        each.pattern.search(text)
        for each in _ORDERS
        if any(word in lower for word in each.words)
        and (not each.beside or any(word in lower for word in each.beside))
    )
    return min((match.start() for match in found if match is not None), default=None)


def _find_reader(order: str, node: Node, calls: Sequence[Node]) -> Node | None:
    """The first model call after a result that has its order in the request."""
    quote = order[:_SHORTEST_QUOTE]
    for call in calls:
        if call.start >= node.end and any(
            quote in each.text for each in call.view.request.messages
        ):
            return call
    return None


def _was_obeyed(order: str, reader: Node) -> bool:
    """Whether a reply or the calls in it have a name of the order, or several words of its sentence
    that stand nowhere else in the request, and the reply neither gives up nor speaks of it."""
    text = reader.view.reply.text[:_TEXT_READ]
    if gives_up(text) or _ABOUT_IT.search(text):
        return False
    wrote = text + "".join(str(call.arguments)[:_TEXT_READ] for call in reader.view.reply.calls)
    if any(name in wrote for name in _NAME.findall(re.split(r"-->|\n", order)[0])):
        return True
    sentence = _SENTENCE_END.split(order)[0].casefold()
    read = "\n".join(each.text[:_TEXT_READ] for each in reader.view.request.messages).casefold()
    own = telling_words(sentence) - telling_words(read.replace(sentence, " "))
    return len(own & telling_words(wrote.casefold())) >= _LEAST_SHARED
