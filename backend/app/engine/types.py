"""What crosses the boundary between the engine and the services.

Plain frozen dataclasses and NumPy arrays: no torch, so that services, API and tests can use them
without a model. What may be asked of an engine is in `protocols.py`.

Layer index: 0 is the residual stream after the embedding, `n` the one after block `n`, so a model
has `n_layers + 1` rows; the last row is the model's own output. Half layer `n - 0.5` is the stream
inside block `n`, after attention and before the MLP. The residual stream at position `t` predicts
the token at `t + 1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from app.engine.intervention_types import Interventions, InterventionSites

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

Layer = float
"""A whole layer, as an int, or a half one."""

Role = Literal["template", "system", "user", "assistant"]
ModelSource = Literal["hub", "local", "embedded"]
LensKind = Literal["logit", "tuned", "jacobian"]
LensOrigin = Literal["shipped", "fitted", "published"]
"""With the model, fitted to it by this program, or read from a file that others published."""
FinishReason = Literal["stop", "length", "context", "cancelled", "interrupted"]
"""Why a reply ended. The last two the engine itself never gives: `cancelled` when the reader went,
`interrupted` when the server ended it or died."""
Packing = Literal["all", "unembedding", "none"]
"""Which linear maps multiply with weights laid out for this processor."""


@dataclass(frozen=True, slots=True)
class PrecisionCheck:
    """What computing the blocks in 16 bits changes, measured on one English sentence."""

    max_logit_diff: float
    """Largest absolute difference of a logit to that in float32."""
    max_probability_diff: float
    """Largest absolute difference of a probability."""
    same_top1: int
    """Tokens after which the top-1 prediction is the same."""
    n_tokens: int


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What was measured on the loaded model before the first request; one that fails is not loaded."""

    max_abs_diff: float
    """Largest absolute difference, in logits, between the lens at the last layer and the model's own output."""
    cache_max_abs_diff: float
    """Largest absolute difference, in logits, between decoding with and without a KV cache."""
    edit_max_abs_change: float
    """Largest absolute change of the logits when one layer's residual stream is replaced: zero would mean that the layers found are not the ones the model runs."""
    precision: PrecisionCheck | None = None
    """None where the blocks compute in float32."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """How messages become text for this model."""

    source: Literal["built-in", "tokenizer"]
    """`built-in`: the model has no template of its own, as is usual for base models; it continues text and was not trained to chat."""
    text: str
    stop: tuple[str, ...]
    """Strings that end a reply in chat mode."""
    starts_with_bos: bool = False
    """Whether a new chat begins with the beginning-of-sequence token when nothing is asked for."""


@dataclass(frozen=True, slots=True)
class BosCheck:
    """What the beginning-of-sequence token does, for a model whose tokenizer does not put it."""

    with_nats: float
    """Mean surprisal of the tokens of one English sentence after that token."""
    without_nats: float
    """Mean surprisal of the same tokens without it."""
    n_tokens: int
    is_needed: bool
    """The token makes so much difference that the model can hardly have been trained without it."""


@dataclass(frozen=True, slots=True)
class LensFacts:
    """A lens that the loaded model has."""

    kind: LensKind
    fitted_tokens: int | None
    """Tokens of text it was fitted on; none for the logit lens, which is not fitted."""
    origin: LensOrigin = "shipped"
    beats_controls: bool | None = None
    """Whether it was nearer to the model than its controls on held-out text; None where it was not tried."""
    unfitted_layers: tuple[int, ...] = ()
    """Layers that it has no map for, which are read as the logit lens reads them."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether an identity holds on the loaded model, and so what rests on it is offered."""

    is_available: bool
    reason: str | None = None
    """Why it is not offered; None where it is."""
    max_abs_diff: float | None = None
    """How far the identity was off on the probe text; None where it could not be tried."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was measured when the model was loaded."""

    sublayers: Capability
    """In each block `pre + writes = post`; the difference is in units of the stream."""
    heads: Capability
    """Heads, MLPs, embedding and biases add up to the logit; in logits."""
    neurons: Capability
    """The same with an MLP split into its neurons."""
    attention: Capability
    """Weights times values are what the projection of a head is given, as a share of the largest."""
    half_layers: Capability
    """In each block `pre + attention = middle` and `middle + MLP = post`, as a share of the largest."""
    gradients: Capability = Capability(False, "Gradients were not tried.")
    """The differentiable way through the model gives its logits; in logits."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of the loaded model."""

    name: str
    source: ModelSource
    revision: str
    """Commit of the hub repository; of the embedded model the SHA-256 of its weights; of a folder the SHA-256 over configuration, tokenizer files and weights."""
    architecture: str
    n_layers: int
    n_heads: int | None
    """None for models without attention."""
    d_model: int
    d_vocab: int
    n_ctx: int
    n_parameters: int
    dtype: str
    device: str
    tied_embeddings: bool
    chat_template: ChatTemplate
    adds_bos: bool
    """Whether the model's tokenizer itself puts a beginning-of-sequence token first."""
    bos_token_id: int | None
    eos_token_ids: tuple[int, ...]
    is_byte_exact: bool
    """Whether the tokenizer gives back every text byte for byte; False for tokenizers that normalise."""
    self_check: SelfCheck
    capabilities: Capabilities
    intervention_sites: InterventionSites
    half_layer_modules: tuple[str, ...] = ()
    """The module of each block that is given half layer `n - 0.5`, from the block on; none where there are none."""
    site_modules: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    """By site (`attn`, `mlp`, `head`): of each block the module at which interventions act, as named inside
    the block; None where the block has no such site."""
    text_losses: tuple[str, ...] = ()
    """What the tokenizer changes of a text, in sentences; nothing where it is byte-exact."""
    bos_check: BosCheck | None = None
    """None where the tokenizer puts the token itself, or has none."""
    lenses: tuple[LensFacts, ...] = (LensFacts("logit", None),)
    packing: Packing = "none"
    note: str | None = None
    """Why this model runs, where that needs saying: for example that GPT-2 could not be reached."""


LoadStep = Literal["import", "find", "weights", "pack", "check"]
"""What loading does, in this order: import the libraries, find or download the files, read the weights, lay them out for this processor, check the model against itself."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen."""

    max_new_tokens: int
    temperature: float
    """0 is greedy."""
    top_k: int
    """0 keeps the whole vocabulary."""
    top_p: float
    seed: int
    stop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One generated token, with the model's own distribution (temperature 1) at the place it was read."""

    index: int
    token_id: int
    logprob_nats: float
    rank: int
    """1-based: 1 + the number of logits that are larger."""
    entropy_nats: float


@dataclass(frozen=True, slots=True)
class RemoteState:
    """Where a job is on the machine that runs a model elsewhere: in its queue, while the model is loaded there, or at work."""

    state: Literal["queued", "deploying", "running"]


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the generation ended; always the last thing that `generate` yields."""

    reason: FinishReason
    stop: str | None = None
    """The stop string that was met, or None when an end-of-text token or another reason ended it."""
    dropped_ids: tuple[int, ...] = ()
    """Ids sampled last that spell the stop string (or the end token) and are not part of the timeline."""
    fired: tuple[int, ...] = ()
    """For each intervention: at how many layers, over all tokens that were run, it changed the computation."""


@dataclass(frozen=True, slots=True)
class LensColumns:
    """Lens read-outs of several layers and positions, in columns.

    `L` layers, `P` positions, `K` top predictions, `T` targets. Probabilities are over the full
    vocabulary at temperature 1, computed in float32; entropy and KL in nats; ranks 1-based and exact.
    """

    layers: tuple[Layer, ...]
    positions: tuple[int, ...]
    top_ids: IntArray
    """[L, P, K], most probable first."""
    top_probabilities: FloatArray
    """[L, P, K]"""
    top_ranks: IntArray
    """[L, P, K]: 1 + the number of larger logits; equal ones share a rank."""
    entropy_nats: FloatArray
    """[L, P]"""
    kl_to_final_nats: FloatArray
    """[L, P]: KL(final ‖ layer), 0 in the last row."""
    next_probability: FloatArray
    """[L, P]: of the token that follows in the timeline; NaN where none follows yet."""
    next_rank: IntArray
    """[L, P]: 0 where none follows yet."""
    targets: tuple[int, ...]
    target_probability: FloatArray
    """[T, L, P]"""
    target_rank: IntArray
    """[T, L, P]"""
    scores: tuple[Step, ...]
    """How the model itself scored the token after each position, where one follows, whether or not the last layer was asked for."""
    fired: tuple[int, ...] = ()
    """For each intervention: at how many layers, over all positions up to the last one wanted, it changed the computation."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of each position."""

    layers: tuple[Layer, ...]
    top_k: int = 5
    targets: tuple[int, ...] = ()
    """Ids to follow besides the token that comes next."""
    kind: LensKind = "logit"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two timelines that are compared."""

    ids: tuple[int, ...]
    kind: LensKind = "logit"
    lineage: tuple[str, ...] = ()
    interventions: Interventions | None = None


@dataclass(frozen=True, slots=True)
class Pairs:
    """What of two timelines, `a` and `b`, is compared with what."""

    layers: tuple[tuple[Layer, Layer], ...]
    positions: tuple[tuple[int, int], ...]
    targets: tuple[int, ...] = ()
    """Ids whose probability and rank are wanted on both sides."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predictions of two timelines, `a` and `b`, compared pair by pair, in columns.

    `L` pairs of layers, `P` pairs of positions, `T` targets. Over the full vocabulary at temperature
    1, in float32; ranks 1-based and exact. Two equal rows of logits have divergences of exactly 0.
    """

    layers: tuple[tuple[Layer, Layer], ...]
    positions: tuple[tuple[int, int], ...]
    kl_a_to_b_nats: FloatArray
    """[L, P]: KL(a ‖ b), at least 0."""
    kl_b_to_a_nats: FloatArray
    """[L, P]: KL(b ‖ a), at least 0."""
    js_nats: FloatArray
    """[L, P]: Jensen-Shannon divergence, in [0, ln 2]."""
    a_top_id: IntArray
    """[L, P]"""
    a_top_probability: FloatArray
    """[L, P]"""
    b_top_id: IntArray
    """[L, P]"""
    b_top_probability: FloatArray
    """[L, P]"""
    targets: tuple[int, ...]
    a_target_probability: FloatArray
    """[T, L, P]"""
    a_target_rank: IntArray
    """[T, L, P]"""
    b_target_probability: FloatArray
    """[T, L, P]"""
    b_target_rank: IntArray
    """[T, L, P]"""
    a_fired: tuple[int, ...] = ()
    """As `LensColumns.fired`."""
    b_fired: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Part of a rendered prompt: `text` that came from the template or from a message."""

    text: str
    role: Role
    is_special: bool = False
    """The text is one special token of the template and is looked up as such; other text never is."""


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """Token ids of a prompt with the role of each."""

    ids: tuple[int, ...]
    roles: tuple[Role, ...]


class TooManyTokens(Exception):
    """A text has more tokens than fit: `n_tokens`, or None where it was too long to count them."""

    def __init__(self, n_tokens: int | None, n_chars: int) -> None:
        super().__init__(n_tokens, n_chars)
        self.n_tokens = n_tokens
        self.n_chars = n_chars


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as the template sees it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What the engine has done since the start, and what it holds."""

    forward_passes: int
    """Passes through the blocks; decoding rows is none."""
    computed_tokens: int
    """Tokens run through the blocks."""
    stored_timelines: int
    stored_bytes: int
    """Residual streams and KV caches of the stored timelines."""
    max_stored_bytes: int
