"""Texts in UTF-8 that a step read in an older encoding, and the same texts read rightly."""

from evals.small_cases.builder import CaseList, SpanPlan, span, tool

GARBLED = CaseList("garbled")


def _read(text: str, *, right: bool = False) -> SpanPlan:
    given = {"file": "passengers.csv"}
    return tool("read_csv", given, {"rows": [{"note": text}], "count": 1}, right=right)


def _print(text: str) -> SpanPlan:
    return span("print_label", input={"note": text}, output={"label": f"Note: {text}"})


for _name, _meant, _encoding in (
    ("spanish_names", "Núñez and Peña of Logroño", "latin-1"),
    ("german_street", "Große Bleiche 5, Lübeck", "cp1252"),
    ("polish_text", "Zażółć gęślą jaźń", "cp1250"),
    ("russian_text", "Расписание паромов на завтра", "cp1251"),
    ("japanese_text", "渡船の時刻表", "latin-1"),
    ("quotation_marks", "The “Tern” sails – it’s late", "latin-1"),
    ("french_of_a_mac", "Traversée annulée à Calais", "mac_roman"),
):
    _garbled = _meant.encode().decode(_encoding)
    GARBLED.add(_name, _read(_garbled, right=True), _print(_garbled), says="decoded wrongly")
    GARBLED.add(f"{_name}_healthy", _read(_meant), _print(_meant))
    GARBLED.add(
        f"{_name}_as_asked_healthy",
        _read("14"),
        _print("14"),
        question=f"Why do labels say “{_garbled}”?",
    )

GARBLED.add("twice_over", _read("GrÃƒÂ¼ÃƒÂŸe", right=True), _print("GrÃƒÂ¼ÃƒÂŸe"))
for _name, _text in (
    ("portuguese_capitals", "“IRMÃ” É AMANHÃ…"),
    ("russian_words", "Её ждёт. Её дом. Ві."),
    ("czech_words", "Úžasný. Část č. 3 – „Šňůra“."),
    ("mathematics", "√±2 and ±√3"),
):
    GARBLED.add(f"{_name}_healthy", _read(_text), _print(_text))
