"""What the offline model says: sentences made of the outline's lines and of tool results.

It knows how an outline is written (sections, aliases, names in its tree), and nothing of any trace.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

SENTENCES = 3
PATH_STEPS = 4
_LINE_SHOWN = 200
"""Characters of a fact."""

_SECTION = re.compile(r"(Findings|Notes|Profile|Tree)\b.*:$")
_TREE_NODE = re.compile(r"^\s*(s\d+) (?:\* )?(.+?) \[\w+\]")
_ALIAS = re.compile(r"\b[st]\d+\b")
_BULLET = re.compile(r"^(?:\d+\.|-) ")
_CATEGORY = re.compile(r"^[a-z]+(?:_[a-z]+)*(?: \([^()]*\))?: ")
_CONFIDENCE = re.compile(r"\b(\d+)% sure")
_LISTED = re.compile(r"(?:\s*Spans: ((?:[st]\d+(?:, )?)+)\.?|\s*\(((?:[st]\d+(?:, )?)+)\)\.?)$")
_LONGEST = re.compile(r"(s\d+) .+? ([\d.,]+ \S+ \([<\d]+ %\))")
_PATH = "critical path"
_CALL = re.compile(r"\w+\([^()]*=[^()]*\)")
_FACT = re.compile(
    r"^(error|exception|output|input|duration|cost|usage|model)\b.*: ", re.IGNORECASE
)


class Outline:
    """An outline by its sections; `names` are those of the spans in its tree, by alias."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._sections: dict[str, list[str]] = {}
        name = ""
        for line in lines:
            found = _SECTION.match(line)
            name = found[1] if found else name
            if not found:
                self._sections.setdefault(name, []).append(line)
        tree = map(_TREE_NODE.match, self._sections.get("Tree", []))
        self.names = {node[1]: node[2] for node in tree if node}

    def sentences(self, mark: re.Pattern[str]) -> list[str]:
        """The findings and notes, those that the mark matches first, and where time went."""
        reported = [*self._sections.get("Findings", []), *self._sections.get("Notes", [])]
        lines = [line for line in reported if _BULLET.match(line) and _ALIAS.search(line)]
        lines.sort(key=lambda line: mark.search(line) is None)
        found = [format_sentence(line, self.names) for line in lines[:SENTENCES]]
        path = self._describe_path()
        if path and (mark.search(_PATH) or not found):
            found.insert(0, path)
        return found or [f"The trace begins with [{alias}]." for alias in list(self.names)[:1]]

    def _describe_path(self) -> str:
        line = next((each for each in self._sections.get("Profile", []) if _PATH in each), "")
        steps = [f"[{alias}] {took}" for alias, took in _LONGEST.findall(line)[:PATH_STEPS]]
        return f"The trace waited longest for {', '.join(steps)}." if steps else ""


def format_sentence(line: str, names: Mapping[str, str]) -> str:
    """A finding or note as a sentence, with its spans cited where it names them.

    Its number, its category and its list of aliases are dropped.
    """
    line = _BULLET.sub("", line.strip())
    sure = _CONFIDENCE.search(line)
    line = _CATEGORY.sub("", line)
    listed = _LISTED.search(line)
    aliases = _ALIAS.findall(listed[0]) if listed else []
    line = line[: listed.start()] if listed else line
    line = line.rstrip(" .")
    unnamed = []
    for alias in aliases:
        before, name, after = line.rpartition(names.get(alias) or "\0")
        line = f"{before}[{alias}]{after}" if name else line
        unnamed += [] if name else [f"[{alias}]"]
    if unnamed:
        line += f" ({', '.join(unnamed)})"
    return line + (f" ({sure[1]} % sure)." if sure else ".")


def format_result(lines: Sequence[str], names: Mapping[str, str], *, most: int) -> list[str]:
    """The lines of a tool result: the first one strong, the others a list, aliases as citations.

    A citation is shown as the span's name, so a name that follows is dropped. Lines that propose a
    further call are for the model alone.
    """
    shown = [
        _cite_spans(line.strip(), names)
        for line in lines
        if line.strip() and not _CALL.search(line)
    ]
    listed = [f"- {line}" for line in shown[1:most]]
    if len(shown) > most:
        listed.append(f"- and {len(shown) - most} more lines")
    return [f"**{shown[0]}**", "\n".join(listed)] if shown else []


def _cite_spans(line: str, names: Mapping[str, str]) -> str:
    line = _ALIAS.sub(lambda found: f"[{found[0]}]", line)
    for alias, name in names.items():
        line = line.replace(f"[{alias}] {name}", f"[{alias}]")
    return line


def format_facts(lines: Sequence[str], *, most: int) -> str:
    """What a tool returned about a span, as an item of a list: the span, then its facts."""
    title = next((line for line in lines if re.match(r"\s*s\d+\b", line)), "")
    facts = [f"`{fact}`" for fact in _read_facts(lines)][:most]
    return f"- [{title.split()[0]}]: {', '.join(facts)}" if title and facts else ""


def _read_facts(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if _FACT.match(line.strip()):
            yield line.strip()[:_LINE_SHOWN].replace("`", "'")
