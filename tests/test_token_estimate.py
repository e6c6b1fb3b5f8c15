import base64
import random
import string
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from app.token_estimate import estimate_tokens

_RANDOM = random.Random(1)
WORDS = "The slowest call of this trace took four seconds, twice as long as its siblings did. "
SAMPLES = {
    "prose": WORDS * 20,
    "outline": "".join(
        f"s{i} * chat_completion_create [llm] {i}.5 ms 12 %, gpt-4o, 1,234+56 tokens, $0.0012\n"
        for i in range(50)
    ),
    "ids": "\n".join(str(uuid.UUID(int=_RANDOM.getrandbits(128))) for _ in range(50)),
    "signs": "".join(_RANDOM.choice(string.punctuation) for _ in range(1000)),
    "letters": "".join(_RANDOM.choice(string.ascii_lowercase) for _ in range(1000)),
    "chinese": "今天天气很好我们去公园玩吧这是一个测试" * 20,
    "emoji": "".join(chr(_RANDOM.randint(0x1F300, 0x1F9FF)) for _ in range(300)),
    "accents": "".join(chr(_RANDOM.randint(0xC0, 0x17F)) for _ in range(1000)),
}


def test_an_empty_text_has_no_tokens() -> None:
    assert estimate_tokens("") == 0


def test_the_parts_of_a_text_never_have_fewer_tokens_than_the_whole() -> None:
    for text in SAMPLES.values():
        lines = text.split(" ")
        whole = estimate_tokens("\n".join(lines))
        assert whole <= sum(estimate_tokens(line) + 1 for line in lines)


@pytest.fixture(scope="module")
def cl100k() -> Any:
    """The vocabulary of OpenAI's cl100k, whose file comes with litellm and so with opik."""
    tiktoken = pytest.importorskip("tiktoken")
    litellm = find_spec("litellm")
    if litellm is None or not litellm.submodule_search_locations:
        pytest.skip("litellm is not installed")
    folder = Path(litellm.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    lines = (folder / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4").read_bytes().splitlines()
    ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in lines}
    pattern = (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    )
    return tiktoken.Encoding("cl100k", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_the_estimate_is_not_below_what_a_real_vocabulary_needs(kind: str, cl100k: Any) -> None:
    assert estimate_tokens(SAMPLES[kind]) >= len(cl100k.encode(SAMPLES[kind]))


def test_random_base64_is_estimated_within_a_tenth(cl100k: Any) -> None:
    text = base64.b64encode(_RANDOM.randbytes(3000)).decode()
    assert estimate_tokens(text) >= 0.9 * len(cl100k.encode(text))
