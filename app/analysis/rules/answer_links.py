"""Links of an answer to a host that occurs nowhere before, as models make them up."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.answer_sources import AnswerSources, read_answer_sources
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_NAMES_RESULT = 0.75  # confidence: the link is to something that a result holds, without a link
_NAMES_NOTHING = 0.5  # confidence: a model may know the page
_LINK = re.compile(r"https?://([\w.-]+\.[a-z]{2,})(?::\d+)?(/[^\s<>()\[\]\"'`*]*)?", re.IGNORECASE)
_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ANSWER_READ = 10_000  # characters
_MOST_LINKS = 20
_SHORTEST_LABEL = 4  # characters of a part of a host's name that stands nowhere by chance
_SHORTEST_CODE = 4  # characters of a code in a path
_MOST_PIECES = 12  # of a path
_COMMON_LABELS = frozenset(["www", "com", "org", "net", "info", "shop", "help", "support", "docs"])
_PUBLIC = frozenset(
    [
        *("wikipedia.org", "wikimedia.org", "wikidata.org", "youtube.com", "google.com", "goo.gl"),
        *("bing.com", "github.com", "gitlab.com", "openstreetmap.org", "arxiv.org", "doi.org"),
        *("stackoverflow.com", "apple.com", "microsoft.com", "amazon.com", "linkedin.com"),
        *("reddit.com", "x.com", "twitter.com", "facebook.com", "instagram.com", "python.org"),
        *("mozilla.org", "w3.org", "npmjs.com", "pypi.org", "schema.org", "example.com"),
        *("example.org", "wa.me", "t.me"),
    ]
)
"""Sites whose addresses models know or can put together, and those of examples."""
_PUBLIC_PARTS = frozenset(["gov", "edu", "gouv", "gob", "europa"])


def find_answer_links(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer with a link from nowhere."""
    writer = analysis.once(find_answer_writer)
    if writer is None or "://" not in writer.view.reply.text[:_ANSWER_READ]:
        return
    answer = _CODE_BLOCK.sub(" ", writer.view.reply.text[:_ANSWER_READ])
    links = [link for link in _LINK.finditer(answer) if not _is_public(link[1].casefold())]
    sources = analysis.once(read_answer_sources) if links else None
    if sources is None:
        return
    for link in links[:_MOST_LINKS]:
        if (link[2] or "/") != "/" and not _is_known_host(link[1].casefold(), sources, analysis):
            yield _build_finding(link, sources)
            return


def _build_finding(link: re.Match[str], sources: AnswerSources) -> Finding:
    name = one_line(sources.writer.name, limit=60)
    address = one_line(link[0].rstrip(".,;:!?"), limit=120)
    code = _find_code(link[2].casefold(), sources)
    about = f", for {one_line(code, limit=40)} of the sources" if code else ""
    return build_finding(
        Category.IGNORED_RESULT,
        _NAMES_RESULT if code else _NAMES_NOTHING,
        f"{name} answered with the link {address}, whose host stands in nothing before{about}.",
        [sources.writer, *sources.results[-2:]],
        standing=Standing.FINDING if code else Standing.WEAK,
    )


def _is_public(host: str) -> bool:
    if not _PUBLIC_PARTS.isdisjoint(host.split(".")):
        return True
    return any(host == site or host.endswith(f".{site}") for site in _PUBLIC)


def _is_known_host(host: str, sources: AnswerSources, analysis: TraceAnalysis) -> bool:
    """Whether a host, or a telling part of its name, stands in anything that was recorded before
    the answer: a brand that is spoken of may have a site that a model knows."""
    labels = [each for each in host.split(".")[:-1] if each not in _COMMON_LABELS]
    parts = [host, *(each for each in labels if len(each) >= _SHORTEST_LABEL)]
    texts = [text.replace(" ", "") for text in sources.texts]
    start = sources.writer.start
    before = [node for node in analysis.tree.nodes if node.start <= start]
    texts += [f"{node.name} {node.function_name}".casefold() for node in before]
    others = [node.span.metadata for node in before if node is not sources.writer]
    texts += [str(each).casefold() for each in (*others, analysis.trace.metadata) if each]
    return any(part in text for part in parts for text in texts)


def _find_code(path: str, sources: AnswerSources) -> str:
    """A code in the path of a link that a source has as well."""
    pieces = re.split(r"[/?=&#_.]|(-)", path)
    words = [piece for piece in pieces if piece][: 2 * _MOST_PIECES]
    for first in range(len(words)):
        for last in range(len(words), first, -1):
            code = "".join(words[first:last]).strip("-")
            if len(code) < _SHORTEST_CODE or not any(map(str.isdigit, code)):
                continue
            pattern = re.compile(rf"(?<![\w-]){re.escape(code)}(?![\w-])")
            if any(pattern.search(text) for text in sources.texts):
                return code
    return ""
