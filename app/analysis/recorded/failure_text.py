"""Texts that report a failure, in the words of programs, frameworks and several languages.

Patterns are tried at the beginning of a text or searched in a bounded part of it, and words inside
a text are searched as plain strings: a text may have any length.
"""

import re

from app.analysis.recorded.denial_text import says_denied
from app.analysis.recorded.service_texts import says_undone
from app.analysis.recorded.tool_reports import says_tool_failed

_LONGEST_REPORT = 1_500  # characters: a longer text that begins like an error is about errors
_LONGEST_SENTENCE = 400  # characters: a sentence that reports a failure is short
_LONGEST_LINE = 300  # characters: what a shell or a socket says
_START_READ = 300  # characters in which a report of failure begins
_END_READ = 500  # characters at the end, in which a runner says how a run ended
_LINES_READ = 20_000  # characters, at the end, searched for a traceback
_QUOTED = 300  # characters of a failure kept from inside a long text
_ADDRESS = 400  # characters in which a page says that it is not the one that was wanted

# Python, Java, JavaScript, .NET: `KeyError: 'x'`, `java.net.ConnectException: …`. The capital
# letter keeps `Default: 5` apart.
_CLASS_NAME = r"(?:[A-Za-z_]\w{0,40}\.){0,6}(?:[A-Z]\w{0,50})?(?:Error|Exception|Fault)"
# Classes with other endings (`requests.exceptions.ReadTimeout: …`) have two capital letters.
_OTHER_CLASS = (
    r"(?:[A-Za-z_]\w{0,40}\.){0,6}(?:[A-Z][a-z]{1,30}){1,5}"
    r"(?:Timeout|Refused|Aborted|Failed|Failure|Denied|Exceeded|Exhausted|Unavailable|NotExist"
    r"|NotFound|Expired|Rejected|Interrupt)"
)
_REPORT = re.compile(
    rf"""(?!```)\W{{0,8}}(?:
      (?:(?:Uncaught|Unhandled|Caused\sby:?|Exception\sin\sthread\s\S{{1,60}})\s)?
      {_CLASS_NAME}(?:\s?[:(]|\W{{0,3}}\Z)
    | {_OTHER_CLASS}:\s
    | (?i:
      (?:(?:an?|the|fatal|internal|unexpected|unknown|api|http|tool|server|execution|runtime)\s)
        {{0,3}}(?:error|exception)\b\s?
        (?:[:!\]]|(?:occurred|while|when|calling|invoking|processing|executing|running|fetching)\b
        |\(?[45]\d\d\b|code\W{{1,3}}\d)
    | traceback\s\(most\srecent | panic:\s | fatal:\s | uncaught\s(?:exception|error)\b
    | (?:http(?:/\d\.\d)?\s|status\s(?:code\s)?|error\s)?(?:code\s)?[45]\d\d\W{{1,3}}(?:
        too\smany\srequests | internal\sserver\serror | bad\s(?:gateway|request)
        | service\s(?:temporarily\s)?unavailable | gateway\stime-?out | unauthorized | forbidden
        | not\sfound | conflict | payment\srequired | (?:client\s|server\s)?error)\b
    | upstream\s(?:connect\serror|request\stime-?out) | dial\stcp\b | no\shealthy\supstream\b
    | mcp\serror\s-?\d
    | agent\sstopped\sdue\sto\s(?:an?\s)?(?:iteration|time|max)
    | (?:no|unknown)\s(?:such\s)?(?:tool|function)\s(?:name[sd]?|called|found|:)
    | \S{{1,80}}\sis\snot\sa\svalid\stool\b
    | action\s\S{{1,80}}\sdo(?:es)?(?:n'?t|\snot)\sexist
    | you\stried\sto\suse\sthe\stool\s.{{1,80}}?(?:doesn'?t|does\snot)\sexist
    | (?:tool|function)\s\S{{1,80}}\s(?:not\sfound|does\snot\sexist|is\snot\savailable)\b
    ))""",
    re.VERBOSE | re.DOTALL,
)
"""Of programs, HTTP, MCP, and the frameworks CrewAI, LangChain, AutoGen and Pydantic AI."""

_SENTENCE = re.compile(
    r"""(?!```)\W{0,8}(?:(?:warning|alert|system)\W{1,3})?(?:
      internal\sserver\serror | bad\sgateway\b | gateway\stime-?out
    | (?:the\s)?service\s(?:is\s)?(?:temporarily\s|currently\s)?unavailable
    | (?:the\s)?(?:request|connection|operation|call|tool|query|task|command|execution|upload
      |download|job|session|sandbox|(?:tool|code|query)\s(?:execution|call))\s(?:(?:was|has|have|had|is|(?:to|for|with|from|by)\s\S{1,60})\s){0,2}
      (?:failed(?!\sto\s(?!connect|load|fetch|read|run|start))|timed\sout|refused|reset|aborted|crashed
        |lost|closed\sunexpectedly)\b
    | (?:(?:i|we|it)\s)?(?:failed|failure|(?:(?:am|was|were)\s)?unable)\sto\s(?:\w{1,20}\s){0,1}
      (?:connect|reach|process|complete|retrieve|fetch|load|parse|execute|generate|call|get|query
      |read|open|write|send|run|save|create|update|resolve|authenticate)\b
    | (?:could\snot|couldn'?t|cannot)\s(?:connect|reach|resolve|open|read|parse|load|execute)\b
    | (?:(?:could\snot|couldn'?t|cannot|can'?t|unable\sto|not\sable\sto)\s\w{1,20}\s[^.\n]{0,60}?
      \b(?:at\s(?:this|the)\s(?:time|moment)|right\snow) | unable\sto\saccess\b)
    | rate\slimit(?:ed|\s(?:was\s|is\s|has\sbeen\s)?(?:exceeded|reached|hit|error)) \b
    | you(?:'ve|\shave)?\sexceeded\syour\s(?:current\s)?(?:quota|rate\slimit|usage)
    | too\smany\srequests\b | (?:\w{1,20}\s)?quota\s(?:was\s|has\sbeen\s)?exceeded
    | (?:(?:connection|request|read|operation)\s)?(?:timed\sout | time-?out
      (?=\W{0,3}\Z|\W{0,2}\s?(?:error|after|while|waiting|exceeded|expired|of)\b)) \b
    | (?:permission|access)\sdenied (?=\W{0,3}\Z|\W{0,2}\s?(?:to|for|by|on|you|the|when)\b|[:.,;]\s)
    | (?:(?:oops|sorry|i'?m\s(?:so\s)?sorry|i\sapologi[sz]e|(?:my\s)?apologies|unfortunately
      |it\s(?:seems|looks\slike))\W{1,4}(?:\w{1,12}\s){0,3}?)?
      (?: (?:something|it)\swent\swrong
        | an?\s(?:\w{1,20}\s){0,2}error\s(?:has\s)?(?:occurred|happened)
        | (?:i|we)(?:'ve|\shave)?\s(?:just\s)?(?:encountered|ran\sinto|hit|got|experienced
          |am\s(?:having|experiencing)|are\s(?:having|experiencing))\s(?:an?\s|some\s)?
          (?:\w{1,20}\s)?(?:error|problem|issue|exception|failure|technical|difficult)
        | (?:i'?m|i\sam|we'?re|we\sare)\s(?:currently\s)?(?:having|experiencing)\s(?:some\s)?
          (?:technical|connection)\s(?:difficult|problem|issue)
        | there\s(?:was|has\sbeen|is)\s(?:an?\s|some\s)?(?:\w{1,20}\s)?
          (?:error(?=\W{0,3}\Z|\s(?:while|when|processing|retrieving|accessing|fetching|calling
            |generating|completing|connecting|loading)\b)|technical|problem\s(?:processing|retrieving|accessing|connecting|loading))
        | the\s(?:request|call|tool|query|operation)\s(?:has\s)?(?:failed|timed\sout)
        | (?:failed|unable)\sto\s(?:connect|process|retrieve|fetch|load|complete|reach)
      )
    | invalid\s(?:api\skey|credentials|token|arguments?|parameters?|input|json)
      (?=\W{0,3}\Z|[:.,;!]|\s(?:provided|supplied|for|in|given|format|type|error|was|value)\b)
    | \W{0,8}(?:\w{1,20}\s){0,2}
      (?: fehler(?:\s?:|\sbeim\b|\saufgetreten) | fehlgeschlagen | zeitüberschreitung
      | (?:\w{1,20}\s)?(?:es\s)?ist\s(?:uns\s)?(?:leider\s)?ein\s(?:\w{1,20}\s)?
        (?:fehler|problem)\saufgetreten
      | (?:technischer|interner|unbekannter)\sfehler\b
      | (?:es\s)?ist\sein\sfehler | verbindung\s(?:abgelehnt|fehlgeschlagen) | nicht\serreichbar
      | error(?:\s?:|\s(?:al|del|interno)\b) | (?:se\s(?:ha\s)?produ(?:jo|cido)|ha\socurrido
        |ocurrió|hubo)\sun\s(?:error|problema\stécnico)
      | no\sse\spudo | tiempo\sde\sespera\sagotado | fall[oó](?:\s?:|\sal\b)
      | erreur\s?(?:[:!]|lors\b|interne|du\sserveur|de\sconnexion) | échec\s(?:de|du|lors)\b
      | une\serreur\s(?:(?:technique|interne|inattendue)\s)?(?:est|s'est)
      | (?:délai|temps)\s(?:d'attente\s)?dépassé
      | service\sindisponible | impossible\sde\s(?:se\sconnecter|joindre|charger|lire|traiter)
      | erro(?:\s?:|\s(?:ao|interno)\b) | falha\s(?:ao|na|no)\b
      | (?:desculpe\W{1,4}(?:mas\s)?)?(?:ocorreu|houve)\sum\s(?:erro|problema)
      | não\sfoi\spossível | tempo\s(?:limite\s)?(?:de\s\w+\s)?esgotado
      | errore(?:\s?:|\s(?:durante|interno)) | si\sè\sverificato\sun\s(?:errore|problema)
      | fout(?:\s?:|\s(?:bij|opgetreden)) | mislukt\b | fel\s?: | misslyckades
      | błąd(?:\s?:|\s(?:podczas|połączenia|serwera)) | nie\sudało\ssię
      | ошибка(?:\s?:|\s(?:при|сервера|подключения|соединения)) | не\sудалось | произошла\sошибка
      | сбой\s(?:при|в) | hata(?:\s?:|\soluştu) | başarısız\soldu
      )
    | \W{0,8}\S{0,12}?(?:错误[:：]|发生(?:了)?错误|出错了|出现错误|请求失败|调用失败|执行失败
      |失败[:：]|连接超时|请求超时|超时[:：]|无法连接|服务不可用|服务暂时不可用|系统(?:繁忙|异常|错误)|网络异常
      |錯誤[:：]|發生錯誤|請求失敗|逾時[:：]
      |エラー[:：]|エラーが発生|システムエラー|失敗しました|タイムアウトしました|接続できません|サービスを利用できません
      |오류[:：]|오류가\s발생|실패했습니다|시간\s?초과
      |त्रुटि[:：]|विफल\s(?:रहा|हुआ)|خطأ[:：]|حدث\sخطأ|فشل\s|تعذر\s|انتهت\sالمهلة)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Sentences of services and assistants, in English and other languages."""

_API_MESSAGE = re.compile(
    r"""\W{0,4}(?:
      (?:not|un|missing)\s?(?:authenticated|authori[sz]ed|authentication)\b | forbidden\b
    | (?:\w{1,20}\s){0,2}not\s(?:found|allowed|supported)\W{0,3}\Z
    | (?:\w{1,20}\s)?(?:rate\slimit|limit|quota)\s(?:has\sbeen\s)?exceeded\b
    | (?:the\s)?(?:\w{1,20}\s)?(?:token|session|key|credentials?|signature)\s
      (?:has\s|have\s|is\s|are\s)?(?:been\s)?(?:expired|invalid|revoked|missing)\b
    | (?:invalid|expired|missing|bad)\s(?:\w{1,20}\s)?(?:token|session|key|credentials?|signature
      |grant|request)\b
    | authentication\s(?:credentials|required|failed|is\srequired) | request\swas\sthrottled
    | you\sdo\snot\shave\s(?:permission|access) | not\senough\s(?:privileges|permissions)
    | could\snot\svalidate\scredentials
    | endpoint\srequest\stimed\sout | service\sunavailable | access\sdenied
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""What APIs answer in place of a result, where it is all that they answer."""

_PROGRAM_REPORT = re.compile(
    r"""[\s"]{0,4}(?:
      ORA-\d{5}\b | ERROR\s\d{4}\s\(\w{5}\) | Msg\s\d{1,6},\sLevel\s\d | SQLSTATE\[
    | npm\sERR! | E:\s(?:Unable|Could|Failed|Package) | curl:\s\(\d | ssh:\s(?:connect|Could)
    | (?:<\?xml[^>]{0,100}\?>\s{0,4})?<(?:\w{1,20}:)?(?:Error|ErrorResponse|Fault|Exception)\b
    )""",
    re.VERBOSE,
)
"""What Oracle, MySQL, SQL Server, PDO, npm, apt, curl, ssh and services with XML begin with."""

_ERROR_WORD = re.compile(
    r"\W{0,8}(?:fejl|feil|virhe|chyba|hiba|помилка|грешка|greška|napaka|eroare|viga|klaida"
    r"|kļūda|σφάλμα|lỗi|kesalahan|galat|ralat|ข้อผิดพลาด|שגיאה|خطا)\s?[:：]"
    r"|\W{0,8}(?:error|fehler|erreur|erro|errore|fout|fel|błąd|ошибка|hata|fejl|feil|virhe|chyba"
    r"|hiba|помилка|エラー|错误|錯誤|오류)\s?(?:code|nr\.?|no\.?|n°|#)?\s?[a-z]{0,4}-?\d{1,6}\s?[:：]",
    re.IGNORECASE,
)
"""`Error:` in more languages: Nordic, Slavic, Baltic, Hungarian, Romanian, Greek, Vietnamese,
Indonesian, Malay, Thai, Hebrew and Persian; and `Error 1042:` in these and others."""

_ABOUT_ERRORS = (
    " means ",
    " indicates ",
    " refers to ",
    " occurs when ",
    " is returned when",
    "raised when",
    "thrown when",
    " happens when",
    "how to ",
    "for example",
    " stands for ",
    "explained",
    " bedeutet ",
    " significa ",
    " signifie ",
    "означает",
    "表示",
    "意味",
)
"""Phrases of texts that explain an error, near their beginning."""

_SYSTEM_WORDS = (
    "command not found",
    "no such file or directory",
    "connection refused",
    "connection reset by peer",
    "econnrefused",
    "enotfound",
    "econnreset",
    "etimedout",
    "name or service not known",
    "no route to host",
    "certificate verify failed",
    "failure in name resolution",
    "is not recognized as an internal or external command",
)
"""Phrases of shells and sockets; compared in lower case, in texts of a line."""

_RUN_FAILED = re.compile(
    r"exit(?:ed)?(?:\swith)?\s?(?:code|status)\W{1,3}[1-9]\d{0,2}\b|exitcode\W{1,3}[1-9]\d{0,2}\b"
    r"|execution failed|non-zero exit|command failed with|segmentation fault|compilation failed"
    r"|(?:^|\n)panic: |(?:^|\n)\S{0,20}sh: (?:line \d{1,6}: )?\S{1,80}: (?:command )?not found"
    r"|no tests ran in|no tests? (?:suites? )?found, exiting|no test files found"
)
_RUN_WORDS = ("exit", "failed", "fault", "panic", "sh: ", "no test")
"""One of these stands in each of them."""
_LAST_LINE = re.compile(rf"\s*{_CLASS_NAME}(?:: |\W{{0,3}}\Z)")
_TRACEBACK = "Traceback (most recent call last)"
_FILE = 'File "'
_LEAST_FRAMES = 2  # of a program that runs an agent: its own and that of what it called
_LOG_AFTER = 1_500  # characters of a log behind a traceback: what follows a page's is the page
_STACK_READ = 4_000  # characters at the end in which the frames of a stack lie

_ROBOT_CHECK = (
    "verify you are human",
    "verify you are a human",
    "are you a robot?",
    "you are not a robot",
    "enable javascript and cookies to continue",
    "checking your browser before",
    "attention required! | cloudflare",
    "access to this page has been denied",
    "unusual traffic from your computer",
    "complete the captcha",
    "solve the captcha",
    "target url returned error ",
    "que usted es un ser humano",
    "seguridad de su conexión antes de",
    "dass sie ein mensch sind",
    "sicherheit ihrer verbindung überprüfen",
    "que vous êtes humain",
    "sécurité de votre connexion avant de",
    "se você é humano",
    "que você é humano",
    "segurança da sua conexão antes de",
    "di essere umano",
    "di essere un utente umano",
    "dat u een mens bent",
    "że jesteś człowiekiem",
    "что вы человек",
    "что вы не робот",
    "insan olduğunuzu doğrula",
    "あなたが人間であることを確認",
    "验证您是真人",
    "驗證您是人類",
    "사람인지 확인하십시오",
)
"""Phrases of pages that a site shows to programs in place of the content (those of Cloudflare in
more languages), and with which Jina's reader notes that a site answered with an error."""
_LONGEST_ROBOT_PAGE = 8_000  # characters: such pages hold little else
_ROBOT_PART = 3_000  # characters in which they say so
_WRONG_PAGE = re.compile(
    r"[\s\"]{0,4}(?:(?:<!(?:doctype|--|\[)[^>]{0,100}>"
    r"|</?(?:html|head|meta|link|body|main|center)\b[^>]{0,200}>)\s*){0,12}"
    r"(?:<(?:title|h1)\b[^>]{0,100}>|\#{1,2}\s|title:\s)\s*(?:http\s)?(?:(?:error|status):?\s)?"
    r"(?:(?:[^<>\n|]{1,80}\|\s(?=5\d\d:))?(?:40[0134]|410|429|5\d\d)\b|(?:service\s(?:temporarily\s)?unavailable|bad\sgateway"
    r"|gateway\stime-?out|internal\sserver\serror|application\serror"
    r"|the\srequest(?:ed\surl)?\scould\snot\sbe\s(?:satisfied|retrieved)"
    r"|[^<\n]{0,40}\((?:404|50[0-4])\))\W{0,3}</"
    r"|page\snot\sfound|access\sdenied|just\sa\smoment\.\.\.|whitelabel\serror\spage"
    r"|[^<\n]{0,40}(?:under\smaintenance|scheduled\smaintenance|wartungsarbeiten|en\smaintenance"
    r"|en\smantenimiento|em\smanutenção|in\smanutenzione|in\sonderhoud|w\strakcie\skonserwacji"
    r"|メンテナンス中|维护中|점검\s?중))",
    re.IGNORECASE,
)
"""The title or first heading of error pages of nginx, Apache, IIS, HAProxy, Tomcat, Squid, Varnish,
Cloudflare, CloudFront, Akamai, Heroku, Spring, Django and Rails, and of maintenance."""


def find_failure_text(text: str) -> str:
    """The part of a tool's text that reports a failure; empty where it reports none.

    A text counts where it begins as a report and is short, where a runner of code says at its
    beginning or end that the run failed (not in a fenced block), or where it is an error page.
    """
    return (
        find_reported_failure(text)
        or _find_failed_run(text)
        or _find_wrong_page(text, whole=True)
        or (text if says_undone(text) or says_denied(text) else "")
    )


def find_reported_failure(text: str) -> str:
    """The text, if it is short and begins as a report of failure; for replies of models."""
    if len(text) > _LONGEST_REPORT:
        return ""
    start = text[:_START_READ]
    found = (
        _REPORT.match(start) or _PROGRAM_REPORT.match(start) or _ERROR_WORD.match(start)
    ) is not None
    found = found or says_tool_failed(text)
    if not found and len(text) <= _LONGEST_SENTENCE:
        found = _SENTENCE.match(start) is not None
    if not found and len(text) <= _LONGEST_LINE:
        low = start.lower()
        found = any(map(low.__contains__, _SYSTEM_WORDS))
    return text if found and not _is_about_errors(start) else ""


def is_api_refusal(text: str) -> bool:
    """Whether a text that is the whole answer of an API says that it was not served."""
    return len(text) <= _LONGEST_LINE and _API_MESSAGE.match(text) is not None


def find_failed_document(text: str) -> str:
    """The part of a document that says that it is an error page, a check for robots, or the record
    of a run that failed."""
    return _find_failed_run(text) or _find_wrong_page(text, whole=False)


def find_error_page(text: str) -> str:
    """The beginning of a page that a server or a gateway shows in place of what was wanted."""
    return _find_wrong_page(text, whole=False)


def _is_about_errors(start: str) -> bool:
    low = start.lower()
    return any(map(low.__contains__, _ABOUT_ERRORS))


def _find_failed_run(text: str) -> str:
    """How a run of code failed, by what its first or last lines say."""
    end = text[-_END_READ:]
    for offset, part in ((0, text[:_START_READ]), (max(0, len(text) - _END_READ), end)):
        low = part.lower()
        found = _RUN_FAILED.search(low) if any(map(low.__contains__, _RUN_WORDS)) else None
        if found and _is_outside_fence(text, offset + found.start()):
            return part[found.start() : found.start() + _QUOTED]
    return _find_traceback(text[-_LINES_READ:].rstrip())


def _find_traceback(text: str) -> str:
    """The line with type and message of a traceback at the end of a text; Python's syntax errors
    have none but begin with a file, and in JavaScript the frames follow."""
    place = text.rfind(_TRACEBACK)
    if place < 0 and text.lstrip().startswith(_FILE):
        place = 0
    lines = text[-_STACK_READ:].split("\n")
    last = lines.pop()
    if place < 0:
        frames = 0
        while lines and last.lstrip().startswith("at "):
            last, frames = lines.pop(), frames + 1
        place = len(text) - 1 if frames else -1
    if place < 0 or not _is_outside_fence(text, place):
        return ""
    return last[:_QUOTED] if _LAST_LINE.match(last) else ""


def find_logged_traceback(text: str) -> str:
    """The line with type and message of a traceback that a runner of agents wrote behind a reply,
    with nothing but a few lines of its log after it; an answer has its tracebacks in fences."""
    place = text.rfind(_TRACEBACK, -_LINES_READ)
    if place < 0 or not _is_outside_fence(text, place):
        return ""
    lines = text[place:].split("\n")[1:]
    raised = next((at for at, line in enumerate(lines) if line[:1].strip()), 0)
    frames = sum([line.lstrip().startswith(_FILE) for line in lines[:raised]])
    left = sum(map(len, lines[raised + 1 :]))
    if frames < _LEAST_FRAMES or left > _LOG_AFTER or not _LAST_LINE.match(lines[raised]):
        return ""
    return lines[raised][:_QUOTED]


def _is_outside_fence(text: str, place: int) -> bool:
    return text.count("```", max(0, place - _LINES_READ), place) % 2 == 0


def _find_wrong_page(text: str, *, whole: bool) -> str:
    if _WRONG_PAGE.match(text[: 2 * _ADDRESS]):
        return text[:_QUOTED]
    if len(text) > _LONGEST_ROBOT_PAGE:
        return ""
    low = text[:_ROBOT_PART].lower()
    found = next((word for word in _ROBOT_CHECK if word in low), "")
    if not found or (whole and _is_about_errors(low)):
        return ""
    place = low.find(found)
    return text[max(0, place - 60) : place + _QUOTED]
