"""Values of which a request means one: a currency, a language, a country, an environment, …

Each line is one value with its spellings. Codes of countries have two letters that are words, too,
and count as the whole value of a field only.
"""

import re
from functools import cache
from typing import NamedTuple

from app.analysis.recorded.spellings import key_set

_TABLES = {
    "currency": """
EUR|euro|euros|€
USD|dollar|dollars|us dollars|us-dollar
GBP|pound sterling|pounds sterling|british pounds|£
CHF|franken|swiss francs|swiss franc|schweizer franken|francs suisses
JPY|yen
SEK|swedish kronor|schwedische kronen|kronor
NOK|norwegian kroner|norwegische kronen
DKK|danish kroner|dänische kronen
PLN|zloty|złoty
CZK|czech koruna|tschechische kronen
HUF|forint
TRY|turkish lira|lira turca
INR|rupees|rupee
CNY|yuan|renminbi|人民币
KRW|won|원
BRL|reais|brazilian real
CAD|canadian dollars
AUD|australian dollars
MXN|mexican pesos|pesos mexicanos
ZAR|rand
AED|dirham|dirhams
""",
    "environment": """
production|prod|live|produktion
staging|stage|preprod|pre-production
development|dev|entwicklung
sandbox
""",
    "language": """
en|english|englisch|anglais|inglés|inglês|inglese|engels|英文|英語
de|german|deutsch|auf deutsch|allemand|alemán|alemão|tedesco|duits|德文|ドイツ語
fr|french|französisch|français|francés|francês|francese|frans|法文|フランス語
es|spanish|spanisch|espagnol|español|espanhol|spagnolo|spaans|西班牙文
it|italian|italienisch|italien|italiano|italiaans
pt|portuguese|portugiesisch|portugais|portugués|português
nl|dutch|niederländisch|néerlandais|nederlands
pl|polish|polnisch|polski
sv|swedish|schwedisch|svenska
ja|japanese|japanisch|日本語|日文
zh|chinese|chinesisch|中文
ko|korean|koreanisch|한국어
ru|russian|russisch|русский
tr|turkish|türkisch|türkçe
ar|arabic|arabisch|العربية
""",
    "country": """
DE|DEU|germany|deutschland|allemagne|alemania|alemanha|germania|duitsland|德国|ドイツ
AT|AUT|austria|österreich|autriche
CH|CHE|switzerland|schweiz|suisse|suiza|suíça|svizzera|瑞士
FR|FRA|france|frankreich|francia|frança|法国
IT|ITA|italy|italien|italie|italia|itália
ES|ESP|spain|spanien|espagne|españa|espanha|spagna
PT|PRT|portugal|portogallo
NL|NLD|netherlands|niederlande|pays-bas|países bajos|nederland
BE|BEL|belgium|belgien|belgique|bélgica|belgië
LU|LUX|luxembourg|luxemburg
GB|UK|GBR|united kingdom|great britain|großbritannien|royaume-uni|reino unido
IE|IRL|ireland|irland|irlande|irlanda
DK|DNK|denmark|dänemark|danemark|dinamarca|danmark
SE|SWE|sweden|schweden|suède|suecia|sverige
NO|NOR|norway|norwegen|norvège|noruega|norge
FI|FIN|finland|finnland|finlande|suomi
PL|POL|poland|polen|pologne|polonia|polska
CZ|CZE|czechia|czech republic|tschechien
HU|HUN|hungary|ungarn|hongrie
RO|ROU|romania|rumänien
GR|GRC|greece|griechenland
TR|TUR|turkey|türkei|türkiye
US|USA|united states|vereinigte staaten|états-unis|estados unidos|stati uniti|美国
CA|CAN|canada|kanada
MX|MEX|mexico|méxico|mexiko
BR|BRA|brazil|brasil|brasilien
AR|ARG|argentina|argentinien
CL|CHL|chile
CO|COL|colombia|kolumbien
IN|IND|india|indien
CN|CHN|china
JP|JPN|japan|japon|japón|日本
KR|KOR|south korea|südkorea|한국
AU|AUS|australia|australien
NZ|NZL|new zealand|neuseeland
ZA|ZAF|south africa|südafrika
""",
    "direction": """
north|northern|nord|norte|noord
south|southern|süd|sud|sur|sul|zuid
east|eastern|ost|est|oost
west|western|ouest|oeste|ovest
""",
    "weekday": """
monday|montag|lundi|lunes|segunda-feira|lunedì|maandag
tuesday|dienstag|mardi|martes|terça-feira|martedì|dinsdag
wednesday|mittwoch|mercredi|miércoles|quarta-feira|mercoledì|woensdag
thursday|donnerstag|jeudi|jueves|quinta-feira|giovedì|donderdag
friday|freitag|vendredi|viernes|sexta-feira|venerdì|vrijdag
saturday|samstag|samedi|sábado|sabato|zaterdag
sunday|sonntag|dimanche|domingo|domenica|zondag
""",
    "temperature": """
celsius|°c
fahrenheit|°f
""",
    "distance": """
km|kilometers|kilometres|kilometer
miles|mile|meilen
""",
}
_CODES = {
    "country": key_set(
        "country country_code land nation market region pais país pays paese locale country_iso"
        " destination_country origin_country"
    ),
    "language": key_set(
        "language lang locale language_code sprache langue idioma lingua taal target_language"
        " output_language"
    ),
}
"""Keys under which a code of two letters is one of a country or a language, and no word."""
_SHORT = 3  # letters of a code
_LONGEST = 40  # characters of a value


class ScopeWord(NamedTuple):
    """What a word means: `table` is the kind of value, `value` the canonical one."""

    table: str
    value: str


def find_scope_words(text: str) -> frozenset[ScopeWord]:
    """The values that a text names, in any of several languages."""
    pattern, meanings = _build_pattern()
    codes = (ScopeWord("currency", code) for code in _CURRENCY.findall(text))
    words = (meanings[found] for found in pattern.findall(text.casefold()))
    known = _read_table("currency")
    return frozenset(
        [each for word in words for each in word]
        + [each for each in codes if each.value.casefold() in known]
    )


def read_scope_value(key: str, value: object) -> frozenset[ScopeWord]:
    """What the value of a field means as a whole: `EUR`, `staging`, and `PT` under a key for
    countries."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return frozenset()
    plain = value.strip().casefold()
    return frozenset(
        ScopeWord(table, found)
        for table in _TABLES
        if (found := _read_table(table).get(plain))
        and (len(plain) > _SHORT or table not in _CODES or key in _CODES[table])
    )


_CURRENCY = re.compile(r"(?<![\w-])[A-Z]{3}(?![\w-])")


@cache
def _read_table(table: str) -> dict[str, str]:
    """The canonical value of each spelling."""
    rows = [line.split("|") for line in _TABLES[table].strip().splitlines()]
    return {word.casefold(): row[0] for row in rows for word in row}


@cache
def _build_pattern() -> tuple[re.Pattern[str], dict[str, list[ScopeWord]]]:
    """A pattern for all spellings that are no codes, and their meanings."""
    meanings: dict[str, list[ScopeWord]] = {}
    for table in _TABLES:
        for word, value in _read_table(table).items():
            if len(word) > _SHORT or not word.isascii() or table not in (*_CODES, "currency"):
                meanings.setdefault(word, []).append(ScopeWord(table, value))
    words = sorted(meanings, key=len, reverse=True)
    ascii_words = "|".join(re.escape(word) for word in words if word[0].isalpha())
    signs = "|".join(re.escape(word) for word in words if not word[0].isalpha())
    return re.compile(rf"(?:(?<!\w)(?:{ascii_words})(?!\w)|{signs})"), meanings
