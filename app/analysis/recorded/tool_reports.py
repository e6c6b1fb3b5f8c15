"""What frameworks, coding agents and drivers return for a tool that failed, in their own words."""

import re

_READ = 300  # characters in which a report says so
_XML_READ = 1_500  # characters of an envelope, in which the fault stands

_REPORT = re.compile(
    r"""\W{0,8}(?:
      failed\sto\s(?:invoke|call|run|execute)\stool\b
    | \d{1,3}\svalidation\serrors?\s(?:for|in|detected)\b
    | execution\serror\sin\s\S{1,80}:\s
    | tool\s(?:\w{1,20}\s){0,3}error:\s
    | there\sis\sno(?:t\sa)?\stool\snamed\b
    | there\swas\san\serror:\s
    | the\sfollowing\serrors?\soccurred\s(?:during|while)\b
    | (?:the\s)?(?:mcp\s)?(?:tool|function)\s['"`]?[\w./-]{1,60}['"`]?\s(?:call\s|execution\s)?
      (?:failed|raised|threw|timed\sout|errored|crashed)\b
    | <tool_(?:use_)?error>
    | (?:invalid|malformed)\s(?:tool\s(?:call|input|arguments?|use)|arguments?\sfor\s(?:tool
      |function)|function\scall)\b
    | (?:tool|function)\s(?:call\s)?(?:arguments?|input|parameters?)\s[^.\n]{0,80}?
      (?:invalid|not\svalid|malformed|could\snot\sbe\sparsed)\b
    | encountered\san?\s(?:\w{1,20}\s)?(?:error|exception)\b | i\sencountered\san?\serror\b
    | (?:an?\s)?exception\s(?:was\sthrown|occurred)\b
    | fetch\sfailed\W{0,3}\Z | apply_patch\s(?:verification\s)?failed\b
    | (?:old_?str(?:ing)?|search\s(?:text|block|string)|string\sto\sreplace)\s[^\n]{0,120}?
      (?:not\sfound|did\snot\s(?:appear|match)|no\smatch)
    | (?:no\sreplacement\swas\s(?:performed|made)|failed\sto\s(?:edit|find\sexpected|match))\b
    | file\shas\s(?:not\sbeen\sread|been\s(?:modified|changed))\b[^\n]{0,80}?\b(?:yet|since|before)
    | <response\s\[[45]\d\d\b
    | (?:(?:element|ref|selector|locator)\s(?:with\s)?(?:(?:index|uid|ref|id|selector)\W{1,3})?
      |(?:node|frame|tab)\s(?:with\s)?(?:index|uid|ref|selector)\W{1,3})\S{1,60}\s(?:(?:is\s|was\s)?not\s(?:found|available|visible|clickable|interactable|attached)
      |(?:does\snot|doesn['’]t|no\slonger)\sexists?)\b
    | element\s(?:(?:is|was)\s)?(?:not\s(?:interactable|found|visible|clickable|attached)
      |click\sintercepted|outside\sof\sthe\sviewport)\b
    | stale\selement\sreference\b | node\sis\s(?:either\s)?(?:not\sclickable|detached)\b
    | no\s(?:such\s)?(?:element|node)s?\s?(?::|(?:was\s|were\s)?found\s(?:for|with|matching|at)
      \s(?:(?:the|this|that|given)\s){0,2}(?:selector|locator|xpath|css|ref|uid|index|coordinate))
    | (?:could\snot|couldn['’]t|cannot|can['’]t|unable\sto|failed\sto)
      \s(?:find|locate|click|scroll|type)\s(?:\w{1,12}\s){0,2}?(?:element|node|selector|button|input)\b
    | waiting\sfor\s(?:selector|locator|element)\s.{1,120}?\sfailed\b
    | (?:locator|page|frame|elementhandle)\.\w{1,30}:\s(?:timeout\s\d|net::err_|error:|target\s)
    | (?:Err|Failure)\((?!\))
    | \((?:psycopg2?|asyncpg|sqlite3|pymysql|mysqldb|mysql\.connector|cx_oracle|oracledb|pyodbc
      |duckdb|snowflake|sqlalchemy)\.[\w.]{1,80}\)\s
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Of Haystack, Pydantic, DSPy, Dify, n8n, LangChain, LlamaIndex, CrewAI; of Claude Code, Codex,
Gemini CLI, OpenHands and Aider; of clients of HTTP and SQL; of Rust and Kotlin; of
browsers that are driven (browser-use, Playwright, Puppeteer, Selenium)."""
_TOO_LARGE = re.compile(
    r"\b(?:exceeds?|exceeded|larger\sthan|over)\s(?:the\s)?(?:maximum|max|limit\sof)\s"
    r"(?:allowed\s|permitted\s)?(?:file\s|response\s|output\s)?(?:size|tokens?|length|limit|number)",
    re.IGNORECASE,
)
_FAULT = re.compile(r"<(?:\w{1,20}:)?(?:fault(?:string)?|exceptionreport)\b", re.IGNORECASE)


def says_tool_failed(text: str) -> bool:
    """Whether a text begins as one of these, or is the envelope of a fault (SOAP, OGC)."""
    start = text[:_READ]
    if start.lstrip()[:1] == "<" and _FAULT.search(text[:_XML_READ]):
        return True
    return _REPORT.match(start) is not None or (
        "max" in start and len(text) <= _READ and _TOO_LARGE.search(start) is not None
    )
