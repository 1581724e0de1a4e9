"""Which model runs, where it came from, and what was verified on it."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.responses import error_responses
from app.models.facts import Examples, ModelInfo
from app.models.opening import Opening

router = APIRouter(tags=["model"])


@router.get("/model_info", responses=error_responses(503))
async def model_info(services: ServicesDep) -> ModelInfo:
    """Which model runs, where it came from, its sizes, chat template and self-check.

    Answers 503 `model_loading` or `model_failed` while there is none.
    """
    return services.analysis.model_info()


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
