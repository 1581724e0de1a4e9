"""Mechanistic Explorer for scripts and notebooks.

    from mechanistic_explorer import Explorer

    explorer = Explorer("http://localhost:8000")
    explorer.lens("The capital of France is").to_dataframe()

What a name needs is imported when it is first used, so that the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mechanistic_explorer._version import __version__

if TYPE_CHECKING:
    from mechanistic_explorer import answers, requests
    from mechanistic_explorer.errors import (
        CannotConnect,
        CannotLaunch,
        ExplorerError,
        JobEnded,
        NotReady,
        ServerBusy,
        ServerError,
        StreamCut,
        UnexpectedAnswer,
    )
    from mechanistic_explorer.explorer import Explorer
    from mechanistic_explorer.jobs import Job
    from mechanistic_explorer.streams import ChatStream, JobEvents

__all__ = [
    "CannotConnect",
    "CannotLaunch",
    "ChatStream",
    "Explorer",
    "ExplorerError",
    "Job",
    "JobEnded",
    "JobEvents",
    "NotReady",
    "ServerBusy",
    "ServerError",
    "StreamCut",
    "UnexpectedAnswer",
    "__version__",
    "answers",
    "requests",
]

_HOMES = {
    "Explorer": "explorer",
    "Job": "jobs",
    "ChatStream": "streams",
    "JobEvents": "streams",
}


def __getattr__(name: str) -> object:
    if name in ("answers", "requests"):
        return importlib.import_module(f"mechanistic_explorer.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"mechanistic_explorer.{_HOMES.get(name, 'errors')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
