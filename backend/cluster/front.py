"""What stands before the replicas, in each of Serve's HTTP proxies.

It does three things that Serve leaves to its users. It names the session of a request, by which Serve's
router keeps a person, a tab or a script on one replica, where their residual streams, replies and jobs
are. It gives Serve's own refusals the form that all errors of the API have. And it ends a stream whose
replica died with a typed `error` event.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.api.errors import error_body, error_response
from app.api.security import STATIC_HEADERS
from app.errors import ExplorerError, QueueFull, Unavailable
from app.settings import Settings

SESSION_HEADER = "x-explorer-session"
"""Read by Serve's router (`RAY_SERVE_SESSION_ID_HEADER_KEY`); what a client sends under it is dropped."""
TRUSTED_PROXIES = "FORWARDED_ALLOW_IPS"
"""Addresses of proxies whose `X-Forwarded-For` is believed; uvicorn's own variable."""
RETRY_AFTER_S = 2
BUSY = 429
SERVE_IS_BUSY = 503


def middlewares() -> list[Middleware]:
    """For `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`."""
    trusted = os.environ.get(TRUSTED_PROXIES) or "127.0.0.1"
    return [
        Middleware(Front, names_people=Settings().tokens_file is not None),
        Middleware(ProxyHeadersMiddleware, trusted_hosts=trusted),
    ]


class Front:
    """Pure ASGI, so that disconnects pass through."""

    def __init__(self, app: ASGIApp, names_people: bool) -> None:
        """`names_people`: whether each token is one person's, and not the one of the whole server."""
        self.app = app
        self.names_people = names_people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/-/"):  # Serve's own addresses
            await self.app(scope, receive, send)
            return
        answer = Answer(scope, receive, send)
        await self.app(self._with_session(scope), receive, answer.send)
        await answer.end()

    def _with_session(self, scope: Scope) -> Scope:
        headers = MutableHeaders(raw=list(scope["headers"]))
        headers[SESSION_HEADER] = session(scope, self.names_people)
        return {**scope, "headers": headers.raw}


def session(scope: Scope, names_people: bool) -> str:
    """Who asks: a person by their token, else a tab or a script, else an address; as a digest.

    Serve logs sessions, and takes nothing but UTF-8.
    """
    headers = Headers(scope=scope)
    if names_people and (given := headers.get("authorization")):
        who = f"person {given}"
    elif client := headers.get("x-client-id"):
        who = f"client {client}"
    else:
        who = f"address {scope['client'][0] if scope.get('client') else 'unknown'}"
    return hashlib.sha256(who.encode()).hexdigest()[:32]


class Answer:
    """What a client is sent: the replica's answer, or a typed error in place of what Serve says."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = secrets.token_hex(8)
        self._has_started = False
        self._is_over = False
        self._is_stream = False

    async def send(self, message: Message) -> None:
        """Passes a message on; one of Serve's own answers becomes ours."""
        if self._is_over:
            return
        if message["type"] == "http.response.start":
            if not is_of_replica(message["headers"]):
                await self._refuse(refusal(message["status"], message["headers"]))
                return
            self._start(message)
        elif message["type"] == "http.response.body":
            self._is_over = not message.get("more_body", False)
        await self._send(message)

    def _start(self, message: Message) -> None:
        self._has_started = True
        # Serve adds an id of its own to that of the replica, which is the one in its log.
        headers = MutableHeaders(raw=list(message["headers"]))
        self._request_id = headers.getlist("x-request-id")[0]
        headers["x-request-id"] = self._request_id
        message["headers"] = headers.raw
        if message["status"] == BUSY:
            message["status"] = SERVE_IS_BUSY
        self._is_stream = headers.get("content-type", "").startswith("text/event-stream")

    async def end(self) -> None:
        """After the last message. Where a replica died, Serve says nothing at all, or stops short."""
        if self._is_over:
            return
        if not self._has_started:
            await self._refuse(replica_gone())
        elif self._is_stream:
            error = error_body(replica_gone(), self._request_id).model_dump()
            event = json.dumps({"type": "error", "error": error})
            body = f"event: error\ndata: {event}\n\n".encode()
            await self._send({"type": "http.response.body", "body": body})
        self._is_over = True

    async def _refuse(self, failure: ExplorerError) -> None:
        response = error_response(failure, self._request_id)
        response.status_code = SERVE_IS_BUSY
        response.headers.update({**STATIC_HEADERS, "x-request-id": self._request_id})
        self._has_started = self._is_over = True
        await response(self._scope, self._receive, self._send)


def is_of_replica(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Every answer of the server has this header, and none of Serve's own."""
    return any(name.lower() == b"content-security-policy" for name, _ in headers)


def refusal(status: int, headers: Iterable[tuple[bytes, bytes]]) -> ExplorerError:
    """What Serve refused a request for; only where it is busy it says when to come again."""
    if any(name.lower() == b"retry-after" for name, _ in headers):
        return QueueFull(
            "All replicas are busy, and as many requests wait as may.",
            hint="Send the request again after the time in Retry-After.",
            retry_after_s=RETRY_AFTER_S,
        )
    return Unavailable(
        f"No replica can answer now (Ray Serve answered {status}).",
        hint="Replicas are starting: send the request again. If it lasts, see the log of the cluster.",
        retry_after_s=5,
    )


def replica_gone() -> Unavailable:
    """A replica ended before its answer did."""
    return Unavailable(
        "The replica that served this request has ended.",
        hint="Saved conversations are kept, and another replica serves them: send the request again.",
        retry_after_s=RETRY_AFTER_S,
    )
