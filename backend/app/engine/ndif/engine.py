"""A model on an NDIF server behind `LensEngine`: one job for a reply, one or a few for a reading.

Nothing is kept between jobs, neither here nor there: a reply runs its whole prompt again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from app.engine.bounds import (
    require_ids,
    require_layers,
    require_positions,
    require_readable,
    require_room,
    require_targets,
)
from app.engine.intervention_types import Interventions
from app.engine.ndif import shipped
from app.engine.ndif.columns import columns_of, comparison_of, step_of
from app.engine.ndif.connection import Body, Connection, RemoteJob
from app.engine.ndif.plans import (
    Shape,
    compare_plan,
    pairs_per_job,
    positions_per_job,
    read_plan,
    reply_plan,
)
from app.engine.ndif.withheld import NoFitting, NoPatching, refused
from app.engine.protocols import FittingEngine, PatchingEngine, PromptTemplate, Vocabulary
from app.engine.runtime import LanguageModel
from app.engine.stopping import StopMatcher
from app.engine.types import (
    Comparison,
    EngineStats,
    Finish,
    LensColumns,
    LensKind,
    ModelFacts,
    Pairs,
    RemoteState,
    Sampling,
    Side,
    Step,
    Wanted,
)
from app.errors import LensUnavailable, NdifFailed


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """What jobs are made with: the model without weights, and where it runs."""

    lm: LanguageModel
    key: str
    """By which NDIF knows the model."""
    connection: Connection
    shape: Shape
    n_embeddings: int
    """Ids that the model can be fed."""

    def job(self, body: Body, plan: dict[str, Any]) -> RemoteJob:
        return RemoteJob(self.connection, self.lm, self.key, body, plan)


class NdifEngine:
    """Implements `LensEngine`."""

    def __init__(
        self,
        model: RemoteModel,
        facts: ModelFacts,
        vocabulary: Vocabulary,
        template: PromptTemplate,
    ) -> None:
        self.facts = facts
        self.vocabulary = vocabulary
        self.template = template
        self.patching: PatchingEngine = NoPatching()
        self.fitting: FittingEngine = NoFitting()
        self._model = model
        self._n_passes = 0
        self._n_tokens = 0

    def generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        *,
        wanted: Wanted | None = None,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[Step | LensColumns | Finish | RemoteState | None]:
        """See `LensEngine.generate`. What is wrong with the request is raised by the call itself."""
        del lineage  # for nothing is kept between jobs
        require_ids(self.facts, ids, self._model.n_embeddings)
        require_room(self.facts, ids)
        self.require_interventions(interventions)
        if wanted is not None:
            self._require_wanted(wanted)
        return self._generate(ids, sampling, wanted)

    def _generate(
        self, ids: Sequence[int], sampling: Sampling, wanted: Wanted | None
    ) -> Iterator[Step | LensColumns | Finish | RemoteState | None]:
        n_room = self.facts.n_ctx - len(ids)
        n_most = min(sampling.max_new_tokens, n_room)
        read = wanted or Wanted((self.facts.n_layers,), 1)
        end_ids = self.facts.eos_token_ids
        plan = reply_plan(self._model.shape, ids, sampling, read, end_ids, n_most)
        self._count(len(ids) - 1)
        stops = StopMatcher(sampling.stop)
        columns: dict[int, LensColumns] = {}
        n_written = 0

        def kept(steps: Sequence[Step]) -> Iterator[Step | LensColumns]:
            for step in steps:
                yield step
                if step.index in columns:
                    yield columns.pop(step.index)

        with closing(self._model.job(shipped.reply, plan)) as job:
            for news in job.updates():
                if news is None or isinstance(news, RemoteState):
                    yield news
                    continue
                if "over" in news:
                    # NDIF ended it at a stop string, and the tokens shown do not spell one.
                    break
                token_id, index = int(news["token"]), len(ids) + n_written
                n_written += 1
                self._count(1)
                if wanted is not None:
                    columns[index] = columns_of(
                        [news], [index - 1], [token_id], wanted, self._model.shape
                    )
                if token_id in end_ids:
                    yield from kept(stops.flush())
                    yield Finish("stop", dropped_ids=(token_id,))
                    return
                step = step_of(news, index, token_id)
                released = stops.feed(step, self.vocabulary.token_bytes(token_id))
                yield from kept(released.steps)
                if released.stop is not None:
                    dropped = tuple(each.token_id for each in released.dropped)
                    yield Finish("stop", released.stop, dropped)
                    return
                if n_written == n_most:
                    yield from kept(stops.flush())
                    is_length = n_written == sampling.max_new_tokens
                    yield Finish("length" if is_length else "context")
                    return
        raise NdifFailed("The job on NDIF ended before the reply did.", hint="Ask again.")

    def reading(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        wanted: Wanted,
        *,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[LensColumns | None]:
        """See `LensEngine.reading`. What is wrong with the request is raised by the call itself."""
        del lineage  # for nothing is kept between jobs
        require_ids(self.facts, ids, self._model.n_embeddings)
        require_readable(self.facts, ids)
        require_positions(positions, len(ids))
        self._require_wanted(wanted)
        self.require_interventions(interventions)
        return self._read(ids, positions, wanted)

    def _read(
        self, ids: Sequence[int], positions: Sequence[int], wanted: Wanted
    ) -> Iterator[LensColumns | None]:
        size = positions_per_job(self._model.shape, wanted)
        for start in range(0, len(positions), size):
            part = positions[start : start + size]
            self._count(max(part) + 1)
            done = 0
            plan = read_plan(self._model.shape, ids, part, wanted)
            with closing(self._model.job(shipped.read, plan)) as job:
                for news in job.updates():
                    if news is None or isinstance(news, RemoteState):
                        yield None
                        continue
                    found = news["positions"]
                    chunk = part[done : done + len(found)]
                    done += len(found)
                    following = [ids[p + 1] if p + 1 < len(ids) else None for p in chunk]
                    yield columns_of(found, chunk, following, wanted, self._model.shape)
            if done != len(part):
                raise NdifFailed("The job on NDIF ended before the reading did.", hint="Ask again.")

    def comparing(self, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
        """See `LensEngine.comparing`. What is wrong with the request is raised by the call itself."""
        for place, side in enumerate((a, b)):
            require_ids(self.facts, side.ids, self._model.n_embeddings)
            require_readable(self.facts, side.ids)
            require_positions([pair[place] for pair in pairs.positions], len(side.ids))
            layers = tuple(pair[place] for pair in pairs.layers)
            self._require_wanted(Wanted(layers, 1, pairs.targets, side.kind))
            self.require_interventions(side.interventions)
        return self._compare(a, b, pairs)

    def _compare(self, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
        size = pairs_per_job(self._model.shape, pairs)
        for start in range(0, len(pairs.positions), size):
            part = replace(pairs, positions=pairs.positions[start : start + size])
            plan = compare_plan(self._model.shape, a, b, part)
            for side in ("a", "b"):
                self._count(len(plan[side]["ids"]))
            done = 0
            with closing(self._model.job(shipped.compare, plan)) as job:
                for news in job.updates():
                    if news is None or isinstance(news, RemoteState):
                        yield None
                        continue
                    chunk = part.positions[done : done + news["pairs"]]
                    done += len(chunk)
                    yield comparison_of(news, pairs, chunk)
            if done != len(part.positions):
                raise NdifFailed(
                    "The job on NDIF ended before the comparison did.", hint="Ask again."
                )

    def dosing(self, *_: Any, **__: Any) -> NoReturn:
        raise refused("dose curves")

    def attributing(self, *_: Any, **__: Any) -> NoReturn:
        raise refused("parts of a logit")

    def attending(self, *_: Any, **__: Any) -> NoReturn:
        raise refused("attention patterns")

    def decoding_writes(self, *_: Any, **__: Any) -> NoReturn:
        raise refused("writes of a block")

    def require_lens(self, kind: LensKind, param: str) -> None:
        """See `LensEngine.require_lens`."""
        if kind != "logit":
            raise LensUnavailable(
                f"{self.facts.name} has no {kind} lens: it runs on NDIF, where lenses are not fitted.",
                hint="Use the logit lens.",
                param=param,
            )

    def require_interventions(self, wanted: Interventions | None) -> None:
        """See `LensEngine.require_interventions`."""
        if wanted is not None:
            raise refused("interventions", "interventions")

    def require_half_layers(self, kind: LensKind, param: str) -> None:
        """See `LensEngine.require_half_layers`."""
        del kind  # for it is the same with each
        raise refused("half layers", param)

    def forward_passes(self) -> int:
        return self._n_passes

    def computed_tokens(self) -> int:
        return self._n_tokens

    def stats(self) -> EngineStats:
        """See `LensEngine.stats`. Nothing is stored here."""
        return EngineStats(self._n_passes, self._n_tokens, 0, 0, 0)

    def _count(self, n_tokens: int) -> None:
        """A pass over so many tokens there."""
        self._n_passes += n_tokens > 0
        self._n_tokens += n_tokens

    def _require_wanted(self, wanted: Wanted) -> None:
        self.require_lens(wanted.kind, "kind")
        require_layers(self.facts, wanted.layers)
        if any(layer % 1 for layer in wanted.layers):
            self.require_half_layers(wanted.kind, "layers")
        require_targets(self.facts, wanted.targets)
