"""Replies that should be JSON and are not."""

import json
import re

from app.analysis.tree import Node

_ASKS_FOR_JSON = re.compile(
    r"\b(?:return|respond|reply|answer|output|produce|give|write|antwort\w{0,3}|répond\w{0,3}"
    r"|respond[ea]|rispond\w{0,3}|svara|antwoord|odpowiedz)(?:\s[\w'’,()-]{1,15}){0,6}?\sjson\b"
    r"|\bjson\b[^.\n]{0,20}\b(?:only|object|array)\b|(?:json|JSON)\s?(?:で|으로|格式)",
    re.IGNORECASE,
)
_INSTRUCTION_READ = 20_000  # characters: instructions stand at the beginning, documents follow
_LONGEST_PARSED = 400_000  # characters of a reply: some 4 ms
_JSON_WORDS = frozenset(["true", "false", "null", "NaN", "Infinity"])
_JSON_STARTS = ("{", "[{", "```json")
_PLACEHOLDER = re.compile(r"\{{1,2}\s?[\w.]{1,60}\s?\}")  # of a template, which a text begins with


def find_broken_json(node: Node) -> tuple[str, bool]:
    """Why the reply of a model call counts as broken JSON (empty where it does not), and whether
    that is sure.

    JSON is expected where the request set a format, where the reply sets out to be an object, and,
    less surely, where the last instruction asks for it. A reply with whole JSON inside other text
    passes.
    """
    view = node.view
    text = view.reply.text.strip()
    if not text or view.output.is_cut or len(text) > _LONGEST_PARSED:
        return "", False
    if _is_json(text) or _has_json_inside(text):
        return "", False
    if view.request.wants_json:
        return "a JSON format was set and the reply cannot be parsed", True
    if text.startswith(_JSON_STARTS) and not _PLACEHOLDER.match(text):
        return "the reply begins as JSON and cannot be parsed", True
    if asks_for_json(node):
        return "JSON was asked for and the reply holds none", False
    return "", False


def asks_for_json(node: Node) -> bool:
    """Whether the request sets JSON as the format of the reply, or asks for it."""
    if node.view.request.wants_json:
        return True
    starts = [each[:_INSTRUCTION_READ] for each in _instructions(node)]
    return any("json" in each.lower() and _ASKS_FOR_JSON.search(each) for each in starts)


def _instructions(node: Node) -> list[str]:
    """The last instruction, and that of the system where the conversation has only begun."""
    request = node.view.request
    if any(message.role == "assistant" for message in request.messages):
        return [request.last_instruction]
    systems = [each.text for each in request.messages if each.role == "system"]
    return [request.last_instruction, *systems[-1:]]


def _is_json(text: str) -> bool:
    if text[:1].isalpha() and text not in _JSON_WORDS:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _has_json_inside(text: str) -> bool:
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end and _is_json(text[start : end + 1]):
            return True
    return False
