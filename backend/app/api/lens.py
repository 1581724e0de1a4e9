"""Reading any text, token ids or conversation with the lens, without generating."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import LENS_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.lens import LensReadRequest, LensReadResponse

router = APIRouter(tags=["lens"], route_class=WholeRoute)


@router.post(
    "/lens",
    response_model=LensReadResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def lens(
    body: Annotated[LensReadRequest, Body(openapi_examples=LENS_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Reads a text, token ids or a stored conversation layer by layer, without generating.

    The answer is in columns, `[layer][position]`, as a heatmap needs it. Position `t` predicts
    the token at `t + 1`; `next_probability` and `next_rank` are of the token that really follows,
    and null at the end of the timeline. Layer `n - 0.5` is the stream inside block `n`, after
    attention and before the MLP; reading it runs its positions through the model again. Work that is over the limit of one request is refused
    with the numbers: read fewer `positions` or `layers` at a time.
    """
    work = services.analysis.read(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
