"""States of one run put into another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import PATCH_EXAMPLES
from app.api.responses import error_responses, json_once_done
from app.api.whole import WholeRoute
from app.models.patching import PatchRequest, PatchResponse

router = APIRouter(tags=["causes"], route_class=WholeRoute)


@router.post(
    "/patch",
    response_model=PatchResponse,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 504, 507),
)
async def patch(
    body: Annotated[PatchRequest, Body(openapi_examples=PATCH_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    request_id: RequestIdDep,
) -> Response:
    """Puts states of one run into another and tells how far that carries its answer over.

    The metric is the logit of an answer less that of a foil, read at the last position; `score` is 0
    at the run that is changed and 1 at the run that the states come from. Only later blocks at the
    patched and later positions are run again. Where both runs answer alike there is no score: the
    answer is `undefined_effect`.
    """
    work = services.analysis.patch(body, client=client, request_id=request_id)
    return await json_once_done(request, work)
