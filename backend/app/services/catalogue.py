"""Which models can be chosen, and the choice of one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.model_names import EMBEDDED_NAME, folder_path, shown_name
from app.engine.types import ModelFacts
from app.errors import Forbidden, ModelLoadError, ModelNotFound
from app.models.catalogue import Fit, ListedModel, ModelChoice, ModelChosen, ModelList
from app.services.identity import ModelIdentity, wire_model
from app.services.switching import Switch
from app.services.worker import ModelWorker
from app.settings import Settings

if TYPE_CHECKING:
    from app.engine.catalogue import FoundModel

IN_FOLDER = "dir:"
"""Begins the key of a model in `EXPLORER_MODELS_DIR`; no model id of the hub has a colon."""
GIVEN = "path:"
"""Begins the key of a folder that the server was started with, or was given: how the disk is arranged is not told."""


class CatalogueService:
    """Lists models, and begins to load one that was chosen."""

    def __init__(self, settings: Settings, worker: ModelWorker) -> None:
        self._settings = settings
        self._worker = worker
        self._given: list[Path] = []
        self._known: dict[Path, ModelIdentity] = {}
        """Identities of folders that were loaded, by their paths."""
        worker.on_model(self._remember)

    async def listed(self) -> ModelList:
        """Every model that lies on this machine where the server looks."""
        return await asyncio.to_thread(self._listed)

    async def choose(self, choice: ModelChoice) -> ModelChosen:
        """Begins to load a model. Raises what can be told of it without loading, Conflict, Draining,
        ModelLoading, or Forbidden where the model stays."""
        if self._settings.fixed_model:
            raise Forbidden(
                "This server stays with the model that it was started with.",
                hint="Whoever runs the server chooses its model when it starts.",
            )
        switch = await asyncio.to_thread(self._switch_to, choice)
        self._worker.begin_switch(switch)
        return ModelChosen(key=switch.key, model=switch.name)

    # --- on threads of their own -----------------------------------------------------------------

    def _listed(self) -> ModelList:
        # Imported here: it takes seconds, which the start of the server does not wait for.
        from app.engine import catalogue
        from app.engine.hub import Hub
        from app.engine.memory import free_memory, memory_limit, weight_bytes
        from app.engine.sources import find_local_model

        found: dict[str, FoundModel] = {EMBEDDED_NAME: catalogue.embedded()}
        folder = self._settings.models_dir
        paths = [] if folder is None else list(catalogue.models_in(folder))
        for path in [*paths, *self._given]:
            key = self._key_of(path)
            if key in found:
                continue
            try:
                files = find_local_model(str(path), None)
            except ModelLoadError:
                continue
            assert files is not None
            found[key] = catalogue.describe(files)
        for files in catalogue.cached_models(Hub()):
            found.setdefault(files.name, catalogue.describe(files))
        facts = self._worker.known_facts
        running = None if facts is None else self._running_key(facts)
        stays = "This server stays with its model." if self._settings.fixed_model else None
        free, limit = free_memory(), memory_limit()
        freed = 0
        if facts is not None:
            freed = weight_bytes(facts.n_parameters, is_bfloat16=facts.dtype == "bfloat16")

        def fit(needed: int | None) -> Fit | None:
            if needed is None or free is None:
                return None
            if limit is not None and needed > limit:
                return "no"
            return "yes" if needed <= free else "alone" if needed <= free + freed else "no"

        return ModelList(
            models=[
                ListedModel(
                    key=key,
                    name=each.name,
                    source=each.source,
                    identity=None
                    if (known := self._identity_of(each)) is None
                    else wire_model(known),
                    disk_bytes=each.disk_bytes,
                    memory_bytes=(needed := each.memory_bytes(self._settings.dtype)),
                    fits=fit(needed),
                    num_parameters=each.n_parameters,
                    context_length=each.n_ctx,
                    architecture=each.architecture,
                    has_chat_template=each.has_chat_template,
                    problem=each.failure.message
                    if each.failure
                    else (None if key == running else stays),
                )
                for key, each in found.items()
            ],
            running=running,
            free_bytes=free,
            takes_paths=self._settings.is_local,
        )

    def _switch_to(self, choice: ModelChoice) -> Switch:
        from app.engine import catalogue
        from app.engine.hub import Hub
        from app.engine.memory import require_memory
        from app.engine.sources import names_folder

        model = self._path_of(choice.model)
        if model is None:
            model = choice.model
            if not self._settings.is_local and names_folder(model):
                raise Forbidden(
                    "Other machines can reach this server, so it takes no paths.",
                    hint="Choose a model of GET /api/models.",
                )
        if model == "auto":
            raise ModelNotFound("`auto` names no model.", hint="Name the one that is meant.")
        found = catalogue.look_at(model, choice.revision, Hub())
        if found is None and not self._settings.is_local:
            raise Forbidden(
                f"{shown_name(model)} is not on this machine, and other machines can reach this "
                "server, so it downloads nothing.",
                hint="Choose a model of GET /api/models.",
            )
        if found is not None:
            if found.failure is not None:
                raise found.failure
            if found.n_parameters is not None:
                require_memory(
                    found.n_parameters,
                    found.name,
                    is_bfloat16=found.is_bfloat16(self._settings.dtype),
                    is_beside=not choice.unload_first and self._worker.known_facts is not None,
                )
            if found.source == "local":
                self._give(found.path)
        is_first = model == self._settings.model
        settings = self._settings.model_copy(
            update={
                "model": model,
                "revision": choice.revision,
                # What was fitted to the first model is no lens of another one.
                "lenses": self._settings.lenses if is_first else None,
            }
        )
        name = shown_name(model) if found is None else found.name
        return Switch(choice.model, name, settings, unload_first=choice.unload_first)

    def _path_of(self, key: str) -> str | None:
        """The path that a key stands for; None for a key that is none. Raises ModelNotFound."""
        if key.startswith(IN_FOLDER):
            folder, inside = self._settings.models_dir, Path(key.removeprefix(IN_FOLDER))
            if folder is not None and not inside.is_absolute() and ".." not in inside.parts:
                return str(folder_path(str(folder)) / inside)
        elif key.startswith(GIVEN):
            number = key.removeprefix(GIVEN)
            if number.isdecimal() and int(number) < len(self._given):
                return str(self._given[int(number)])
        else:
            return None
        raise ModelNotFound(f"{key!r} is no model of the list.", hint="Read GET /api/models again.")

    def _key_of(self, path: Path) -> str:
        folder = self._settings.models_dir
        root = None if folder is None else folder_path(str(folder))
        if root is not None and path.is_relative_to(root):
            return f"{IN_FOLDER}{path.relative_to(root).as_posix()}"
        return f"{GIVEN}{self._given.index(path)}"

    def _give(self, path: Path) -> None:
        if path not in self._given:
            self._given.append(path)

    def _running_key(self, facts: ModelFacts) -> str:
        if facts.source == "embedded":
            return EMBEDDED_NAME
        return (
            facts.name if facts.source == "hub" else self._key_of(folder_path(self._worker.wanted))
        )

    def _identity_of(self, found: FoundModel) -> ModelIdentity | None:
        if found.source == "local":
            return self._known.get(found.path)
        return ModelIdentity(found.name, found.revision, found.source)

    # --- on the worker thread --------------------------------------------------------------------

    def _remember(self) -> None:
        facts = self._worker.known_facts
        if facts is not None and facts.source == "local":
            path = folder_path(self._worker.wanted)
            self._give(path)
            self._known[path] = ModelIdentity.of(facts)
