"""What shows that a refusal was a fault: alone it may be right."""

import re
from collections.abc import Iterable
from itertools import islice

from app.analysis.recorded.answer_text import gives_up, negates
from app.analysis.recorded.body import Body, spell_canonical
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.names import NAME_READ, match_names
from app.analysis.recorded.refusal_text import says_refusal
from app.analysis.recorded.request_messages import RecordedMessage
from app.analysis.rules.asked_words import AskedWords
from app.analysis.rules.failures.suspects import came_to_nothing
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node
from app.analysis.user_question import asked_question, find_answer

_PEERS_READ = 50  # other calls of a name that a refusal is compared with
_NEXT_READ = 3  # later calls of a name: in a team others speak in between
_QUOTED = 80  # characters of a reply by which it is found in the messages of a later call
_QUESTION_READ = 40  # characters of a question by which it is found in a request
_SHORTEST = 8  # characters of a refusal: a sentence in Chinese has few
_LATER_READ = 200  # calls after a refusal that may have used it
_ANSWER_READ = 600  # characters of the final answer
_WORDS_OF_QUESTION = 3  # in a text of the trace's input, from which somebody asked something
_judges = match_names("moderat|guard|safety|judge|classif|polic|filter")
_ASKS_TO_JUDGE = re.compile(
    r"moderat|violat|polic(?:y|ies)|guideline|\bsafe|appropriate|harmful|allowed", re.IGNORECASE
)
_REFUSED_WITH_REASON = re.compile(
    r"bomb|weapon|explosive|hack|exploit|malware|phish|steal|kill|suicid|poison|drug|bypass|fake"
    r"|password|credit card|someone else|another (?:customer|user|patient|person)|private|address"
    r"|ignore (?:all|the|your|previous)|system prompt|waffe|passwort|töten|arme|mot de passe"
    r"|contraseña|matar|武器|密码|毒",
    re.IGNORECASE,
)
_OBSERVATION = re.compile(
    r"^\W{0,3}(?:action|aktion|acción|ação|azione|tool call|行动|動作|行動|アクション|행동)"
    r"\W{0,3}[:：].{1,2000}?"
    r"^\W{0,3}(?:observation|beobachtung|observación|observação|osservazione|tool result|观察|觀察"
    r"|観察|관찰)\W{0,3}[:：]",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_TOKEN = re.compile(r"[^\W\d_]{6,}|(?=\w*\d)\w{2,}")
_STEM = 6  # characters of a word: what follows is its ending in many languages
_SHARED_STEMS = 2  # of two texts: a single one may be shared by chance
_SENTENCE_END = re.compile(r"[.!?。！？\n]")
_INSTRUCTION_READ = 4_000  # characters
_RESULTS_READ = 20_000  # characters


def explain_refusal(node: Node, analysis: TraceAnalysis, *, recovered: bool) -> str:
    """Why the refusal of a model call was a fault; empty where it may have been right.

    Turns of one conversation are left out: there a model says in passing that it cannot do
    something.
    """
    if _is_quoted_next(node, analysis):
        return ""
    if recovered or _judges_texts(node) or _was_forbidden(node):
        return ""
    results = _list_read_results(node)
    is_final = _is_final(node, analysis)
    found = _find_material(node, analysis) if is_final else []
    if found or (results and not (is_final and _has_tool_messages(node))):
        texts = [*results, *(each.view.output.canonical for each in found)]
        if _quotes(node, texts, analysis):
            return ""
        if results:
            return "it had called tools for it and read their results"
        return f"{found[0].name[:NAME_READ]} had found something for it"
    return "" if is_final else _explain_by_program(node, analysis)


def _explain_by_program(node: Node, analysis: TraceAnalysis) -> str:
    """What a program did with a refusal that is no answer of the trace, or had asked for."""
    user = _find_user_of(node, analysis)
    if user is not None:
        return f"{user.name[:NAME_READ]} was given the refusal as if it were a result"
    if _asks_nothing(analysis.given):
        return "the program had asked for it, no user"
    if not _holds_question(node, analysis):
        return "the trace ended with something else"
    return ""


def _list_read_results(node: Node) -> list[str]:
    """Results of tools that the request holds after the last message of a user, or as lines of a
    ReAct prompt: those before belong to another question."""
    found: list[str] = []
    for message in node.view.request.messages:
        if message.role == "tool" or _OBSERVATION.search(message.text):
            found.append(message.text)
        elif message.role == "user":
            found.clear()
    return found


def _has_tool_messages(node: Node) -> bool:
    """Whether tools were called with messages, which may be for a profile or settings; a ReAct
    prompt has those for its question alone."""
    return any(message.role == "tool" for message in node.view.request.messages)


def _quotes(node: Node, results: Iterable[str], analysis: TraceAnalysis) -> bool:
    """Whether the reply has a number or words of the results that the question lacks: then it
    answers, and declines in passing."""
    asked = analysis.once(asked_question)
    words = _stems(node.view.reply.text) - _stems(asked)
    shared = {stem for result in results for stem in words & _stems(result)}
    return len(shared) >= _SHARED_STEMS or any(not stem.isalpha() for stem in shared)


def _was_forbidden(node: Node) -> bool:
    """Whether a sentence of the system's instruction that forbids something has several words of
    the refusal."""
    refused = _stems(node.view.reply.text[:_ANSWER_READ])
    return any(
        len(refused & _stems(sentence)) >= _SHARED_STEMS and negates(sentence)
        for message in node.view.request.messages
        if message.role == "system"
        for sentence in _SENTENCE_END.split(message.text[:_INSTRUCTION_READ])
    )


def _stems(text: str) -> set[str]:
    """Beginnings of longer words, and whole tokens with a digit, without letter case."""
    return {
        word if any(map(str.isdigit, word)) else word[:_STEM]
        for word in _TOKEN.findall(text[:_RESULTS_READ].casefold())
    }


def _judges_texts(node: Node) -> bool:
    """Whether the call was to say what is wrong with a text, by its name or instruction."""
    instruction = node.view.request.last_instruction[:_ANSWER_READ]
    return _judges(node.name) or _ASKS_TO_JUDGE.search(instruction) is not None


def _find_material(node: Node, analysis: TraceAnalysis) -> list[Node]:
    """Lookups for what the trace was asked that returned something before the refusal, where the
    question has no word of those that are refused with reason."""
    question = analysis.once(asked_question)[:_ANSWER_READ]
    if _REFUSED_WITH_REASON.search(question):
        return []
    asked = analysis.once(AskedWords)
    return [
        each
        for each in islice(analysis.tree.nodes, _LATER_READ)
        if each.end <= node.start
        and not each.view.is_model_call
        and analysis.was_read(each)
        and asked.is_asked_for(each)
        and not came_to_nothing(each)
    ]


def _is_quoted_next(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether one of the next calls of this name read what this one replied, as a message among
    others: a request with one message only was made by a program, which hands on its results."""
    start = node.view.reply.text[:_QUOTED].strip()
    later = (
        peer
        for peer in islice(analysis.peers_of(node), _PEERS_READ)
        if peer.start >= node.end and analysis.was_read(peer)
    )
    return any(
        start in message.text for peer in islice(later, _NEXT_READ) for message in _list_talk(peer)
    )


def _list_talk(node: Node) -> list[RecordedMessage]:
    """The messages of a request but for the instruction, if there are several."""
    talk = [each for each in node.view.request.messages if each.role != "system"]
    return talk if len(talk) > 1 else []


def _is_final(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the trace ends with the refusal or with another, or says that it gave up."""
    answer = find_answer(analysis.trace.output, limit=_ANSWER_READ)
    start = _plain_start(node)
    quoted = len(start) >= _SHORTEST and start in analysis.returned.canonical
    return quoted or not answer or says_refusal(answer) or gives_up(answer)


def _find_user_of(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The first later call whose input holds the refusal."""
    start = _plain_start(node)
    if len(start) < _SHORTEST:
        return None
    around = set(map(id, node.path()))
    later = (each for each in analysis.tree.nodes if each.start >= node.end)
    return next(
        (
            each
            for each in islice(later, _LATER_READ)
            if id(each) not in around
            and analysis.was_read(each)
            and each.view.input.state is BodyState.PRESENT
            and start in each.view.input.canonical
        ),
        None,
    )


def _plain_start(node: Node) -> str:
    """The beginning of the reply as canonical texts have it."""
    reply = node.view.reply
    text = spell_canonical(reply.text or reply.refusal)[:_QUOTED]
    return text.partition('"')[0].partition("\\")[0].strip()


def _holds_question(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the request holds the question of the trace, so that the refusal answers the user
    rather than a step of the program. Without an input of the trace that is what its first model
    call was asked."""
    question = analysis.once(asked_question)[:_QUOTED]
    if not question:
        question = analysis.once(list_model_calls)[0].view.request.last_instruction[:_QUOTED]
        question = question.partition('"')[0].partition("\\")[0]
    start = spell_canonical(question)[:_QUESTION_READ]
    return not start or start in node.view.input.canonical


def _asks_nothing(given: Body) -> bool:
    """Whether the trace was given something, but no text of several words."""
    return given.state is BodyState.PRESENT and not any(
        isinstance(leaf.value, str) and len(leaf.value.split()) >= _WORDS_OF_QUESTION
        for leaf in given.leaves
    )
