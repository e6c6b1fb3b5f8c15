"""Last replies that announce a step which nothing followed, although it was planned or its tool was
offered: the model stopped where it meant to go on."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.lookups import is_tool_call, list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_NAMED = 0.8  # confidence: a plan or an unused tool names what was announced
_UNNAMED = 0.4  # confidence: which tool was meant does not show
_ENDING_READ = 600  # characters of a reply
_STEM = 4  # letters by which words of one kind are equal
_LEAVES_READ = 60  # of a body in which a plan is looked for
_FEWEST_STEPS = 3  # of a plan
_PLAN_KEYS = key_set("plan steps todo todos tasks schritte pasos étapes etapy")
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s*|\n+")
_WORDS = re.compile(r"[^\W\d_]{4,}")
_ANNOUNCES = re.compile(
    r"""(?:
      \b(?:next|now|then|immediately)\b[^.]{0,40}\bi(?:['’]ll|\swill|['’]m|\sam)\b
    | \bi(?:['’]ll|\swill|['’]m|\sam)\s(?:going\sto\s)?
      (?:now|next|then|proceed|go\sahead|continue)\b
    | \bi(?:['’]ll|\swill|['’]m\sgoing\sto|\sam\sgoing\sto)\b[^.]{3,80}\b(?:now|next)\b
    | ^(?:(?:next|now|first|ok|okay|great|good|so)[,.]?\s)?let\sme\s(?!know)
    | \b(?:als\snächstes|jetzt|nun|im\snächsten\sschritt|anschließend|gleich)\b
      [^.]{0,30}\b\w+e\sich\b
    | \bich\s\w+e\b[^.]{0,60}\b(?:jetzt|nun|als\snächstes|im\snächsten\sschritt|anschließend)\b
    | \bje\s(?:vais|procède|passe)\s(?:maintenant|ensuite|à\sprésent)\b
    | \b(?:maintenant|ensuite|à\sl['’]étape\ssuivante),?\sje\s(?:vais|\w+(?:rai|e))\b
    | \b(?:ahora|a\scontinuación|en\sel\ssiguiente\spaso)\b,?\s(?:\w+\s)?(?:voy\sa|\w+ré)\b
    | \bvoy\sa\b[^.]{3,60}\bahora\b
    | \b(?:agora|em\sseguida|a\sseguir)\b,?\s(?:eu\s)?(?:vou|irei|\w+rei)\b | \bvou\sagora\b
    | \b(?:ora|adesso|come\sprossimo\spasso)\b,?\s(?:\w+\s)?(?:procedo|\w+rò)\b
    | \b(?:nu|vervolgens|hierna)\b[^.]{0,20}\b(?:ga\sik|zal\sik)\b | \bik\s(?:ga|zal)\snu\b
    | \b(?:teraz|następnie|w\snastępnym\skroku)\b[^.]{0,20}\b\w{3,}ę\b
    | \b(?:nu|härnäst)\b[^.]{0,10}\b(?:ska\sjag|kommer\sjag)\b
    | (?:接下来|下一步|现在)[,，]?\s?我(?:将|会|来|要) | (?:次に|これから)[^。]{2,40}します
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""An own action, now or next, in the first person."""
_WAITS = re.compile(
    r"""\?|？|\b(?:if|once|when|whenever|after|until|unless|please|would|could|can|may|let\syou
    |keep\s|monitor\w*|watch\w*|notif\w*|inform\w*|remind\w*|tomorrow|later|daily|weekly|every
    |schedul\w*|wait\w*|await\w*|happy|glad|your\s(?:approval|confirmation|reply|answer|ok|consent)
    |unable|cannot|end|close|stop
    |wenn|falls|sobald|bitte|möcht\w*|könnt\w*|kann|informier\w*|melde\w*|überwach\w*|beobacht\w*
    |morgen|später|täglich|wart\w*|erinner\w*|(?:ihre|deine)[rn]?\s(?:bestätigung|zustimmung|freigabe
    |antwort|rückmeldung)
    |si|dès|quand|lorsque|demain|attend\w*|surveill\w*|préviendrai|tiendrai|souhait\w*|votre\saccord
    |cuando|mañana|avisaré|esper\w*|supervis\w*|quiere\w*|gustaría|se|quando|amanhã|aguard\w*
    |domani|aspett\w*|als\su|zodra|wacht\w*|jeśli|gdy|jutro|czekam\w*|om|när)\b
    |如果|等待|等您|请""",
    re.IGNORECASE | re.VERBOSE,
)
"""Waiting, conditions, offers, promises to watch, and farewells."""


def find_announced_steps(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the last reply, after which the trace ends."""
    writer = analysis.once(find_answer_writer)
    if writer is None or writer.view.reply.calls:
        return
    ending = _last_sentences(writer.view.reply.text)
    sentence = ending[-1] if ending else ""
    if not _ANNOUNCES.search(sentence) or any(map(_WAITS.search, ending)):
        return
    if writer.view.reply.finish is not FinishReason.STOP or not _ends_trace(writer, analysis):
        return
    tools = analysis.once(list_tool_calls)
    if not tools or not all(analysis.was_read(node) for node in analysis.tree.nodes):
        return
    called = {node.function_name for node in tools} | {node.view.tool_name for node in tools}
    unused = sorted(writer.view.request.tools - called)
    planned = _list_planned(tools)
    if not (unused or planned):
        return
    stems = _read_stems(sentence)
    named = next((name for name in unused if _names(name, stems)), "")
    step = next((step for step in reversed(planned) if not stems.isdisjoint(_read_stems(step))), "")
    yield _build_finding(writer, sentence, named, step)


def _build_finding(writer: Node, sentence: str, tool: str, step: str) -> Finding:
    name = one_line(writer.name, limit=60)
    what = f"{name} ended with “{one_line(sentence, limit=160)}”, and no step followed"
    if tool:
        what += f"; the tool {one_line(tool, limit=60)} was never called"
    elif step:
        what += f"; the plan had “{one_line(step, limit=80)}”"
    return build_finding(
        Category.UNFINISHED,
        _NAMED if tool or step else _UNNAMED,
        f"{what}.",
        [writer],
        standing=Standing.FINDING if tool or step else Standing.WEAK,
    )


def _last_sentences(text: str) -> list[str]:
    """The last two: the one before the last may ask for something."""
    sentences = [each for each in _SENTENCES.split(text.strip()[-_ENDING_READ:]) if each.strip()]
    return [each.strip(" *_") for each in sentences[-2:]]


def _ends_trace(writer: Node, analysis: TraceAnalysis) -> bool:
    """Whether no model or tool was called after this call."""
    return not any(
        node.start >= writer.end and (node.view.is_model_call or is_tool_call(node))
        for node in analysis.tree.nodes
    )


def _read_stems(text: str) -> frozenset[str]:
    plain = text.casefold().replace("e-mail", "email")
    return frozenset(word[:_STEM] for word in _WORDS.findall(plain))


def _names(tool: str, stems: frozenset[str]) -> bool:
    """Whether a word of a tool's name is one of a sentence."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tool).replace("_", " ").replace("-", " ")
    return not stems.isdisjoint(_read_stems(words))


def _list_planned(tools: list[Node]) -> list[str]:
    """The steps after the first of the newest plan that a tool was given; none where as many calls
    followed as it has steps."""
    for later, node in enumerate(reversed(tools)):
        if node.view.input.may_have_key(_PLAN_KEYS):
            leaves = node.view.input.first_leaves(_LEAVES_READ)
            steps = [str(leaf.value) for leaf in leaves if leaf.key in _PLAN_KEYS]
            if len(steps) >= _FEWEST_STEPS:
                return steps[1:] if later < len(steps) else []
    return []
