"""Failures that a program reports and does without, in the words of their message."""

import re

_TOLERATED = re.compile(
    r"\boptional\b|non-?critical|best[ -]effort|continu(?:ing|ed)\b|proceeding\b|skipp(?:ed|ing)\b"
    r"|[,;.:(–-]\s?(?:re)?trying\b|\bfall(?:ing|s)? back\b|\bswitching to\b|\bignored\b"
    r"|not (?:needed|required)|\bfakultativ|übersprungen|wird fortgesetzt|nicht (?:zwingend|nötig)"
    r"|\bweiche aus\b|facultati[fv]|facoltativ|ignorée?\b|on continue|opcional|omitid[oa]"
    r"|se continúa|reintentando|opzionale|ignorat[oa]|si prosegue|riprovo|prossegue|optioneel"
    r"|overgeslagen|opcjonaln|pominięt|необязательн|пропущен|valgfri|valfri|volitelné|任意|続行"
    r"|省略可|スキップ|可选|跳过|继续|선택 항목|계속 진행|건너뜀",
    re.IGNORECASE,
)
"""Words with which a program says of a failure that it does without the result or tries anew."""
_READ = 200  # characters of a report: it says so itself, in a short sentence


def says_tolerated(message: str) -> bool:
    """Whether the message of a failure says that the program goes on, in several languages."""
    return _TOLERATED.search(message[:_READ]) is not None
