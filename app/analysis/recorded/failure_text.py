"""Texts that report a failure, in the words of programs, frameworks and several languages."""

import re

_LONGEST_ERROR = 1_500  # characters: a longer text that begins like an error is about errors
_START_READ = 300  # characters in which a report of failure begins
_ANYWHERE_READ = 20_000  # characters, first and last halves, searched for a failed run of code
_QUOTED = 300  # characters of a failure kept from inside a long text

_AT_START = re.compile(
    r"""\W{0,8}(?:
      (?:\w{1,40}\.){0,6}\w{0,60}(?:Error|Exception|Timeout|Fault)\b\s?[:(]
    | (?:an?\s|the\s|fatal\s|internal\s|unexpected\s|unknown\s|api\s|http\s|tool\s|server\s){0,3}
      (?:error|exception)\b\s?(?:[:\-!\]]|occurred|\d{3}|while|when|calling|processing|executing
      |running|fetching|code\b|in\b|from\b)
    | traceback\s\(most\srecent | panic:\s | fatal:\s | uncaught\s
    | internal\sserver\serror | bad\sgateway | gateway\stime-?out
    | service\s(?:is\s)?(?:temporarily\s|currently\s)?unavailable
    | (?:http(?:/\d\.\d)?\s|status\s|code\s)?[45]\d\d\s(?:client\s|server\s)?
      (?:too\smany|internal|bad\s|service|gateway|unauth|forbid|not\sfound|error|payment|conflict)
    | (?:the\s)?(?:request|connection|operation|call|tool|query|task|command|execution|upload
      |download|job)\s(?:\w{1,20}\s){0,3}(?:failed|timed\sout|was\srefused|was\sreset|refused)
    | (?:failed|failure|unable)\sto\s(?:\w{1,20}\s){0,2}(?:connect|reach|process|complete|retrieve
      |fetch|load|parse|execute|generate|call|get|query|read|open|write|send|run|save|create|update
      |resolve|authenticate)
    | (?:could\snot|couldn'?t|cannot)\s(?:connect|reach|resolve|open|read|parse|load|execute)\b
    | rate\slimit\b | too\smany\srequests | quota\s(?:was\s|has\sbeen\s)?exceeded
    | (?:connection\s|request\s|read\s)?time(?:d\s|-)?\s?out\b | permission\sdenied | access\sdenied
    | (?:oops|sorry|i'?m\ssorry|i\sapologi[sz]e|apologies|unfortunately|it\sseems)\b.{0,60}?
      \b(?:error|went\swrong|timed\sout|failed|failure|exception|technical\s(?:issue|diffic|prob))
    | (?:something|it)\swent\swrong
    | (?:i|we)\s(?:encountered|ran\sinto|hit|got|experienced)\s(?:an?|some)\s(?:\w{1,20}\s)?
      (?:error|problem|issue|exception|failure|technical)
    | you\stried\sto\suse\sthe\stool\s.{1,80}?(?:doesn'?t|does\snot)\sexist
    | \S{1,80}\sis\snot\sa\svalid\stool\b
    | (?:tool|function)\s\S{1,80}\s(?:not\sfound|does\snot\sexist|is\snot\savailable)
    | (?:no|unknown)\s(?:such\s)?(?:tool|function)\s(?:named|called|found|:|\S{1,80}\s?$)
    | invalid\s(?:api\skey|credentials|token\b|arguments?\b|parameters?\b|input\b|json)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""English, of programs and of the frameworks CrewAI, LangChain and AutoGen."""

_OTHER_LANGUAGES = re.compile(
    r"""\W{0,8}(?:(?:\w{1,20}\s){0,2}
    (?: fehler\s?(?::|beim\b|aufgetreten) | fehlgeschlagen | zeitüberschreitung | (?:es\s)?ist\sein
      \sfehler | verbindung\s(?:abgelehnt|fehlgeschlagen) | nicht\serreichbar
    | error\s(?:al|de|en|del|interno)\b | (?:se\sprodujo|ha\socurrido|ocurrió)\sun\serror
    | no\sse\spudo | tiempo\sde\sespera\sagotado | fall[oó]\s?(?::|al\b|en\b)
    | erreur\b | échec\b | une\serreur | (?:délai|temps)\s(?:d'attente\s)?dépassé
    | service\sindisponible | impossible\sde\s(?:se\sconnecter|joindre|charger|lire|traiter)
    | erro\s?(?::|ao\b|na\b|no\b|interno) | ocorreu\sum\serro | falha\s(?:ao|na|no|de)\b
    | não\sfoi\spossível | tempo\s(?:limite\s)?(?:de\s\w+\s)?esgotado
    | errore\b\s?(?::|di\b|durante|interno) | si\sè\sverificato\sun\serrore
    | fout\s?(?::|bij\b|opgetreden) | mislukt\b | fel\s?: | misslyckades
    | błąd\b | nie\sudało\ssię | ошибка\b | не\sудалось | произошла\sошибка | сбой\b
    | hata\s?(?::|oluştu) | başarısız
    ))
    | \W{0,8}\S{0,12}?(?:错误[:：]|发生错误|出错|出现错误|请求失败|调用失败|执行失败|失败[:：]
    |连接超时|请求超时|超时[:：]|无法连接|服务不可用|服务暂时不可用|系统繁忙|錯誤[:：]|發生錯誤|請求失敗|逾時
    |エラー[:：]|エラーが発生|失敗しました|タイムアウト|接続できません|サービスを利用できません
    |오류[:：]|오류가|실패했|에러|시간\s?초과
    |त्रुटि|विफल|خطأ|فشل|تعذر|انتهت\sالمهلة)""",
    re.IGNORECASE | re.VERBOSE,
)

_RUN_FAILED = (
    "traceback (most recent call last)",
    "exitcode: 1",
    "exitcode: 2",
    "exit code 1",
    "exit code: 1",
    "exit status 1",
    "execution failed",
    "non-zero exit",
    "command failed with",
    "segmentation fault",
    "compilation failed",
    "syntaxerror: ",
    "modulenotfounderror: ",
)
"""Said by runners of code anywhere in what they print; compared in lower case."""

_ROBOT_CHECK = (
    "verify you are human",
    "verify you are a human",
    "are you a robot",
    "enable javascript and cookies to continue",
    "checking your browser",
    "attention required! | cloudflare",
    "access to this page has been denied",
    "unusual traffic from your computer",
    "captcha",
)
"""Pages that a site shows to programs in place of the content."""
_PAGE_READ = 3_000  # characters: such pages say so at their beginning and hold little else


def find_failure_text(text: str) -> str:
    """The part of a text that reports a failure; empty where it reports none.

    A text counts where it begins as a report and is short, where a runner of code says inside it
    that the run failed (not in a fenced block), or where it is a page for robots.
    """
    start = text[:_START_READ]
    if len(text) <= _LONGEST_ERROR and (_AT_START.match(start) or _OTHER_LANGUAGES.match(start)):
        return text
    return find_failed_run(text) or _robot_page(text)


def find_failed_run(text: str) -> str:
    """The words with which a runner of code says, anywhere outside fenced blocks, that the run
    failed; empty where it does not."""
    half = _ANYWHERE_READ // 2
    part = text if len(text) <= _ANYWHERE_READ else f"{text[:half]}\n{text[-half:]}"
    low = part.lower()
    places = [place for word in _RUN_FAILED if (place := low.find(word)) >= 0]
    for place in sorted(places):
        if low.count("```", 0, place) % 2 == 0:
            return part[place : place + _QUOTED]
    return ""


def _robot_page(text: str) -> str:
    low = text[:_PAGE_READ].lower()
    found = next((word for word in _ROBOT_CHECK if word in low), "")
    if not found or len(text) > _ANYWHERE_READ:
        return ""
    place = low.find(found)
    return text[max(0, place - 60) : place + _QUOTED]
