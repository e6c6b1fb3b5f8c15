"""Long prompts that no cache served: each has other data, or the same text behind a changed
beginning."""

from evals.small_cases.builder import CaseList, Json, SpanPlan, model, says

OWN_DATA = CaseList("own_data")

_RULE = "You look at pictures of a ferry. Say what is damaged, as JSON."
_LONG_RULE = "Name the deck, the part and the damage. Do not guess what is hidden. " * 90
_JAPANESE_RULE = "甲板と部品と損傷を書く。見えないものは推測しない。" * 90


def _asks(
    text: str, *, rule: str = _RULE, picture: bool = True, cached: int = 0, written: int = 0
) -> SpanPlan:
    """A model call with a text and a picture, of some 1,600 tokens."""
    content: list[Json] = [{"type": "text", "text": text}]
    if picture:
        content.append({"type": "image_url", "image_url": {"url": f"s3://pictures/{len(text)}"}})
    usage = {
        "prompt_tokens": 1_640,
        "completion_tokens": 12,
        "original_usage.cache_read_input_tokens": cached,
        "original_usage.cache_creation_input_tokens": written,
    }
    asked = [{"role": "system", "content": rule}, {"role": "user", "content": content}]
    return model(
        says('{"part": "rail", "damage": "none"}'),
        asked=asked,
        usage=usage,
        seconds=0.4,
        right=rule is not _RULE,
    )


def _picture(number: int, question: int = 1) -> str:
    return f'{{"picture": "deck-{number:03}.jpg", "cabin": {number + 40}, "question": {question}}}'


OWN_DATA.add("pictures_behind_a_short_rule_healthy", *[_asks(_picture(n)) for n in range(7)])
OWN_DATA.add(
    "pictures_written_to_the_cache_healthy",
    *[_asks(_picture(n), written=1_600) for n in range(7)],
)
OWN_DATA.add(
    "two_pictures_of_the_same_size_healthy",
    _asks(_picture(3), written=1_600),
    _asks(_picture(3, 2), cached=1_600),
    _asks(_picture(8), written=1_600),
    _asks(_picture(8, 2), cached=1_600),
)
OWN_DATA.add(
    "one_picture_often_then_others_healthy",
    _asks(_picture(3)),
    *[_asks(_picture(3, question), cached=1_600) for question in range(2, 6)],
    *[_asks(_picture(n)) for n in range(10, 14)],
)


def _log(ship: int) -> str:
    """The log of a ship: the same words for each, and all numbers different."""
    rows = (f"{row + ship}:{row * ship % 60} speed {row * ship} wind {ship}" for row in range(120))
    return f"Log of ship {ship}: {'; '.join(rows)}"


OWN_DATA.add(
    "logs_in_the_same_words_healthy",
    *[_asks(_log(ship), picture=False) for ship in range(3, 10)],
)
OWN_DATA.add(
    "picture_named_in_front_of_long_rules",
    *[_asks("Look.", rule=f"Picture {n:03} of 40. {_LONG_RULE}") for n in range(7)],
    says="begin alike but for numbers",
)
OWN_DATA.add(
    "session_in_front_of_japanese_rules",
    *[_asks("見て。", rule=f"会話 {n * 7_919}。 {_JAPANESE_RULE}") for n in range(7)],
    says="begin alike but for numbers",
)
OWN_DATA.add(
    "rules_in_another_order_each_time",
    *[
        _asks(
            "Look.",
            rule=". ".join(f"Rule {n * step % 211}: do not guess" for n in range(1, 211)),
            written=1_600,
        )
        for step in (2, 3, 5, 7, 11)
    ],
    says="wrote 8,000 tokens",
)
