"""Results that state how sure they are, one of them hardly: taken as it is, or asked for again."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

DOUBT = CaseList("low_confidence")

_PAGES = ["Manifest of the Tern", "Cars: 41", "Bicycles: 12"]


def _pages(name: str, last: SpanPlan, *more: SpanPlan, right: bool = False) -> None:
    read = [
        span("ocr", input={"page": at + 1}, output={"text": text, "confidence": 0.98 - at / 50})
        for at, text in enumerate(_PAGES)
    ]
    DOUBT.add(
        name,
        *read,
        last,
        *more,
        model(says("41 cars and 12 bicycles."), asked="\n".join(_PAGES)),
        question="How many vehicles are on board?",
        answer="41 cars and 12 bicycles.",
        says="confidence of 0" if right else "",
    )


def _page_four(text: str, confidence: float, dpi: int = 300, *, right: bool = False) -> SpanPlan:
    given = {"page": 4, "scan": "manifest.pdf", "dpi": dpi}
    result = {"text": text, "confidence": confidence, "size": 211}
    return span("ocr", input=given, output=result, right=right)


_pages("blank_page_unlike_the_others", _page_four("", 0.0, right=True), right=True)
_pages("page_read_again_healthy", _page_four("", 0.0), _page_four("Lorries: 3", 0.97, dpi=300))
_pages("unsure_page_healthy", _page_four("Lorries: 8", 0.45))
_pages("surer_pages_healthy", _page_four("Lorries: 3", 0.81))


def _heard(name: str, doubtful: dict[str, Any], reply: str, *, right: bool = False) -> None:
    """A talk in three turns, each heard, answered and spoken."""
    turns: list[tuple[str, dict[str, Any], str]] = [
        ("Good morning, is there a ship today?", {"confidence": 0.97}, "Yes, at nine and at five."),
        ("Book me on the one at five.", doubtful, reply),
        ("Thank you, good bye.", {"confidence": 0.95}, "Good bye."),
    ]
    spans = [
        span(
            "turn",
            span(
                "transcribe", output={"transcript": text}, metadata=stated, right=right and at == 1
            ),
            model(says(answer), asked=text),
            input={"turn": at},
        )
        for at, (text, stated, answer) in enumerate(turns)
    ]
    DOUBT.add(name, *spans, question="audio", answer="Good bye.")


_OTHER = [{"transcript": "book me on the one at nine", "confidence": 0.4}]
_DOUBTED = {"confidence": 0.37, "alternatives": _OTHER}
_heard("misheard", _DOUBTED, "You are booked at five.", right=True)
_heard("asked_back_healthy", _DOUBTED, "At five, is that right?")
_heard("asked_back_in_japanese_healthy", _DOUBTED, "五時でよろしいですか？")
_heard("no_other_reading_healthy", {"confidence": 0.42}, "You are booked at five.")
_heard(
    "unlikely_other_reading_healthy",
    {"confidence": 0.96, "alternatives": _OTHER},
    "You are booked at five.",
)

DOUBT.add(
    "words_of_their_own_confidence_healthy",
    *(
        tool(
            "transcribe",
            {"file": f"{at}.wav"},
            {"text": "at five", "words": [{"word": "at", "confidence": each}]},
        )
        for at, each in enumerate((0.97, 0.31, 0.96))
    ),
)
