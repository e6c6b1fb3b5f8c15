"""How a model refuses, in the words of each language: parts from which patterns are built.

A refusal says in the first person that one cannot, must not, will not or would rather not, and
names what models are asked for. Looking up, opening, booking, cancelling and changing are left
out: that these cannot be done is an answer.
"""

from typing import NamedTuple

_SHORT_WORDS = r"(?!(?:ver|ir|voir|dire|fare|dar|ler|usar)\b)[\w'-]{1,4}|\w+(?:ly|ment|mente)"
_ANY_WORDS = r"[\w'-]{1,24}"


class RefusalWords(NamedTuple):
    """One language; each part is a pattern of alternatives for a text in lower case.

    One of `words` is in each refusal; `marks` are such texts where words have no blanks between
    them, or have endings instead. `cannot` says that one cannot or will not. `tasks` are what only
    models are asked for, `acts` what is also done to `goods`, the things of a business: with these
    they make no refusal. `alone` refuses without naming anything. `filler` is a word that may stand
    between, `most` how many of them, `between` a pattern instead. `ends` follows a task.
    """

    cannot: str
    tasks: str
    acts: str
    goods: str
    words: str = ""
    marks: tuple[str, ...] = ()
    alone: str = ""
    filler: str = _SHORT_WORDS
    most: int = 3
    ends: str = r"\w*"
    task_first: bool = False
    between: str = ""


_MANY = rf"(?:{_ANY_WORDS} ){{0,6}}?"
# The verb ends the clause in German and Dutch: nouns that look like it are followed by a verb.
_CLAUSE_END = (
    r"(?=[.,;:!?)…–-]|$| (?:bei|mit|in|im|für|über|wegen|ohne|von|und|oder|noch|da|weil"
    r"|bij|met|voor|over|op|van|vanwege|zonder|en|of|omdat|want) )"
)
_VERB_END = rf"\w*(?:en|ern|eln){_CLAUSE_END}"

ENGLISH = RefusalWords(
    words="can't cant cannot not won't mustn't shouldn't unable decline declining refuse pass"
    " against violate violates breach breaches conflict conflicts prohibited outside"
    " beyond don't doesn't programmed",
    cannot=r"(?<!\bif )\bi(?:'m| am)? (?:\w{1,12},? ){0,3}?(?:can'?t|cannot|can not|won't"
    r"|will not|must not|mustn't|should not|shouldn't|unable to|not able to"
    r"|not (?:allowed|permitted|willing|authori[sz]ed|going|designed|in a position) to"
    r"|declin(?:e|ing) to|refuse to"
    r"|(?:prefer|rather) not(?: to)?|choose not to)",
    tasks="help|assist|answer|respond|writ(?:e|ing)|draft|compos|rewrite|translat|summari[sz]|analy"
    r"|evaluat|assess|compar(?:e|ing)|describ|discuss|advis|interpret|extract|transcrib|rate\b"
    r"|rating|grad(?:e|ing)\b|classif|comply|participat|tak(?:e|ing) part|engag|explain|comment"
    r"|review|role-?play|do (?:this|that|so)\b|go ahead with|support (?:this|that)"
    r"|recommend (?:an?|any|specific|one|which|products|medic\w+)\b",
    acts="provid|shar(?:e|ing)|giv(?:e|ing)|disclos|reveal|creat|generat|produc|process|handl"
    "|continu|proceed|fulfil|read(?:ing)?\\b|work (?:with|on) (?:this|that|these|those|such)"
    "|perform|compil(?:e|ing)|put(?:ting)? together|draw(?:ing)? up|devis(?:e|ing)"
    "|design(?:ing)?\\b",
    goods=r"order(?! to\b)|booking|reservation|payment|refund|returns?\b|exchang|cancel"
    r"|discount|voucher|invoice"
    "|deliver|shipment|appointment|account|tickets?\\b|seat|room|table|mind|without|until|unless",
    alone=r"\bi(?:'ll| will|'m| am)? (?:must|have to|need to|going to) (?:respectfully |politely )?"
    r"(?:decline|refuse|pass on th)|\bi(?:'d| would) (?:rather|prefer) not\b"
    r"|\bi(?:'m not| am not| do not feel| don't feel) comfortable\b"
    r"|\b(?:not something (?:that )?i|(?:beyond|outside) (?:of )?what i)(?:'m| am)? "
    r"(?:can|could|able|allowed|will|would)\b"
    r"|\b(?:doesn't|does not) (?:fit|align) (?:within |with )?(?:my|our) (?:\w{1,12} ){0,2}"
    r"(?:guidelines|polic)|\bi(?:'m| am) programmed to [^.\n]{0,80}?\b(?:can't|cannot)\b"
    r"|\bas an ai\b[^.\n]{0,40}\bi (?:can'?t|cannot|am not|do not|don't|must not)\b"
    r"|\b(?:against|violates?|breach(?:es)?|conflicts? with|prohibited by) "
    r"(?:my|our|the|openai'?s?|anthropic'?s?) (?:\w{1,12} ){0,2}(?:guidelines|polic)",
    filler=r"\w+ly|also|just|even|really|you|to|be|able|help|in|good|conscience|with|or|any",
    most=4,
)  # fmt: skip

GERMAN = RefusalWords(
    words="nicht kein keine keinen keinem keiner keines lehne muss weigere",
    cannot=rf"(?:\bich (?:kann|darf|werde|möchte|will|würde|soll|bin)"
    rf"|\b(?:kann|darf|werde|möchte|will) ich) {_MANY}(?:nicht|keine?\w?)"
    r"(?: (?:in der lage|befugt|berechtigt|bereit|autorisiert),?)?",
    tasks=r"\w{0,6}helf|unterstütz|assistier|beantwort|antwort|(?:be|auf)?schreib|verfass"
    "|formulier|entwerf|übersetz|zusammen(?:zu)?fass|analysier|aus(?:zu)?wert|bewert|beurteil"
    "|ein(?:zu)?schätz|vergleich|diskutier|besprech|erörter|äußer|berat|extrahier|vor(?:zu)?les"
    "|transkribier|benot|klassifizier|einordn|interpretier|kommentier|teil(?:zu)?nehm"
    "|mit(?:zu)?wirk|nach(?:zu)?komm|entsprech|erklär|erläuter",
    acts="erstell|generier|erzeug|verarbeit|bearbeit|bereit(?:zu)?stell|stell|geb"
    "|(?:weiter|heraus|preis|ab|aus)(?:zu)?geb|teil|mit(?:zu)?teil|offenleg|les|aus(?:zu)?les"
    "|fort(?:zu)?fahr|fort(?:zu)?setz|weiter(?:zu)?mach|erfüll|aus(?:zu)?führ|nenn|leist"
    "|erteil|empfehl|auf(?:zu)?stell|zusammen(?:zu)?stell|aus(?:zu)?arbeit|entwerf",
    goods=r"bestell|auftrag|buchung|reservier|zahlung|erstattung|rückgabe|umtausch|rabatt|gutschein|rechnung"
    r"|liefer|termin|\bkonto\b|ticket|fahrkarte|storn|platz|zimmer|\bohne\b|\bbevor\b|\bsolange\b"
    r"|nicht empfehlen",
    alone=rf"\b(?:ich|das) lehne (?:{_ANY_WORDS},? ){{0,4}}?ab\b|\blehne ich\b"
    rf"|\b(?:ich muss|muss ich) {_MANY}ablehnen|\bich weigere mich"
    r"|\bdas (?:kann|darf|werde|möchte) ich (?:\S{1,20} ){0,2}?nicht (?:tun|machen|leisten)\b"
    r"|\b(?:es ist mir|mir ist es|ist mir) (?:\S{1,20} )?nicht (?:möglich|erlaubt|gestattet)",
    filler=_ANY_WORDS, most=5, ends=_VERB_END,
)  # fmt: skip

DUTCH = RefusalWords(
    words="niet geen weiger moet",
    cannot=rf"(?:\bik (?:kan|mag|wil|zal|ga|ben)|\b(?:kan|mag|wil|zal|ga) ik) {_MANY}(?:niet|geen)"
    r"(?: (?:in staat|bevoegd|bereid),?(?: om)?)?",
    tasks=r"\w{0,6}help|bijstaan|ondersteun|assister|(?:be)?antwoord|(?:be)?schrijv|opstell"
    "|formuler|vertal|samen(?:te)?vat|analyser|evaluer|beoordel|inschat|vergelijk|besprek"
    "|discussiër|bediscussiër|adviser|extraher|transcriber|overschrijv|classificer|interpreter"
    "|toelicht|uitlegg|deelnem|meewerk|meedo|voldo|ingaan",
    acts="gev|verstrekk|del|doorgev|bied|aanbied|mak|creër|genere?r|verwerk|behandel|lez|uitlez"
    "|uitvoer|vervull|doorgaan|prijsgev|opvolg|(?:op|samen)(?:te)?stell|uitwerk|ontwerp",
    goods=r"bestelling|\border|boeking|reserver|betaling|terugbetal|retour|omruil|korting|factuur|lever"
    r"|afspraak|account|ticket|kaartje|plaats|kamer|\bzonder\b|\btotdat\b",
    alone=rf"\bik (?:moet|wil) {_MANY}(?:weigeren|afwijzen)|\bik weiger\b"
    r"|\b(?:daar|hier) kan ik (?:\S{1,20} ){0,3}?niet (?:\S{1,20} ){0,3}?(?:helpen|aan)"
    r"|\bhet is (?:voor )?mij niet (?:mogelijk|toegestaan)",
    filler=_ANY_WORDS, most=5, ends=rf"\w*(?:n|ën){_CLAUSE_END}",
)  # fmt: skip

FRENCH = RefusalWords(
    words="ne pas ni saurais refuse m'abstenir m'abstiens impossible interdit dois contraint"
    " contrainte décline",
    cannot=r"\bje ne (?:peux|pourrai|pourrais|suis|veux|souhaite|dois|vais)(?: \w{3,18}ment)?"
    r"(?: (?:pas|ni))?(?: (?:en mesure|autorisée?|habilitée?|disposée?|capable|programmée?))?"
    r"|\bje ne saurais|\bje préf[èé]r(?:e|erais) ne pas|\bje refuse"
    r"|\bje m'abstiens|\bil m'est (?:\w+ )?(?:impossible|interdit)|\bpas en mesure",
    tasks="aide|assiste|répond|rédige|écri|tradui|résume|analyse|évalue|compare|décri|discute"
    r"|débatt|conseille|recommander (?:un|des|quel)|extrai|transcri|noter|classe|classif|interprét"
    "|commente|explique|participe|donner suite|me prononcer|satisfai|me conformer|accompagne|jouer"
    "|reformule|synthétis",
    acts="fourni|donne|communique|partage|divulgue|révéle|transmett|propose|offri|crée|génére"
    "|produi|traite|lire|poursui|continue|exécute|prendre part|accéder à (?:votre|cette|ce|ta)"
    "|établi|élabore|compose|conce[vp]|prépare|dresser",
    goods=r"commande|réserv|paiement|rembours|retour|échang|remise|réduction|facture|livraison"
    r"|rendez-vous|\bcompte|billet|annul|place|chambre|\bsans\b|\btant que\b",
    alone=r"\bje (?:dois|me vois contraint\w* de|me dois de) (?:\w+ )?(?:refuser|décliner)"
    r"|\bje décline|\bje préfère m'abstenir|\bje me refuse à|\bje ne suis pas à l'aise",
)  # fmt: skip

SPANISH = RefusalWords(
    words="no niego rehúso debo tengo",
    cannot=r"\bno (?:(?:te|le|les|os|me|se|lo|la) )?(?:puedo|podré|podría|voy a|debo|quiero|deseo"
    r"|estoy (?:autorizad[oa]|en condiciones|capacitad[oa]|dispuest[oa])(?: para| de| a)?"
    r"|soy capaz de|es posible|está permitido|tengo permitido)|\b(?:prefiero|preferiría) no"
    r"|\bme niego a|\brehúso",
    tasks="ayud|asist|respond|contest|escrib|redact|traduc|resum|analiz|evalu|valor(?:ar)"
    "|compar(?!t)"
    r"|describ|discut|debat|aconsej|asesor|recomendar(?:le|te)? (?:un|ning|qué|product)"
    "|extra(?:er|ig)|transcrib|calific|puntu|clasific|interpret|coment(?:ar)|explic|particip"
    "|opinar|cumplir|complac"
    "|dar consejo|atender",
    acts="proporcion|facilit|compart|divulg|revel|dar\\w*|ofrec|generar|crear|produc|proces"
    "|trat(?:ar)"
    "|leer|continu|prosegui|realiz|ejecut|brind|suministr|elabor|prepar|diseñ|confeccion|componer",
    goods=r"\bpedido|reserva|\bpago|reembols|devoluc|cambi|descuento|factura|entrega|envío|\bcita"
    r"|\bcuenta|billete|boleto|compra\b|habitaci|asiento|\bsin\b|\bhasta\b",
    alone=r"\b(?:debo|tengo que) (?:declinar|rechazar|negarme)|\bno me siento cómod[oa]",
)  # fmt: skip

PORTUGUESE = RefusalWords(
    words="não nao recuso-me recuso devo tenho preciso",
    cannot=r"\bn[ãa]o (?:(?:te|lhe|lhes|me|o|a) )?(?:posso|consigo|poderei|poderia|vou|devo|quero"
    r"|desejo|estou (?:autorizad[oa]|em condições|apt[oa])(?: para| de| a)?|é possível"
    r"|é permitido|tenho permissão para|sou capaz de)|\b(?:prefiro|preferiria) não"
    r"|\brecuso-me a|\bme recuso a",
    tasks=r"ajud|auxili|assist|respond|escrev|redigi|traduz|resum|analis|avali|compar(?!ti)|descrev"
    r"|discut|debat|aconselh|recomendar (?:um|nenhum|qua|produt)|extra(?:ir|í)|transcrev|classific"
    "|pontu|interpret|coment(?:ar)|explic|particip|opinar|cumpri|satisf",
    acts=r"fornec|dar\b|prestar|compartilh|partilh|divulg|revel|oferec|criar|crie|gerar|produz"
    r"|process|tratar|\bler\b|atend|execut|realiz|continu|prossegu|elabor|prepar|montar|compor\b",
    goods=r"encomenda|reserva|pagamento|reembols|devolu|\btroca|desconto|fatura|entrega|consulta\b"
    r"|\bconta\b"
    r"|bilhete|compra\b|quarto|assento|\bsem\b|\baté\b",
    alone=r"\b(?:devo|tenho de|tenho que|preciso) (?:recusar|declinar)",
)  # fmt: skip

ITALIAN = RefusalWords(
    words="non rifiuto devo costretto costretta",
    cannot=r"\bnon (?:(?:ti|le|vi|mi|lo|la) )?(?:posso|potrò|potrei|sono in grado di"
    r"|sono autorizzat[oa] a|sono abilitat[oa] a|è possibile|è permesso|è consentito|intendo"
    r"|voglio|desidero|devo|sento di)|\b(?:preferisco|preferirei) non|\bmi rifiuto di",
    tasks="aiut|assist|rispond|scriv|redig|tradur|riassum|sintetizz|analizz|valut|confront|paragon"
    r"|compar|descri|discut|consigliare? (?:prodott|un|qual|né)|consigliarti|consigliarle"
    r"|raccomandare (?:un|prodott)|estra(?:rr|e)|trascri|classific|interpret|comment(?:are)|spieg"
    "|partecip|esprimer|soddisf|dare (?:consigli|seguito|parer)",
    acts=r"forni|dar[elgtv]\w*|condivid|divulg|rivel|offri|creare|crea|generar|produr|elabor"
    "|process|trattare|legger|eseguir|continu|prosegui|accoglier|prepar|compor|stilar|progett",
    goods=r"\bordin[ei]\b|prenot|pagament|rimbors|restitu|\bcambi|\breso\b|sconto|fattura|consegna|spedi"
    r"|appuntament|\bconto\b|account|bigliett|acquist|camera|\bposti?\b|\bsenza\b|\bfinché\b",
    alone=r"\b(?:devo|sono costrett[oa] a) (?:\w+ )?(?:rifiutare|declinare)"
    r"|\bnon mi è (?:possibile|permesso|consentito)",
)  # fmt: skip

ROMANIAN = RefusalWords(
    words="nu refuz trebuie",
    cannot=r"\bnu (?:(?:te|vă|îți|vi|ți|îmi|mi|le) )?(?:pot|voi|aș putea|doresc|vreau|am voie"
    r"|intenționez|sunt (?:în măsură|autorizat\w*)|este permis|se permite)(?: să)?"
    r"|\b(?:prefer|aș prefera) să nu|\brefuz să",
    tasks="ajut|asist|răspund|scri|redact|tradu|rezum|analiz|evalu|compar|descri|discut|dezbat"
    "|sfătui|consili|extrag|transcri|clasific|not(?:a|ez)\\b|interpret|coment(?:a|ez)|explic"
    "|particip|da curs|conform",
    acts=r"oferi?|furniz|\bda(?:u)?\b|împărtăș|divulg|dezvălui|cre[az]|genera|produce|proces|citi"
    "|continu|îndeplin|execut",
    goods=r"comand|rezerv|plat[aăe]|plăț|ramburs|retur|schimb|reducer|factur|livr|programar|\bcont\b"
    r"|bilet|\bloc\b|camer|\bfără\b|\bpână\b",
    alone=r"\btrebuie să (?:refuz|declin)",
)  # fmt: skip

SWEDISH = RefusalWords(
    words="inte inga inget ingen avböjer vägrar avstår måste",
    cannot=rf"(?:\bjag (?:kan|får|vill|kommer|tänker|skulle|är)|\b(?:kan|får|vill|kommer|tänker)"
    rf" jag) {_MANY}(?:inte|inga|inget|ingen)(?: (?:behörig|villig|tillåten|i stånd))?(?: att)?"
    r"|\bjag (?:föredrar|väljer) att inte|\bjag (?:avböjer|vägrar|avstår från)(?: att)?",
    tasks="hjälp|bistå|assister|svar|besvar|skriv|formuler|översätt|sammanfatt|analyser|bedöm"
    "|utvärder|jämför|beskriv|diskuter|ge (?:råd|rekommendation|medicinsk)|extraher|transkriber"
    "|betygsätt|klassificer|tolk|kommenter|förklar|delta|medverk|efterkomm|uppfyll",
    acts=r"tillhandahåll|ge\b|dela\b|lämn|avslöj|skap|generer|bearbet|behandl|hanter|läs|utför"
    "|fortsätt|producer|sätta ihop|ta fram|sammanställ|utforma",
    goods=r"beställning|\border|bokning|betalning|återbetal|\bretur|\bbyte|rabatt|faktur|leverans|\btid\b"
    r"|konto|biljett|plats|\brum\b|\butan\b|\binnan\b",
    alone=r"\bjag måste (?:tyvärr )?(?:avböja|neka|vägra)|\bdet är inte möjligt för mig"
    r"|\bjag är inte bekväm",
)  # fmt: skip

DANISH_AND_NORWEGIAN = RefusalWords(
    words="ikke ingen intet nægter nekter må",
    cannot=rf"(?:\bjeg (?:kan|må|vil|ønsker|får|er)|\b(?:kan|må|vil|får) jeg) {_MANY}"
    r"(?:ikke|ingen|intet)(?: (?:villig|autoriseret|autorisert|i stand))?(?: til)?(?: (?:at|å))?"
    r"|\bjeg (?:foretrækker|foretrekker|vælger|velger) (?:at|å) ikke"
    r"|\bjeg (?:nægter|nekter)(?: (?:at|å))?",
    tasks="hj[æe]lp|bistå|assister|svar|besvar|skriv|formuler|overs[æe]t|sammenfat|oppsummer"
    "|opsummer|analyser|vurder|bedøm|sammenlign|beskriv|diskuter|drøft|rådgiv"
    r"|gi(?:ve)? (?:råd|anbefal|medisinsk|medicinsk)|uddrag|udtræk|ekstraher|trans?skriber"
    "|transkriber|klassific|klassifiser|fortolk|tolk|kommenter|forklar|deltag?|medvirk|efterkomm"
    "|etterkomm|imøtekomm",
    acts=r"gi(?:ve)?\b|dele?\b|videregiv|oplys|skab|skap|generer|behandl|håndter|læs|les|udfør"
    "|utfør|opfyld|oppfyll|fortsæt|fortsett|ud?leve?r|opret|lage\\b",
    goods=r"bestilling|\bordre|booking|reservasj|reservat|betaling|refu|\bretur|ombyt|bytte|rabat|faktura|lever"
    r"|\btid\b|konto|billet|plads|plass|værelse|\brom\b|\buden\b|\buten\b|\bfør\b",
    alone=r"\bjeg må (?:desværre |dessverre )?(?:afvise|avvise|afslå|avslå|takke nej)"
    r"|\bdet er ikke mulig\w? for mig|\bdet er ikke mulig for meg",
)  # fmt: skip
