"""Which spans look something up, and which of those search for what a question asks."""

from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import has_word, match_names
from app.analysis.recorded.spellings import (
    SEARCH_ANYWHERE,
    SEARCH_STARTS,
    key_set,
    plain_key,
    word_set,
)
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

is_lookup = match_names(
    rf"{SEARCH_STARTS}|fetch|(?:find|read|load)(?:er)?\b|get\b|select\b|scrap[ei]|crawl|download\b"
    "|brows|consult",
    anywhere=f"sql|{SEARCH_ANYWHERE}",
)
"""Whether a span looks something up, by its name."""
is_named_search = match_names(
    rf"{SEARCH_STARTS}|semantic|similar|knowledge|(?:kb|faq|docs?|index)\b",
    anywhere=f"sql|{SEARCH_ANYWHERE}",
)
"""Whether a span searches for something, by its name."""
SEARCH_KEYS = key_set(
    "query queries q search search_query search_term search_terms keywords keyword query_vector"
    " query_embedding query_text query_str vector embedding question search_text search_phrase"
    " terms phrase suchbegriff suchbegriffe suchtext suchworte suchwörter begriffe stichwort"
    " stichworte stichwörter schlagwort schlagworte schlagwörter anfrage frage"
    " consulta pregunta búsqueda término términos palabras palabras_clave requete requête recherche"
    " mots mots_clés mots_cles terme termes domanda ricerca termini parole parole_chiave pergunta"
    " busca termo termos palavras palavras_chave vraag zoekterm zoektermen zoekopdracht trefwoord"
    " trefwoorden fråga sökord söktext sökterm søkeord zapytanie pytanie fraza słowa słowa_kluczowe"
    " hakusana hakusanat dotaz запрос вопрос ключевые_слова arama sorgu 查询 问题 关键词 关键字"
    " 検索語 キーワード クエリ 質問 검색어 키워드 질문"
)
"""Arguments that hold what is looked for, unlike an id or a limit."""
INDEX_KEYS = key_set(
    "k top_k topk n_results num_results index index_name collection min_score score_threshold"
    " similarity_threshold namespace corpus vector_store knowledge_base filter filters where"
    " indice índice indeks индекс 索引 インデックス 색인 colección colecao coleção collezione"
    " sammlung kollektion verzameling samling kolekcja コレクション filtro filtros filtri filtre"
    " filtres filtrer filtr фильтр 过滤 フィルター 필터 anzahl treffer limite"
)
"""Arguments of a search over an index, whatever its name and language."""
_PREPARES = word_set(
    "rewrite rewriter expand embed build generate parse classify translate format plan reformulate"
    " condense analyse analyze validate route prepare normalise normalize log save write optimise"
    " optimize decompose split rephrase transform refine clean detect embedding extract"
)
"""Words in names of steps that make a query or look at one: none of them searches."""
_names_memory = match_names(
    r"cach|memor(?!and|ial)|mémoire|remember|recall (?:user|past|earlier|facts|conversation)|mem0"
    r"|recuerdo|ricord|souvenir|chat ?histor|conversation ?histor|past ?conversation"
    r"|(?:user|saved|known) ?(?:preference|profile|fact)s?\b",
    anywhere="gedächtnis|erinnerung|geheugen|herinnering|pamięć|pamiec|память|воспоминан"
    "|记忆|記憶|メモリ|기억|메모리|ذاكرة",
)
"""Stores of what was kept of earlier runs: empty at first, in several languages."""
_STORE_KEYS = key_set(
    "index index_name collection collection_name namespace corpus vector_store knowledge_base store"
    " scope table memory_type"
)
_HISTORY_KEYS = key_set(
    "messages chat_history conversation_history history message_history chat_messages turns"
)
_SURELY_INDEX = 2  # keys of a search over an index, beside which the vector is seldom recorded
_FEWEST_WORDS = 2  # of a text that describes what is looked for
_TEXT_READ = 200  # characters of such a text


def makes_query(name: str) -> bool:
    """Whether a step makes a query or another text, or looks at one, rather than searches."""
    return has_word(name, _PREPARES)


def leaves_program(node: Node) -> bool:
    """Whether a span calls something outside of the program or looks something up."""
    return node.view.calls_outside or is_lookup(node.function_name)


def is_tool_call(node: Node) -> bool:
    """Whether a span is a call of a tool or a lookup, and none of a model or a guardrail."""
    kinds = (SpanKind.GUARDRAIL, SpanKind.EMBEDDING)
    view = node.view
    return not view.is_model_call and view.kind not in kinds and leaves_program(node)


def list_tool_calls(analysis: TraceAnalysis) -> list[Node]:
    """These spans, in the order of the tree; for `once`."""
    return [node for node in analysis.tree.nodes if is_tool_call(node)]


def is_search(node: Node) -> bool:
    """Whether a span searches for something that its input describes by a text or a vector.

    A list of a user's notes, a file or a configuration is a lookup but no search: it is often
    rightly empty, and what follows seldom rests on it.
    """
    view = node.view
    if view.is_model_call or view.kind in (SpanKind.EMBEDDING, SpanKind.GUARDRAIL):
        return False
    if view.input.state is not BodyState.PRESENT or makes_query(node.function_name):
        return False
    keys = view.input.keys
    of_index = len(keys & INDEX_KEYS)
    if of_index >= _SURELY_INDEX or (of_index and _describes_something(node, keys)):
        return True
    if view.kind is not SpanKind.RETRIEVAL and not is_named_search(node.function_name):
        return False
    stated = view.kind is SpanKind.RETRIEVAL and node.span.type != "tool"
    return stated or isinstance(view.input.opened, str) or not keys.isdisjoint(SEARCH_KEYS)


def searches_memory(node: Node) -> bool:
    """Whether a span looks into what was kept of earlier conversations, by its own name, the name
    of its step or the store that its input names."""
    above = node.parent.name if node.parent else ""
    if _names_memory(node.function_name) or _names_memory(above):
        return True
    if any(_returns_history(each) for each in (node, node.parent) if each is not None):
        return True
    given = node.view.input
    return not given.keys.isdisjoint(_STORE_KEYS) and any(
        isinstance(leaf.value, str) and _names_memory(leaf.value)
        for leaf in given.first_leaves
        if leaf.key in _STORE_KEYS
    )


def _returns_history(node: Node) -> bool:
    """Whether all that a result has room for are the messages of a conversation."""
    result = node.view.output.result.opened
    return (
        isinstance(result, dict)
        and bool(result)
        and _HISTORY_KEYS.issuperset(map(plain_key, list(result)[: len(_HISTORY_KEYS) + 1]))
    )


def _describes_something(node: Node, keys: frozenset[str]) -> bool:
    """Whether the input has a key for a query, or a text of several words."""
    return not keys.isdisjoint(SEARCH_KEYS) or any(
        isinstance(leaf.value, str) and len(leaf.value[:_TEXT_READ].split()) >= _FEWEST_WORDS
        for leaf in node.view.input.leaves
    )
