"""Sentences by which coding agents and SDKs say that a call was not run for want of a permission.

They stand where the result would: nobody was there to be asked, a rule forbade it, or a person
refused.
"""

import re

_LONGEST = 1_500  # characters: the command that was not run may stand in it
_START_READ = 700  # characters in which it says so
_WORDS = (
    "permi", "approv", "denied", "reject", "declin", "refus", "confirm", "allow", "user ", "block",
    " by ",
)  # fmt: skip
"""One of these stands in each such sentence: looking for them is cheap."""

_CALL = (
    r"(?:(?:tool|function|mcp|shell|bash)[\s_-](?:call|use|execution|invocation|request|command)"
    r"|tool|call|command|operation|execution|action|edit|patch|write)"
)
_AUXILIARY = r"(?:was|were|is|are|has\sbeen|have\sbeen|got)"
_NO = r"(?:denied|rejected|refused|declined|blocked|disallowed|forbidden)"

_NOT_GRANTED = re.compile(
    rf"""\W{{0,4}}(?:error\W{{1,3}})?(?:
      \w{{1,30}}\s(?:has\s)?requested\spermissions?\sto\s.{{1,500}}?\bhaven['’]?t\sgranted\b
    | permission\s(?:to|for)\s.{{1,500}}?\s{_AUXILIARY}\s(?:not\s(?:been\s)?granted|{_NO})\b
    | permission\sdenied\sand\scould\snot\srequest\b
    | .{{0,80}}\bdenied\sby\s(?:your|the)\spermission\s(?:settings?|rules?|mode|polic)
    | (?:this|the)\s(?:\w{{1,20}}\s)?{_CALL}\s(?:\w{{1,20}}\s){{0,2}}?(?:requires|needs)\s
      (?:\w{{1,20}}\s)?(?:approval|permission|confirmation)\W{{0,3}}\Z
    | this\s\w{{1,20}}\scommand\s.{{1,200}}?\brequires?\sapproval\b
    | (?:{_CALL}|tool)\s.{{0,120}}?\brequires\s(?:user\s)?(?:permission|approval|confirmation)\b
      .{{0,40}}?\b(?:cannot|can['’]?t|could\snot|not\s(?:supported|available|possible)
      |no\s(?:one|user)|non-?interactive|headless|denied)\b
    | (?:the\s)?(?:request\sto\s)?{_CALL}\s(?:\S{{1,60}}\s){{0,3}}?(?:{_AUXILIARY}\s)?
      (?:not\sapproved\b
      |not\sgranted\b|(?:denied|rejected|refused|declined)\.?\s*(?:\Z|(?:\w{{1,20}}\s)?reason\b)
      |{_NO}\sby\s(?:\w{{1,20}}\s){{0,3}}?(?:polic(?:y|ies)|permissions?|rules?|hooks?
      |sandbox|allow-?list|deny-?list|settings?|config\w*|classifier|approval|mode)\b)
    | \w{{1,20}}\sfailed(?:\sfor\s.{{1,300}}?)?:\s(?:\w{{1,20}}\W{{1,6}}\w{{0,20}}\W{{0,6}})?
      rejected\W{{1,4}}
    | the\suser\shas\sspecified\sa\srule\s(?:which|that)\s(?:prevents|forbids)\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Claude Code, Codex, Gemini CLI, Qwen Code, opencode, Copilot, the SDKs of OpenAI and Pydantic."""

_BY_A_PERSON = re.compile(
    rf"""\W{{0,4}}(?:error\W{{1,3}})?(?:
      (?:the\s)?user\s(?:\w{{1,12}}\s)?(?:(?:doesn['’]?t|does\snot|did\snot|didn['’]?t)\s
      (?:want\sto\s(?:proceed|take|run|use|continue)|allow|approve|accept|permit|confirm|grant)
      |denied|rejected|refused|declined|disallowed|(?:chose|decided|asked)\s(?:to\s(?:skip|reject|cancel|deny)|not\sto)
      |skipped|cancell?ed|aborted|interrupted)\s
      .{{0,40}}?\b(?:{_CALL}|permissions?|approval|plan|change|proceed|run|edits?)\b
    | (?:the\s)?(?:{_CALL}|exec\s\w{{1,20}}|\w{{1,30}})\s(?:{_AUXILIARY}\s)?
      (?:{_NO}|skipped|cancell?ed|aborted|interrupted)\sby\s(?:the\s|a\s)?(?:user|operator|human|person)\b
    | \[?(?:operation|request|tool\scall)\s(?:cancell?ed|interrupted)\]?\W{{0,3}}
      (?:reason\W{{1,3}}|by\s)(?:the\s)?user\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""The same where a person refused; Claude Code, Cline, Roo, Codex, Gemini CLI, Goose, Zed."""


def says_denied(text: str) -> bool:
    """Whether a text says that a call was not run because it was not permitted."""
    return _may_deny(text) and (
        _NOT_GRANTED.match(text[:_START_READ]) is not None or was_denied_by_person(text)
    )


def was_denied_by_person(text: str) -> bool:
    """Whether it says that a person did not want it: then nothing failed."""
    return _may_deny(text) and _BY_A_PERSON.match(text[:_START_READ]) is not None


def _may_deny(text: str) -> bool:
    low = text[:_START_READ].lower() if len(text) <= _LONGEST else ""
    return any(map(low.__contains__, _WORDS))
