"""Sentences in which a provider, a gateway or a tool says that it did not do what was asked.

Each is short and says so at its beginning: gateways send such a sentence as the content of a reply
that ended well, and tools as their result.
"""

import re

from app.analysis.recorded.spellings import key_set, word_set

CODES_OF_REFUSALS = word_set(
    "PERMISSION_DENIED UNAUTHENTICATED RESOURCE_EXHAUSTED UNAVAILABLE DEADLINE_EXCEEDED INTERNAL"
    " FAILED_PRECONDITION INVALID_ARGUMENT ABORTED UNIMPLEMENTED DATA_LOSS ACCESS_DENIED"
    " AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedAccess FORBIDDEN"
    " Forbidden UNAUTHORIZED Unauthorized AuthorizationFailed InsufficientPrivileges"
    " INSUFFICIENT_PERMISSIONS insufficient_scope RATE_LIMITED RATE_LIMIT_EXCEEDED"
    " LimitExceededException ThrottlingException Throttling TooManyRequests QUOTA_EXCEEDED"
    " INTERNAL_ERROR InternalError INTERNAL_SERVER_ERROR SERVICE_UNAVAILABLE ServiceUnavailable"
    " TIMEOUT RequestTimeout VALIDATION_ERROR ValidationException LOCK_TIMEOUT CONFLICT"
)
"""Codes of gRPC, AWS, Azure and web APIs for calls that were not served."""
KEYS_OF_CODES = key_set(
    "code error_code status status_code grpc_status reason error_type codigo código codice"
    " code_erreur codeerreur fehlercode foutcode kod kode felkod cod_erro código_erro codigo_error"
    " 代码 错误码 コード エラーコード 코드"
)

_LONGEST = 400  # characters: such a sentence is short
_START_READ = 160  # characters in which it says so
_LONGEST_UNDONE = 300  # characters of a result that says what could not be done, and why

_UNSERVED = re.compile(
    r"""(?:
      \b(?:budget|quota|(?:rate|usage|spend\w*|request|token|credit|monthly|daily|weekly|hourly
        |billing\shard)[\s-]limits?|(?:account|credit|token|wallet)\s(?:balance|credits?)|credits)
      \s(?:for\s\S{1,40}\s)?(?:(?:has|have|is|are|was|were|been|already|too)\s){0,3}
      (?:exceeded|exhausted|reached|used\sup|depleted|insufficient|low|expired|hit)\b
    | \b(?:exceed(?:ed|s)?|reached|hit|exhausted|ran\sout\sof|run\sout\sof|out\sof|over)\s
      (?:\w{1,12}\s){0,3}?(?:budget|quota|rate\slimits?|usage\slimits?|token\slimits?
        |requests?\sper\s\w+|api\scredits|credits)\b
    | \binsufficient\s(?:quota|credits?|balance|funds\sin\syour\saccount)\b
    | \b(?:requires?\smore|not\senough|no)\scredits\b
    | \b(?:engine|model|server|service|provider|upstream|backend|system)\s
      (?:\S{1,40}\s)?(?:is|are|was)\s(?:\w{1,12}\s){0,2}?(?:overloaded|unavailable|offline
        |over\scapacity|at\scapacity|not\s(?:available|responding|reachable))\b
    | \bserver\shad\san\serror\b | \boverloaded(?:_error|\Z|[.:!])
    | \b(?:no|all)\s(?:\w{1,12}\s){0,2}?(?:deployments?|endpoints?|providers?|upstreams?
      |backends?)\s
      (?:\w{1,12}\s){0,2}?(?:available|found|failed|are\sdown|in\scooldown)\b
    | \b(?:provider|upstream|gateway|proxy|backend)\s(?:returned\s(?:an?\s)?)?(?:error|failure)\b
    | \bcontact\syour\s(?:proxy|gateway|api)\sadmin
    | \b(?:incorrect|invalid|missing|expired|no)\sapi[\s_-]?key\b
    | \bapi[\s_-]?key\s(?:\w{1,12}\s){0,2}?(?:invalid|expired|disabled|missing|not\svalid|revoked)\b
    | \bmaximum\scontext\s(?:length|window)\b | \b(?:prompt|request|input)\s(?:is|was)\stoo\s(?:long
      |large)\b
    | \bmodel\s\S{1,60}\s(?:does\snot\sexist|is\snot\ssupported|has\sbeen\s(?:deprecated|retired))
    | \b(?:request|response|prompt|output|input|content|message|completion)\s
      (?:(?:was|has\sbeen|is|were)\s)(?:\w{1,12}\s)?(?:blocked|filtered|flagged|rejected)\s
      (?:by|due|because|for|as)\b
    | \bcontent\smanagement\spolicy\b | \bcountry,\sregion,\sor\sterritory\snot\ssupported
    | \b(?:account|organization|project|deployment)\s(?:\S{1,40}\s)?(?:is|has\sbeen|was)\s
      (?:deactivated|suspended|disabled|not\sactive)\b
    | \btoo\smany\s(?:concurrent\s)?(?:requests|tokens)\b
    | \b(?:kontingent|budget|guthaben|(?:anfrage|nutzungs|token|tages|monats|raten)-?limit)\w*\s
      (?:\w{1,15}\s){0,7}?(?:überschritten|erschöpft|aufgebraucht|erreicht|verbraucht)
    | \bkein\sguthaben\b | \b(?:server|modell|dienst)\s(?:ist\s)?(?:\w{1,12}\s)?(?:überlastet
      |nicht\sverfügbar|nicht\serreichbar)
    | \banfrage\swurde\s(?:\w{1,12}\s){0,3}?(?:blockiert|gefiltert|abgelehnt)
    | \b(?:quota|budget|crédits?|limite\sde\s(?:requêtes|débit|jetons))\s(?:\S{1,12}\s){0,3}?
      (?:dépassée?s?|épuisée?s?|atteinte?s?|insuffisants?)
    | \b(?:serveur|modèle|service)\s(?:est\s)?(?:\w{1,15}\s)?(?:surchargé|indisponible)
    | \b(?:cuota|presupuesto|límite\sde\s\w+|créditos?|saldo)\s(?:\S{1,12}\s){0,3}?
      (?:superad[oa]|excedid[oa]|agotad[oa]s?|alcanzad[oa]|insuficientes?)
    | \b(?:servidor|modelo|servicio|serviço)\s(?:\S{1,12}\s){0,2}?(?:sobrecargado|saturado
      |no\sdisponible|indisponível)
    | \b(?:cota|orçamento|limite\sde\s\w+|créditos?|saldo)\s(?:\S{1,12}\s){0,3}?
      (?:excedid[oa]|esgotad[oa]s?|atingid[oa]|ultrapassad[oa]|insuficientes?)
    | \b(?:quota|budget|credito|limite\sdi\s\w+)\s(?:\S{1,12}\s){0,3}?
      (?:superat[oa]|esaurit[oa]|raggiunt[oa]|insufficiente)
    | \b(?:quotum|budget|tegoed|limiet)\s(?:\S{1,12}\s){0,3}?(?:overschreden|opgebruikt|bereikt
      |op\b)
    | \b(?:limit|budżet|środki)\s(?:\S{1,15}\s){0,3}?(?:przekroczon\w|wyczerpan\w|osiągnięt\w)
    | \bprzekroczono\s(?:limit|budżet) | \b(?:kvoten?|budget(?:en)?)\s(?:\S{1,12}\s){0,2}?
      (?:överskriden|overskredet|overskrevet|opbrugt|oppbrukt|slut)
    | \b(?:превышен\w?|исчерпан\w?)\s(?:\S{1,15}\s){0,2}?(?:лимит|квот|бюджет)
    | \b(?:лимит|квота|бюджет)\s(?:\S{1,15}\s){0,3}?(?:превышен|исчерпан) | недостаточно\sсредств
    | \b(?:kota|bütçe|limit)\S{0,6}\s(?:aşıldı|doldu|tükendi)
    | (?:额度|配额|余额|預算|预算|限额|調用量|调用量|配額|餘額)[^。，,]{0,8}(?:不足|用完|用尽|超出
      |超过|超限|已达|耗尽)
    | (?:超出|超过|达到|超過)[^。，,]{0,10}(?:额度|配额|限制|上限|预算|限流) | 请求(?:过于频繁|过多)
    | (?:模型|服务|服务器|接口|系统)(?:\S{0,4})(?:过载|繁忙|不可用|超时) | 内容(?:违规|不合规|被过滤
      |安全审核)
    | (?:不安全|敏感|违规)(?:或\S{1,4})?内容 | 上游\S{0,6}(?:错误|超时|异常)
    | (?:予算|クォータ|利用上限|使用量|レート制限|リクエスト数?|残高|クレジット)[^。、]{0,10}
      (?:超え|超過|に達し|不足|使い切)
    | (?:サーバー?|モデル|サービス)[^。、]{0,8}(?:過負荷|混雑して|利用できません|応答し)
    | (?:할당량|한도|예산|크레딧|잔액)[^.,]{0,10}(?:초과|부족|소진) | (?:서버|모델
      |서비스)[^.,]{0,8}(?:과부하|혼잡)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""What LLM providers (OpenAI, Anthropic, Azure, Mistral, Google, DashScope) and gateways (LiteLLM,
OpenRouter, Kong, Cloudflare) say in place of a reply, in English and other languages."""

_SUBJECTS = (
    "budget", "quota", "limit", "credit", "balance", "funds", "engine", "model", "server", "servic",
    "provider", "upstream", "backend", "system", "overload", "deployment", "endpoint", "gateway",
    "proxy", "api", "context", "prompt", "request", "response", "input", "output", "content",
    "message", "completion", "country", "account", "organization", "project", "too many",
    "kontingent", "guthaben", "modell", "dienst", "anfrage", "crédit", "serveur", "modèle",
    "cuota", "presupuesto", "límite", "saldo", "crédito", "servidor", "modelo", "cota",
    "orçamento", "quotum", "tegoed", "limiet", "budżet", "środki", "przekrocz", "kvot", "лимит",
    "квот", "бюджет", "средств", "kota", "bütçe",
)  # fmt: skip
_PREDICATES = (
    "exceed", "exhaust", "reach", "used up", "deplet", "insuffic", "low", "expired", "hit",
    "out of", "over ", "credits", "unavailable", "offline", "capacity", "not ", "error", "fail",
    "available", "found", "down", "admin", "key", "maximum", "too ", "deprecated", "retired",
    "blocked", "filtered", "flagged", "rejected", "policy", "deactivated", "suspended", "disabled",
    "überschritten", "erschöpft", "aufgebraucht", "erreicht", "verbraucht", "kein", "nicht",
    "überlastet", "blockiert", "gefiltert", "abgelehnt", "dépass", "épuis", "attei", "insuf",
    "surcharg", "indispon", "superad", "superat", "excedid", "agotad", "alcanzad", "saturad",
    "sobrecarg", "no disponible", "esgotad", "atingid", "ultrapass", "esaurit", "raggiunt",
    "overload", "overschreden", "opgebruikt", "bereikt", " op",
    "przekrocz", "wyczerp", "osiągn", "översk",
    "oversk", "opbrugt", "oppbrukt", "slut", "превыш", "исчерп", "недостат", "aşıl", "doldu",
    "tükendi",
)  # fmt: skip
"""One of each stands in such a sentence unless it is Chinese, Japanese or Korean: looking for them
takes a fiftieth of the time of the pattern."""
_EASTERN_SUBJECTS = (
    "额度", "配额", "余额", "預算", "预算", "限额", "調用量", "调用量", "配額", "餘額", "超出",
    "超过", "达到", "超過", "请求", "模型", "服务", "接口", "系统", "内容", "上游", "予算",
    "クォータ", "利用上限", "使用量", "レート制限", "リクエスト数", "残高", "クレジット", "サーバ",
    "モデル", "サービス", "할당량", "한도", "예산", "크레딧", "잔액", "서버", "모델", "서비스",
)  # fmt: skip

_UNDONE = re.compile(
    r"""\W{0,8}(?:
      (?:[\w'’#-]{1,30}\s){0,5}?(?:could\snot|couldn['’]?t)\sbe\s
      (?!found|located|determined|verified|ruled|expected|guaranteed|combined|refunded|returned)
      (?:\w{2,20}ed|sent|made|done|written|put|set|run|built|read|taken|paid)\b
    | (?:[\w#-]{1,40}\s){0,5}?konnten?\s(?:\S{1,30}\s){0,5}?nicht\s(?:\S{1,20}\s){0,2}?
      (?!gefunden|ermittelt)(?:\w{1,20}t|\w{1,20}en)\swerden\b
    | (?:\S{1,30}\s){0,4}?n['’](?:a|ont)\spas\spu\sêtre\s(?!trouv)\w{3,}
    | impossible\sd(?:e\s|['’])(?!trouver)\w{3,}
    | (?:\S{1,30}\s){0,4}?no\s(?:se\sha\spodido|se\spudo|pudo\sser|ha\spodido)\s(?!encontrar
      |hallar)\w{3,}
    | (?:\S{1,30}\s){0,4}?não\s(?:foi\spossível|pôde\sser|pode\sser)\s(?!encontr|localiz)\w{3,}
    | (?:\S{1,30}\s){0,4}?non\s(?:è\sstato\spossibile|è\spossibile
      |si\sè\spotut[oa])\s(?!trovare)\w{3,}
    | (?:\S{1,30}\s){0,4}?kon(?:den)?\sniet\sworden\s(?!gevonden)\w{3,}
    | (?:\S{1,30}\s){0,4}?(?:kunde\sinte|kunne\sikke)\s(?!hittas|findes|finnes|finne)\w{3,}
    | (?:\S{1,30}\s){0,4}?nie\s(?:udało\ssię|można\sbyło)\s(?!znaleźć|odnaleźć)\w{3,}
    | (?:\S{1,30}\s){0,4}?(?:se\snepodařilo|nelze)\s(?!naj|nalézt)\w{3,}
    | (?:\S{1,30}\s){0,4}?не\s(?:удалось|может\sбыть)\s(?!найти)\w{3,}
    | (?:\S{1,20}\s){0,3}?\S{2,20}?(?:lanamadı|lenemedi|ılamadı|ilemedi)\b
    | (?!.{0,16}(?:見つ|発見|該当))\S{0,16}?(?:でき|出来|られ|行え|取れ|送れ)ませんでした
    | \S{0,16}?(?:登録|予約|保存|送信|更新|作成|削除|確定|取得|処理|決済|注文|申請|変更|接続
      |通信)\S{0,2}(?:失敗|エラー|不可|拒否|中断)
    | (?!.{0,12}(?:找到|查到))\S{0,12}?(?:未能|无法|無法|没能|不能)(?:成功)?(?:登记|注册|预订|預訂
      |保存|发送|發送|更新|创建|建立
      |删除|提交|处理|處理|完成|支付|下单|取消|连接|連接|执行|執行|写入|上传|確認|确认)
    | \S{0,12}?(?:登记|注册|预订|預訂|保存|发送|發送|更新|创建|删除|提交|处理|支付|下单|写入
      |上传)(?:失败|失敗|未成功)
    | (?!.{0,12}찾)(?:\S{1,12}\s){0,3}?\S{1,10}(?:하지|되지|할\s수|될\s수)\s(?:못했|않았|없었)
    | (?:\S{1,12}\s){0,3}?(?:예약|등록|저장|전송|결제|처리|생성|삭제|업데이트)\S{0,2}\s?(?:실패
      |불가)
    | (?:لم\sيتم|تعذ[رّ]|لا\sيمكن)\s(?!العثور)\S{2,} | (?:\S{1,20}\s){0,4}?नहीं\s(?:हो\sसका
      |किया\sजा\sसका|हो\sपाया)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""That something could not be done, in English and other languages; not that nothing was found,
which is an empty result, and no rule such as "cannot be combined"."""

_ERROR_PAGE = re.compile(
    r"\s{0,4}(?:<!doctype|<html|<head)[^\0]{0,400}?<(?:title|h1)>\s*(?:error\s)?"
    r"(?:(?:4(?:0[0-9]|1[0-9]|2[0-9])|5\d\d)\b|(?:bad gateway|service unavailable|gateway time-?out"
    r"|internal server error|access denied|attention required|just a moment|too many requests))",
    re.IGNORECASE,
)
_PAGE_READ = 600  # characters of a page, in which its title stands

_TOPICS = re.compile(
    r"budget|quota|limit|credit|balance|overload|capacity|api.?key|context|polic|block|flagg|filter"
    r"|provider|gateway|upstream|server|account|token|kontingent|guthaben|überlast|crédit|cuota"
    r"|presupuesto|saldo|cota|orçamento|credito|tegoed|limiet|budżet|лимит|квот|бюджет"
    r"|额度|配额|余额"
    r"|预算|限制|模型|内容|予算|クォータ|上限|残高|サーバ|할당량|한도|예산|잔액|html|<title",
    re.IGNORECASE,
)
"""What such a sentence speaks of; where the request speaks of it too, a reply may be about it."""


def says_unserved(text: str) -> bool:
    """Whether a short text is what a provider or gateway answers that did not serve a request."""
    if text[:_PAGE_READ].lstrip()[:1] == "<":
        return _is_error_page(text)
    if len(text) > _LONGEST:
        return False
    start = text[:_START_READ]
    low = start.casefold()
    western = any(map(low.__contains__, _SUBJECTS)) and any(map(low.__contains__, _PREDICATES))
    if not western and (start.isascii() or not any(map(start.__contains__, _EASTERN_SUBJECTS))):
        return False
    return _UNSERVED.search(start) is not None


def _is_error_page(text: str) -> bool:
    return _ERROR_PAGE.match(text[:_PAGE_READ]) is not None


def says_undone(text: str) -> bool:
    """Whether a short result says that what it was asked for could not be done."""
    return len(text) <= _LONGEST_UNDONE and _UNDONE.match(text) is not None


def shared_topic(text: str, request: str) -> bool:
    """Whether a request speaks of what such a sentence speaks of, so that it may be an answer."""
    topics = {found.casefold() for found in _TOPICS.findall(text[:_PAGE_READ])}
    low = request.casefold() if topics else ""
    return any(topic in low for topic in topics)
