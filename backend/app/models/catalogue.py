"""The models that can be chosen while the server runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.models.wire import NO_NUL, Flag, ModelIdentity, Wire

Fit = Literal["yes", "alone", "no"]


class ModelChoice(Wire):
    """Which model to load."""

    model: Annotated[str, Field(min_length=1, max_length=512, pattern=NO_NUL)]
    """The `key` of a listed model, `embedded`, a model id of the Hugging Face hub, or the path of a folder; paths and models that are not on this machine yet only where no other machine can reach the server."""
    revision: Annotated[str, Field(min_length=1, max_length=128, pattern=NO_NUL)] | None = None
    """Commit, tag or branch of a hub model."""
    unload_first: Flag = False
    """Frees the running model before the other is loaded, for a machine that does not hold both. Nothing can be computed meanwhile; where the other one cannot be had, the former is loaded again."""


class ModelChosen(Wire):
    """A model that is being loaded; `GET /api/health` tells how far it is."""

    key: str
    model: str


class ListedModel(Wire):
    key: str
    """What `PUT /api/model` takes."""
    name: str
    source: Literal["hub", "local", "embedded"]
    identity: ModelIdentity | None
    """As conversations name their model; null for a folder that this server has not loaded yet, whose files would have to be hashed."""
    disk_bytes: int
    """Of its weights."""
    memory_bytes: int | None
    """Of its weights once they are loaded. Where there is room, as much again for a copy that multiplies faster."""
    fits: Fit | None
    """Whether that much is free: `yes`, beside the model that runs; `alone`, only once that one is unloaded; null where it cannot be told."""
    num_parameters: int | None
    context_length: int | None
    architecture: str | None
    has_chat_template: bool
    """Whether a template for chats comes with it, as with models that were trained to chat."""
    problem: str | None
    """Why it cannot be loaded, as far as its configuration and the headers of its files tell."""


class ModelList(Wire):
    models: list[ListedModel]
    """The embedded one, those of `EXPLORER_MODELS_DIR`, folders that this server was started with or was given, those of the Hugging Face cache."""
    running: str | None
    """Key of the model that runs; null while there is none."""
    free_bytes: int | None
    """Memory that is free now; null where it cannot be told."""
    takes_paths: bool
    """Whether `PUT /api/model` takes paths and models that have to be downloaded."""
