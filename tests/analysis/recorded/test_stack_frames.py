"""Stacks as languages write them: which frame raised, and whose code it is."""

import pytest

from app.analysis.recorded.stack_frames import find_library, find_raising_place
from app.analysis.text.folded_stack import fold_stack

PYTHON = """RuntimeError('no berth')Traceback (most recent call last):


  File "/app/.venv/lib/python3.12/site-packages/starlette/routing.py", line 73, in app
    response = await f(request)
               ^^^^^^^^^^^^^^^^


  File "/app/harbour/plan.py", line 12, in plan
    return berth(ship)
           ^^^^^^^^^^^
  File "/usr/lib/python3.12/functools.py", line 9, in wrapper
    return call()
  File "/app/.venv/lib/python3.12/site-packages/tenacity/__init__.py", line 4, in call
    return fn()
  File "/app/harbour/berths.py", line 40, in berth
    raise RuntimeError("no berth")


RuntimeError: no berth"""

NODE = """TypeError: cannot read depth
    at measure (/srv/harbour/depth.js:7:11)
    at Layer.handle (/srv/node_modules/@fast/router/layer.js:95:5)
    at next (/srv/node_modules/@fast/router/route.js:14:9)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"""


def test_runs_of_library_frames_are_one_line_and_own_frames_keep_their_source() -> None:
    assert fold_stack(PYTHON).splitlines() == [
        "Traceback (most recent call last):",
        "  … 1 frame of starlette …",
        '  File "/app/harbour/plan.py", line 12, in plan: return berth(ship)',
        "  … 2 frames of the standard library, tenacity …",
        '  File "/app/harbour/berths.py", line 40, in berth: raise RuntimeError("no berth")',
        "RuntimeError: no berth",
    ]
    assert fold_stack(NODE).splitlines() == [
        "TypeError: cannot read depth",
        "  at measure (/srv/harbour/depth.js:7:11)",
        "  … 3 frames of @fast/router, the standard library …",
    ]


def test_of_many_own_frames_those_nearest_to_the_error_stay() -> None:
    frame = '  File "/app/tide.py", line {0}, in wait\n    wait({0})\n'
    python = "".join(frame.format(n) for n in range(30)) + "RecursionError: too deep"
    assert [line.rpartition(": ")[2] for line in fold_stack(python).splitlines()] == [
        "  … 24 frames of the program …",
        *(f"wait({n})" for n in range(24, 30)),
        "too deep",
    ]
    long = fold_stack(frame.format(1) * 9_000 + frame.format(2) + "RecursionError: too deep")
    assert long.splitlines()[-2].endswith("wait(2)")
    java = "E: x\n" + "".join(f"\tat port.Tide.wait(Tide.java:{n})\n" for n in range(9))
    assert fold_stack(java).endswith("(Tide.java:5)\n  … 3 frames of the program …")


def test_without_own_frames_the_one_that_raised_stays() -> None:
    only = "Traceback (most recent call last):\n" + "\n".join(
        f'  File "/x/site-packages/lib{n}.py", line 1, in f' for n in range(3)
    )
    assert fold_stack(only).splitlines()[1:] == [
        "  … 2 frames of lib0, lib1 …",
        '  File "/x/site-packages/lib2.py", line 1, in f',
    ]
    assert fold_stack("something\n\n  odd") == "something\n\n  odd"


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        (PYTHON, 'File "/app/harbour/berths.py", line 40, in berth: raise'),
        (NODE, "at measure (/srv/harbour/depth.js:7:11)"),
        ("no frames", ""),
    ],
)
def test_the_place_that_raised(stack: str, place: str) -> None:
    assert find_raising_place(stack).startswith(place)


def test_libraries_are_known_by_where_they_lie() -> None:
    places = {
        "/x/site-packages/langgraph/pregel/main.py": "langgraph",
        "C:\\py\\Lib\\site-packages\\httpx\\_client.py": "httpx",
        "/usr/lib/python3.13/json/decoder.py": "the standard library",
        "<frozen importlib._bootstrap>": "the standard library",
        "java.base/java.util.ArrayList.get(ArrayList.java:427)": "the standard library",
        "System.Net.Http.HttpClient.Send()": "the standard library",
        "/bundle/ruby/3.3.0/gems/faraday-2.9.0/lib/faraday.rb:3:in `call'": "faraday-2.9.0",
        "/srv/vendor/guzzlehttp/guzzle/src/Client.php(12)": "guzzlehttp",
        "/srv/vendor/orders.py": "",
        "/srv/harbour/plan.py": "",
    }
    assert {place: find_library(place) for place in places} == places
