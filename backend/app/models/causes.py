"""What wrote a logit, and what a token reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.source import TimelineSource
from app.models.wire import ModelIdentity, TokenId, TokenIndex, Whole, Wire

BlockNumber = Annotated[Whole, Field(ge=1, le=10_000)]
HeadIndex = Annotated[Whole, Field(ge=0, le=10_000)]
FoilKind = Literal["best", "mean", "none", "token"]
PartKind = Literal[
    "embed", "position", "attn", "mlp", "mixer", "head", "source", "neuron", "rest", "bias"
]


class LogitQuestion(TimelineSource):
    """A token of a timeline, and which logits are asked about."""

    position: TokenIndex
    """Where the stream is read; it predicts the token at `position + 1`."""
    target: TokenId | None = None
    """Null: the token that follows in the timeline, else the most probable one."""
    foil: TokenId | Literal["best", "mean", "none"] = "best"
    """What the target is compared with: the most probable other token, the mean of all logits, nothing, or a token id."""


class AttributionRequest(LogitQuestion):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and what to take apart."""

    unit: Literal["component", "head", "source", "neuron"] = "component"
    """`component`: the embedding and each block's attention and MLP. `head`: attention by heads. `source`: the attention of one `block` by the tokens that it read. `neuron`: the MLP of one `block` by its neurons."""
    block: BlockNumber | None = None
    """From 1; needed for `source` and `neuron`."""
    head: HeadIndex | None = None
    """With `source`: this head alone; null adds up all heads of the block."""
    top_k: Whole = Field(20, ge=1, le=500)
    """With `neuron`: how many, the largest by absolute value; the others are one `rest`."""

    @model_validator(mode="after")
    def opens_a_block(self) -> AttributionRequest:
        needs = self.unit in ("source", "neuron")
        if needs and self.block is None:
            raise ValueError(f"unit {self.unit} needs a block")
        if self.block is not None and not needs:
            raise ValueError(f"block is for the units source and neuron, not for {self.unit}")
        if self.head is not None and self.unit != "source":
            raise ValueError(f"head is for the unit source, not for {self.unit}")
        return self


class NamedToken(Wire):
    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""


class AttributionPart(Wire):
    part: PartKind
    """`mixer` mixes positions without attention, such as a state space. `bias`: those of a block, and at the end (without `block`) those of the final norm and the unembedding. `rest`: everything that is not listed."""
    block: int | None
    """From 1; null for what is in no block."""
    head: int | None
    source: int | None
    """Index in the timeline of the token that was read."""
    neuron: int | None
    target: float
    """What the part adds to the target's logit."""
    foil: float | None
    """What it adds to the foil's."""
    contribution: float
    """`target - foil`."""


class AttributionResponse(Wire):
    """Signed parts whose `sum` is `difference` but for `residue`, which is rounding."""

    model: str
    model_identity: ModelIdentity
    position: int
    predicts_index: int
    target: NamedToken
    foil_kind: FoilKind
    foil: NamedToken | None
    """Null where the foil is no token."""
    unit: Literal["component", "head", "source", "neuron"]
    target_logit: float
    foil_logit: float | None
    difference: float
    """`target_logit - foil_logit`, or `target_logit` without a foil."""
    parts: list[AttributionPart]
    sum: float
    residue: float
    softcap: float | None
    """The model caps its logits at this, smoothly; logits and parts here are those before the cap."""
    computed_tokens: int
    """Tokens run through the blocks for this answer: 1 where the timeline is held."""


class AttentionRequest(LogitQuestion):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and which rows to read."""

    blocks: list[BlockNumber] | None = Field(None, min_length=1, max_length=1024)
    """Null reads every block."""
    kind: Literal["weight", "norm", "logit"] = "weight"
    """`weight`: attention weights. `norm`: the length of what each source writes, weight times value through the output projection (Kobayashi et al. 2020). `logit`: what it adds to the logit of the target less that of the foil."""
    direction: Literal["reads", "read_by"] = "reads"
    """`reads`: what the token at `position` reads. `read_by`: how much each token from `position` to the end of the text reads it, `weight` only."""


class AttentionResponse(Wire):
    """What a token reads or is read by, block by block and head by head."""

    model: str
    model_identity: ModelIdentity
    position: int
    kind: Literal["weight", "norm", "logit"]
    direction: Literal["reads", "read_by"]
    blocks: list[int]
    """Blocks with attention, of those that were asked for."""
    n_heads: int
    sources: list[int]
    """The tokens that are read: `0 … position`. With `read_by` those that read: `position …` the end."""
    values: list[list[list[float]]]
    """[block][head][source]"""
    sink: list[list[float]] | None
    """[block][head]: weight that goes to no token; null where every row sums to 1, for other kinds, and with `read_by`."""
    without_pattern: list[int]
    """Blocks without attention, of those that were asked for."""
    target: NamedToken | None
    """With `logit`: the token whose logit is meant; null for other kinds."""
    foil_kind: FoilKind | None
    """With `logit`: what it is compared with; null for other kinds."""
    foil: NamedToken | None
    """Null where the foil is no token."""
    computed_tokens: int


class WritesRequest(TimelineSource):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, a token of it and a block."""

    position: TokenIndex
    """Where the stream is read; it predicts the token at `position + 1`."""
    block: BlockNumber
    """From 1."""
    top_k: Whole = Field(10, ge=1, le=100)
    """How many tokens are listed of each write in each direction."""


class TokenEffect(NamedToken):
    contribution: float
    """What the write adds to the token's logit, less the mean of what it adds to all logits."""


class WriteEffect(Wire):
    """What one write of the block, its bias included, changes directly."""

    part: Literal["attn", "mlp", "mixer"]
    promoted: list[TokenEffect]
    """The most raised first."""
    suppressed: list[TokenEffect]
    """The most lowered first."""


class WritesResponse(Wire):
    """What a block added to the stream, read through the final norm and the unembedding."""

    model: str
    model_identity: ModelIdentity
    position: int
    predicts_index: int
    block: int
    writes: list[WriteEffect]
    """In running order; side by side in a parallel block."""
    softcap: float | None
    """The model caps its logits at this, smoothly; contributions are to those before the cap."""
    computed_tokens: int
    """Tokens run through the blocks for this answer: 1 where the timeline is held."""


class CapabilityInfo(Wire):
    available: bool
    reason: str | None
    """Why it is not offered; null where it is."""
    max_abs_diff: float | None
    """How far the identity behind it was off when it was measured."""


class InterventionSites(Wire):
    """Where the computation can be changed, each measured on the loaded model against what the change must give."""

    resid: CapabilityInfo
    attn: CapabilityInfo
    mlp: CapabilityInfo
    head: CapabilityInfo
    knock_out: CapabilityInfo
    """Attention edges."""


class CapabilitiesInfo(Wire):
    """What can be asked of this model: for each an identity was measured when it was loaded."""

    sublayers: CapabilityInfo
    """What a block adds to the stream is what its attention and its MLP write; the difference is in units of the stream."""
    heads: CapabilityInfo
    """Heads, MLPs, embedding and biases add up to the logit; the difference is in logits."""
    neurons: CapabilityInfo
    """The same with an MLP by its neurons."""
    attention: CapabilityInfo
    """Weights times values are what the heads put out; the difference is a share of the largest."""
    half_layers: CapabilityInfo
    """Inside each block there is a state after attention and before the MLP, which is what the two add to; the difference is a share of the largest."""
    gradients: CapabilityInfo
    """The model run with gradients gives the same logits, and slopes that a small step confirms; the difference is in logits."""
    interventions: CapabilityInfo
    """The residual stream of a layer, taken from another text, gives that text's output; `intervention_sites` has the other sites."""
