"""Work that takes longer than a person waits: started, listed, followed, paused, cancelled."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response
from starlette.responses import StreamingResponse

from app.api.deps import ClientDep, RequestIdDep, ServicesDep
from app.api.errors import error_body, internal_error
from app.api.examples import JOB_EXAMPLES
from app.api.responses import error_responses
from app.api.sse import HEADERS, KEEP_ALIVE, event_stream, frame
from app.api.whole import WholeRoute
from app.errors import ExplorerError
from app.models.jobs import (
    AnyJob,
    JobCreated,
    JobErrorEvent,
    JobList,
    JobRequest,
    JobStreamEvent,
)

logger = logging.getLogger(__name__)

router = APIRouter(tags=["jobs"], route_class=WholeRoute)

JobId = Annotated[str, Path(min_length=1, max_length=64, description="Of `POST /api/jobs`.")]


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobCreated,
    responses=error_responses(404, 409, 413, 422, 429, 500, 503, 507),
)
async def create_job(
    body: Annotated[JobRequest, Body(openapi_examples=JOB_EXAMPLES)],
    services: ServicesDep,
    client: ClientDep,
) -> JobCreated:
    """Starts a job: a causal map, `patch_map`, or a lens fitted to the running model, `fit_lens`.

    It runs in the turns of the model that replies leave, needs no open connection, and is kept: in the
    database, with the saved conversation if it is about one. Four jobs of one client may wait. What is
    wrong with the request is refused now; what only the model can tell (`undefined_effect`) ends the job.
    """
    return JobCreated(id=await services.jobs.create(body, client))


@router.get("/jobs", response_model=JobList, responses=error_responses(500, 503, 507))
async def list_jobs(services: ServicesDep) -> JobList:
    """The newest hundred jobs, without what they found."""
    return await services.jobs.listed()


@router.get(
    "/jobs/{job_id}", response_model=AnyJob, responses=error_responses(404, 409, 500, 503, 507)
)
async def get_job(job_id: JobId, services: ServicesDep) -> AnyJob:
    """A job: its state, what it assumed, and what it has found so far."""
    return await services.jobs.get(job_id)


@router.post(
    "/jobs/{job_id}/pause",
    response_model=AnyJob,
    responses=error_responses(404, 409, 500, 503, 507),
)
async def pause_job(job_id: JobId, services: ServicesDep) -> AnyJob:
    """Stops a job within one pass; it keeps what it found and its place in the list."""
    return await services.jobs.pause(job_id)


@router.post(
    "/jobs/{job_id}/resume",
    response_model=AnyJob,
    responses=error_responses(404, 409, 500, 503, 507),
)
async def resume_job(job_id: JobId, services: ServicesDep) -> AnyJob:
    """Lets a paused job go on with what is left."""
    return await services.jobs.resume(job_id)


@router.delete(
    "/jobs/{job_id}", response_model=AnyJob, responses=error_responses(404, 409, 500, 503, 507)
)
async def delete_job(job_id: JobId, services: ServicesDep) -> AnyJob:
    """Cancels a job within one pass; it keeps what it found. One that is over is deleted."""
    return await services.jobs.delete(job_id)


@router.get(
    "/jobs/{job_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: `job` (the whole job, first), `cells`, `progress`, then"
            " one `done`, `error` or `cancelled`. Lines that begin with a colon keep the connection open.",
            "content": {"text/event-stream": {"schema": event_stream("JobStreamEvent")}},
        },
        **error_responses(404, 409, 500, 503, 507),
    },
)
async def job_events(job_id: JobId, services: ServicesDep, request_id: RequestIdDep) -> Response:
    """Follows a job. Leaving changes nothing; a client that comes again first gets the whole job."""
    await services.jobs.get(job_id)
    frames = _frames(services.jobs.events(job_id), request_id)
    return StreamingResponse(frames, media_type="text/event-stream", headers=HEADERS)


async def _frames(
    events: AsyncGenerator[JobStreamEvent | None], request_id: str
) -> AsyncGenerator[bytes]:
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                yield KEEP_ALIVE if event is None else frame(event)
    except ExplorerError as error:
        yield frame(JobErrorEvent(type="error", error=error_body(error, request_id)))
    except Exception:
        logger.exception("request %s failed while streaming", request_id)
        yield frame(JobErrorEvent(type="error", error=error_body(internal_error(), request_id)))
