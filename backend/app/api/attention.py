"""What a token reads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import ATTENTION_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.causes import AttentionRequest, AttentionResponse

router = APIRouter(tags=["causes"], route_class=WholeRoute)


@router.post(
    "/attention",
    response_model=AttentionResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def attention(
    body: Annotated[AttentionRequest, Body(openapi_examples=ATTENTION_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Reads what one token attends to, in every block and head.

    `weight` is the model's own attention; `norm` and `logit` say what is done with it. Attention says
    where a head looks, not what it uses. Costs one decode step where the timeline is held.
    """
    work = services.analysis.attend(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
