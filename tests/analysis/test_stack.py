"""Messages and stack traces of several languages."""

from app.analysis.error_origins import error_message
from app.opik.records import ErrorInfo
from testkit.case_tables import each_case

PYTHON = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nValueError: bad seat'
JAVA = "a.b.LockedException: chart is locked\n\tat a.b.Chart.read(Chart.java:8)\n\t... 14 more"
WRAPPED = f"{JAVA}\nCaused by: java.net.SocketException: reset\n\tat java.net.Socket.read(S.java)"
SCRIPT = "TypeError: x is undefined\n    at read (/srv/a.js:4:1)\n    at async run (/srv/b.js:9:5)"
DOTNET = "System.Exception: chart is locked\n   at Ferry.Read() in /src/Chart.cs:line 41"


@each_case(
    "fields, text",
    [
        ({"traceback": PYTHON}, "ValueError: bad seat"),
        ({"exception_type": "ValueError", "traceback": PYTHON}, "ValueError: bad seat"),
        ({"traceback": JAVA}, "a.b.LockedException: chart is locked"),
        ({"traceback": WRAPPED}, "java.net.SocketException: reset"),
        ({"traceback": SCRIPT}, "TypeError: x is undefined"),
        ({"traceback": DOTNET}, "System.Exception: chart is locked"),
        ({"message": SCRIPT}, "TypeError: x is undefined"),
        ({"exception_type": "Error", "message": PYTHON}, "Error: ValueError: bad seat"),
        ({"exception_type": "Error", "message": "{}"}, "Error"),
        ({"exception_type": "Error", "message": "look at\nthe chart"}, "Error: look at\nthe chart"),
        ({}, "error"),
    ],
)
def test_the_message_of_an_error_is_the_line_that_says_what_happened(
    fields: dict[str, str], text: str
) -> None:
    assert error_message(ErrorInfo(**fields)) == text
