"""Whether the server can answer, and what it waits for. Never touches the model."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter, Response

from app import __version__
from app.api.deps import RequestIdDep, ServicesDep
from app.api.errors import error_body
from app.api.whole import WholeRoute
from app.models.facts import DownloadInfo, Health, LoadingStep, QueueInfo, SwitchInfo
from app.services.loading_progress import StepState
from app.services.switching import SwitchState

router = APIRouter(tags=["model"], route_class=WholeRoute)


@router.get(
    "/health",
    responses={503: {"model": Health, "description": "Loading, draining, stalled or failed"}},
)
async def health(services: ServicesDep, request_id: RequestIdDep, response: Response) -> Health:
    """Whether the server can answer requests that need the model, and what it waits for.

    200 when ready, 503 otherwise, with the same body.
    """
    state = services.worker.state()
    if state.status != "ready":
        response.status_code = 503
    progress = state.progress
    download = None
    if progress is not None and progress.step == "find" and progress.done_bytes is not None:
        download = DownloadInfo(done_bytes=progress.done_bytes, total_bytes=progress.total_bytes)
    return Health(
        status=state.status,
        model=state.model,
        revision=state.revision,
        instance=state.instance,
        version=__version__,
        queue=QueueInfo(running=state.running, waiting=state.waiting, capacity=state.capacity),
        jobs=services.jobs.n_busy,
        detail=state.detail,
        download=download,
        loading=state.loading and _steps(state.loading),
        switch=state.switch and _switch(state.switch, request_id),
    )


def _steps(steps: tuple[StepState, ...]) -> list[LoadingStep]:
    return [LoadingStep(**dataclasses.asdict(step)) for step in steps]


def _switch(switch: SwitchState, request_id: str) -> SwitchInfo:
    return SwitchInfo(
        key=switch.key,
        model=switch.name,
        stage=switch.stage,
        detail=switch.detail,
        loading=_steps(switch.loading),
        error=switch.failure and error_body(switch.failure, request_id),
    )
