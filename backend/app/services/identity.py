"""Which model computed something: what a saved conversation is compared with before it is read.

A name is not enough: folders share names, and their weights are trained further. The revision is the
commit of a hub model, or a digest over the files of any other (`engine/digest.py`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from app.engine.types import ModelFacts
from app.errors import ModelMismatch
from app.models.wire import ModelIdentity as WireIdentity


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The model that a timeline's ids and numbers belong to."""

    name: str
    revision: str | None
    """None where it is unknown: in conversations that were saved before it was recorded."""
    source: str

    @classmethod
    def of(cls, facts: ModelFacts) -> ModelIdentity:
        return cls(facts.name, facts.revision, facts.source)

    def is_same(self, other: ModelIdentity) -> bool:
        """Whether both are known to give the same numbers for the same ids.

        A digest covers every file that decides them, so a folder that was renamed is the same model.
        """
        if self.revision is None or other.revision is None:
            return False
        if (self.revision, self.source) != (other.revision, other.source):
            return False
        return self.source != "hub" or self.name == other.name

    def __str__(self) -> str:
        return f"{self.name}, revision {self.revision[:12]}" if self.revision else self.name


def require_same_model(wrote: ModelIdentity, facts: ModelFacts) -> None:
    """Raise ModelMismatch unless the running model is known to be the one that wrote a timeline.

    The ids of another model's vocabulary would give numbers too, and every one of them wrong.
    """
    running = ModelIdentity.of(facts)
    if wrote.is_same(running):
        return
    if wrote.revision is None:
        raise ModelMismatch(
            f"This conversation names its model ({wrote.name}) but not the revision, so nothing "
            f"shows that {running}, which this server runs, is the one that wrote it.",
            hint="Begin a new conversation; the text of this one can still be read and copied.",
            param="conversation_id",
        )
    raise ModelMismatch(
        f"This conversation was held with {wrote}; this server runs {running}.",
        hint=f"Start the server with that model ({how_to_start(wrote)}), or begin a new conversation.",
        param="conversation_id",
    )


def how_to_start(model: ModelIdentity) -> str:
    """How a person starts the server with a model again."""
    if model.source == "local":
        return "make run MODEL= the folder that holds exactly these files"
    return f"make run MODEL={model.name}"


def wire_model(model: ModelIdentity) -> WireIdentity:
    return WireIdentity.model_validate(dataclasses.asdict(model))
