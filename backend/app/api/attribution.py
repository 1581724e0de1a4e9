"""What wrote a logit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import ATTRIBUTION_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.causes import AttributionRequest, AttributionResponse

router = APIRouter(tags=["causes"], route_class=WholeRoute)


@router.post(
    "/attribution",
    response_model=AttributionResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def attribution(
    body: Annotated[AttributionRequest, Body(openapi_examples=ATTRIBUTION_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Takes the logit of one predicted token apart, into signed parts that add up to it.

    By default the logit of the target less that of the most probable other token, into the embedding
    and what each block's attention and MLP wrote (`unit` opens these to heads, source tokens and
    neurons). The scale of the final norm is frozen at this token, so the parts are direct effects and
    their `sum` is `difference`; `residue` is rounding. Where parts do not add up on a model, the answer
    is `identity_failed`. Costs one decode step where the timeline is held.
    """
    work = services.analysis.attribute(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
