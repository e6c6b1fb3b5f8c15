"""Values by the keys under which a body has them, as a program carries them from step to step."""

from collections.abc import Iterator, Set

from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, Path
from app.analysis.recorded.names import match_names
from app.analysis.recorded.spellings import kept_by_keys, key_set, plain_key

IDENTIFYING_ENDS = ("id", "uuid", "number", "email", "sku", "iban", "account", "tenant")
_WORDS_LIKE_IDS = ("paid", "valid", "void", "grid", "hybrid", "solid", "fluid", "rapid", "said")
"""Ends of keys that hold no id, though they end like one: keys are compared without `_`."""
_IDENTIFYING_KEYS = key_set(
    "customer user tenant account workspace organisation organization org project store shop region"
    " country currency locale language timezone patient contract order booking passenger"
    " kunde kunden_nr mandant konto vertrag bestellung auftrag client compte contrat commande"
    " cliente paciente cuenta contrato pedido utente conto contratto ordine conta encomenda klant"
)
"""Keys of values that a program carries along unchanged, unlike texts and counts."""
_TECHNICAL_KEYS = key_set(
    "id tool_call_id call_id parent_id run_id request_id trace_id span_id message_id response_id"
    " previous_response_id parent_run_id correlation_id event_id page_number line_number valid paid"
    " grid chunk_id next_id previous_id last_id lc_id parent_span_id project_id version_id invalid"
    " prior_id job_id task_id step_id document_id doc_id file_id is_valid void said bid"
)
_MESSAGE_KEYS = key_set(
    "messages generations kwargs additional_kwargs response_metadata choices tool_calls tools"
    " content"
)
"""Envelopes of messages, whose ids are null as a rule."""
PASSING_KEYS = key_set(
    "error errors error_message last_error exception warning failure reason message note comment"
    " fehler errore erreur erro fejl fel błąd hata chyba aviso avviso hinweis nota"
    " next next_step next_page next_action next_agent cursor next_cursor token continuation"
    " current current_step pending pending_action active route decision action draft feedback"
    " answer result output response content text reply summary tool tool_call tool_result"
    " finish_reason stop_reason parent lock locked_by assignee assigned_to expires_at ended_at"
    " finished_at completed_at end_time deleted_at reasoning thought refusal usage debug cached"
    " retry_after previous last score rank status state progress"
)
"""Keys of what comes and goes while a program runs."""
_SHORTEST_KEY = 2
_LEAVES_READ = 400  # of one body: arguments and states stand near its top
_LEVELS_READ = 5  # of a body
_LONGEST_VALUE = 200  # characters: longer texts identify nothing
removes_values = match_names(
    r"mask|redact|anonym|pseudonym|scrub|saniti|log ?out|clear(?:s|ed|ing)?\b|reset|delet|remov"
    r"|^releas(?:e|es|ed|ing)\b|clos(?:e|es|ed|ing)\b"
)
"""Whether a step of this name takes values away on purpose."""


class NamedValues:
    """The values of a body under each key but technical ones, outside the envelopes of messages;
    read when they are first asked for, which for most bodies is never."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._found: tuple[dict[str, dict[str, None]], set[str]] | None = None

    @property
    def full(self) -> dict[str, dict[str, None]]:
        """The values under each key."""
        return self._read()[0]

    @property
    def empty(self) -> set[str]:
        """The keys that are empty everywhere."""
        return self._read()[1]

    @property
    def may_have_empty(self) -> bool:
        return self._body.may_have_empty

    @property
    def identifying(self) -> frozenset[str]:
        """The keys by which it may identify something."""
        if self._body.opened_survey.is_whole:
            return _keep_identifying(self._body.keys)
        return frozenset(filter(identifies, self.full.keys() | self.empty))

    def may_have(self, keys: Set[str]) -> bool:
        """Whether there may be one of the keys; False is certain."""
        return self._body.may_have_key(keys)

    def may_share_key(self, other: "NamedValues") -> bool:
        """Whether there may be a key that both have; False is certain."""
        if not (self._body.opened_survey.is_whole and other._body.opened_survey.is_whole):
            return True
        return not (self._body.keys & other._body.keys) <= _TECHNICAL_KEYS

    def only(self, key: str) -> str:
        """The value of a key where it has one, else an empty text."""
        values = self.full.get(key, ())
        return next(iter(values)) if len(values) == 1 else ""

    def spell(self, key: str) -> str:
        """How the body spells a key."""
        return next(str(path[-1]) for path, name, _ in self._leaves() if name == key)

    def _read(self) -> tuple[dict[str, dict[str, None]], set[str]]:
        if self._found is None:
            full: dict[str, dict[str, None]] = {}
            empty: set[str] = set()
            for _, key, value in self._leaves():
                text = _as_text(value)
                if text:
                    full.setdefault(key, {}).setdefault(text)
                elif value is None or value == "":
                    empty.add(key)
            self._found = full, empty - full.keys()
        return self._found

    def _leaves(self) -> Iterator[Leaf]:
        has_messages = not self._body.keys.isdisjoint(_MESSAGE_KEYS)
        for leaf in self._body.list_leaves(_LEAVES_READ):
            path, key, _ = leaf
            if len(key) < _SHORTEST_KEY or key in _TECHNICAL_KEYS or len(path) > _LEVELS_READ:
                continue
            if not (has_messages and _is_within_message(path)):
                yield leaf


@kept_by_keys
def _keep_identifying(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(key for key in keys if len(key) >= _SHORTEST_KEY and names_subject(key))


def _is_within_message(path: Path) -> bool:
    if path[0] == "kwargs":
        path = path[1:]  # of a function, unlike those of a message that LangChain serialised
    return any(isinstance(part, str) and plain_key(part) in _MESSAGE_KEYS for part in path)


def names_subject(key: str) -> bool:
    """Whether a key holds what a request is about, rather than an id of the machinery."""
    return key not in _TECHNICAL_KEYS and identifies(key)


def identifies(key: str) -> bool:
    """Whether a program carries the value of such a key along unchanged."""
    if key in _IDENTIFYING_KEYS:
        return True
    return key.endswith(IDENTIFYING_ENDS) and not key.endswith(_WORDS_LIKE_IDS)


def _as_text(value: object) -> str:
    if type(value) is int:
        text = str(value)
    elif isinstance(value, str):
        text = value.strip()
    else:
        return ""
    return text if len(text) <= _LONGEST_VALUE else ""
