"""`Explorer`: a server of Mechanistic Explorer, as an object."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mechanistic_explorer import answers
from mechanistic_explorer.errors import CannotConnect, CannotLaunch, ServerError
from mechanistic_explorer.jobs import Job
from mechanistic_explorer.operations import Operations

if TYPE_CHECKING:
    from typing_extensions import Self

    from mechanistic_explorer.launching import LocalServer

POLL_SECONDS = 0.2


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
        **settings: Any,
    ) -> Self:
        """Starts a server on this machine, in a process of its own, and waits until it is ready.

        `settings` are those of `docs/usage.md` in small letters, such as `threads=4` or
        `database="memory"`. It listens on a free port (`url`) and is stopped by `close()`, at the
        end of a `with` block, or when Python ends. `on_progress` is given a line whenever there is
        news; by default they are written to stderr. Raises CannotLaunch.
        """
        from mechanistic_explorer.launching import LocalServer, write_progress

        told = on_progress or write_progress
        server = LocalServer({"model": model, **settings})
        try:
            explorer = cls(server.wait_for_address(), server.token)
            explorer._server = server
            explorer.wait_until_ready(on_progress=told)
        except BaseException:
            server.stop()
            raise
        return explorer

    def wait_until_ready(
        self, on_progress: Callable[[str], object] | None = None
    ) -> answers.Health:
        """Waits while the model loads. Raises CannotLaunch where it cannot be loaded."""
        told = ""
        while True:
            health = self._health_of_start()
            if health and health.status == "ready":
                if on_progress:
                    on_progress(f"{health.model} is ready on {self.url}")
                return health
            if health and health.status == "failed":
                raise CannotLaunch(health.detail or f"{health.model} could not be loaded.")
            line = loading_line(health) if health else ""
            if on_progress and line != told:
                on_progress(line)
                told = line
            time.sleep(POLL_SECONDS)

    def use_model(
        self,
        model: str,
        *,
        revision: str | None = None,
        unload_first: bool = False,
        on_progress: Callable[[str], object] | None = None,
    ) -> answers.ModelInfo:
        """Loads another model, as `change_model` does, and waits until it answers.

        Raises ServerError where it cannot be loaded; the former one then goes on.
        """
        before = self.health().instance
        self.change_model(model, revision=revision, unload_first=unload_first)
        told = ""
        while True:
            health = self.health()
            switch = health.switch
            if switch is not None and switch.error is not None:
                raise ServerError(switch.error)
            if health.status == "failed":
                raise CannotLaunch(health.detail or f"{model} could not be loaded.")
            if health.status == "ready" and switch is None and health.instance != before:
                return self.model_info()
            line = switch.detail if switch else loading_line(health)
            if on_progress and line != told:
                on_progress(line)
                told = line
            time.sleep(POLL_SECONDS)

    def _health_of_start(self) -> answers.Health | None:
        try:
            return self.health()
        except CannotConnect as failure:
            if self._server is None:
                raise
            self._server.require_alive(failure)
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
