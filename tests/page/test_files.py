"""The page's files: nothing foreign in ours, and the libraries as they were published."""

import hashlib
import re

from app.web.page_files import FOLDER as PAGE

_VENDORED = re.compile(r"^\| (\S+) \| \S+@[\d.]+ \| \S+ \| ([0-9a-f]{64}) \|", re.MULTILINE)


def test_vendored_files_are_those_that_their_list_names() -> None:
    vendor = PAGE / "vendor"
    listed = dict(_VENDORED.findall((vendor / "README.md").read_text()))
    code = [each for each in vendor.iterdir() if each.suffix in (".js", ".mjs")]
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in code} == listed


def test_our_files_name_no_other_host_and_write_no_markup() -> None:
    ours = [
        each
        for each in PAGE.rglob("*")
        if "vendor" not in each.parts and each.suffix in (".js", ".css", ".html")
    ]
    assert len(ours) > 5
    for file in ours:
        text = file.read_text()
        found = re.findall(r"https?://\w\S*|innerHTML|outerHTML|insertAdjacent|\beval\b", text)
        assert (file.name, found) == (file.name, [])


def test_the_document_holds_no_inline_script_style_or_handler() -> None:
    text = (PAGE / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text) == []
