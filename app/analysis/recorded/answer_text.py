"""What an answer says of itself: that it could not find what was needed, denies, affirms."""

import re

_READ = 600  # characters: an answer that gives up says so at its beginning

_GIVES_UP = re.compile(
    r"""(?:
      \b(?:i|we)(?:['’]?m|\sam|\sare|['’]?ve|\shave)?\s(?:\w{1,12},?\s){0,2}?
        (?:do\snot|don['’]?t|did\snot|didn['’]?t|could\snot|couldn['’]?t|cannot|can['’]?t
        |was\sunable\sto|were\sunable\sto|unable\sto|not\sable\sto)
        \s(?:\w{1,12}\s){0,2}?(?:know|find|locate|have|access|answer|retrieve|determine|reach
        |finish|complete|solve|resolve|proceed)\b
    | \b(?:could\snot|couldn['’]?t)\s(?:be\s)?(?:find|found|locate|located|retrieved?|determined?)\b
    | \bno\s(?:relevant\s|matching\s|such\s|further\s|additional\s)?(?:information|results?|data
      |documents?|records?|context|matches|match|answer|sources|material)\b
      (?!\s(?:is|are|was|were)?\s?(?:lost|leaked|missing|needed|required))
    | \bnothing\s(?:was\s)?found\b | \bnot\s(?:been\s)?found\b
    | \binsufficient\s(?:information|context|data) | \bwithout\s(?:\w{1,12}\s)?(?:sources|context
      |documents)\b
    | \bkonnte\s(?:ich\s|wir\s)?(?:\S{1,20}\s){0,4}?(?:nichts?|kein\w{0,2})\s(?:\S{1,20}\s){0,4}?
      (?:finden|gefunden|ermitteln|abrufen|laden|beantworten)
    | \bkeine\s(?:\S{1,20}\s){0,2}?(?:Informationen|Angaben|Daten|Ergebnisse|Treffer|Unterlagen)\b
    | \b(?:je\sn['’]ai|nous\sn['’]avons)\s(?:pas|rien)\s(?:\S{1,20}\s){0,2}?(?:trouvé|pu)
    | \baucune?\s(?:information|donnée|résultat|document)
    | \bno\s(?:he\s|hemos\s|se\s)?(?:encontr|pude\sencontrar|dispongo|tengo\sinformación)
    | \bnão\s(?:encontr|foi\spossível|tenho\sinforma|localiz)
    | \bnon\s(?:ho|abbiamo|sono)\s(?:\S{1,20}\s){0,2}?(?:trovat|riuscit)
    | \bnessun[ao]?\sinformazion
    | \b(?:kon|kan)\s(?:\S{1,20}\s){0,3}?(?:geen|niet)\s(?:\S{1,20}\s){0,3}?vinden
    | \b(?:kunde|kan)\s(?:\S{1,20}\s){0,2}?(?:inte|ikke)\s(?:\S{1,20}\s){0,2}?(?:hitta|finde|finne)
    | \bnie\s(?:udało\ssię\s)?(?:znalazł|znaleź) | \bне\s(?:удалось\s)?(?:наш|найд|найти)
    | (?:没有|未能|无法|沒有|無法|未)(?:找到|查到|获取|獲取|检索到) | 没有相关(?:信息|资料)
    | 見つかりません | 情報がありません | 찾을\s수\s없 | 정보가\s없
    | \b(?:bulamad[ıi]|bulunamad[ıi]) | \bbilgi\s(?:bulun(?:amad|mu)|yok)
    | \bне\s(?:вдалося\s)?(?:знайш|знайти|знайдено)
    | \bne(?:našel|našla|nalezl|našli|podařilo\sse\s(?:mi\s)?(?:najít|zjistit|dohledat))
    | \bnenaš(?:iel|la) | \bnepodarilo\ssa\s(?:mi\s)?nájsť
    | \bnem\s(?:talált|található|sikerült\s(?:\w{1,20}\s){0,2}?(?:megtalál|találn))
    | \bn(?:u\s|-)am\s(?:găsit|putut\sgăsi) | \bnu\sexistă\sinforma
    | \bδεν\s(?:βρήκα|βρέθηκ|μπόρεσα\sνα\sβρ) | \bkhông\s(?:tìm\sthấy|thể\stìm|có\sthông\stin)
    | \btidak\s(?:dapat\s|bisa\s|berhasil\s)?(?:menemukan|ditemukan|menjumpai)
    | \btidak\sada\sinformasi
    | \ben\slöytänyt | \bei\slöytynyt | \b(?:fandt|fant|hittade)\s(?:inte\s|ikke\s)?(?:ing|noe|nog)
    | ไม่พบข้อมูล | ไม่สามารถหา | नहीं\sमिल | (?:कोई\s)?जानकारी\sनहीं
    | (?<!\w)(?:لم|لن)\s(?:(?:أ|ن)(?:جد|عثر)|(?:أ|ن)تمكن\sمن\s(?:العثور|إيجاد|الوصول)|يتم\sالعثور)
    | لا\sتوجد\s(?:معلومات|نتائج|بيانات) | تعذر\s(?:العثور|علي) | (?<!\w)לא\s(?:מצא|נמצא)
    | אין\s(?:לי\s)?מידע | پیدا\sنکرد | یافت\sنشد | اطلاعاتی\s(?:ندارم|وجود\sندارد)
    )""",
    re.IGNORECASE | re.VERBOSE,
)


_NO = re.compile(r"no(?:\s|t|n\s)")
_GIVES_UP_WORDS = (
    "n't", "dont", "didnt", "couldnt", "cant", "unable", "insufficient", "without", "kein", "nicht",
    "n'a", "aucun", "nessun", "geen", "niet", "inte", "ikke", "nie",
    "bulamad", "bulunamad", "bilgi ", "nenalezl", "nem ", "nu am", "tidak", "fandt", "fant ",
    "hittade",
)  # fmt: skip
"""One of these, or `no`, stands in each text of that kind that is written in ASCII."""


def gives_up(text: str) -> bool:
    """Whether an answer says that it could not find or do what was needed."""
    start = text[:_READ]
    if start.isascii():
        low = start.lower()
        if not (any(map(low.__contains__, _GIVES_UP_WORDS)) or _NO.search(low)):
            return False
    return _GIVES_UP.search(start) is not None


_NEGATES = re.compile(
    r"""\b(?:no|not|none|nothing|never|without|unfortunately|sorry|kein\w{0,2}|nicht|nichts|leider
      |aucune?|pas|rien|malheureusement|ning[uú]n\w?|nada|lamentablemente|não|nenhum\w?|nessun\w?
      |non|geen|niet|niets|helaas|ingen|inga|inget|inte|tyvärr|ikke|desværre|dessverre|nie|brak
      |niestety|не|нет|ничего|yok|değil|hiçbir)\b | n['’]t\b
      | 没有|未能|无法|沒有|無法|抱歉|ません|ない|없|않|لا\s|لم\s|नहीं""",
    re.IGNORECASE | re.VERBOSE,
)
_NEGATION_READ = 100  # characters: an answer that admits to have found nothing begins with it


_DENIES = re.compile(
    r"""\b(?:unavailable|unable|sold\sout|out\sof\sstock|expired|denied|rejected|closed|blocked
      |cancell?ed|overdue|invalid|revoked|suspended|declined|but|however|only|except|instead|until
      |ausverkauft|abgelaufen|abgelehnt|geschlossen|gesperrt|storniert|ungültig|aber|jedoch|nur
      |agotad\w|caducad\w|rechazad\w|cerrad\w|cancelad\w|vencid\w|pero|sólo|épuisée?|expirée?
      |refusée?
      |fermée?|annulée?|mais|cependant|esgotad\w|expirad\w|recusad\w|fechad\w|mas|apenas)\b
      |不|没|無|无|未|已过期|しかし|できま|다만""",
    re.IGNORECASE | re.VERBOSE,
)


_BLANK = re.compile(
    r"""\b(?:blank|empty|no\stext|nothing\sto\sread|unreadable|illegible|not\slegible|leer\w{0,2}
      |unleserlich|unlesbar|nicht\slesbar|vide|illisible|vac[ií][oa]|en\sblanco|ilegible|vazi[oa]
      |em\sbranco|ileg[ií]vel|vuot[oa]|illeggibile|leeg|onleesbaar|tomt?|oläslig|ulæselig|uleselig
      |pust[yae]|nieczyteln\w)\b | 空白|白紙|読み取れ|비어""",
    re.IGNORECASE | re.VERBOSE,
)


def says_blank(text: str) -> bool:
    """Whether a text says that something was empty or could not be read, in several languages."""
    return _BLANK.search(text) is not None


def negates(text: str) -> bool:
    """Whether a text denies anything, in any of several languages."""
    return _NEGATES.search(text) is not None


def denies(text: str) -> bool:
    """Whether a text denies or restricts anything, in any of several languages."""
    return negates(text) or _DENIES.search(text) is not None


_YES = re.compile(r"\W{0,4}(?:yes|ja|oui|sí|sim|sì|tak|evet|да|是的|はい|네)(?=\W)", re.IGNORECASE)
_AFFIRMS = re.compile(
    r"""\A\W{0,4}(?:yes|sure|certainly|of\scourse|absolutely|good\snews|ja|natürlich|gerne|oui
      |bien\ssûr
      |sí|claro|por\ssupuesto|sim|certo|sì|是的|可以|はい|네)\b
      | \b(?:available|in\sstock|safe|valid|fine|ready|confirmed|approved|eligible|allowed|permitted
      |covered|refundable|booked|possible|no\sproblem|in\sorder|as\sexpected|all\sset|suitable
      |verfügbar|gültig|erlaubt|genehmigt|problemlos|bestätigt|möglich|in\sordnung|sicher|gedeckt
      |disponibles?|válid[ao]s?|permitid[ao]|aprobad[ao]|confirmad[ao]|valide|autorisée?|approuvée?
      |couvert|possible|disponíve(?:l|is)|aprovad[ao]|cobert[ao]|disponibil[ei])\b
      | 可用|有效|有货|没问题|利用可能|問題ありません|가능합니다""",
    re.IGNORECASE | re.VERBOSE,
)


def affirms(text: str) -> bool:
    """Whether a text says yes, or that something is available, valid, safe or the like."""
    return _AFFIRMS.search(text) is not None


def begins_with_negation(text: str) -> bool:
    """Whether an answer denies something at its beginning, in any of several languages; one that
    begins with a yes does not."""
    return negates(text[:_NEGATION_READ]) and _YES.match(text) is None
