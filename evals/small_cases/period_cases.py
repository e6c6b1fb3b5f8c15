"""Calls for another day, month or year than the question names, in several languages, and their
healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

PERIODS = CaseList("other_period")
TIMES = CaseList("local_time")
_Step = tuple[str, Any, Any]


def _ask(step: _Step, *, right: bool = False) -> list[SpanPlan]:
    name, given, result = step
    return [model(calls(name, given), right=right), tool(name, given, result, right=right)]


def _add(
    name: str, question: str, *steps: _Step, answer: str, wrong: str = "", at: int = 0
) -> None:
    """A trace whose calls of the tool `wrong`, from the one at `at` on, are for another time."""
    seen = 0
    spans = []
    for step in steps:
        is_wrong = step[0] == wrong and seen >= at
        seen += step[0] == wrong
        spans += _ask(step, right=is_wrong)
    ending = "" if wrong else "_healthy"
    told = model(says(answer), asked=question)
    PERIODS.add(f"{name}{ending}", *spans, told, input=question, question=question, answer=answer)


_ROUTES = ("ruter", {"linje": "4"}, {"ruter": ["4A", "4B"]})
_add(
    "norwegian_day_of_another_call",
    "Hvor mange plasser er det på ferga lørdag 16. mai, og blir det vind?",
    ("ledige_plasser", {"linje": "4A", "dato": "2026-05-17"}, {"plasser": 31}),
    ("vindvarsel", {"sted": "Sund", "dato": "2026-05-16"}, {"vind_ms": 4}),
    answer="Lørdag 16. mai er det 31 plasser og svak vind.",
    wrong="ledige_plasser",
)
_add(
    "norwegian_day_as_named",
    "Hvor mange plasser er det på ferga lørdag 16. mai?",
    _ROUTES,
    ("ledige_plasser", {"linje": "4A", "dato": "2026-05-16"}, {"plasser": 31}),
    answer="Det er 31 plasser lørdag 16. mai.",
)
_add(
    "czech_day_in_another_month",
    "Rezervujte mi prosím kajutu na 12. června pro dvě osoby.",
    ("rezervace", {"den": "2026-07-12", "osob": 2}, {"cislo": "R-81"}),
    answer="Kajuta na 12. června je rezervována, číslo R-81.",
    wrong="rezervace",
)
_add(
    "turkish_day",
    "6 Haziran için iki kişilik akşam feribotu bileti alabilir misiniz?",
    ("bilet_al", {"tarih": "2026-06-16", "kisi": 2}, {"bilet": "B-17"}),
    answer="6 Haziran akşamı için biletiniz hazır.",
    wrong="bilet_al",
)
_add(
    "korean_day",
    "5월 20일 저녁 배에 두 사람 자리를 예약해 주세요.",
    ("예약", {"날짜": "2026-05-02", "인원": 2}, {"번호": "Y-3"}),
    answer="5월 20일 저녁 배 두 자리를 예약했습니다.",
    wrong="예약",
)
_add(
    "chinese_month",
    "请告诉我2026年3月的货运收入是多少。",
    ("查询收入", {"月份": "2026-02"}, {"收入": 81200}),
    answer="2026年3月的货运收入是81200元。",
    wrong="查询收入",
)
_add(
    "day_of_another_year_with_slashes",
    "Please rebook my crossing of 14 July 2026, order 55-A.",
    ("rebook", {"order": "55-A", "date": "14/07/2027"}, {"done": True}),
    answer="Your crossing of 14 July is rebooked.",
    wrong="rebook",
)
_NIGHTS = "Two cabins from 9 June for 3 nights, please, with breakfast on each morning."
_add(
    "nights_after_the_first_day",
    _NIGHTS,
    ("book_cabin", {"first_day": "2026-06-09", "nights": 3}, {"cabin": "K-4"}),
    ("book_breakfast", {"cabin": "K-4", "date": "2026-06-10"}, {"booked": True}),
    answer="The cabins and all breakfasts are booked.",
)
_add(
    "reminder_days_before",
    "Remind me 4 days before the inspection on 20 June 2026.",
    ("create_reminder", {"date": "2026-06-16", "text": "inspection"}, {"id": 7}),
    answer="I will remind you on 16 June.",
)
_add(
    "days_between_two_named_days",
    "Which berths are free between 12 and 15 June 2026?",
    ("free_berths", {"date": "2026-06-13"}, {"berths": [4, 5]}),
    answer="Berths 4 and 5 are free.",
)
_add(
    "day_from_an_earlier_result",
    "When is the last lifeboat drill before 20 June 2026, and who takes part?",
    ("list_drills", {"until": "2026-06-20"}, {"drills": [{"day": "2026-06-04"}]}),
    ("list_crew", {"drill_on": "2026-06-04"}, {"crew": ["Ida", "Tor"]}),
    answer="The drill is on 4 June; Ida and Tor take part.",
)
_add(
    "day_before_in_another_time_zone",
    "Set up the harbour meeting on 9 June 2026 at 00:30 in Bergen.",
    ("create_event", {"start": "2026-06-08T22:30:00Z", "minutes": 30}, {"event": "E-1"}),
    answer="The meeting on 9 June at 00:30 is set up.",
)
_add(
    "last_price_before_a_holiday",
    "What was the price of marine diesel on 14 June 2026?",
    ("get_price", {"product": "diesel", "date": "2026-06-12"}, {"price": 0.91}),
    answer="There was no trading on 14 June 2026; the price of 12 June was 0.91.",
)
_add(
    "verb_that_is_a_month",
    "Our gate number 12 may be out of order since 2026-04-28: please check.",
    ("gate_log", {"gate": 12, "date": "2026-04-28"}, {"events": [{"state": "stuck"}]}),
    answer="Gate 12 has been stuck since 28 April.",
)
_FIRST_MONTHS = "Wie viele Fahrgäste hatten wir in den ersten vier Monaten?"
_add(
    "first_months_in_part",
    _FIRST_MONTHS,
    ("fahrgaeste", {"zeitraum": "2026-01..2026-03"}, {"summe": 41822}),
    answer="In den ersten vier Monaten waren es 41.822 Fahrgäste.",
    wrong="fahrgaeste",
)
_add(
    "first_months_in_two_calls",
    _FIRST_MONTHS,
    ("fahrgaeste", {"zeitraum": "2026-01..2026-03"}, {"summe": 41822}),
    ("fahrgaeste", {"zeitraum": "2026-04"}, {"summe": 15001}),
    answer="In den ersten vier Monaten waren es 56.823 Fahrgäste.",
)
_add(
    "named_months_in_part",
    "Sum up the fuel of MF Ida from January to June 2025.",
    ("sum_fuel", {"ferry": "MF Ida", "from": "2025-01-01", "to": "2025-04-30"}, {"t": 88.4}),
    answer="MF Ida used 88.4 t from January to June 2025.",
    wrong="sum_fuel",
)
_add(
    "quarters_in_part",
    "Quelles sont les recettes de Q1 à Q3 2025 ?",
    ("recettes", {"du": "2025-01-01", "au": "2025-06-30"}, {"eur": 812400}),
    answer="Les recettes de Q1 à Q3 2025 sont de 812 400 EUR.",
    wrong="recettes",
)
_add(
    "part_that_the_answer_names",
    "Sum up the fuel of MF Ida from January to June 2025.",
    ("sum_fuel", {"ferry": "MF Ida", "from": "2025-01-01", "to": "2025-04-30"}, {"t": 88.4}),
    answer="Only January to April 2025 is complete: 88.4 t.",
)
_YEARS = "Fill in the safety report for 2025: drills, injuries and near misses."
_add(
    "one_call_of_several_for_another_year",
    _YEARS,
    ("count_events", {"kind": "drill", "year": 2025}, {"count": 12}),
    ("count_events", {"kind": "injury", "year": 2024}, {"count": 3}),
    ("count_events", {"kind": "near_miss", "year": 2025}, {"count": 9}),
    answer="In 2025 there were 12 drills, 3 injuries and 9 near misses.",
    wrong="count_events",
    at=1,
)
_add(
    "other_year_to_compare_with",
    f"{_YEARS} Compare the injuries.",
    ("count_events", {"kind": "injury", "year": 2025}, {"count": 3}),
    ("count_events", {"kind": "drill", "year": 2025}, {"count": 12}),
    ("count_events", {"kind": "injury", "year": 2024}, {"count": 5}),
    answer="12 drills; 3 injuries, 2 fewer than the year before.",
)


def _react(name: str, day: str, *, right: bool = False) -> None:
    """A program whose model writes its calls as text and whose tools take one text."""
    question = "8月14日（金）から2泊、海側の船室を大人2名でお願いします。"
    asked = f"予約係です。\nQ: {question}"
    called = {"choices": [{"message": {"role": "assistant", "content": f"ACTION: 空室[{day}]"}}]}
    PERIODS.add(
        name,
        tool("祝日", "2026年8月", "11日 山の日"),
        model(called, asked=asked, right=right),
        span("空室", type="tool", input=f"{day}, 2泊, 大人2", output="K-4 空室あり", right=right),
        model(says("8月14日から2泊、K-4が空いています。"), asked=f"{asked}\nOBSERVATION: K-4"),
        input=question,
        question=question,
        answer="8月14日から2泊、K-4が空いています。",
    )


_react("japanese_day_in_a_text", "2026-09-14", right=True)
_react("japanese_day_in_a_text_healthy", "2026-08-14")


def _meet(
    name: str, question: str, zone: str, start: str, answer: str, *, right: bool = False
) -> None:
    """A meeting on an evening in May; the zone stands in the profile of the user."""
    TIMES.add(
        name,
        tool("get_profile", {"user": "u-4"}, {"user": "u-4", "tz": zone}),
        *_ask(("create_event", {"start": start, "minutes": 30}, {"event": "E-1"}), right=right),
        model(says(answer), asked=question),
        question=question,
        answer=answer,
    )


_DRILL = "Set up the lifeboat drill on 20 May at 3:30 pm for half an hour."
_DONE = "The drill on 20 May at 3:30 pm is set up."
_meet("afternoon", _DRILL, "Europe/Oslo", "2026-05-20T15:30:00Z", _DONE, right=True)
_meet(
    "hour_alone",
    "Trage die Übung am 20. Mai um 15 Uhr ein.",
    "America/New_York",
    "2026-05-20T15:00:00+00:00",
    "Die Übung am 20. Mai um 15 Uhr ist eingetragen.",
    right=True,
)
_meet("converted_healthy", _DRILL, "Europe/Oslo", "2026-05-20T13:30:00Z", _DONE)
_meet("with_its_offset_healthy", _DRILL, "Europe/Oslo", "2026-05-20T15:30:00+02:00", _DONE)
_meet("without_offset_healthy", _DRILL, "Europe/Oslo", "2026-05-20T15:30:00", _DONE)
_meet("zone_like_utc_healthy", _DRILL, "Atlantic/Reykjavik", "2026-05-20T15:30:00Z", _DONE)
_meet(
    "question_in_utc_healthy",
    "Set up the drill on 20 May at 15:30 UTC.",
    "Europe/Oslo",
    "2026-05-20T15:30:00Z",
    "The drill on 20 May at 15:30 UTC is set up.",
)
