"""Which model runs, where it came from, and what was verified on it."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.responses import error_responses
from app.models.facts import ModelInfo

router = APIRouter(tags=["model"])


@router.get("/model_info", responses=error_responses(503))
async def model_info(services: ServicesDep) -> ModelInfo:
    """Which model runs, where it came from, its sizes, chat template and self-check.

    Answers 503 `model_loading` or `model_failed` while there is none.
    """
    return services.analysis.model_info()
