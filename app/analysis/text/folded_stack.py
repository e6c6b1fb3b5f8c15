"""A stack trace in few lines: the program's own frames, those of libraries counted."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from app.analysis.recorded.stack_frames import Frame, read_frames
from app.analysis.text.one_line import format_count, list_first, one_line

_OWN_SHOWN = 6  # frames of the program for each error of a chain, nearest to where it was raised
_NAMED = 4  # libraries of one run of frames
_LINE = 240  # characters: path, function and a line of source


def fold_stack(stack: str) -> str:
    """The stack with runs of frames of libraries on one line each, and without marks and blank
    lines; as it is where it has no frames."""
    frames = list(read_frames(stack))
    if not any(frame.is_place for frame in frames):
        return stack
    lines: list[str] = []
    for is_place, run in groupby(frames, key=lambda frame: frame.is_place):
        if is_place:
            lines += _fold_run(list(run))
        else:
            lines += [one_line(_without_message(frame.text), limit=_LINE) for frame in run]
    return "\n".join(lines)


def _without_message(line: str) -> str:
    """LangChain writes the error, which also stands at the end, before the title of a stack."""
    at = line.find("Traceback (most recent call last)")
    return line[max(at, 0) :]


def _fold_run(frames: Sequence[Frame]) -> Iterator[str]:
    """The frames of one error; the one that raised where none is the program's."""
    own = [place for place, frame in enumerate(frames) if not frame.library]
    if frames[0].is_first:
        shown = set(own[:_OWN_SHOWN] or [0])
    else:
        shown = set(own[-_OWN_SHOWN:] or [len(frames) - 1])
    for is_shown, group in groupby(enumerate(frames), key=lambda item: item[0] in shown):
        run = [frame for _, frame in group]
        if is_shown:
            yield from (f"  {one_line(frame.text, limit=_LINE)}" for frame in run)
        else:
            names = list(dict.fromkeys(frame.library or "the program" for frame in run))
            whose = list_first(names[:_NAMED], len(names))
            yield f"  … {format_count(len(run), 'frame')} of {whose} …"
