"""Equal calls in several branches: the same work handed out twice, and items that are alike, parts
without a name, samples, attempts and looks after a pause, which are healthy."""

from dataclasses import replace

from evals.small_cases.builder import CaseList, Json, SpanPlan, model, says, span, tool

ALIKE = CaseList("alike")

_COMMENTS = [
    "Immer pünktlich",
    "Too loud on deck",
    "Merci !",
    "Svært god kaffe",
    "Too loud on deck",
]


def _hall(number: int, first: int, last: int, *, right: bool = False) -> SpanPlan:
    """A worker that describes objects of a museum by their numbers."""
    described = [
        part
        for item in range(first, last)
        for part in (
            tool("photo_of", {"object": f"MU-{item}"}, {"px": [4_000, 3_000]}, right=right),
            model(
                {"content": [{"type": "text", "text": f"An anchor of 18{item}, iron."}]},
                asked=f"Describe object MU-{item}.",
                name="messages.create",
                provider="anthropic",
                right=right,
            ),
        )
    ]
    return span("catalogue_hall", *described, input={"hall": number}, right=right, at=0.0)


ALIKE.add(
    "halls_that_overlap", _hall(1, 10, 16, right=True), _hall(2, 13, 19, right=True), answer="19."
)
ALIKE.add("halls_of_their_own_healthy", _hall(1, 10, 14), _hall(2, 14, 18), answer="8.")


def _edition(language: str, *, right: bool) -> SpanPlan:
    """An edition of a film; the voices in it are the same in all languages."""
    film = {"film": "harbour-1932.mov"}
    voices = film if right else film | {"track": f"dub-{language}"}
    return span(
        "edition",
        tool("separate_voices", voices, {"voices": 3}, seconds=6, right=right),
        model(says(f"Titles in {language}."), asked=f"Titles in {language}?", seconds=1),
        input={"language": language},
        right=right,
        at=0.0,
    )


for _right in (True, False):
    ALIKE.add(
        "separated_for_each_edition" + "_healthy" * (not _right),
        span("editions", *[_edition(each, right=_right) for each in ("fi", "et", "lv")]),
        answer="Three editions are ready.",
    )


def _comment(number: int) -> SpanPlan:
    """A row of a survey; many guests write the same few words."""
    text = _COMMENTS[number % len(_COMMENTS)] + ("" if number % 4 else f", sailing {number}")
    asked = f"Label the comment: {text}"
    return span(
        "row",
        model(says('{"label": "service"}'), asked=asked),
        input={"row": number, "text": text},
        at=0.0,
    )


ALIKE.add(
    "rows_with_the_same_words_healthy",
    span("label_rows", *[_comment(number) for number in range(24)]),
    answer="24 comments are labelled.",
)


def _part(number: int) -> SpanPlan:
    """A part of a file, which its calls get as an open stream that nobody recorded."""
    size: Json = {"rows": 512, "level": "fast"}
    return span(
        "part",
        tool("compress", size, {"ok": True}, seconds=0.8),
        tool("store", {"rows": 512}, {"ok": True, "rows": 512}, seconds=0.4),
        input={"part": number},
        at=0.0,
    )


ALIKE.add(
    "parts_of_a_stream_healthy",
    span("archive", *[_part(number) for number in range(8)]),
    answer="The log is archived.",
)


def _sample(number: int) -> SpanPlan:
    asked = "Is the sailing of 18:30 on the 4th sold out? Yes or no."
    return span("ask", model(says("No."), asked=asked, seconds=1), input={"q": asked}, at=0.0)


ALIKE.add(
    "five_samples_of_an_answer_healthy",
    span("samples", *[_sample(number) for number in range(5)]),
    answer="No.",
)


def _import(*, fails: bool) -> SpanPlan:
    broke: Json = {"exception_type": "ConnectionResetError", "message": "reset", "traceback": ""}
    error = {"error_info": broke} if fails else {"output": {"stored": 3}}
    return span(
        "import_timetable",
        *[
            tool("read_sheet", {"sheet": sheet}, {"sailings": [sheet, "07:10", "18:30"]})
            for sheet in ("north pier", "south pier", "islands")
        ],
        span("store_all", type="tool", input={"sheets": 3}, **error),
        input={"year": 2026},
        **error,
    )


ALIKE.add(
    "second_attempt_of_an_import_healthy",
    _import(fails=True),
    _import(fails=False),
    answer="The timetable is imported.",
)


def _watch(number: int) -> SpanPlan:
    """A look at three gauges, every minute."""
    gauges = [
        tool("gauge", {"station": station}, {"cm": level}, seconds=0.4)
        for station, level in (("Emden", 210), ("Leer", 190), ("Pogum", 204))
    ]
    return span("watch", *gauges, input={"round": number}, at=60.0 * number)


ALIKE.add(
    "watch_of_calm_water_healthy",
    *[_watch(number) for number in range(4)],
    question="Watch the gauges for four minutes.",
    answer="The water stayed where it was.",
)


def _reporter(
    name: str, piers: list[str], *, seconds: float = 0.8, right: bool = False
) -> SpanPlan:
    """A writer who reads up on piers, and writes about them in words of its own."""
    parts = [
        part
        for pier in piers
        for part in (
            tool(
                "open_archive", {"pier": pier}, {"pages": len(pier) * 9, "pier": pier}, right=right
            ),
            model(
                says(f"{name} writes of {pier}."),
                asked=f"Write about {pier}.",
                seconds=seconds,
                right=right,
            ),
        )
    ]
    return span("writer", *parts, input={"desk": name, "piers": piers}, right=right, at=0.0)


_PIERS = ["north quay", "old mole", "fish pier", "steamer dock"]
ALIKE.add(
    "two_desks_get_all_piers",
    span("hand_out", input={"of": 4}, output={"sport": _PIERS, "news": _PIERS}, right=True),
    span("desks", *[_reporter(desk, _PIERS, right=True) for desk in ("sport", "news")]),
    answer="Two pages are ready.",
)
ALIKE.add(
    "two_desks_read_the_same_short_notes_healthy",
    span("desks", *[_reporter(desk, _PIERS[:2], seconds=4.0) for desk in ("sport", "news")]),
    answer="Two pages are ready.",
)
_ALL_PIERS = [*_PIERS, "coal pier", "pilot steps", "ferry ramp", "dry dock", "lock head"]


def _judged(crew: str, piers: list[str], *, right: bool = False) -> SpanPlan:
    """A crew that has photos of piers judged, each in other words than another crew would get."""
    parts = [
        model(
            says(f"{pier}: {len(crew) * place} mm of rust, says {crew}."),
            asked=f"How rusty is the {pier} on photo {place}?",
            right=right,
        )
        for place, pier in enumerate(piers)
    ]
    return span("crew", *parts, input={"crew": crew}, right=right, at=0.0)


ALIKE.add(
    "two_crews_judge_all_photos",
    span("crews", *[_judged(crew, _ALL_PIERS, right=True) for crew in ("day", "night shift")]),
    answer="The piers are rusty.",
    says="made again",
)
ALIKE.add(
    "two_crews_judge_photos_of_their_own_healthy",
    span("crews", _judged("day", _ALL_PIERS[:5]), _judged("night shift", _ALL_PIERS[5:])),
    answer="The piers are rusty.",
)
ALIKE.add(
    "two_panels_judge_all_photos_healthy",
    span(
        "panel",
        *[replace(_judged(crew, _ALL_PIERS), name=f"{crew}_judge") for crew in ("day", "night")],
    ),
    answer="The piers are rusty.",
)
ALIKE.add(
    "photos_judged_anew_healthy",
    replace(_judged("day", _ALL_PIERS), at=None),
    replace(_judged("night shift", _ALL_PIERS), at=None),
    answer="The piers are rusty.",
)


def _counter(shift: str, *, told: bool) -> SpanPlan:
    """A worker that goes through tickets by their numbers; without `told` each step returns no more
    than that it is done, as one does that works on something that nobody recorded."""
    steps = [
        tool(
            "check_ticket",
            {"ticket": number},
            {"ticket": number, **({"cents": 37 * number} if told else {"ok": True})},
            seconds=0.5,
            right=told,
        )
        for number in range(101, 107)
    ]
    return span("shift", *steps, input={"shift": shift}, right=told, at=0.0)


for _told in (True, False):
    ALIKE.add(
        "tickets_by_number_checked_twice" if _told else "steps_by_number_healthy",
        span("shifts", *[_counter(shift, told=_told) for shift in ("early", "late")]),
        answer="6 tickets are checked.",
    )
