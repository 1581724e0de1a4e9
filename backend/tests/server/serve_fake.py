"""A real server process with the model without weights: `python -m tests.server.serve_fake JSON`.

The argument holds settings of the server, of the engine and of this program. `/probe` tells what
the engine has done, which no client of the real server can see; where the engine is to pause at a
stage, `/go_on` lets it go on.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import connection, server
from app.listening import bind_sockets
from app.main import create_app
from app.services import job, jobs
from app.services.loading_progress import LoadProgress
from app.settings import Settings
from tests.fakes import FakeEngine


def main(options: dict[str, Any]) -> None:
    for name, value in options.get("job", {}).items():
        setattr(job, name, value)
    for name, value in options.get("jobs", {}).items():
        setattr(jobs, name, value)
    for name, value in options.get("connection", {}).items():
        setattr(connection, name, value)
    for name, value in options.get("server", {}).items():
        setattr(server, name, value)
    engine = FakeEngine(**options.get("engine", {}))
    pauses = [engine.faults.pause(stage) for stage in options.get("pauses", ())]

    def load(
        _settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
    ) -> FakeEngine:
        on_progress(LoadProgress("Pretending to load.", 1, 2, "find"))
        threading.Event().wait(options.get("load_seconds", 0))
        return engine

    async def probe(_request: Request) -> Response:
        return JSONResponse(
            {
                "steps": engine.steps_made,
                "cells": engine.faults.calls.get("cell", 0),
                "generations_closed": engine.generations_closed,
                "frozen_objects": gc.get_freeze_count(),
                "connections": len(running.server_state.connections),
            }
        )

    async def large(_request: Request) -> Response:
        return Response(b"x" * 30_000_000)

    async def go_on(_request: Request) -> Response:
        for pause in pauses:
            pause.go_on.set()
        return Response()

    settings = Settings(ports=(0,), **options.get("settings", {}))
    app = create_app(settings, load)
    app.router.routes[:0] = [Route("/probe", probe), Route("/go_on", go_on), Route("/large", large)]
    sockets = bind_sockets(settings.host, settings.ports)
    running = server.Server(app, settings, announce=announce)
    running.run(sockets)
    announce("Stopped.")


def announce(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
