"""Server-sent events, framed here: FastAPI's own response releases a stalled reader late.

Every stream ends with `done` or `error`. Comment lines keep proxies and browsers from giving up
while the request waits for the model.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.errors import error_body, internal_error
from app.errors import ExplorerError
from app.models.chat import ErrorEvent, StartEvent, StreamEvent
from app.models.jobs import JobStreamEvent
from app.services.chat import ChatRun
from app.services.json_pieces import json_pieces

logger = logging.getLogger(__name__)

KEEP_ALIVE = b": keep-alive\n\n"
HEADERS = {
    "cache-control": "no-store",
    # nginx holds back what it proxies unless told otherwise.
    "x-accel-buffering": "no",
}


def event_stream(name: str) -> dict[str, Any]:
    """Schema of a text of events, each with its name and the JSON of the component `name`."""
    # OpenAPI 3.1 has no words for the events of a stream; this is the form that 3.2 will have.
    return {
        "type": "string",
        "contentMediaType": "text/event-stream",
        "contentSchema": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["event", "data"],
                "properties": {
                    "event": {"type": "string", "description": "The event's `type`."},
                    "data": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"$ref": f"#/components/schemas/{name}"},
                    },
                },
            },
        },
    }


def frame(event: StreamEvent | JobStreamEvent) -> bytes:
    """One event on the wire; JSON holds no raw line breaks, so one `data:` line is enough."""
    return b"event: %b\ndata: %b\n\n" % (event.type.encode(), b"".join(json_pieces(event)))


async def frame_beside_others(event: StreamEvent) -> bytes:
    """`frame`, on a thread where the event holds a whole prompt."""
    if isinstance(event, StartEvent):
        return await asyncio.to_thread(frame, event)
    return frame(event)


async def frames(run: ChatRun, request_id: str) -> AsyncGenerator[bytes]:
    """The whole stream of a run. Failures become an `error` event: the status is sent already."""
    try:
        async with contextlib.aclosing(run.events()) as events:
            async for event in events:
                yield KEEP_ALIVE if event is None else await frame_beside_others(event)
    except ExplorerError as error:
        yield frame(ErrorEvent(type="error", error=error_body(error, request_id)))
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except Exception:
        logger.exception("request %s failed while streaming", request_id)
        yield frame(ErrorEvent(type="error", error=error_body(internal_error(), request_id)))


class EventStream(StreamingResponse):
    """A streamed run; when the client goes, the run is closed at once and so leaves the model."""

    def __init__(self, run: ChatRun, request_id: str) -> None:
        self.run = run
        self.frames = frames(run, request_id)
        super().__init__(self.frames, media_type="text/event-stream", headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Without aclosing, a run whose client went while a write was pending would be closed only
        # when the garbage collector comes by, and would keep the model until then. A generator that
        # never started runs no code when it is closed, so the run is closed by itself as well.
        with contextlib.closing(self.run):
            async with contextlib.aclosing(self.frames):
                await super().__call__(scope, receive, send)
