"""`Explorer`: a server of Mechanistic Explorer, as an object."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mechanistic_explorer import answers
from mechanistic_explorer.errors import CannotConnect, CannotLaunch, NotReady, ServerError
from mechanistic_explorer.jobs import Job
from mechanistic_explorer.operations import Operations

if TYPE_CHECKING:
    from typing_extensions import Self

    from mechanistic_explorer.launching import LocalServer

POLL_SECONDS = 0.2
LOOK_SECONDS = 10.0
"""Each look at the server may take so long, also the last one: a busy server is slow to answer."""
READY_SECONDS = 3600.0
"""A large model may have to be downloaded before it is loaded."""


class Explorer(Operations):
    """One server. `Explorer("http://localhost:8000")` reaches one that runs, `Explorer.launch()` starts one.

    Methods are the operations of the API with its names; `/docs` on the server describes them too.
    """

    _server: LocalServer | None = None

    @classmethod
    def launch(
        cls,
        model: str = "auto",
        *,
        on_progress: Callable[[str], object] | None = None,
        wait_s: float | None = READY_SECONDS,
        **settings: Any,
    ) -> Self:
        """Starts a server on this machine, in a process of its own, and waits until it is ready.

        `settings` are those of `docs/usage.md` in small letters, such as `threads=4` or
        `database="memory"`. It listens on a free port (`url`) and is stopped by `close()`, at the
        end of a `with` block, or when Python ends. `on_progress` is given a line whenever there is
        news; by default they are written to stderr. Raises CannotLaunch, and NotReady after
        `wait_s` seconds; the server is stopped then.
        """
        from mechanistic_explorer.launching import LocalServer, write_progress

        told = on_progress or write_progress
        server = LocalServer({"model": model, **settings})
        try:
            explorer = cls(server.wait_for_address(), server.token)
            explorer._server = server
            explorer.wait_until_ready(on_progress=told, wait_s=wait_s)
        except BaseException:
            server.stop()
            raise
        return explorer

    def wait_until_ready(
        self,
        on_progress: Callable[[str], object] | None = None,
        *,
        wait_s: float | None = READY_SECONDS,
    ) -> answers.Health:
        """Waits while the model loads, for at most `wait_s` seconds; None waits without end.

        Raises CannotLaunch where the model cannot be loaded, and NotReady when the time is over;
        the server goes on loading, and may be waited for again.
        """
        wait = Wait(f"the model on {self.url} to be loaded", wait_s, on_progress)
        while True:
            health = self._health_meanwhile(wait)
            if health and health.status == "ready":
                if on_progress:
                    on_progress(f"{health.model} is ready on {self.url}")
                return health
            if health and health.status == "failed":
                raise CannotLaunch(health.detail or f"{health.model} could not be loaded.")
            wait.go_on(health, loading_line(health) if health else "")

    def use_model(
        self,
        model: str,
        *,
        revision: str | None = None,
        unload_first: bool = False,
        on_progress: Callable[[str], object] | None = None,
        wait_s: float | None = READY_SECONDS,
    ) -> answers.ModelInfo:
        """Loads another model, as `change_model` does, and waits until it answers.

        Raises ServerError where it cannot be loaded; the former one then goes on. Raises NotReady
        after `wait_s` seconds (None waits without end); the server goes on loading.
        """
        before = self.health().instance
        self.change_model(model, revision=revision, unload_first=unload_first)
        wait = Wait(f"{model} to be loaded on {self.url}", wait_s, on_progress)
        while True:
            health = self._health_meanwhile(wait)
            switch = health.switch if health else None
            if switch is not None and switch.error is not None:
                raise ServerError(switch.error)
            if health and health.status == "failed":
                raise CannotLaunch(health.detail or f"{model} could not be loaded.")
            if health and health.status == "ready" and not switch and health.instance != before:
                return self.model_info()
            loading = loading_line(health) if health else ""
            wait.go_on(health, switch.detail if switch else loading)

    def _health_meanwhile(self, wait: Wait) -> answers.Health | None:
        """None while a server that `launch` started does not answer yet, or the time is over."""
        left = wait.seconds_left()
        try:
            with self._silent_for(None if left is None else max(LOOK_SECONDS, left)):
                return self.health()
        except CannotConnect as failure:
            if self._server is not None:
                self._server.require_alive(failure)
            elif not wait.is_over():
                raise
            return None

    def job(self, job_id: str) -> Job:
        """A job that was started before."""
        return Job(job_id, self)

    def close(self) -> None:
        """Closes the connections, and stops the server if `launch` started it."""
        super().close()
        if self._server is not None:
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Explorer({self.url!r})"


def loading_line(health: answers.Health) -> str:
    """What the server waits for, in one line."""
    line = health.detail or f"Loading {health.model}."
    download = health.download
    if download is None:
        return line
    done = f"{download.done_bytes / 1e6:,.0f}"
    return (
        f"{line} {done} of {download.total_bytes / 1e6:,.0f} MB" if download.total_bytes else line
    )


class Wait:
    """A wait for a model: its news, its pauses and its end."""

    def __init__(
        self, awaited: str, seconds: float | None, on_progress: Callable[[str], object] | None
    ) -> None:
        self._awaited = awaited
        self._seconds = seconds
        self._until = math.inf if seconds is None else time.monotonic() + seconds
        self._on_progress = on_progress
        self._told = ""

    def seconds_left(self) -> float | None:
        """None: without end."""
        return None if self._seconds is None else max(0.0, self._until - time.monotonic())

    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def go_on(self, health: answers.Health | None, line: str) -> None:
        """Reports a new line, and waits for the next look. Raises NotReady when the time is over."""
        if self._on_progress and line != self._told:
            self._on_progress(line)
            self._told = line
        if self.is_over():
            state = f"It is {health.status}: {line}" if health else "It does not answer."
            raise NotReady(
                f"Waited {self._seconds:g} s for {self._awaited}. {state}"
                " The server goes on; wait for it again, or longer (wait_s).",
                health,
            )
        time.sleep(min(POLL_SECONDS, max(0.0, self._until - time.monotonic())))
