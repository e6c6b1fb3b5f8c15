"""`python scripts/update_page_libraries.py [NAME[@VERSION] ...]`: renews the page's libraries.

Takes them from the npm registry by name (the newest version, where none is given) with the npm
client, which checks what it gets; writes the files, their licences and the list of both. Run
`tests/page` afterwards.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "app" / "web" / "page" / "vendor"
_INTRODUCTION = """\
Files of npm packages; each licence stands beside them. Written by
`scripts/update_page_libraries.py`, which renews them. Two changes are made: an import of another
package names the file here, since browsers cannot look up packages by name, and the addresses of
source maps are left out.

| file | npm package | path in it | SHA-256 | licence |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Library:
    """A file of a package. `imports` are packages that it imports, and the files they are in."""

    package: str
    source: str
    target: str
    imports: tuple[tuple[str, str], ...] = ()


LIBRARIES = (
    Library("preact", "dist/preact.mjs", "preact.mjs"),
    Library("preact", "hooks/dist/hooks.mjs", "hooks.mjs", (("preact", "./preact.mjs"),)),
    Library("htm", "dist/htm.mjs", "htm.mjs"),
    Library("marked", "lib/marked.esm.js", "marked.mjs"),
    Library("remend", "dist/index.js", "remend.mjs"),
    Library("dompurify", "dist/purify.es.mjs", "purify.mjs"),
)


def main(wanted: list[str]) -> None:
    listed = {name.partition("@")[0]: name for name in wanted}
    unknown = set(listed) - {library.package for library in LIBRARIES}
    if unknown:
        sys.exit(f"Not a library of the page: {', '.join(sorted(unknown))}")
    known = _read_versions()
    rows = []
    for package in dict.fromkeys(library.package for library in LIBRARIES):
        asked = listed.get(package) or package
        if wanted and package not in listed and package in known:
            asked = f"{package}@{known[package]}"
        rows += _update_package(package, asked)
    (FOLDER / "README.md").write_text(_INTRODUCTION + "\n".join(rows) + "\n", encoding="utf-8")


def _read_versions() -> dict[str, str]:
    """The versions that are here, by package."""
    listing = FOLDER / "README.md"
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    cells = [line.split(" | ") for line in lines if line.count(" | ") == 4]
    named = (row[1].rpartition("@") for row in cells if "@" in row[1])
    return {name: version for name, _, version in named}


def _update_package(package: str, asked: str) -> list[str]:
    """Writes the files of a package; gives their rows of the list."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", asked], cwd=folder, check=True)  # noqa: S603, S607
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        content = Path(folder) / "package"
        described = json.loads((content / "package.json").read_text(encoding="utf-8"))
        licence = next(each for each in content.iterdir() if each.name.upper().startswith("LICEN"))
        (FOLDER / f"{package}.LICENSE").write_bytes(licence.read_bytes())
        return [
            _write_library(library, content, described)
            for library in LIBRARIES
            if library.package == package
        ]


def _write_library(library: Library, content: Path, described: dict[str, str]) -> str:
    text = (content / library.source).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL=")]
    text = "\n".join(lines) + "\n"
    for package, file in library.imports:
        text = text.replace(f'from"{package}"', f'from"{file}"')
    (FOLDER / library.target).write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    named = f"{library.package}@{described['version']}"
    licence = described["license"].strip("()").replace(" OR ", " or ")
    return f"| {library.target} | {named} | {library.source} | {digest} | {licence} |"


if __name__ == "__main__":
    main(sys.argv[1:])
