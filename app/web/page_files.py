"""Serves the page: one document, and its files under an address that holds their content's hash.

Browsers keep the files for ever, since a change of any of them changes the address of all. Modules
import each other by relative paths, so that no build step has to write hashes into them.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.errors import NotFound

FOLDER = Path(__file__).parent / "page"
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' blob:",  # attachments are read with the workspace's header
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    ]
)
_SAFETY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
_HASH_CHARACTERS = 16
_ASSETS = "{assets}"
_PRELOADED = "{preloaded}"


class PageFiles:
    """The page's document and files, read once."""

    def __init__(self) -> None:
        self._files = _read_files()
        self.hash = _hash_files(self._files)
        assets = f"assets/{self.hash}"
        preloaded = "\n".join(
            f'<link rel="modulepreload" href="{assets}/{name}">'
            for name in sorted(self._files)
            if name.endswith(("js", "mjs"))
        )
        document = (FOLDER / "index.html").read_text(encoding="utf-8")
        self._document = document.replace(_ASSETS, assets).replace(_PRELOADED, preloaded)

    def routes(self, path: str) -> list[Route]:
        """The routes below the page's path, which ends without a slash."""

        async def redirect(request: Request) -> Response:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{path}/{query}", 308)

        return [
            Route(path, redirect, methods=["GET"], include_in_schema=False),
            Route(f"{path}/", self._serve_document, methods=["GET"], include_in_schema=False),
            Route(
                f"{path}/assets/{{hash}}/{{name:path}}",
                self._serve_file,
                methods=["GET"],
                include_in_schema=False,
            ),
        ]

    async def _serve_document(self, request: Request) -> Response:
        headers = {**_SAFETY, "Cache-Control": "no-cache", "ETag": f'"{self.hash}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(self._document, media_type="text/html", headers=headers)

    async def _serve_file(self, request: Request) -> Response:
        """A file; one of another version of the page is not found rather than mixed in."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None or request.path_params["hash"] != self.hash:
            raise NotFound("There is no such file of the page. Reload the page.")
        headers = {**_SAFETY, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=_MEDIA_TYPES[Path(name).suffix], headers=headers)


def _read_files() -> dict[str, bytes]:
    """The files that browsers load, by their paths with slashes."""
    paths = (path for path in FOLDER.rglob("*") if path.suffix in _MEDIA_TYPES)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}


def _hash_files(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for part in _parts_to_hash(files):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:_HASH_CHARACTERS]


def _parts_to_hash(files: dict[str, bytes]) -> Iterable[bytes]:
    for name in sorted(files):
        yield name.encode()
        yield files[name]
