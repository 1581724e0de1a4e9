"""What can go wrong, as exceptions. All are ExplorerErrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mechanistic_explorer import answers


class ExplorerError(Exception):
    """The root of all exceptions of this package."""


class ServerError(ExplorerError):
    """The server refused a request, or failed at it. `docs/usage.md` lists the codes."""

    def __init__(
        self,
        error: answers.ErrorBody,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self._arguments = (error, status, retry_after_s)
        self.code = error.code
        """Stable name of the failure, such as `prompt_too_long`."""
        self.message = error.message
        self.hint = error.hint
        """What to do about it."""
        self.param = error.param
        """Field of the request that is wrong, such as `sampling.temperature`."""
        self.request_id = error.request_id
        self.status = status
        """HTTP status; None where the failure ended a stream or a job."""
        self.retry_after_s = retry_after_s
        param = f" [{self.param}]" if self.param else ""
        hint = f" {self.hint}" if self.hint else ""
        super().__init__(f"{self.code}: {self.message}{hint}{param}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled by what it was made of, so that it comes out of a pool of processes."""
        return type(self), self._arguments


class ServerBusy(ServerError):
    """Too many requests wait for the model, also after the retries."""


class CannotConnect(ExplorerError):
    """The server cannot be reached, or did not answer in time."""


class StreamCut(ExplorerError):
    """A stream ended without its last event: the connection broke, or the server was killed."""


class UnexpectedAnswer(ExplorerError):
    """An answer that is none of the API: another program listens there, or another version."""


class JobEnded(ExplorerError):
    """A job ended without all of its result: it was cancelled or lost."""


class CannotLaunch(ExplorerError):
    """A local server could not be started."""


class NotReady(ExplorerError):
    """The model was not loaded in the time that was given to it (`wait_s`)."""

    def __init__(self, message: str, health: answers.Health | None = None) -> None:
        super().__init__(message, health)
        self.message = message
        self.health = health
        """What the server reported last; None where it did not answer."""

    def __str__(self) -> str:
        return self.message
