"""Which model starts: `auto`, `gpt2`, `embedded`, a hub id or a folder, resolved to local files.

A model that was named and cannot be had is an error, never a substitute. Only `auto` may choose:
GPT-2 from the local cache or the hub, and otherwise the embedded model, with a note that says so.
A cached model is taken without asking the network, so that it starts offline and at once.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from app.engine.checkpoint import CONFIG_FILE, WEIGHTS_FILE, sha256_of
from app.engine.hub import Hub, OnProgress
from app.engine.model_names import (
    EMBEDDED_FOLDER,
    EMBEDDED_NAME,
    GPT2,
    GPT2_FORMER_NAME,
    folder_name,
    folder_path,
)
from app.engine.types import ModelSource
from app.errors import ModelLoadError, ModelNotFound

logger = logging.getLogger(__name__)

AUTO_ANSWER_SECONDS = 3.0
"""How long the hub may take to answer where another model stands ready."""
NAMED_ANSWER_SECONDS = 15.0

GGUF_ENDING = ".gguf"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?", re.ASCII)
REVISION = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's files on this machine, and what to say of where they came from."""

    folder: Path
    name: str
    source: ModelSource
    revision: str | None
    """Commit of the hub repository or SHA-256 of the shipped weights; none for a folder, whose digest takes its place."""
    note: str | None = None
    """Why this model runs, where that needs saying."""
    gguf: Path | None = None
    """The one file that holds it all, where it is a GGUF file; `folder` is then where that lies."""


def find_model(
    model: str,
    revision: str | None = None,
    *,
    on_progress: OnProgress | None = None,
    hub: Hub = Hub(),  # noqa: B008  (immutable)
    embedded_folder: Path = EMBEDDED_FOLDER,
) -> ModelFiles:
    """The files of the model that was asked for, downloaded if need be.

    `on_progress` is told of the bytes done and in all. Raises ModelNotFound, HubUnreachable or
    another ModelLoadError.
    """
    if model == "auto":
        try:
            return _from_hub(GPT2, revision, AUTO_ANSWER_SECONDS, on_progress, hub)
        except ModelLoadError as error:
            logger.info("The embedded model runs instead of GPT-2: %s", error.message)
            note = (
                f"GPT-2 cannot be had, so the embedded model runs. {error.message} For GPT-2, start "
                "once with a network connection, or with a folder that holds it as the model."
            )
            return _embedded(embedded_folder, note)
    local = find_local_model(model, revision, hub=hub, embedded_folder=embedded_folder)
    if local is not None:
        return local
    repo = GPT2 if model == "gpt2" else model
    return _from_hub(repo, revision, NAMED_ANSWER_SECONDS, on_progress, hub)


def find_description(
    model: str,
    revision: str | None = None,
    *,
    hub: Hub = Hub(),  # noqa: B008  (immutable)
    embedded_folder: Path = EMBEDDED_FOLDER,
) -> ModelFiles:
    """Configuration and tokenizer of a model that runs elsewhere; weights are neither needed nor fetched.

    `auto` means GPT-2. Raises what `find_model` raises, and ModelLoadError for a GGUF file.
    """
    if model == EMBEDDED_NAME or (model not in ("auto", "gpt2") and names_folder(model)):
        files = find_local_model(model, revision, hub=hub, embedded_folder=embedded_folder)
        assert files is not None
        if files.gguf is not None:
            raise ModelLoadError(
                f"{files.name} is a GGUF file, which NDIF does not read.",
                hint="Give the id of a model of the Hugging Face hub.",
            )
        return files
    repo = GPT2 if model in ("auto", "gpt2") else model
    cached = hub.cached(repo, revision, with_weights=False)
    snapshot = cached or hub.download(
        repo, revision, answer_seconds=NAMED_ANSWER_SECONDS, with_weights=False
    )
    return ModelFiles(snapshot.folder, repo, "hub", snapshot.revision)


def find_local_model(
    model: str,
    revision: str | None,
    *,
    hub: Hub = Hub(),  # noqa: B008  (immutable)
    embedded_folder: Path = EMBEDDED_FOLDER,
) -> ModelFiles | None:
    """The files of a model that is on this machine; None for one of the hub that is not cached.

    Asks no network. Raises ModelNotFound or another ModelLoadError.
    """
    if model == "gpt2":
        return _from_cache(GPT2, revision, hub)
    is_folder = names_folder(model)
    if revision is not None and (is_folder or model == EMBEDDED_NAME):
        raise ModelLoadError(
            f"A revision ({revision}) was given, but {_shown(model)} is not a model of the hub.",
            hint="Leave the revision out.",
        )
    if model == EMBEDDED_NAME:
        return _embedded(embedded_folder)
    if is_folder:
        return _local(folder_path(model))
    return _from_cache(model, revision, hub)


def names_folder(model: str) -> bool:
    """Whether the name is a folder: written as one, or one that is there and holds a model.

    Raises ModelLoadError for what is neither a possible folder nor a possible hub id.
    """
    if "\0" in model or "://" in model:
        raise _not_a_name(model)
    if names_gguf(model) and Path(model).is_file():
        return True
    if model.startswith((".", "/", "~")) or "\\" in model or Path(model).is_absolute():
        return True
    try:
        if (Path(model) / CONFIG_FILE).is_file():
            return True
    except OSError:  # for example a name that is too long for a path
        raise _not_a_name(model) from None
    if not HUB_ID.fullmatch(model) or ".." in model or "--" in model or len(model) > 96:
        if Path(model).is_dir():
            return True
        raise _not_a_name(model)
    return False


def _not_a_name(model: str) -> ModelLoadError:
    return ModelNotFound(
        f"{_shown(model)} is neither a model id of the Hugging Face hub nor a folder.",
        hint="Give `auto`, `gpt2`, `embedded`, an id such as `Qwen/Qwen3-0.6B`, or the path of a folder.",
    )


def _from_hub(
    repo: str,
    revision: str | None,
    answer_seconds: float,
    on_progress: OnProgress | None,
    hub: Hub,
) -> ModelFiles:
    if (cached := _from_cache(repo, revision, hub)) is not None:
        return cached
    snapshot = hub.download(repo, revision, answer_seconds=answer_seconds, on_progress=on_progress)
    return ModelFiles(snapshot.folder, repo, "hub", snapshot.revision)


def _from_cache(repo: str, revision: str | None, hub: Hub) -> ModelFiles | None:
    if revision is not None and (not REVISION.fullmatch(revision) or ".." in revision):
        raise ModelNotFound(
            f"{_shown(revision)} is not a commit, tag or branch.",
            hint="Leave the revision out to take the main branch.",
        )
    names = (GPT2, GPT2_FORMER_NAME) if repo == GPT2 else (repo,)
    for name in names:
        if (snapshot := hub.cached(name, revision)) is not None:
            return ModelFiles(snapshot.folder, repo, "hub", snapshot.revision)
    return None


def _local(folder: Path) -> ModelFiles:
    if names_gguf(folder.name):
        return _gguf(folder)
    try:
        is_folder, has_config = folder.is_dir(), (folder / CONFIG_FILE).is_file()
    except OSError:
        is_folder = has_config = False
    if not is_folder:
        raise ModelNotFound(
            f"The folder {_shown(folder.name)} does not exist.",
            hint="Give the path of a folder that holds a model.",
        )
    if not has_config:
        raise ModelNotFound(
            f"The folder {_shown(folder.name)} has no {CONFIG_FILE}, so it holds no model.",
            hint="Give the folder into which save_pretrained wrote the model and its tokenizer.",
        )
    require_utf8(folder)
    return ModelFiles(folder, folder_name(folder), "local", None)


def names_gguf(name: str) -> bool:
    """Whether a name is that of a GGUF file."""
    return name.lower().endswith(GGUF_ENDING)


def _gguf(file: Path) -> ModelFiles:
    if not file.is_file():
        raise ModelNotFound(
            f"The file {_shown(file.name)} does not exist.", hint="Give the path of a GGUF file."
        )
    require_utf8(file)
    name = folder_name(file.with_name(file.name[: -len(GGUF_ENDING)]))
    return ModelFiles(file.parent, name, "local", None, gguf=file)


def require_utf8(folder: Path) -> None:
    """Raises ModelLoadError for a path that the tokenizers library cannot open."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise ModelLoadError(
            f"The path of {_shown(folder.name)} holds a byte that is not UTF-8.",
            hint="Rename the folder, or give a symbolic link to it that has another name.",
        ) from None


def _embedded(folder: Path, note: str | None = None) -> ModelFiles:
    """Identified by its weights alone, as ever: conversations saved with it stay readable.

    Its configuration and tokenizer ship with them and change only together with them.
    """
    try:
        digest = sha256_of([folder / WEIGHTS_FILE])
    except OSError as error:
        raise ModelLoadError(
            f"The embedded model is missing or unreadable: {error.strerror}.",
            hint="Check the project out again, or choose another model.",
        ) from error
    return ModelFiles(folder, EMBEDDED_NAME, "embedded", digest, note)


def _shown(name: str) -> str:
    """A name in quotation marks, with what cannot be printed spelled out; a backslash is a backslash."""
    cut = name if len(name) <= 100 else f"{name[:100]}…"
    return f"'{cut}'" if cut.isprintable() and "'" not in cut else repr(cut)
