"""Answers that claim an own action which no call of the trace made: "I ran the tests", where files
were only read; "I have sent the mail", where nothing sends.

An action is claimed in the first person and in the past; what others did may be a fact that was
looked up. Nothing is concluded where a call could have done anything, as a shell or a browser can.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.rules.answer_writer import find_answer_writer, find_last_result
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_CONFIDENCE = 0.7  # the words are plain, but a step may do it under a name that is unknown here
_ANSWER_READ = 3_000  # characters
_NAME_READ = 120  # characters
_MOST_NAMES = 400  # different names of a trace; among more of them one may mean anything
_STEM = 5  # letters by which a word of an answer and one of a tool's name are equal

_DID = r"\b(?:i|we)(?:['’]ve|\shave)?\s(?:(?:just|also|now|already|successfully|then|and)\s){0,2}"
_HABE = r"\b(?:ich\shabe|wir\shaben|habe\sich|haben\swir)\s(?:[^\s.!?]{1,30}\s){0,10}?"
_HEB = r"\b(?:ik\sheb|we\shebben|heb\sik)\s(?:[^\s.!?]{1,30}\s){0,8}?"
_HAR = r"\b(?:jag\shar|jeg\shar|har\sjag|har\sjeg|vi\shar)\s(?:[^\s.!?]{1,20}\s){0,2}?"
_JAI = r"\b(?:j['’]ai|nous\savons)\s(?:(?:bien|déjà|aussi|également)\s){0,2}"
_HE = r"\b(?:(?:te|le|les|lo|la|se\slo|se\sla)\s)?(?:he|hemos)\s(?:(?:ya|también)\s)?"
_HO = r"\b(?:ho|abbiamo)\s(?:(?:già|anche|appena)\s)?"


class _Action(NamedTuple):
    """What is claimed, how a claim reads, and what calls are named that do it."""

    what: str
    claim: re.Pattern[str]
    names: re.Pattern[str]


def _build_action(what: str, claim: str, names: str) -> _Action:
    flags = re.IGNORECASE | re.VERBOSE
    return _Action(what, re.compile(claim, flags), re.compile(names, flags))


_ACTIONS = (
    _build_action(
        "ran tests",
        rf"""{_DID}(?:ran|run|executed|re-?ran)\s(?:[\w'’-]+\s){{0,4}}?tests?\b
        | {_HABE}tests?\s(?:[^\s.!?]{{1,20}}\s){{0,3}}?(?:ausgeführt|laufen\slassen|durchgeführt
      |gestartet)
        | {_JAI}(?:exécuté|lancé)\s(?:\S+\s){{0,3}}?tests?\b
        | {_HE}(?:ejecutado|corrido|lanzado)\s(?:\S+\s){{0,3}}?(?:tests?|pruebas)\b
        | \b(?:ejecuté|executei|rodei)\s(?:\S+\s){{0,3}}?(?:tests?|testes|pruebas)\b
        | {_HO}(?:eseguito|lanciato)\s(?:\S+\s){{0,3}}?test\b
        | {_HEB}tests?\s(?:\S+\s){{0,2}}?(?:uitgevoerd|gedraaid)
      | \buruchomił[ae]m\s(?:\S+\s){{0,2}}?testy\b
        | {_HAR}(?:kört|kjørt|kørt)\s(?:\S+\s){{0,2}}?test
      | \b(?:я\s)?запустил[аи]?\s(?:\S+\s){{0,2}}?тест
        | (?:已|已经)?(?:运行|執行|执行)了?(?:所有|全部)?(?:的)?(?:单元)?测试
      | テストを実行(?:しました|済み)
        | 테스트를\s실행했""",
        r"test|jest|mocha|check|verif|\bci\b|build|suite|valid|lint|prüf|prueba|essai|prov|тест"
        r"|测试"
        r"|テスト|테스트|validat",
    ),
    _build_action(
        "sent something",
        rf"""{_DID}(?:sent|emailed|e-mailed|mailed|messaged|texted|forwarded|notified)\b
        | {_HABE}(?:gesendet|geschickt|versendet|verschickt|benachrichtigt|weitergeleitet)\b
        | {_JAI}(?:envoyé|notifié|prévenu|transmis)\b | {_HE}(?:enviado|notificado|avisado
      |mandado)\b
        | \b(?:enviei|notifiquei|avisei|mandei)\b | {_HO}(?:inviato|mandato|avvisato|notificato)\b
        | {_HEB}(?:gestuurd|verzonden|verstuurd|gemaild)\b | \b(?:wysłał[ae]m|powiadomił[ae]m)\b
        | {_HAR}(?:skickat|mejlat|sendt|mailet)\b | \b(?:poslal|odeslal)a?\sjsem\b
        | \bя\s(?:отправил|послал|уведомил)а?\b | 我?已(?:经)?(?:将\S{{1,20}})?(?:发送|通知|寄出)
        | (?:送信|お送り|通知)(?:いた)?しました | (?:보냈|발송했|전송했)습니다""",
        r"mail|send|sms|notif|messag|msg|\bpost|slack|teams|whatsapp|telegram|reply|respond|alert"
        r"|push|publish|forward|escal|inform|dispatch|submit|deliver|versend|sende|schick|nachricht"
        r"|benachr|envoi|envoy|courriel|envia|correo|mensaj|aviso|avis|invi|manda|stuur|verzend"
        r"|bericht|wyśl|wysl|wiadom|skicka|meddel|posl|odesl|отправ|уведом|сообщ|发送|通知|送信"
        r"|メール"
        r"|보내|전송|알림|발송|sendt|beskjed|varsl",
    ),
    _build_action(
        "booked something",
        rf"""{_DID}(?:booked|reserved)\b | \A\W{{0,4}}(?:booked|gebucht|réservé|reservado|prenotato
          |geboekt|zarezerwowano|bokat|booket)\W{{0,3}}:
        | {_HABE}(?:gebucht|reserviert)\b | {_JAI}réservé\b | {_HE}reservado\b | \breservei\b
        | {_HO}(?:prenotato|riservato)\b | {_HEB}(?:geboekt|gereserveerd)\b | \bzarezerwował[ae]m\b
        | {_HAR}(?:bokat|booket|bestilt|reservert)\b | \b(?:zarezervoval|rezervoval)a?\sjsem\b
        | \bя\sзабронировала?\b | 已(?:经)?(?:为您|帮您|为你)?(?:预订|预定|预约)(?:了|好|成功)?
        | 予約(?:を)?(?:完了|いた)?しました | 예약했습니다""",
        r"book|reserv|appoint|schedul|order|hold|purchas|buy|ticket|termin|buch|réserv|prenot|boek"
        r"|rezerw|rezerv|boka|bestill|bestel|брон|预订|预定|预约|予約|예약|calendar|event|creat"
        r"|meeting"
        r"|slot|insert|sale|sell|vente|vend|checkout|confirm|assign|\badd|plac",
    ),
    _build_action(
        "paid something back",
        rf"""{_DID}(?:refunded|reimbursed|credited|issued\s(?:[\w'’-]+\s){{0,3}}?refund)\b
        | {_HABE}(?:erstattet|gutgeschrieben|zurückgezahlt|zurücküberwiesen)\b | {_JAI}remboursé\b
        | {_HE}(?:reembolsado|devuelto)\b | \breembolsei\b | {_HO}rimborsato\b
        | {_HEB}(?:terugbetaald|vergoed)\b | \bzwrócił[ae]m\b | {_HAR}(?:återbetalat|refundert
      |refunderet)\b
        | 已(?:经)?(?:为您)?退款 | 返金(?:いた)?しました | 환불했습니다""",
        r"refund|credit|reimburs|pay|transfer|charge|payout|erstatt|gutschr|überweis|ueberweis|zahl"
        r"|rembours|virement|reembols|pago|devol|rimbors|bonific|storn|terug|betaal|zwrot|przelew"
        r"|återbetal|betal|refus|возвра|плат|退款|支付|转账|返金|支払|환불|결제|issue|return|adjust"
        r"|order",
    ),
    _build_action(
        "cancelled something",
        rf"""{_DID}(?:cancell?ed|deleted|revoked)\b | {_HABE}(?:storniert|gelöscht|gekündigt
      |widerrufen)\b
        | {_JAI}(?:annulé|supprimé|résilié)\b | {_HE}(?:cancelado|eliminado|borrado|anulado)\b
        | \b(?:cancelei|excluí|apaguei)\b | {_HO}(?:annullato|cancellato|eliminato|disdetto)\b
        | {_HEB}(?:geannuleerd|verwijderd|opgezegd)\b | \b(?:anulował|odwołał|usunął|usunęł)[ae]m\b
        | {_HAR}(?:avbokat|raderat|slettet|avbestilt|kansellert)\b
        | 已(?:经)?(?:为您)?(?:取消|删除) | (?:キャンセル|削除)(?:いた)?しました | (?:취소
      |삭제)했습니다""",
        r"cancel|delet|remov|revok|storn|lösch|loesch|kündig|annul|supprim|résil|elimin|borr|baja"
        r"|disd|cancell|verwijder|opzeg|usuń|usun|anul|odwoł|avbok|radera|slett|avbestill|kansell"
        r"|удал|отмен|取消|删除|キャンセル|削除|취소|삭제|close|terminat|drop|undo|updat|patch|set_"
        r"|unsub"
        r"|reject|void|clear|purge|rm\b|modif|chang|edit",
    ),
)
_CAN_DO_ANYTHING = re.compile(
    r"bash|shell|terminal|exec|python|\bcode|command|\bcmd|script|sandbox|computer|browser|click"
    r"|playwright|selenium|http|curl|webhook|\bapi\b|sql|graphql|mcp\b|invoke_(?!agent)|workflow"
    r"|automat|\baction|delegat|task|handoff|hand_off|transfer_to|crm|erp|notebook|repl\b|perform"
    r"|process|operate|\bdo_|\brun_|trigger|zapier|tool_call\Z|use_tool|call_tool",
    re.IGNORECASE,
)
"""Names of calls that may do anything, or hand the work on to what was not recorded."""
_PREFIX = re.compile(
    r"\A(?:execute_tool|tool_usage|call_tool|run(?:ning)?[ _]tool|tools?(?:/call)?)\b\W{0,3}(?=\w)",
    re.IGNORECASE,
)
"""What SDKs put before the name of a tool."""
_NOT_DONE = re.compile(
    r"\b(?:not|n['’]t|never|no|if|once|when|after|until|unless|nicht|kein\w*|noch|wenn|sobald|falls"
    r"|nachdem|pas|si|quand|dès|lorsque|non|se|quando|cuando|niet|geen|als|zodra|nie|jeśli|gdy|inte"
    r"|ikke|om|hvis|når|не|если|когда)\b|没有|未|如果|たら|ていません|않",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[.!?。！？\n]")
_QUOTES_AND_CODE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|[\"“„«][^\"”“»\n]{0,400}[\"”“»]", re.DOTALL
)
_IS_LETTER = re.compile(
    r"\A\W{0,4}(?:(?:subject|betreff|objet|asunto|oggetto|onderwerp|temat)\s?:|dear\b"
    r"|sehr\sgeehrte|liebe[rs]?\b|hallo\b|cher\b|chère\b|bonjour\b|estimad|querid|hola\b|prezad|gentile\b|geachte"
    r"|beste\b|szanown|尊敬|拝啓)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{5,}")


def find_claimed_actions(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, with the last call of a tool before it."""
    writer = analysis.once(find_answer_writer)
    if writer is None or writer.view.reply.calls:
        return
    answer = writer.view.reply.text[:_ANSWER_READ]
    claims = list(_find_claims(answer))
    if not claims or not _can_be_judged(writer, analysis):
        return
    names = _list_names(analysis)
    if len(names) > _MOST_NAMES or any(map(_CAN_DO_ANYTHING.search, names)):
        return
    read = f"{writer.view.input.canonical} {Body(analysis.trace.input).canonical}"
    for action, claim in claims:
        plain = " ".join(claim.split()).casefold()
        if plain in read:
            continue
        unused = _find_unused(answer, writer, names)
        if unused or not any(map(action.names.search, names)):
            yield _build_finding(writer, action, claim, unused, analysis)
            return


def _find_claims(answer: str) -> Iterator[tuple[_Action, str]]:
    """The actions that an answer claims, with its words for them."""
    if _IS_LETTER.match(answer):
        return
    plain = _QUOTES_AND_CODE.sub(" ", answer)
    for action in _ACTIONS:
        match = action.claim.search(plain)
        if match is None:
            continue
        start = max((each.end() for each in _BREAK.finditer(plain, 0, match.start())), default=0)
        if not _NOT_DONE.search(plain[start : match.end()]):
            yield action, match[0]


def _can_be_judged(writer: Node, analysis: TraceAnalysis) -> bool:
    """Whether tools were called in this trace, all was read, and no earlier turn is part of the
    conversation, in which the action may have been done."""
    if not analysis.once(list_tool_calls):
        return False
    if not all(analysis.was_read(node) for node in analysis.tree.nodes):
        return False
    users = [message for message in writer.view.request.messages if message.role == "user"]
    return len(users) <= 1


def _list_names(analysis: TraceAnalysis) -> set[str]:
    """Names of the spans that are no model calls, and of the tools that models called."""
    names = {
        _PREFIX.sub("", name[:_NAME_READ])
        for node in analysis.tree.nodes
        if not node.view.is_model_call and node.depth
        for name in (node.name, node.function_name)
    }
    called = {
        call.name[:_NAME_READ]
        for node in analysis.once(list_model_calls)
        for call in node.view.reply.calls
        if call.name
    }
    return names | called


def _find_unused(answer: str, writer: Node, names: set[str]) -> str:
    """A tool that was offered and never called, of whose name the answer has a word that is in
    none of those called."""
    stems = {word[:_STEM].casefold() for word in _WORD.findall(answer)}
    used = {word[:_STEM].casefold() for name in names for word in _WORD.findall(_split(name))}
    for tool in sorted(writer.view.request.tools):
        words = {word[:_STEM].casefold() for word in _WORD.findall(_split(tool))}
        if tool not in names and (words & stems) - used and not words & used:
            return tool
    return ""


def _split(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")


def _build_finding(
    writer: Node, action: _Action, claim: str, unused: str, analysis: TraceAnalysis
) -> Finding:
    name = one_line(writer.name, limit=60)
    sentence = (
        f"{name} claims that it {action.what} (“{one_line(claim, limit=80)}”), and no call of the"
        " trace does that"
    )
    if unused:
        sentence += f"; the tool {one_line(unused, limit=60)} was never called"
    nodes = [writer, *(find_last_result(writer, analysis) if unused else [])]
    return build_finding(Category.IGNORED_RESULT, _CONFIDENCE, f"{sentence}.", nodes)
