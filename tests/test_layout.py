"""How `app/` is cut into modules, classes and functions."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[1] / "app"
MODULES = sorted(APP.rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 40
"""Lines of a function's body, without its signature and docstring."""

REPEATED_MODULES = {
    "__init__": "every package has one",
    "ports": "each room names the interfaces that it needs from others by this name",
}
LONG_FUNCTIONS = {
    "main.py: lifespan": "opens the parts of the service in order, and closes them in reverse",
    "web/openapi.py: _describe_paths": "one dictionary with an entry for each route",
}


def test_module_names_are_unique() -> None:
    modules = defaultdict(list)
    for path in MODULES:
        if path.stem not in REPEATED_MODULES:
            modules[path.stem].append(_name(path))
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}


def test_public_class_names_are_unique() -> None:
    classes = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].append(_name(path))
    assert {name: paths for name, paths in classes.items() if len(paths) > 1} == {}


def test_modules_are_short() -> None:
    lines = {_name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES} == {}


def test_functions_are_short() -> None:
    lengths = {name: count for path in MODULES for name, count in _function_lengths(path)}
    long = {name: count for name, count in lengths.items() if count > FUNCTION_LINES}
    assert {name: count for name, count in long.items() if name not in LONG_FUNCTIONS} == {}


def _name(path: Path) -> str:
    return path.relative_to(APP).as_posix()


def _function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body:
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1
                yield f"{_name(path)}: {node.name}", length
