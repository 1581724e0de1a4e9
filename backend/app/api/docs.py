"""The interactive description of the API at /docs, without a script from elsewhere.

FastAPI's own page loads Swagger UI from a content delivery network, which fails offline and under
our content security policy. The package `fastapi-offline` carries the files; only they are used.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mechanistic Explorer: API</title>
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
<link rel="icon" href="/docs/files/favicon.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """\
SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true});
"""


async def page(_request: Request) -> Response:
    return HTMLResponse(PAGE)


async def start(_request: Request) -> Response:
    return Response(START, media_type="text/javascript")


async def description(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


def install_docs(app: FastAPI) -> None:
    """Adds /docs and /openapi.json, which are no part of the description themselves."""
    app.router.routes += [
        Route("/docs", page),
        Route("/docs/start.js", start),
        Mount("/docs/files", StaticFiles(packages=[("fastapi_offline", "static")])),
        Route("/openapi.json", description),
    ]
