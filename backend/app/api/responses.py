"""What several endpoints share about their answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from fastapi import Request, Response
from isal import isal_zlib
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.models.wire import ErrorResponse, Wire
from app.services.json_pieces import json_pieces

T = TypeVar("T")

SENT_BYTES = 256 * 1024
"""Of one piece on its way to the client; so much is compressed at a time, on a thread."""

COMPRESS_FROM_BYTES = 4096
"""Of any answer."""
COMPRESS_LEVEL = 3
"""Of ISA-L: numbers have little that repeats, and its highest takes no longer than its lowest."""
GZIP_WINDOW_BITS = 31
"""15, and 16 for the container of gzip."""

ERROR_DESCRIPTIONS = {
    401: "A bearer token is required",
    403: "The Host or Origin of the request is not this server's",
    404: "Unknown or deleted conversation",
    408: "The client did not read its stream",
    409: "The conversation is being continued or was changed by another request, or is another "
    "model's",
    413: "The request body, or the file that was asked for, is too large",
    422: "The request cannot be answered as it stands, or does not fit the model's context",
    429: "Too many requests wait for the model; see Retry-After",
    500: "A value that is not a number, or a defect of the server",
    503: "The model is loading, could not be loaded, or the server is shutting down",
    504: "The request took longer than the server allows",
    507: "Not enough memory for this request, or conversations cannot be saved or read",
}


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures of an endpoint, for its OpenAPI description; 401 and 403 may come anywhere."""
    return {
        status: {"model": ErrorResponse, "description": ERROR_DESCRIPTIONS[status]}
        for status in (401, 403, *statuses)
    }


async def until_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled as soon as the client closes its connection.

    Starlette cancels nothing by itself for an answer that is not streamed: without this watch, a
    closed tab would keep the model busy until its reply is complete.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        for pending in (task, gone):
            pending.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


class JsonPieces(Response):
    """JSON that is sent in pieces, each of which is freed once it has gone out.

    Compressed here and not by the middleware: ISA-L takes a third of the time of zlib's fastest level,
    for fewer bytes.
    """

    media_type = "application/json"

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self.pieces = deque(pieces)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        body = self._next()
        compressor = None
        is_large = bool(self.pieces) or len(body) >= COMPRESS_FROM_BYTES
        if is_large and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            compressor = isal_zlib.compressobj(COMPRESS_LEVEL, isal_zlib.DEFLATED, GZIP_WINDOW_BITS)
            self.headers["content-encoding"] = "gzip"
            self.headers.add_vary_header("Accept-Encoding")
            body = await asyncio.to_thread(_compressed, compressor, body, not self.pieces)
        if self.pieces:
            del self.headers["content-length"]
        else:
            self.headers["content-length"] = str(len(body))
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        while self.pieces:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            body = self._next()
            if compressor is not None:
                body = await asyncio.to_thread(_compressed, compressor, body, not self.pieces)
        await send({"type": "http.response.body", "body": body})

    def _next(self) -> bytes:
        """The next piece of about SENT_BYTES."""
        part = bytearray()
        while self.pieces and len(part) < SENT_BYTES:
            part += self.pieces.popleft()
        return bytes(part)


def _compressed(compressor: isal_zlib.Compress, body: bytes, is_last: bool) -> bytes:
    flush = isal_zlib.Z_FINISH if is_last else isal_zlib.Z_SYNC_FLUSH
    return compressor.compress(body) + compressor.flush(flush)


async def json_of(model: Wire) -> JsonPieces:
    """The answer that a model describes; a long one is made while others are served."""
    return JsonPieces(await asyncio.to_thread(list, json_pieces(model)))


async def json_once_done(request: Request, work: Coroutine[Any, Any, list[bytes]]) -> Response:
    """The answer whose JSON `work` makes, unless the client goes before."""
    return JsonPieces(await until_disconnect(request, work))


async def disconnected(request: Request) -> None:
    """Returns when the client has closed its connection; the body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
