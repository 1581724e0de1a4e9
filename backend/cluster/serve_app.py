"""The server as a Ray Serve application: `serve run cluster.serve_app:entry`, or `make cluster`.

Each replica is a process with a model of its own that runs the unchanged `create_app()`. They share
nothing but the PostgreSQL database. Serve's consistent hashing keeps a session, which `front.py` names,
on one replica as long as that one lives; any other replica computes the same numbers again.
"""

from __future__ import annotations

import asyncio
import gc
import re

from fastapi import FastAPI
from ray import serve
from ray.serve.config import BackpressureConfig, RequestRouterConfig

from app.api.deps import Services
from app.main import create_app
from app.settings import Settings
from cluster.front import RETRY_AFTER_S
from cluster.placement import Placement, replica_settings

POLL_SECONDS = 0.1
STARTS = 3
"""A replica that cannot start is tried this often."""
CANNOT_START = "The model could not be loaded."
SERVE_LOGS = "/tmp/ray/session_latest/logs/serve"
BESIDE_THE_MODEL = 16
"""Requests of a replica that need no model, such as health, beside those that it takes for the model."""

ON_THE_WAY = 64
"""Requests of one proxy that wait to be handed to a replica; a burst is here for a moment."""


def build() -> FastAPI:
    """Called inside each replica, so nothing of it is pickled."""
    return create_app(replica_settings())


@serve.ingress(build)
class Explorer:
    """One replica."""

    app: FastAPI
    """Made by `build`; Serve's own base class has it."""

    async def reconfigure(self, _config: object) -> None:
        """Called by Serve once the application has started; it gets requests when this has returned.

        Raises RuntimeError where the model cannot be had.
        """
        worker = services_of(self.app).worker
        while (state := worker.state()).status == "loading":
            await asyncio.sleep(POLL_SECONDS)
        if state.status != "ready":
            raise RuntimeError(f"{CANNOT_START} {state.detail}")
        # As in app/server.py: a full pass over the model's objects stops every thread.
        gc.freeze()

    def check_health(self) -> None:
        """Called by Serve, which replaces the replica where it raises."""
        state = services_of(self.app).worker.state()
        if state.status in ("failed", "stalled"):
            raise RuntimeError(f"the replica is {state.status}: {state.detail}")


def services_of(app: FastAPI) -> Services:
    services = app.state.services
    assert isinstance(services, Services)
    return services


def why_not_started() -> str:
    """What the model's failure was, after replicas did not start; or where to look."""
    overview = serve.status().applications.values()
    said = "\n".join(each.message for app in overview for each in app.deployments.values())
    found = re.findall(rf"{CANNOT_START} (.+)", said)
    return found[-1] if found else f"Their logs are in {SERVE_LOGS}."


def application(settings: Settings, placement: Placement) -> serve.Application:
    """The application with as many replicas as `placement` says."""
    deployment = serve.deployment(
        Explorer,
        name="explorer",
        num_replicas=placement.replicas,
        ray_actor_options={"num_cpus": placement.cpus, "num_gpus": placement.gpus},
        max_ongoing_requests=settings.concurrency + settings.queue_capacity + BESIDE_THE_MODEL,
        max_queued_requests=ON_THE_WAY,
        backpressure_config=BackpressureConfig(retry_after_s=RETRY_AFTER_S),
        max_constructor_retry_count=STARTS,
        user_config={},
        graceful_shutdown_timeout_s=settings.shutdown_seconds,
        # A person's tabs stay together; a replica that is full sends them on to the next.
        request_router_config=RequestRouterConfig(
            request_router_class="ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
        ),
    )
    return deployment.bind()


def entry(args: dict[str, str]) -> serve.Application:
    """For `serve run cluster.serve_app:entry replicas=4 cpus=2`."""
    return application(Settings(), Placement.of(args))
