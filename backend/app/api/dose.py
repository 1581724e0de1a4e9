"""What a token's probability becomes as an intervention grows stronger."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import DOSE_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.dosing import DoseRequest, DoseResponse

router = APIRouter(tags=["causes"], route_class=WholeRoute)


@router.post(
    "/dose",
    response_model=DoseResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def dose(
    body: Annotated[DoseRequest, Body(openapi_examples=DOSE_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Probability and rank of tokens over the strength of what is added to the stream.

    Each of the `strengths` replaces that of every `add`. At 0 the numbers are those of the plain run.
    `control` is the same under a random direction of the same length, at the same layers and
    positions: what a direction does should be more than that. Only the tokens from the first one that
    is touched are run again.
    """
    work = services.analysis.dose(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
