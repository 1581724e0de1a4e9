"""The engine: one loaded nnsight model behind `LensEngine`.

Everything that computes happens on the thread that calls the methods; nnsight serves one thread at
a time, so only the thread that owns the model may call them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import nn

from app.engine.admission import Admission, bytes_per_token
from app.engine.bos_check import check_bos
from app.engine.bounds import (
    require_half_layers,
    require_ids,
    require_layers,
    require_positions,
    require_readable,
    require_room,
    require_targets,
)
from app.engine.capture import TracedDecoder
from app.engine.causes import Causes
from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    BlockEffects,
)
from app.engine.dosing import dose
from app.engine.fitting.fits import LensFitting
from app.engine.fitting.published import take_published
from app.engine.generation import generate
from app.engine.half_rows import has_half
from app.engine.intervention_types import Dose, DoseWanted, Interventions
from app.engine.interventions import InterventionMaker
from app.engine.lenses import Lens, Lenses, LensFiles
from app.engine.patching import Patching
from app.engine.precision import check_precision
from app.engine.protocols import PromptTemplate, Vocabulary
from app.engine.reading import Parts, compare_timelines, read_timeline
from app.engine.residuals import ResidualStore, StoreDtype
from app.engine.runtime import LanguageModel
from app.engine.selfcheck import check_model, probe_ids
from app.engine.site_check import check_sites
from app.engine.sites import find_sites
from app.engine.structure import find_structure, is_tied, special_ids
from app.engine.types import (
    ChatTemplate,
    Comparison,
    EngineStats,
    Finish,
    Layer,
    LensColumns,
    LensKind,
    ModelFacts,
    ModelSource,
    Packing,
    Pairs,
    Sampling,
    Side,
    Step,
    Wanted,
)
from app.engine.unembed import Unembedding, joined

T = TypeVar("T")

logger = logging.getLogger(__name__)


class NnsightEngine:
    """A loaded decoder with its lens; implements `LensEngine`."""

    def __init__(
        self,
        lm: LanguageModel,
        *,
        vocabulary: Vocabulary,
        template: PromptTemplate,
        chat_template: ChatTemplate,
        name: str,
        source: ModelSource,
        revision: str,
        note: str | None,
        adds_bos: bool,
        bos_token_id: int | None,
        eos_token_ids: tuple[int, ...],
        is_byte_exact: bool,
        text_losses: tuple[str, ...] = (),
        store_bytes: int,
        readout_bytes: int | None,
        store_dtype: StoreDtype = "float32",
        packing: Packing = "none",
        lens_files: LensFiles | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Finds the model's parts and runs the self-check; raises UnsupportedArchitecture.

        `lm` is a dispatched nnsight model; `store_bytes` bounds the residual streams and KV caches
        that are kept between calls, `readout_bytes` the logits of one chunk of read-outs and what
        they are read with, None as much as the model needs. `packing` says what of it was packed. `lens_files` says where lenses
        fitted to this model may lie. `pause` is called between the parts of the checks, where another
        model may compute.
        """
        self.vocabulary = vocabulary
        self.template = template
        model: nn.Module = lm._module
        model.eval()
        structure = find_structure(model)
        avoid = frozenset(eos_token_ids) | special_ids(model)
        # Before the decoder is made: it may give the tail wider copies of its weights.
        n_parameters = sum(parameter.numel() for parameter in model.parameters())
        tied = is_tied(model, structure.unembedding)
        with torch.inference_mode():
            self._decoder = TracedDecoder(lm, structure)
            check, reuse = check_model(self._decoder, vocabulary, avoid, name, pause)
            pause()
            bos_check = None
            if bos_token_id is not None and not adds_bos:
                bos_check = check_bos(self._decoder, vocabulary, bos_token_id, name)
            needs_bos = adds_bos or (bos_check is not None and bos_check.is_needed)
            first = bos_token_id if needs_bos else None
            pause()
            check = replace(check, precision=check_precision(self._decoder, vocabulary, first))
        self._store = ResidualStore(self._decoder, store_bytes, reuse, store_dtype)
        with torch.inference_mode():
            pause()
            of_token = bytes_per_token(self._decoder, getattr(torch, store_dtype).itemsize, reuse)
            probe = probe_ids(self._decoder, vocabulary, avoid)
            self._causes = Causes(self._decoder, self._store, structure.n_heads, probe)
        self._admission = Admission(self._store, of_token)
        size = (structure.n_layers, self._decoder.d_model)
        refused = take_published(lens_files, *size) if lens_files else None
        self._lenses = Lenses(
            lens_files, *size, self._decoder.device, {"jacobian": refused} if refused else {}
        )
        self._unembedding = Unembedding(self._decoder, readout_bytes)
        with torch.inference_mode():
            sites = find_sites(structure, self._causes.splits)
            splitting = self._causes.capabilities.sublayers.reason
            offered = check_sites(
                self._decoder, self._causes.splits, sites, probe, reuse, splitting, pause
            )
        self._maker = InterventionMaker(self._decoder, self._lenses, sites, offered)
        if not self._decoder.reads_in_pass:
            logger.warning(
                "%s is read in passes of their own: replies with a lens are slower", name
            )
        self.facts = ModelFacts(
            name=name,
            source=source,
            revision=revision,
            architecture=type(model).__name__,
            n_layers=structure.n_layers,
            n_heads=structure.n_heads,
            d_model=self._decoder.d_model,
            d_vocab=self._decoder.d_vocab,
            n_ctx=structure.n_ctx,
            n_parameters=n_parameters,
            dtype=str(self._decoder.dtype).removeprefix("torch."),
            device=str(self._decoder.device),
            tied_embeddings=tied,
            chat_template=chat_template,
            adds_bos=adds_bos,
            bos_token_id=bos_token_id,
            eos_token_ids=eos_token_ids,
            is_byte_exact=is_byte_exact,
            text_losses=text_losses,
            self_check=check,
            capabilities=self._causes.capabilities,
            intervention_sites=offered,
            half_layer_modules=self._causes.half_layer_modules,
            site_modules={
                site: sites.paths(site, structure.n_layers) for site in ("attn", "mlp", "head")
            },
            bos_check=bos_check,
            lenses=self._lenses.facts,
            packing=packing,
            note=note,
        )
        self.fitting = LensFitting(
            self._decoder,
            self._lenses,
            vocabulary,
            lambda: self.facts,
            lens_files.weights_sha256 if lens_files else lambda: revision,
            self._on_lens,
        )
        self.patching = Patching(
            self._decoder, self._store, self._admission, self._causes, self.facts
        )

    def _on_lens(self) -> None:
        """Another lens is offered from now on."""
        self.facts = replace(self.facts, lenses=self._lenses.facts)

    @property
    def decoder(self) -> TracedDecoder:
        """The model as it is read, for programs that fit lenses to it."""
        return self._decoder

    def generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        *,
        wanted: Wanted | None = None,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[Step | LensColumns | Finish | None]:
        """See `LensEngine.generate`. What is wrong with the request is raised by the call itself."""
        require_ids(self.facts, ids, self._decoder.n_embeddings)
        require_room(self.facts, ids)
        self.require_interventions(interventions)
        if wanted is not None:
            self._require_wanted(wanted)
        n_tokens = min(len(ids) + sampling.max_new_tokens, self.facts.n_ctx)
        if (
            wanted is not None
            and len(self._unembedding.layers_to_read(wanted)) > self._unembedding.chunk_rows
        ):
            work = self._generate_and_read(ids, sampling, wanted, lineage, interventions)
        else:
            work = self._generate(ids, sampling, wanted, lineage, interventions)
        return self._admitted(n_tokens, work)

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
        require_ids(self.facts, ids, self._decoder.n_embeddings)
        require_readable(self.facts, ids)
        require_positions(positions, len(ids))
        self._require_wanted(wanted)
        self.require_interventions(interventions)
        n_needed = max(positions, default=-1) + 1
        work = read_timeline(self._parts(), ids, positions, wanted, lineage, interventions)
        return self._admitted(n_needed, work)

    def comparing(self, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
        """See `LensEngine.comparing`. What is wrong with the request is raised by the call itself."""
        for place, side in enumerate((a, b)):
            require_ids(self.facts, side.ids, self._decoder.n_embeddings)
            require_readable(self.facts, side.ids)
            require_positions([pair[place] for pair in pairs.positions], len(side.ids))
            layers = tuple(pair[place] for pair in pairs.layers)
            self._require_wanted(Wanted(layers, 1, pairs.targets, side.kind))
            self.require_interventions(side.interventions)
        n_needed = sum(max(positions) + 1 for positions in zip(*pairs.positions, strict=True))
        return self._admitted(n_needed, compare_timelines(self._parts(), a, b, pairs))

    def attributing(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttributionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[Attribution | None]:
        """See `LensEngine.attributing`. What is wrong with the request is raised by the call itself."""
        self._require_place(ids, position)
        require_targets(self.facts, [i for i in (wanted.target, wanted.foil) if isinstance(i, int)])
        work = self._causes.attributing(ids, position, wanted, lineage)
        return self._admitted(position + 1, work)

    def attending(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttentionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[AttentionRows | None]:
        """See `LensEngine.attending`. What is wrong with the request is raised by the call itself."""
        self._require_place(ids, position)
        require_targets(self.facts, [i for i in (wanted.target, wanted.foil) if isinstance(i, int)])
        work = self._causes.attending(ids, position, wanted, lineage)
        return self._admitted(len(ids) if wanted.direction == "read_by" else position + 1, work)

    def decoding_writes(
        self,
        ids: Sequence[int],
        position: int,
        block: int,
        top_k: int,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[BlockEffects | None]:
        """See `LensEngine.decoding_writes`. What is wrong with the request is raised by the call itself."""
        self._require_place(ids, position)
        work = self._causes.decoding_writes(ids, position, block, top_k, lineage)
        return self._admitted(position + 1, work)

    def dosing(
        self, ids: Sequence[int], wanted: DoseWanted, *, lineage: Sequence[str] = ()
    ) -> Iterator[Dose | None]:
        """See `LensEngine.dosing`. What is wrong with the request is raised by the call itself."""
        self._require_place(ids, wanted.position)
        require_targets(self.facts, wanted.targets)
        self.require_interventions(wanted.interventions)
        work = dose(self._parts(), ids, wanted, lineage)
        return self._admitted(2 * (wanted.position + 1), work)

    def read(
        self,
        ids: Sequence[int],
        *,
        layers: Sequence[Layer] | None = None,
        positions: Sequence[int] | None = None,
        top_k: int = 5,
        targets: Sequence[int] = (),
        kind: LensKind = "logit",
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> LensColumns:
        """All of `reading` at once, by default of every layer and position."""
        every_layer = range(self.facts.n_layers + 1)
        wanted = Wanted(
            tuple(every_layer if layers is None else layers), top_k, tuple(targets), kind
        )
        places = range(len(ids)) if positions is None else positions
        work = self.reading(ids, places, wanted, lineage=lineage, interventions=interventions)
        return joined(work, places)

    def _admitted(self, n_tokens: int, items: Iterator[T]) -> Iterator[T]:
        """The items of a request whose timelines grow to `n_tokens`, if there is memory for them."""
        with self._admission.admitted(n_tokens):
            yield from items

    def _generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        wanted: Wanted | None,
        lineage: Sequence[str],
        interventions: Interventions | None,
    ) -> Iterator[Step | LensColumns | Finish | None]:
        return generate(
            self._parts(),
            self.vocabulary,
            ids,
            sampling,
            wanted=wanted,
            lineage=lineage,
            interventions=interventions,
            n_layers=self.facts.n_layers,
            n_ctx=self.facts.n_ctx,
            end_ids=frozenset(self.facts.eos_token_ids),
        )

    def _generate_and_read(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        wanted: Wanted,
        lineage: Sequence[str],
        interventions: Interventions | None,
    ) -> Iterator[Step | LensColumns | Finish | None]:
        """Where one token's rows are more than a chunk: its read-out comes from the store."""
        timeline = list(ids)
        for item in self._generate(ids, sampling, None, lineage, interventions):
            yield item
            if isinstance(item, Step):
                timeline.append(item.token_id)
                yield from read_timeline(
                    self._parts(), timeline, [item.index - 1], wanted, lineage, interventions
                )

    def _parts(self) -> Parts:
        return Parts(
            self.facts.name,
            self._decoder,
            self._store,
            self._unembedding,
            self._lenses,
            self._maker,
            self._causes.splits,
        )

    def lens(self, kind: LensKind, param: str) -> Lens:
        """A lens of this model. Raises LensUnavailable, naming the field `param`, where it has none."""
        return self._lenses.get(kind, self.facts.name, param)

    def require_lens(self, kind: LensKind, param: str) -> None:
        """See `LensEngine.require_lens`."""
        self.lens(kind, param)

    def require_interventions(self, wanted: Interventions | None) -> None:
        """See `LensEngine.require_interventions`."""
        if wanted is not None:
            self._maker.require(wanted, self.facts)

    def require_half_layers(self, kind: LensKind, param: str) -> None:
        """See `LensEngine.require_half_layers`."""
        require_half_layers(self.facts, kind, param)

    def forward_passes(self) -> int:
        return self._decoder.forward_passes

    def computed_tokens(self) -> int:
        return self._decoder.computed_tokens

    def stats(self) -> EngineStats:
        """See `LensEngine.stats`."""
        return EngineStats(
            forward_passes=self._decoder.forward_passes,
            computed_tokens=self._decoder.computed_tokens,
            stored_timelines=len(self._store),
            stored_bytes=self._store.n_bytes,
            max_stored_bytes=self._store.max_bytes,
        )

    def _require_place(self, ids: Sequence[int], position: int) -> None:
        require_ids(self.facts, ids, self._decoder.n_embeddings)
        require_readable(self.facts, ids)
        require_positions([position], len(ids))

    def _require_wanted(self, wanted: Wanted) -> None:
        self.require_lens(wanted.kind, "kind")
        require_layers(self.facts, wanted.layers)
        if has_half(wanted.layers):
            self.require_half_layers(wanted.kind, "layers")
        require_targets(self.facts, wanted.targets)
