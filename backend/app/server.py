"""The server process: says where it listens and what the model does, and drains before it stops.

A first signal to stop lets running replies finish while new work is refused; uvicorn by itself
would close its listeners at once and report the signal as a failure.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import webbrowser
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api.deps import Services
from app.api.errors import error_response, request_id_of
from app.api.security import RequestContext
from app.connection import HEAD_SECONDS, Connection
from app.console import flush
from app.errors import Unavailable
from app.listening import addresses
from app.services.worker import ModelWorker
from app.settings import Settings

MAX_CONNECTIONS = 500
LAST_BYTES_SECONDS = 2
"""After the last reply has ended: how long slow connections may take its last bytes."""
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""


class Server(uvicorn.Server):
    """One uvicorn server on all sockets. `announce` is given lines for the person who started it."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        *,
        announce: Callable[[str], None],
        opens_browser: bool = False,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                # What is left then is cut by `shutdown`; this is for what even that does not end.
                timeout_graceful_shutdown=LAST_BYTES_SECONDS + 1,
            )
        )
        self._app = app
        services = app.state.services
        assert isinstance(services, Services)
        self._worker: ModelWorker = services.worker
        self._jobs = services.jobs
        self._settings = settings
        self._announce = announce
        self._opens_browser = opens_browser
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._was_asked_to_stop = False

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, unless there are too many connections."""
        if scope["type"] == "http" and len(self.server_state.connections) > MAX_CONNECTIONS:
            await RequestContext(refuse_crowd)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until it is asked to stop."""
        super().run(sockets)
        if not self._worker.join(0):
            # The model is still being loaded. That cannot be broken off, and letting Python end
            # around a thread that is inside torch may crash.
            flush()
            os._exit(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer, while the model loads."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        found = addresses(sockets or [])
        for address in found:
            self._announce(f"  {address}")
        self._announce("Stop with Ctrl-C.")
        self._keep(self._announce_model())
        if self._opens_browser:
            self._keep(asyncio.to_thread(webbrowser.open, found[0]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the connections; those that are open after LAST_BYTES_SECONDS are cut."""
        self._jobs.end_streams()
        asyncio.get_running_loop().call_later(LAST_BYTES_SECONDS, self._cut_connections)
        await super().shutdown(sockets)

    def _cut_connections(self) -> None:
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Connection)
            connection.cut()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second ends the process at once."""
        del sig, frame
        if self._was_asked_to_stop:
            os._exit(INTERRUPTED)
        self._was_asked_to_stop = True
        self._worker.drain()
        if self._loop is None:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(lambda: self._keep(self._drain()))

    async def _drain(self) -> None:
        if self._worker.state().running:
            self._announce("Finishing the running reply. Ctrl-C again stops at once.")
        await self._worker.drained(self._settings.shutdown_seconds)
        self.should_exit = True

    async def _announce_model(self) -> None:
        self._announce(f"Loading the model ({self._settings.model}); the page opens meanwhile.")
        while (state := self._worker.state()).status == "loading":
            await asyncio.sleep(0.1)
        if state.status == "ready":
            # A full pass of the garbage collector goes over a million objects of torch and of the
            # model, and stops every thread for up to a second. They stay, so it leaves them out.
            gc.freeze()
            facts = self._worker.engine.facts
            self._announce(
                f"Model {facts.name} ({facts.source}) is ready: {facts.n_layers} layers, "
                f"{facts.dtype} on {facts.device}."
            )
            if facts.note:
                self._announce(facts.note)
        elif state.status == "failed":
            self._announce(f"The model could not be loaded. {state.detail}")

    def _keep(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs a coroutine as a task that is not lost to the garbage collector."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def refuse_crowd(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers that too many connections are open."""
    failure = Unavailable(
        f"More than {MAX_CONNECTIONS} connections are open, which is the limit.",
        hint="Close those that are not used.",
        retry_after_s=HEAD_SECONDS,
    )
    await error_response(failure, request_id_of(scope))(scope, receive, send)
