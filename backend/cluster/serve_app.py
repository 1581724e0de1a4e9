"""The server as a Ray Serve application: `serve run cluster.serve_app:entry`, or `make cluster`.

Each replica is a process with a model of its own that runs the unchanged `create_app()`. They share
nothing but the PostgreSQL database. Serve's consistent hashing keeps a session, which `front.py` names,
on one replica as long as that one lives; any other replica computes the same numbers again.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from ray import serve
from ray.serve.config import BackpressureConfig, RequestRouterConfig
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.deps import Services
from app.main import create_app
from app.settings import Settings
from cluster.front import RETRY_AFTER_S
from cluster.placement import Placement, replica_settings

POLL_SECONDS = 0.1
BESIDE_THE_MODEL = 16
"""Requests of a replica that need no model, such as health, beside those that it takes for the model."""

ON_THE_WAY = 64
"""Requests of one proxy that wait to be handed to a replica; a burst is here for a moment."""


class Replica:
    """The application, which tells Serve that it has started only once its model is ready."""

    def __init__(self) -> None:
        app = create_app(replica_settings())
        services = app.state.services
        assert isinstance(services, Services)
        self._app: ASGIApp = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_when_ready(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                message = await self._started()
            elif message["type"] == "lifespan.shutdown.complete":
                self._services.jobs.end_streams()
            await send(message)

        await self._app(scope, receive, send_when_ready)

    async def _started(self) -> Message:
        while (state := self._services.worker.state()).status == "loading":
            await asyncio.sleep(POLL_SECONDS)
        if state.status != "ready":
            return {"type": "lifespan.startup.failed", "message": state.detail or state.status}
        # As in app/server.py: a full pass over the model's objects stops every thread.
        gc.freeze()
        return {"type": "lifespan.startup.complete"}

    def require_alive(self) -> None:
        """Raises where the model's thread has ended or stalled, so that Serve replaces the replica."""
        state = self._services.worker.state()
        if state.status in ("failed", "stalled"):
            raise RuntimeError(f"the replica is {state.status}: {state.detail}")


def build() -> ASGIApp:
    """Called inside each replica, so nothing of it is pickled."""
    return Replica()


@serve.ingress(build)
class Explorer:
    """One replica."""

    app: Any

    def check_health(self) -> None:
        """Called by Serve."""
        self.app.require_alive()


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
