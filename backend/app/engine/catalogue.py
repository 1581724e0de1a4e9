"""Models that lie on this machine, described from their configurations and headers alone.

Nothing is loaded to describe a model: what can only be known of one that runs (whether it can be read
at all, and through which lenses) is measured when it is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.checkpoint import (
    CONFIG_FILE,
    DAMAGED_HINT,
    TOKENIZER_FILES,
    read_config,
    read_headers,
    require_plausible_depth,
    weight_files,
)
from app.engine.gguf_header import read_gguf_header
from app.engine.gguf_model import stored_in
from app.engine.hub import Hub
from app.engine.loading import require_known, require_tokenizer
from app.engine.memory import weight_bytes
from app.engine.model_names import CACHED, EMBEDDED_NAME
from app.engine.precision import DtypeChoice, is_bfloat16_for
from app.engine.sources import ModelFiles, find_local_model, names_gguf
from app.engine.structure import CONTEXT_FIELDS
from app.engine.types import ModelSource
from app.errors import ExplorerError, ModelLoadError

SEARCH_DEPTH = 3
"""Folders below the one that is searched: `gemma/3/hf` is found."""
MAX_MODELS = 200


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model on this machine."""

    name: str
    source: ModelSource
    path: Path
    revision: str | None
    """Commit of a hub model, SHA-256 of the embedded weights; None for a folder, which is hashed when it is loaded."""
    disk_bytes: int
    """Of its weights."""
    architecture: str | None
    """Its model_type, with the quantisation of a GGUF file."""
    n_parameters: int | None
    n_bfloat16: int
    """Parameters that are stored in bfloat16."""
    n_ctx: int | None
    has_chat_template: bool
    """Whether a template for chats comes with it, as it does with models that were trained to chat."""
    failure: ExplorerError | None
    """Why it cannot be loaded, as far as its files tell without loading it."""

    def is_bfloat16(self, choice: DtypeChoice) -> bool:
        """Whether it is sure to compute in bfloat16 on the CPU; `auto` may also take it for speed alone."""
        return self.n_parameters is not None and bool(
            is_bfloat16_for(choice, self.n_parameters, self.n_bfloat16)
        )

    def memory_bytes(self, choice: DtypeChoice) -> int | None:
        """Of its weights once they are loaded; None where they cannot be read."""
        if self.n_parameters is None:
            return None
        return weight_bytes(self.n_parameters, is_bfloat16=self.is_bfloat16(choice))


def describe(files: ModelFiles) -> FoundModel:
    """What a model's files tell of it."""
    if files.gguf is not None:
        return _describe_gguf(files, files.gguf)
    folder = files.folder
    config: dict[str, Any] = {}
    n_parameters = disk_bytes = None
    n_bfloat16 = 0
    failure: ExplorerError | None = None
    try:
        config = read_config(folder, files.name)
        require_known(config, files.name)
        weights = weight_files(folder, files.name)
        disk_bytes = sum(file.stat().st_size for file in weights)
        stored = read_headers(weights, files.name)
        n_parameters, n_bfloat16 = stored.n_parameters, stored.n_bfloat16
        require_plausible_depth(config, stored, files.name)
        require_tokenizer(folder, files.name)
    except ExplorerError as error:
        failure = error
    except OSError as error:
        failure = ModelLoadError(
            f"The files of {files.name} cannot be read: {error.strerror}.", hint=DAMAGED_HINT
        )
    kind = config.get("model_type")
    return FoundModel(
        name=files.name,
        source=files.source,
        path=folder,
        revision=files.revision,
        disk_bytes=disk_bytes or 0,
        architecture=kind if isinstance(kind, str) else None,
        n_parameters=n_parameters,
        n_bfloat16=n_bfloat16,
        n_ctx=_context(config),
        has_chat_template=_has_chat_template(folder),
        failure=failure,
    )


def _describe_gguf(files: ModelFiles, file: Path) -> FoundModel:
    header = failure = None
    n_bfloat16 = 0
    try:
        header = read_gguf_header(file, files.name)
        n_bfloat16 = stored_in(header, files.name).n_bfloat16
    except ExplorerError as error:
        failure = error
    if header is None:
        kind = n_parameters = n_ctx = None
    else:
        kind = " ".join(filter(None, (header.architecture, header.quantisation)))
        n_parameters, n_ctx = header.n_parameters, header.n_ctx
    return FoundModel(
        name=files.name,
        source=files.source,
        path=file,
        revision=None,
        disk_bytes=file.stat().st_size,
        architecture=kind,
        n_parameters=n_parameters,
        n_bfloat16=n_bfloat16,
        n_ctx=n_ctx,
        has_chat_template=header is not None and "tokenizer.chat_template" in header.settings,
        failure=failure,
    )


def models_in(folder: Path) -> Iterator[Path]:
    """The models in a folder and in folders below it, folders and GGUF files, in the order of their names."""
    return (
        path for _, path in zip(range(MAX_MODELS), _models_in(folder, SEARCH_DEPTH), strict=False)
    )


def _models_in(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return
    if any(path.name == CONFIG_FILE for path in inside):
        yield folder
        return
    for path in inside:
        if names_gguf(path.name) and path.is_file():
            yield path
        elif depth > 0 and not path.name.startswith(".") and path.is_dir():
            yield from _models_in(path, depth - 1)


def cached_models(hub: Hub) -> Iterator[ModelFiles]:
    """The models whose files are all in the cache of the hub, at their main branch."""
    try:
        folders = sorted(hub.cache.iterdir())
    except OSError:
        return
    for folder in folders:
        cached = CACHED.fullmatch(folder.name)
        if cached is None:
            continue
        repo = cached[1].replace("--", "/", 1)
        if (files := _cached(repo, hub)) is not None:
            yield files


def _cached(repo: str, hub: Hub) -> ModelFiles | None:
    try:
        snapshot = hub.cached(repo, None)
    except ExplorerError:
        return None
    return None if snapshot is None else ModelFiles(snapshot.folder, repo, "hub", snapshot.revision)


def look_at(model: str, revision: str | None, hub: Hub) -> FoundModel | None:
    """A model that was named, if it is on this machine. Raises ModelLoadError for a name of none."""
    files = find_local_model(model, revision, hub=hub)
    return None if files is None else describe(files)


def embedded() -> FoundModel:
    """The model that ships with the project. Raises ModelLoadError."""
    files = find_local_model(EMBEDDED_NAME, None)
    assert files is not None
    return describe(files)


def _context(config: dict[str, Any]) -> int | None:
    nested = config.get("text_config")
    for settings in (config, nested if isinstance(nested, dict) else {}):
        for field in CONTEXT_FIELDS:
            value = settings.get(field)
            if isinstance(value, int) and value > 0:
                return value
    return None


def _has_chat_template(folder: Path) -> bool:
    if any((folder / name).is_file() for name in TOKENIZER_FILES if name.startswith("chat_")):
        return True
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and bool(settings.get("chat_template"))
