"""Two timelines side by side, prediction by prediction."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import COMPARE_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.compare import CompareRequest, CompareResponse

router = APIRouter(tags=["lens"], route_class=WholeRoute)


@router.post(
    "/compare",
    response_model=CompareResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def compare(
    body: Annotated[CompareRequest, Body(openapi_examples=COMPARE_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Compares what the model predicts in two timelines, without generating.

    The answer is in columns, `[layer pair][position pair]`: both KL divergences and the
    Jensen-Shannon divergence of the two next-token distributions, the most probable token of each
    side, and probability and rank of the `targets` on both. Position `t` predicts the token at
    `t + 1`. Work that is over the limit of one request is refused with the numbers.
    """
    work = services.analysis.compare(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
