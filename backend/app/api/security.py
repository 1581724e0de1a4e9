"""Who may ask: checks that stand before every route. Pure ASGI, so that disconnects pass through.

A page that the researcher visits can make the browser send requests to localhost. It cannot read
the answers, since no CORS header is ever sent, and these checks keep it from having any effect:
the Host must be ours (DNS rebinding), and a request that could change something must come from our
own page. Programs such as curl send neither Origin nor Sec-Fetch-Site and pass.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import error_response, internal_error, request_id_of
from app.api.people import People
from app.api.responses import ClientGone
from app.errors import ExplorerError, Forbidden, Unauthorized
from app.services.person import person
from app.settings import Settings

logger = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
WILDCARD_HOSTS = frozenset({"0.0.0.0", "::"})
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(:\d{1,5})?", re.IGNORECASE)
"""A name may end with the dot of the root, as `localhost.` does."""
OPEN_PATHS = frozenset({"/api/health"})
"""What answers without a token, for whoever watches over the server."""
PROTECTED_PREFIXES = ("/api", "/docs", "/openapi.json")

STATIC_HEADERS = {
    # The page loads and calls this server only, and runs its own script files only. Styles may be
    # inline: the component library sets some, and without scripts they can do no harm.
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class RequestContext:
    """Outermost: gives each request an id, each response the id and the security headers.

    What no handler knows becomes an `internal_error` here: Starlette's own last resort stands
    outside of every middleware, so its answer would have none of these headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in STATIC_HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/api"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientGone:
            logger.debug("request %s: the client has gone", request_id)
        except Exception:
            if is_started:
                raise
            logger.exception("request %s failed", request_id)
            await error_response(internal_error(), request_id)(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses a request body over the limit, whether its length was declared or not.

    FastAPI's own limit answers in plain text, before any handler of errors is asked.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int], read_bytes: int
    ) -> None:
        """`larger`: the limits of those paths that take more. `read_bytes`: how much of a body that
        is too long is still read, and forgotten, before it is refused: a client that only reads
        after it has sent everything would see its connection reset instead of the reason."""
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger
        self.read_bytes = read_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("content-length", "0")
        declared = int(given) if given.isdecimal() and len(given) < 20 else 0
        # Who asks first, as curl does, has sent nothing yet.
        asks_first = headers.get("expect", "").lower() == "100-continue"
        max_bytes = self.larger.get(scope["path"], self.max_bytes)
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if declared > self.read_bytes or (declared > max_bytes and asks_first):
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received <= max_bytes and declared <= max_bytes:
                return message
            while message.get("more_body", False) and received <= self.read_bytes:
                message = await receive()
                received += len(message.get("body", b""))
            raise HTTPException(413)

        await self.app(scope, receive_limited, send)


class Gate:
    """Refuses a foreign Host, a foreign Origin on writes, and a missing token; WebSockets always.

    With `people`, a token also says whose request it is.
    """

    def __init__(self, app: ASGIApp, settings: Settings, people: People | None = None) -> None:
        self.app = app
        self.people = people
        self.host_names = allowed_host_names(settings)
        self.dev_origin = settings.dev_origin
        self.token = settings.token.get_secret_value().encode() if settings.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self.refusal(scope):
            await error_response(refusal, request_id_of(scope))(scope, receive, send)
        elif self.people is not None and self._is_protected(scope["path"]):
            await self._serve_person(self.people, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve_person(
        self, people: People, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serves the person whose token the request has; without one it is refused."""
        name = people.whose(given_token(Headers(scope=scope)))
        if name is None:
            refused = error_response(token_needed(), request_id_of(scope))
            await refused(scope, receive, send)
            return
        before = person.set(name)
        try:
            await self.app(scope, receive, send)
        finally:
            person.reset(before)

    def refusal(self, scope: Scope) -> ExplorerError | None:
        """The error for a request that no token would allow, or None."""
        headers = Headers(scope=scope)
        if not scope["path"].startswith("/"):
            return Forbidden(
                "The request names a whole address; this server is no proxy.",
                hint="Send the path alone, such as GET /api/health.",
            )
        hosts = headers.getlist("host")
        match = HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None or match["name"].lower() not in self.host_names:
            return Forbidden(
                "This server does not go by the name in the Host header.",
                hint="Open it as localhost, or start it with EXPLORER_ALLOWED_HOSTS.",
            )
        if scope["method"] not in SAFE_METHODS and not self._is_own_page(scope, headers):
            return Forbidden(
                "The request was made by a page of another origin.",
                hint="Only this server's own page and programs may send such requests.",
            )
        if self.token is not None and self._is_protected(scope["path"]):
            is_right = hmac.compare_digest(given_token(headers), self.token)
            return None if is_right else token_needed()
        return None

    def _is_own_page(self, scope: Scope, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        if not origins:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if len(origins) > 1:
            return False
        if self.dev_origin is not None and origins[0] == self.dev_origin:
            return True
        # A proxy that adds TLS makes the page's scheme https while ours stays http.
        host = headers["host"]
        return origins[0] in (f"{scope['scheme']}://{host}", f"https://{host}")

    @staticmethod
    def _is_protected(path: str) -> bool:
        return path not in OPEN_PATHS and path.startswith(PROTECTED_PREFIXES)


def given_token(headers: Headers) -> bytes:
    """The bearer token of a request; empty, which no token is, without one."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""


def token_needed() -> Unauthorized:
    """The same for a missing and a wrong token."""
    return Unauthorized(
        "This server needs a token.",
        hint="Send it as the header Authorization: Bearer <token>.",
    )


def allowed_host_names(settings: Settings) -> frozenset[str]:
    """Names by which the server may be addressed, as they stand in a Host header, without port."""
    own = set() if settings.host in WILDCARD_HOSTS else {settings.host}
    names = LOOPBACK_HOSTS | own | set(settings.allowed_hosts)
    return frozenset(
        f"[{n}]" if ":" in n and not n.startswith("[") else n.lower().removesuffix(".")
        for n in names
    )
