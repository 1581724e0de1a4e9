"""Serves the built page: hashed files for ever, the page itself always fresh, deep links too."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.errors import MethodNotAllowed, NotFound

NOT_BUILT = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>Mechanistic Explorer</title>
<h1>The page is not built</h1>
<p>The API answers at <a href="/api/health">/api/health</a>; its description is at
<a href="/docs">/docs</a>.</p>
<p>To build the page, run <code>make run</code> in the project's folder, or
<code>cd frontend &amp;&amp; npm ci &amp;&amp; npm run build</code>.</p>
"""

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Files of a page. Python asks the system, and many a Windows registry calls scripts plain text."""


class Page:
    """Whatever no route of the API answers. The folder may be built while the server runs."""

    def __init__(self, folder: Path) -> None:
        for ending, media_type in MEDIA_TYPES.items():
            mimetypes.add_type(media_type, ending)
        self.folder = folder
        self.files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(scope)
        await response(scope, receive, send)

    async def answer(self, scope: Scope) -> Response:
        """The file at a path, or the page; raises NotFound for addresses of the API and of files."""
        path: str = scope["path"]
        if path == "/api" or path.startswith("/api/"):
            raise NotFound("There is nothing at this address of the API.", hint="See /docs.")
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("This address takes GET only.", hint="The API is under /api.")
        if not (self.folder / "index.html").is_file():
            return HTMLResponse(NOT_BUILT, headers={"cache-control": "no-cache"})
        try:
            response = await self.files.get_response(self.files.get_path(scope), scope)
        except HTTPException:
            if path.startswith("/assets/") or "." in path.rpartition("/")[2]:
                raise NotFound("There is no such file.", hint="Reload the page.") from None
            response = await self.files.get_response("index.html", scope)
        is_hashed = path.startswith("/assets/")
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        )
        return response
