"""Which model call wrote the code that a span ran, or the cut call that it answered."""

from collections.abc import Iterator
from itertools import islice

from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.leaves import walk_leaves
from app.analysis.recorded.names import match_names
from app.analysis.recorded.reply import RecordedReply
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.recovery import asking_call
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_PROGRAM_KEYS = key_set(
    "code script source source_code program snippet python python_code cmd command cell code_block"
)
_CODE_KEYS = _PROGRAM_KEYS | key_set("sql statement expression query_string sql_query")
_is_named_runner = match_names(
    r"python|(?:run|exec|exéc|ejec|eseg|eval)\w*(?: \w+)?"
    r" (?:code|c[oó]di|script|program|command|cell|notebook)"
    r"|code (?:interpret|exec|exéc|run|eval|ausf)|exec\b|interpreter|repl\b|jupyter|sandbox|shell\b"
    r"|bash\b|terminal$",
    anywhere="执行代码|代码执行|コード実行|코드 ?실행",
)
_SHORTEST_CODE = 12  # characters: a shorter text may occur in a reply by chance
_LONGEST_CODE = 20_000  # characters of a reply in which the code is looked for
_EARLIER_READ = 60  # spans before a run: the call that wrote the code is near
_LEAVES_READ = 40  # of the arguments of one call
_CUT = (FinishReason.LENGTH, FinishReason.MALFORMED_CALL)


def find_writer(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The model call before a run of code that wrote it, or None.

    It is the nearest one whose reply holds the code that the span was given, or a line of code that
    the failure quotes. Where the span runs code by its name but was given none, it is the nearest
    one whose reply has a block of code. A call of a tool was written by the one that asked for it,
    if that reply was cut.
    """
    if node.view.is_model_call or not analysis.was_read(node):
        return None
    asked = asking_call(node, analysis)
    if asked is not None and asked.view.reply.finish in _CUT:
        return asked
    inside = _find_writer_inside(node, analysis)
    if inside is not None:
        return inside
    code = _given_code(node)
    if not code and not _is_named_runner(node.function_name):
        return None
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if not (earlier.view.is_model_call and analysis.was_read(earlier)):
            continue
        reply = earlier.view.reply
        wrote = any(code in text for text in _texts(reply)) if code else "```" in reply.text
        if wrote or _is_quoted(reply, node.view.failure):
            return earlier
    return None


def runs_program(node: Node) -> bool:
    """Whether a span runs a program, rather than a query that is corrected at little cost."""
    has_program = not _PROGRAM_KEYS.isdisjoint(node.view.input.keys)
    return has_program or _is_named_runner(node.function_name)


def _find_writer_inside(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The last model call of a step that failed with a line of what it wrote (smolagents)."""
    failure = node.view.failure
    for child in reversed(node.children[-_EARLIER_READ:] if failure else []):
        is_read = child.view.is_model_call and analysis.was_read(child)
        if is_read and _is_quoted(child.view.reply, failure):
            return child
    return None


def _is_quoted(reply: RecordedReply, failure: str) -> bool:
    """Whether a failure quotes a line of a reply, as tracebacks do with the line that failed."""
    lines = (line.strip() for line in reply.text[:_LONGEST_CODE].splitlines() if failure)
    return any(len(line) >= _SHORTEST_CODE and line in failure for line in lines)


def _given_code(node: Node) -> str:
    """The longest text under a key for code in the input, without what surrounds it."""
    texts = [
        leaf.value.strip()
        for leaf in node.view.input.leaves
        if leaf.key in _CODE_KEYS and isinstance(leaf.value, str)
    ]
    longest = max(texts, key=len, default="")
    return longest[:_LONGEST_CODE] if len(longest) >= _SHORTEST_CODE else ""


def _texts(reply: RecordedReply) -> Iterator[str]:
    yield reply.text[:_LONGEST_CODE]
    for call in reply.calls:
        for leaf in walk_leaves(call.arguments, most=_LEAVES_READ):
            if isinstance(leaf.value, str):
                yield leaf.value[:_LONGEST_CODE]
