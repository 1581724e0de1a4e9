"""Whether the server can answer, and what it waits for. Never touches the model."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app import __version__
from app.api.deps import ServicesDep
from app.models import DownloadInfo, Health, QueueInfo

router = APIRouter(tags=["model"])


@router.get(
    "/health",
    responses={503: {"model": Health, "description": "Loading, draining, stalled or failed"}},
)
async def health(services: ServicesDep, response: Response) -> Health:
    """Whether the server can answer requests that need the model, and what it waits for.

    200 when ready, 503 otherwise, with the same body.
    """
    state = services.worker.state()
    if state.status != "ready":
        response.status_code = 503
    return Health(
        status=state.status,
        model=state.model,
        version=__version__,
        queue=QueueInfo(running=state.running, waiting=state.waiting, capacity=state.capacity),
        detail=state.detail,
        download=DownloadInfo(
            done_bytes=state.download.done_bytes, total_bytes=state.download.total_bytes
        )
        if state.download
        else None,
    )
