"""Which model runs, where it came from, and what was verified on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.examples import MODEL_EXAMPLES
from app.api.responses import error_responses
from app.api.whole import WholeRoute
from app.models.catalogue import ModelChoice, ModelChosen, ModelList
from app.models.facts import Examples, ModelInfo
from app.models.opening import Opening

router = APIRouter(tags=["model"], route_class=WholeRoute)


@router.get("/model_info", responses=error_responses(503))
async def model_info(services: ServicesDep) -> ModelInfo:
    """Which model runs, where it came from, its sizes, chat template and self-check.

    Answers 503 `model_loading` or `model_failed` while there is none.
    """
    return services.analysis.model_info()


@router.get("/models", responses=error_responses(500))
async def models(services: ServicesDep) -> ModelList:
    """The models on this machine that can be chosen, described without loading them."""
    return await services.catalogue.listed()


@router.put(
    "/model",
    status_code=202,
    response_model=ModelChosen,
    responses=error_responses(404, 409, 413, 422, 500, 503, 507),
)
async def change_model(
    body: Annotated[ModelChoice, Body(openapi_examples=MODEL_EXAMPLES)], services: ServicesDep
) -> ModelChosen:
    """Loads another model, while the one that runs goes on; `GET /api/health` tells how far it is.

    What can be told without loading is refused now. Once the model has passed its self-check, running
    replies end first, those that take too long with `model_switched`, and then it answers in the
    other's place. One that cannot be had leaves the former one running, and health says why.
    """
    return await services.catalogue.choose(body)


@router.get("/examples", responses=error_responses(429, 500, 503, 504, 507))
async def examples(services: ServicesDep, client: ClientDep, request_id: RequestIdDep) -> Examples:
    """Worked examples that hold on the running model, each with what was measured of it.

    They are measured when they are first asked for, which runs some twenty short texts through the
    model, and are kept until the server ends.
    """
    found = await services.analysis.examples(client=client, request_id=request_id)
    return Examples(examples=found)


@router.get("/examples/opening")
async def opening(services: ServicesDep) -> Opening:
    """The worked example that a first visit opens with, answered before the model is loaded."""
    return Opening(opening=await services.analysis.opening())
