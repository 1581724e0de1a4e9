"""Protocols of the engine and its tokenizer, the one seam between services and the model.

The real engine implements `LensEngine` around nnsight; tests of the services use a fake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    BlockEffects,
)
from app.engine.fitting.types import FitPoint, FitResult, FittedKind, FitText, FitWanted
from app.engine.intervention_types import Dose, DoseWanted, Interventions
from app.engine.patching_types import (
    Ends,
    MapCells,
    MapEstimate,
    MapWanted,
    Patched,
    PatchSide,
    PatchWanted,
    Site,
)
from app.engine.types import (
    Comparison,
    EncodedPrompt,
    EngineStats,
    Finish,
    LensColumns,
    LensKind,
    Message,
    ModelFacts,
    Pairs,
    RemoteState,
    Sampling,
    Side,
    Step,
    TextSpan,
    Wanted,
)


class Vocabulary(Protocol):
    """The tokenizer, as far as services need it. Safe to use from any thread."""

    @property
    def size(self) -> int:
        """Number of ids the model has logits for, `d_vocab`."""
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of plain text; nothing in it is read as a special token and no BOS is added."""
        ...

    def encode_prompt(
        self,
        spans: Sequence[TextSpan],
        *,
        bos: bool | None = None,
        after: int | None = None,
        most: int | None = None,
    ) -> EncodedPrompt:
        """Ids of a rendered prompt. Text is tokenised across span borders, as the model saw it in training; a token belongs to the role that most of its bytes have. `bos` true puts the beginning-of-sequence token first unless the template writes it, false leaves out one that the template begins with, None keeps to the template; `after` is the last token of the timeline that the prompt continues. Raises TooManyTokens for more than `most`, without reading a text to its end that is far longer."""
        ...

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that this id stands for; for an id unknown to the tokenizer, the UTF-8 of `<id 50300>`."""
        ...

    def token_text(self, token_id: int) -> str:
        """The bytes as text, with U+FFFD for bytes that are no whole character."""
        ...

    def is_special(self, token_id: int) -> bool: ...

    def find(self, query: str, limit: int) -> list[int]:
        """Ids whose text is `query`, with or without a leading space, first as it was typed and then in another normal form, case or width; then those that begin with it, shortest first."""
        ...

    def is_byte_token(self, token_id: int) -> bool:
        """Whether this is a token such as `<0x0A>`, for a byte of what no other token has."""
        ...


class PromptTemplate(Protocol):
    """Renders messages for this model. Safe to use from any thread."""

    def start(self, messages: Sequence[Message]) -> list[TextSpan]:
        """The whole history, ending where the assistant's reply begins."""
        ...

    def continuation(self, messages: Sequence[Message], *, timeline_end: bytes) -> list[TextSpan]:
        """What follows a stored timeline that ends with an assistant's reply: the template's end of that turn, the new messages, and the start of the next reply. `timeline_end` is the last few bytes of the timeline, so that a line break is not doubled."""
        ...


class PatchingEngine(Protocol):
    """Puts states of one run into another. Only the worker thread may call what computes."""

    def blocks_with(self, site: Site) -> tuple[int, ...]:
        """Layers or blocks that have this site. Raises IdentityFailed where the model is not taken apart into such. Safe to call from any thread."""
        ...

    def patching(
        self, clean: PatchSide, corrupt: PatchSide, wanted: PatchWanted
    ) -> Iterator[Patched | None]:
        """The base with all named states of the source put in at once, read at its end.

        Raises UndefinedEffect where both runs answer alike, LayerOutOfRange, InvalidRequest (a head that
        the model lacks), IdentityFailed (a site that it lacks), and what `LensEngine.reading` raises.
        """
        ...

    def mapping(
        self,
        clean: PatchSide,
        corrupt: PatchSide,
        wanted: MapWanted,
        done: frozenset[tuple[int, int]] = frozenset(),
        estimate: MapEstimate | None = None,
    ) -> Iterator[Ends | MapEstimate | MapCells | None]:
        """Every cell patched by itself: the ends, the estimate that orders the cells, then cells.

        `done` are cells that are not wanted again, `estimate` is what an earlier call gave; without it
        it is made. Raises what `patching` raises.
        """
        ...


class FittingEngine(Protocol):
    """Fits lenses to the loaded model."""

    def require_fit(self, kind: FittedKind) -> None:
        """Raises IdentityFailed where the model cannot be differentiated, OutOfMemory where a lens of it does not fit. Safe to call from any thread."""
        ...

    def write_text(self, documents: Sequence[str], work: Path) -> FitText:
        """Tokenises the text of a fit and keeps it in the folder `work`, a part of it held out. Raises InvalidRequest for too little. Safe to call from any thread."""
        ...

    def fitting(self, wanted: FitWanted) -> Iterator[FitPoint | FitResult | None]:
        """Fits a lens, or goes on with it from its checkpoint; the last item is a FitResult. Only the worker thread may iterate it.

        Raises what `require_fit` raises, and InternalError where its text is gone.
        """
        ...


class LensEngine(Protocol):
    """A loaded model with its lens. Only the worker thread may call the methods that compute.

    The engine keeps the residual streams and KV caches of recent timelines in a byte-bounded store
    and finds them by the ids themselves: a call runs the model only on the ids after the longest
    prefix that it may reuse. A read-out of a stored timeline that names its lineage runs no forward
    pass at all; one that names none reuses only what passes of a fresh run over its ids computed.

    What computes is an iterator that does one pass, or one chunk of read-outs, for each item; None
    is an item with nothing to tell. Between two items other work may be done, and closing the
    iterator ends it.

    `lineage` names the conversation that the ids belong to, then those that it branched from. Numbers
    computed by passes of other lengths differ in their last bits. So that whoever asks alone gets the
    same bits beside others, ids of another lineage are reused only where a run of one's own would
    have been cut in the same places.
    """

    facts: ModelFacts
    vocabulary: Vocabulary
    template: PromptTemplate

    @property
    def patching(self) -> PatchingEngine: ...

    @property
    def fitting(self) -> FittingEngine: ...

    def generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        *,
        wanted: Wanted | None = None,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[Step | LensColumns | Finish | RemoteState | None]:
        """Yields a `Step` for each new token as soon as it is known, then one `Finish`.

        With `wanted` each step is followed, before the model runs on, by the read-out of the position
        that predicted it. Name a `lineage` then: where one token's read-out is more than a chunk, it
        is a read-out of what was generated, and without a lineage that is run again.

        Where the model runs elsewhere, a `RemoteState` says whenever it changes how far its job there is.

        Tokens that may turn out to spell a stop string are held back until that is decided. Raises
        ContextExceeded when the prompt leaves no room.
        """
        ...

    def reading(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        wanted: Wanted,
        *,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[LensColumns | None]:
        """Read-outs of a timeline in chunks, in the order of `positions`.

        Half layers are computed for each call: their positions run through the blocks again.

        Raises LensUnavailable, LayerOutOfRange, PositionOutOfRange, UnknownToken, ContextExceeded, EmptyPrompt,
        IdentityFailed (half layers), ModelComputationError (a non-finite value, naming the layer) or OutOfMemory.
        """
        ...

    def comparing(self, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
        """Predictions of two timelines compared in chunks, in the order of `pairs.positions`.

        What both begin with is one text: its rows are those of `a` on both sides, so that the same
        position of both is exactly nothing apart at the same layer, through the same lens, however each
        side was computed.

        Raises what `reading` raises.
        """
        ...

    def dosing(
        self, ids: Sequence[int], wanted: DoseWanted, *, lineage: Sequence[str] = ()
    ) -> Iterator[Dose | None]:
        """Probabilities of tokens at a position, for each strength; the last item is all of them.

        Only what the interventions touch is run again for each. Raises what `reading` raises.
        """
        ...

    def attributing(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttributionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[Attribution | None]:
        """Parts of the logit read at `position`; one decode step where the text is held.

        Raises IdentityFailed where they do not add up on this model, InvalidRequest for a head that it
        lacks, and what `reading` raises.
        """
        ...

    def attending(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttentionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[AttentionRows | None]:
        """What the token at `position` reads, in every head, or which tokens read it. Raises what `attributing` raises."""
        ...

    def decoding_writes(
        self,
        ids: Sequence[int],
        position: int,
        block: int,
        top_k: int,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[BlockEffects | None]:
        """The `top_k` tokens that each write of a block at `position` promotes and suppresses. Raises what `attributing` raises."""
        ...

    def require_lens(self, kind: LensKind, param: str) -> None:
        """Raises LensUnavailable, naming the field `param`, where this model has no such lens. Safe to call from any thread."""
        ...

    def require_interventions(self, wanted: Interventions | None) -> None:
        """Raises LayerOutOfRange, InvalidRequest, IdentityFailed or UnsupportedIntervention where one cannot act on this model. Safe to call from any thread."""
        ...

    def require_half_layers(self, kind: LensKind, param: str) -> None:
        """Raises IdentityFailed, naming the field `param`, where this model's blocks have no state between attention and MLP; LensUnavailable for a lens without half layers. Safe to call from any thread."""
        ...

    def forward_passes(self) -> int:
        """How many forward passes through the blocks were run since the start."""
        ...

    def computed_tokens(self) -> int:
        """How many tokens were run through the blocks since the start; decoding rows counts none."""
        ...

    def stats(self) -> EngineStats:
        """Counters and sizes. Safe to call from any thread: each number is right, at slightly different moments."""
        ...
