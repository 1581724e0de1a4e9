"""What the model has computed since the start, and what is kept of it. Never touches the model."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.responses import error_responses
from app.api.whole import WholeRoute
from app.models.facts import Stats

router = APIRouter(tags=["model"], route_class=WholeRoute)


@router.get("/stats", responses=error_responses(503, 507))
async def stats(services: ServicesDep) -> Stats:
    """How often the model ran, and how much of what it computed is kept.

    Reading a stored conversation leaves `forward_passes` as it is: its residual streams are there,
    and decoding them runs no block. Answers 503 `model_loading` or `model_failed` while there is
    no model.
    """
    return await services.analysis.stats()
