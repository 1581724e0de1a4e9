"""What a block promoted and suppressed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import WRITES_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.causes import WritesRequest, WritesResponse

router = APIRouter(tags=["causes"], route_class=WholeRoute)


@router.post(
    "/writes",
    response_model=WritesResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def writes(
    body: Annotated[WritesRequest, Body(openapi_examples=WRITES_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Lists the tokens that the attention and the MLP of one block promoted and suppressed at a token.

    What each added to the residual stream goes through the final norm, with the scale that it has at
    this token, and the unembedding. A contribution is to the token's logit less the mean over the
    vocabulary, as in `/api/attribution` with `foil: "mean"`. Where a block is not split on a model, the
    answer is `identity_failed`. Costs one decode step where the timeline is held.
    """
    work = services.analysis.decode_writes(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
