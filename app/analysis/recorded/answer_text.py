"""What an answer says of itself: that it refuses, or that it could not find what was needed."""

import re

_READ = 600  # characters: an answer that gives up says so at its beginning
_REFUSAL_READ = 160  # characters: later a text only mentions what cannot be done
_LONGEST_REFUSAL = 1_500  # characters: a longer answer does something besides refusing

_HELP = (
    r"(?:help|assist|provide|comply|fulfill?|create|write|generate|produce|discuss|share|engage"
    r"|participate|do\s(?:th(?:at|is)|so)|answer|take\spart|go\sahead\swith|support\sth(?:at|is)"
    r"|(?:process|handle|summari[sz]e|translate|review|analy[sz]e|extract|rewrite|draft|transcribe"
    r"|classify|describe|interpret|respond\sto|continue|proceed|work)"
    r"\s(?:with\s|on\s|from\s)?(?:th(?:is|at|ese|ose)|such)\b(?!\s(?:refund|order|payment|return)))"
)
_REFUSAL = re.compile(
    rf"""(?:
      \bi(?:['’]?m|\sam)?\s(?:\w{{1,12}},?\s){{0,3}}?(?:can(?:['’]?t|not|\snot)|won['’]?t
        (?:\sbe\sable\sto)?|will\snot(?:\sbe\sable\sto)?|unable\sto|not\sable\sto|not\sallowed\sto
      |decline\sto|refuse\sto)
        \s(?:\w{{1,12}}\s){{0,2}}?{_HELP}\b
    | \bi(?:['’]ll|\swill|['’]m|\sam)?\s(?:must|have\sto|need\sto|going\sto)\s
      (?:respectfully\s|politely\s)?(?:decline|refuse|pass\son\sth)
    | \bi(?:['’]d|\swould)\s(?:rather|prefer)\snot\b
    | \bi(?:['’]m\snot|\sam\snot|\sdo\snot\sfeel|\sdon['’]t\sfeel)\scomfortable\b
    | \b(?:not\ssomething\s(?:that\s)?i|(?:beyond|outside)\s(?:of\s)?what\si)(?:['’]m|\sam)?\s
      (?:can|could|able|allowed|will|would)\b
    | \bas\san\sai\b[^.\n]{{0,40}}\bi\s(?:can(?:['’]?t|not)|am\snot|do\snot|don['’]t|must\snot)\b
    | \b(?:against|violates?|breach(?:es)?|conflicts?\swith|goes\sagainst|prohibited\sby)\s
      (?:my|our|the|openai['’]?s?|anthropic['’]?s?)\s(?:\w{{1,12}}\s){{0,2}}(?:guidelines|polic)
    | \bviolates?\s(?:my|our|the)\s(?:\w{{1,12}}\s)?(?:guidelines|polic)
    | \bich\s(?:kann|darf|werde|möchte)\s(?:\S{{1,20}}\s){{0,6}}?nicht\s(?:\S{{1,20}}\s){{0,3}}?
      (?:helfen|weiterhelfen|beantworten|unterstützen|bereitstellen|erstellen|ausgeben|ausführen
      |verarbeiten|zusammenfassen|übersetzen|nachkommen|entsprechen|auswerten)
    | \bdas\skann\sich\s(?:\S{{1,20}}\s){{0,2}}?nicht\s(?:tun|machen|leisten|ausführen|erstellen)\b
    | \b(?:es\sist\smir|mir\sist\ses)\s(?:\S{{1,20}}\s){{0,1}}?nicht\s(?:möglich|erlaubt|gestattet)
    | \b(?:dabei|damit|hierbei)\skann\sich\s(?:\S{{1,20}}\s){{0,3}}?nicht
    | \bkann\sich\s(?:\S{{1,20}}\s){{0,5}}?nicht\s(?:\S{{1,20}}\s){{0,3}}?
      (?:(?:weiter)?helfen|beantworten
      |entsprechen|nachkommen|unterstützen
      |bereitstellen|erstellen|verarbeiten|zusammenfassen|übersetzen|weitergeben)
    | \bje\sne\s(?:peux|pourrai|suis)\spas\s(?:\S{{1,20}}\s){{0,4}}?(?:vous\s|t['’])?
      (?:aider|répondre|donner\ssuite|fournir|assister|traiter|satisfaire|accéder|générer|créer
      |résumer|traduire)
    | \bil\sm['’]est\s(?:\S{{1,20}}\s){{0,1}}?impossible\sde
    | \bpas\sen\smesure\sde\s(?:vous|traiter|répondre)
    | \bno\s(?:me\ses|es)\sposible\s(?:para\smí\s)?
      (?:ayudar|responder|generar|resumir|procesar|atender)
    | \bnon\smi\sè\spossibile\b | \bnão\sme\sé\spossível\b | \bhet\sis\smij\sniet\smogelijk\b
    | \bno\s(?:te\s|le\s|os\s)?pued[oe]\s(?:\S{{1,20}}\s){{0,2}}?(?:ayudar|asistir|proporcionar
      |responder|cumplir|generar|crear|realizar|procesar|resumir|traducir|atender)
    | \bnão\s(?:posso|consigo)\s(?:\S{{1,20}}\s){{0,2}}?(?:ajud|fornecer|responder|atender|auxiliar
      |gerar|criar|processar|resumir|traduzir)
    | \bnon\sposso\s(?:\S{{1,20}}\s){{0,2}}?(?:aiutar|fornir|rispond|assister|generar|crear
      |elaborar|riassum|tradur)
    | \b(?:daar|hier)\skan\sik\s(?:\S{{1,20}}\s){{0,3}}?niet
    | \bik\skan\s(?:\S{{1,20}}\s){{0,5}}?niet\s(?:\S{{1,20}}\s){{0,2}}?(?:helpen|beantwoorden
      |verwerken|samenvatten|vertalen)
    | \b(?:jag\skan|kan\sjag)\s(?:\S{{1,20}}\s){{0,2}}?inte\s(?:\S{{1,20}}\s){{0,2}}?
      (?:hjälpa|svara|bistå|skapa)
    | \b(?:jeg\skan|kan\sjeg)\s(?:\S{{1,20}}\s){{0,2}}?ikke\s(?:\S{{1,20}}\s){{0,2}}?
      (?:hj[æe]lpe|svare|bistå)
    | \bnie\smogę\s(?:\S{{1,20}}\s){{0,2}}?(?:pomóc|udzielić|spełnić|odpowiedzieć|stworzyć)
    | \bне\sмогу\s(?:\S{{1,20}}\s){{0,2}}?(?:помочь|предоставить|ответить|выполнить|создать)
    | \byardımcı\solama | \b(?:bohužel\s)?(?:s\stím\s)?nemohu\s(?:\S{{1,20}}\s){{0,3}}?(?:pomoci
      |vyhovět|odpověd|poskytnout)
    | \bnem\stud(?:ok|om)\s(?:\S{{1,20}}\s){{0,3}}?(?:segíteni|válaszolni|teljesíteni)
    | \b(?:en\s(?:valitettavasti\s)?voi|en\spysty)\s(?:\S{{1,20}}\s){{0,3}}?(?:auttaa|vastata
      |toteuttaa)
    | \bδεν\sμπορώ\sνα\s(?:\S{{1,20}}\s){{0,2}}?(?:βοηθήσω|απαντήσω|παράσχω|εκτελέσω)
    | \bnu\s(?:te\s|vă\s)?pot\s(?:\S{{1,20}}\s){{0,2}}?(?:ajuta|răspunde|oferi|îndeplini)
    | \bне\sможу\s(?:\S{{1,20}}\s){{0,2}}?(?:допомогти|відповісти|надати|виконати)
    | \b(?:tôi\skhông\sthể|saya\stidak\s(?:dapat|bisa))\s(?:\S{{1,20}}\s){{0,3}}?(?:giúp|hỗ\strợ
      |trả\slời|membantu|memberikan|menjawab|memenuhi)
    | ไม่สามารถ(?:ช่วย|ตอบ|ให้) | (?:איני\sיכול|לא\sאוכל)\s(?:לעזור|לסייע|לענות)
    | (?:抱歉|对不起|對不起|很遗憾|無法|我不能|我无法)[^。\n]{{0,12}}
      (?:不能|无法|無法|拒绝|帮助|协助)[^。\n]{{0,12}}(?:帮助|协助|提供|回答|满足|处理|幫助|請求
      |请求)
    | (?:抱歉|对不起|對不起|很遗憾)[^\n]{{0,40}}(?:不能|无法|無法|拒绝)(?:为您|为你|為您)?
      (?:提供|回答|协助|帮助|处理|满足|总结|生成|幫助|處理)
    | (?:申し訳|すみません|恐れ入ります)[^\n]{{0,40}}(?:できません|お断り|いたしかねます)
    | (?:도와|제공|답변|도움)[^\n]{{0,10}}수\s?없
    | لا\s(?:أستطيع|يمكنني)\s(?:مساعد|تقديم|الإجابة) | मदद\sनहीं\sकर\sसकत
    )""",
    re.IGNORECASE | re.VERBOSE,
)

_REFUSAL_WORDS = (
    "can", "won", "not", "unable", "declin", "refus", "against", "violat", "breach", "conflict",
    "prohibited", "outside", "beyond", "pass", "comfortable", "as an ai", "nicht", "pas", "pued",
    "posso", "possibile", "imposs", "posib", "mogelijk", "niet", "inte", "ikke", "olama",
    "nemohu", "tidak", "nu ", "en voi", "en pysty", "nie ",
)  # fmt: skip
"""One of these stands in each refusal that is written in ASCII: looking for them takes a twentieth
of the time of the pattern."""

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
    )""",
    re.IGNORECASE | re.VERBOSE,
)


_NO = re.compile(r"no(?:\s|t|n\s)")
_GIVES_UP_WORDS = (
    "n't", "dont", "didnt", "couldnt", "cant", "unable", "insufficient", "without", "kein", "nicht",
    "n'a", "aucun", "nessun", "geen", "niet", "inte", "ikke", "nie",
)  # fmt: skip
"""One of these, or `no`, stands in each text of that kind that is written in ASCII."""


def says_refusal(text: str) -> bool:
    """Whether an answer refuses what it was asked for, in any of several languages."""
    if len(text) > _LONGEST_REFUSAL:
        return False
    start = text[:_REFUSAL_READ]
    if start.isascii():
        low = start.lower()
        if not any(map(low.__contains__, _REFUSAL_WORDS)):
            return False
    return _REFUSAL.search(start) is not None


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
    """Whether an answer denies something at its beginning, in any of several languages."""
    return negates(text[:_NEGATION_READ])
