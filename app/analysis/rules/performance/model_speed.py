"""How long a model call may take by what it reads and writes.

The rates are slow ones: a call that takes longer is slow for any model and provider that people
wait for. Hosted models read thousands of tokens a second and write 20 to 200.
"""

from app.analysis.recorded.recorded_span import RecordedSpan

_READ_BY_SECOND = 2_000  # prompt tokens that are not cached, on a busy server
_WRITTEN_BY_SECOND = 15  # completion tokens, those of reasoning included
_STARTING_SECONDS = 3.0  # connection, queue and the start of a warm model
_CHARACTERS_BY_TOKEN = 2  # of a reply at least; English has four, languages without letters two


def explain_seconds(view: RecordedSpan) -> float:
    """The seconds that a model call may take by its tokens."""
    written = max(view.usage.completion or 0.0, view.usage.reasoning or 0.0)
    return _reading_seconds(view) + written / _WRITTEN_BY_SECOND


def explain_first_token_seconds(view: RecordedSpan) -> float:
    """The seconds until the first token: reading the prompt, and reasoning before the reply."""
    return _reading_seconds(view) + _count_hidden_tokens(view) / _WRITTEN_BY_SECOND


def _reading_seconds(view: RecordedSpan) -> float:
    return _STARTING_SECONDS + (view.usage.prompt or 0.0) / _READ_BY_SECOND


def _count_hidden_tokens(view: RecordedSpan) -> float:
    """Tokens written before the reply begins: the reasoning that was counted, else the tokens that
    the text of the reply is too short for; all of them where there is no text to tell."""
    usage, reply = view.usage, view.reply
    if usage.reasoning is not None:
        return usage.reasoning
    written = usage.completion or 0.0
    if view.output.is_cut:
        return 0.0
    shown = 0.0 if reply.calls else len(reply.text) / _CHARACTERS_BY_TOKEN
    return max(0.0, written - shown)
