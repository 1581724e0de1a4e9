"""What a model on NDIF is not asked for: refused before anything is sent."""

from __future__ import annotations

from typing import Any, NoReturn

from app.engine.intervention_types import InterventionSites
from app.engine.types import Capabilities, Capability
from app.errors import NotOnNdif

REASON = "on NDIF a model is asked for replies and for read-outs of whole layers only."
NOTHING = Capability(False, REASON)
NO_HALVES = Capability(False, f"{REASON[0].upper()}{REASON[1:]}")
"""Shown by itself, as a sentence."""
CAPABILITIES = Capabilities(NOTHING, NOTHING, NOTHING, NOTHING, NO_HALVES, NOTHING)
SITES = InterventionSites(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


def refused(what: str, param: str | None = None) -> NotOnNdif:
    """`what` in the plural, such as "patches"."""
    return NotOnNdif(
        f"There are no {what} here: {REASON}",
        hint="Run a model that fits this machine for them, with EXPLORER_ENGINE=local.",
        param=param,
    )


class NoPatching:
    """`PatchingEngine` of a model on NDIF."""

    def blocks_with(self, *_: Any) -> NoReturn:
        raise refused("patches")

    def patching(self, *_: Any) -> NoReturn:
        raise refused("patches")

    def mapping(self, *_: Any) -> NoReturn:
        raise refused("maps of patches")


class NoFitting:
    """`FittingEngine` of a model on NDIF."""

    def require_fit(self, *_: Any) -> NoReturn:
        raise refused("fits of lenses")

    def write_text(self, *_: Any) -> NoReturn:
        raise refused("fits of lenses")

    def fitting(self, *_: Any) -> NoReturn:
        raise refused("fits of lenses")
