"""Chat: a reply with the read-outs of its tokens, as one JSON answer or as a stream."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import CHAT_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.sse import EventStream, event_stream
from app.api.whole import WholeRoute
from app.models.chat import ChatRequest, ChatResponse

router = APIRouter(tags=["chat"], route_class=WholeRoute)


@router.post(
    "/chat",
    response_model=ChatResponse,
    responses={
        200: {
            "description": "The reply; with `stream: true` as server-sent events, each a `StreamEvent`",
            "content": {"text/event-stream": {"schema": event_stream("StreamEvent")}},
        },
        **error_responses(404, 408, 409, 413, 422, 429, 500, 503, 504, 507),
    },
)
async def chat(
    body: Annotated[ChatRequest, Body(openapi_examples=CHAT_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Continues a conversation with the model and tells how each token was predicted.

    With `stream: true` the answer is `text/event-stream`: one `start`, while the model is busy
    with others `queued` (the place in the queue, and the seconds until the model is expected to begin),
    then `token` and `lens` events, then exactly one `done` or `error`; a stream without either was cut. Lines that begin
    with a colon keep the connection alive and mean nothing. Both forms hold the same numbers.

    `conversation_id` continues the stored token ids exactly. `from_index` says how many of them:
    all continue the same timeline, fewer make a new branch. The messages are saved before the model
    runs, as a turn that is `interrupted` until it ends. A reply that its client leaves, stream or
    JSON, is kept as `cancelled`, one that the server ends (a deadline, a shutdown, a failure) as
    `interrupted`, both with the tokens that were sent.
    """
    run = await services.chat.open(body, client=client, request_id=request_id)
    if body.stream:
        return EventStream(run, request_id)
    # A coroutine that is cancelled before its first step closes nothing.
    with contextlib.closing(run):
        return await json_once_done(request, run.reply())
