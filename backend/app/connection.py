"""One HTTP connection: uvicorn's, with deadlines for the client and errors in our form.

uvicorn waits for the rest of a request, and for a client that does not read, as long as it takes.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.api.errors import error_response
from app.api.security import STATIC_HEADERS
from app.errors import InvalidRequest

HEAD_SECONDS = 30.0
"""For the line and the headers of a request, from its first byte or the opening of the connection."""
BODY_SECONDS = 60.0
"""For the body of a request."""
WRITE_SECONDS = 30.0
"""For the client to take what waits for it, about 64 KiB or one piece of a large answer."""

Awaited = Literal["head", "body"]


class Connection(H11Protocol):
    """A connection that is cut when its client keeps the server waiting."""

    _awaited: Awaited | None = None
    _read_deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        for deadline in (self._read_deadline, self._write_deadline):
            if deadline is not None:
                deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = self.loop.call_later(WRITE_SECONDS, self.cut)

    def resume_writing(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: a request that is not complete will not be."""
        if self._waits_for() == "body":
            self.cut()
        else:
            super().shutdown()

    def cut(self) -> None:
        """Ends the connection at once; the request, if there is one, sees its client go."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets an error in our form."""
        del msg  # it says no more than ours
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.cut()
            return
        request_id = secrets.token_hex(8)
        failure = InvalidRequest("The request is not valid HTTP/1.1.", hint="See RFC 9112.")
        answer = error_response(failure, request_id)
        headers = {**STATIC_HEADERS, "x-request-id": request_id, "connection": "close"}
        response = h11.Response(
            status_code=400,
            headers=[
                *answer.raw_headers,
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
            reason=b"Bad Request",
        )
        for event in (response, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _waits_for(self) -> Awaited | None:
        if self.cycle is None or self.cycle.response_complete:
            return "head"
        return "body" if self.cycle.more_body else None

    def _watch(self) -> None:
        """Starts a deadline where the server begins to wait for something."""
        awaited = self._waits_for()
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._read_deadline is not None:
            self._read_deadline.cancel()
        if awaited is not None:
            seconds = HEAD_SECONDS if awaited == "head" else BODY_SECONDS
            self._read_deadline = self.loop.call_later(seconds, self.cut)
