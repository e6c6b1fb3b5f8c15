"""What messages of errors are about, by their words."""

import re

DATA_ERROR = re.compile(
    r"NoneType|KeyError|IndexError|out of range|not found|missing|empty|no (?:\w{1,20} )?"
    r"(?:results?|documents?|data|rows?|match|context|content|candidates?|items?)|StopIteration"
    r"|division by zero|required|no attribute|null|undefined"
    r"|subscript|not iterable|at least|nothing|without |needs?\b|needed|must (?:not )?(?:be|have)"
    r"|zero-size|NoSuchElement|no value present|no elements|contains no|not enough|too few"
    r"|insufficient|\bno \w{1,20} (?:to|for|in|left|given|provided|selected|loaded|were|was)\b"
    r"|out of (?:bounds|the bounds)|au(?:ß|ss)erhalb|fuera de rango|hors limites"
    r"|\bleere?[nrsm]?\b|\bvides?\b|\bvac[ií][oa]",
    re.IGNORECASE,
)
FORMAT_ERROR = re.compile(
    r"JSON|Expecting|Unterminated|pars(?:e|er|ing)|Validation|decode|unexpected (?:token|end|char)"
    r"|invalid (?:format|literal|syntax)|SyntaxError|delimiter|schema|malformed",
    re.IGNORECASE,
)
OUTSIDE_ERROR = re.compile(
    r"time.?out|timed out|connection|refused|unreachable|certificate|\bSSL|\bDNS\b"
    r"|quota(?!ti)|rate.?limit|permission|denied|unauthori|forbidden|read-only|disk"
    r"|out of memory|unavailable|overloaded|guardrail|blocked"
    r"|\b(?:http|status|code|error)\W{0,3}(?:40[13]|429|50\d)\b|\b50[0234] [a-z]",
    re.IGNORECASE,
)
"""Errors of the world outside: what was returned before does not explain them."""
ARGUMENT_ERROR = re.compile(
    r"(?:missing|unexpected|invalid|required)\W{1,3}(?:\w{1,20}\W{1,3}){0,3}?"
    r"(?:argument|parameter|field|property|keyword|input)|field required|validation error"
    r"|(?:argument|parameter|field)s?\W.{0,60}?(?:missing|required|invalid|must be)"
    r"|expected \w{1,20}(?:,| but) received \w{1,20}"
    r"|\w/\w{1,60} must be (?:a |an )?(?:string|number|integer|boolean|array|object)\b",
    re.IGNORECASE,
)
ABOUT_EMPTINESS = re.compile(
    r"\bempty|zero-size|division by zero|no elements|at least one|NoSuchElement|no value present",
    re.IGNORECASE,
)
ABOUT_NULL = re.compile(r"NoneType|\bnull\b|undefined|\bNone\b")
NOTHING_TO_PARSE = re.compile(r"char 0\b|line 1 column 1\b|unexpected end|empty", re.IGNORECASE)
REFUSED_ERROR = re.compile(
    r"forbidden|denied|unauthori[sz]ed|not (?:authori[sz]ed|permitted|allowed|available|found)"
    r"|\b40[134]\b|non trovat|nicht gefunden|no encontrad|não encontrad|introuvable|niet gevonden"
    r"|hittades inte|ikke fundet|ikke funnet|nie znalezion|не найден"
    "|見つかりません|未找到|찾을 수 없",
    re.IGNORECASE,
)
"""What a caller may not have, or what is not there, in several languages."""
LIMIT_ERROR = re.compile(
    r"(?:iteration|recursion|step|turn|round)s?.{0,20}(?:limit|exceed|reached)"
    r"|max\w{0,6}.(?:number of )?(?:iteration|recursion|step|turn|round|run|retr(?:y|ie)|attempt)"
    r"|retries.{0,12}(?:exceed|exhaust)",
    re.IGNORECASE,
)
"""Limits that stop what goes round: that is what the cause lies in."""
OVERFLOW_ERROR = re.compile(
    r"context_length_exceeded|context (?:length|window)|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|token count.{0,40}exceeds|maximum (?:prompt|input) length",
    re.IGNORECASE,
)
"""Requests that are longer than a model can read."""
FAILURE_WORDS = re.compile(
    r"\bfail(?:s|ed|ing|ure)?\b|\berrors?\b|\bcrash|\bbroke|fehlgeschlagen|fehler|\bscheiter"
    r"|\béchou|\berreur|\bfall[óaoe]|\berror|\bfalh|\berro\b|\bfallit|\berrore|mislukt|\bfout"
    r"|błąd|ошибк|エラー|失敗|失败|错误|오류|실패",
    re.IGNORECASE,
)
"""Words of questions about failures, in several languages."""
