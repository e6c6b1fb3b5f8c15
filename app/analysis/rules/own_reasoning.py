"""Verdicts of a reply against its own reasoning: it finds an amount above the limit, and answers
that the application is eligible."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls

_CONFIDENCE = 0.75  # the words are plain, but a limit may have an exception
_TEXT_READ = 3_000  # characters of a reply with its reasoning
_AROUND = 40  # characters before a statement in which it is denied
_FEWEST_NUMBERS = 2  # what is compared, and its limit

_VERDICT = re.compile(
    r"""(?<![^\W_])(?:is_|foi_|está_)?(eligible|eligibility|approved?|approval|accept(?:ed|able)?
      |allowed|permitted|valid|compliant|within_limits?|in_budget|covered|qualif(?:ied|ies)|granted
      |eleg[ií]vel|aprovad[oa]|aceite|permitid[oa]|válid[oa]|elegible|aprobad[oa]|aceptad[oa]
      |éligible|approuvée?|acceptée?|autorisée?|valide|conforme|ammissibile|approvat[oa]|ammess[oa]
      |förderfähig|zulässig|genehmigt|bewilligt|erlaubt|gültig|anspruchsberechtigt|goedgekeurd
      |toegestaan|geldig|kwalifikuje|dopuszczalny|zatwierdzon[yo]|godkjent|godkänd|godkendt
      |berettiget
      |符合条件|合格|批准|通过|適格|承認|可否|적격|승인)
      ["'”\]#*_\s]{0,8}[:=\n]\s{0,4}["'“*_]{0,3}
      (true|yes|y|ok|sim|sí|si|oui|ja|tak|wahr|vrai|verdadeiro|approved|eligible|accepted|granted
      |是|はい|可|예|네)(?![\w-])""",
    re.IGNORECASE | re.VERBOSE,
)
_VERDICT_STEMS = (
    "elig", "eleg", "élig", "approv", "accept", "allow", "permit", "valid", "válid", "complian",
    "within_limit", "in_budget", "cover", "qualif", "grant", "aprov", "aceit", "aprob", "acept",
    "autoris", "conform", "ammiss", "ammess", "förder", "zuläss", "genehm", "bewillig", "erlaub",
    "gültig", "anspruch", "goedgek", "toegest", "geldig", "kwalif", "dopuszcz", "zatwierdz",
    "godk", "berettig", "符合", "合格", "批准", "通过", "適格", "承認", "可否", "적격", "승인",
)  # fmt: skip
"""One of these stands in each verdict: looking for them is far quicker than the pattern."""
_BREAKS_LIMIT = re.compile(
    r"""\b(?:exceed(?:s|ed|ing)?|(?:is|are|lies|at)\s(?:\S+\s){0,3}?(?:above|over|beyond
      |higher\sthan|more\sthan)
      \s(?:\S+\s){0,2}?(?:limit|maximum|cap|ceiling|threshold|budget)
    | (?:below|under|less\sthan|short\sof)\s(?:\S+\s){0,2}?(?:minimum|required)
    | excede|ultrapassa|supera|acima\sdo\s(?:limite|máximo)|abaixo\sdo\smínimo
    | rebasa|sobrepasa|por\s(?:encima|debajo)\sdel\s(?:límite|máximo|mínimo)
    | dépasse|excède|au-dessus\s(?:du|de\sla)\s(?:plafond|limite|maximum)|inférieure?\sau\sminimum
    | eccede|oltre\sil\s(?:limite|massimo)|sotto\sil\sminimo
    | überschreitet|übersteigt|liegt\s(?:\S+\s){0,3}?über\s(?:der|dem)|unterschreitet
    | overschrijdt|ligt\s(?:\S+\s)?boven|przekracza|powyżej\slimitu|poniżej\sminimum
    | överstiger|overstiger|overskrider|översk\w+|превышает|překračuje)\b
    | 超过|超出|超過|超えて|超える|上回|초과""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED = re.compile(
    r"\b(?:not|n['’]t|never|no|nor|without|if|não|sem|nem|se|no|sin|si|ne|pas|sans|non|senza|nicht"
    r"|kein\w*|ohne|wenn|falls|niet|geen|als|nie|bez|jeśli|inte|ikke|om|hvis|не|если|ne[a-zě]*)\b"
    r"|不|未|没|ない|ません|않",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d[\d.,\u00a0\u202f ]*")


def find_own_contradictions(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the first model call whose verdict is against its reasoning."""
    for node in analysis.once(list_model_calls):
        reply = node.view.reply
        text = f"{reply.reasoning[-_TEXT_READ:]}\n{reply.text[:_TEXT_READ]}"
        low = text.casefold()
        judges = any(map(low.__contains__, _VERDICT_STEMS))
        verdict = _VERDICT.search(text) if judges else None
        if verdict is None:
            continue
        broken = _find_broken_limit(text[: verdict.start()] + text[verdict.end() :])
        if broken:
            sentence = (
                f"{one_line(node.name, limit=60)} reasoned “{one_line(broken, limit=120)}” and"
                f" answered {one_line(verdict[1], limit=40)}: {verdict[2]}."
            )
            yield build_finding(Category.IGNORED_RESULT, _CONFIDENCE, sentence, [node])
            return


def _find_broken_limit(text: str) -> str:
    """The words in which a text says that an amount breaks a limit; both as numbers stand in it."""
    for match in _BREAKS_LIMIT.finditer(text):
        before = text[max(0, match.start() - _AROUND) : match.start()]
        sentence = re.split(r"[.;\n]\s", before)[-1]
        if _DENIED.search(sentence) or _DENIED.match(text[match.end() : match.end() + 6].strip()):
            continue
        around = text[max(0, match.start() - 4 * _AROUND) : match.end() + 2 * _AROUND]
        if len(_NUMBER.findall(around)) >= _FEWEST_NUMBERS:
            return text[max(0, match.start() - _AROUND) : match.end() + _AROUND].strip()
    return ""
