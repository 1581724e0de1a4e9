"""What the server answers, with the names of the API.

Made from openapi.json by `python client/generate.py`; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mechanistic_explorer.results import DrawnResult, Result, TableResult


@dataclass(frozen=True, repr=False)
class ActualToken(Result):
    """`ActualToken` of the API."""

    probability: float
    rank: int


@dataclass(frozen=True, repr=False)
class AddOperation(Result):
    """`h + strength · ‖h‖ · d`, with the length of each position's own `h` (Turner et al. 2023,
    arXiv:2308.10248).
    """

    kind: Literal["add"]
    direction: TokenDirection | LensDirection | ContrastDirection | RandomDirection
    strength: float
    """A share of the length of `h`; negative pushes away. 0 changes no bit."""


@dataclass(frozen=True, repr=False)
class AttentionResponse(TableResult):
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
    """The tokens that are read: `0 … position`. With `read_by` those that read: `position …` the
    end.
    """
    values: list[list[list[float]]]
    """[block][head][source]"""
    sink: list[list[float]] | None
    """[block][head]: weight that goes to no token; null where every row sums to 1, for other
    kinds, and with `read_by`.
    """
    without_pattern: list[int]
    """Blocks without attention, of those that were asked for."""
    target: NamedToken | None
    """With `logit`: the token whose logit is meant; null for other kinds."""
    foil_kind: Literal["best", "mean", "none", "token"] | None
    """With `logit`: what it is compared with; null for other kinds."""
    foil: NamedToken | None
    """Null where the foil is no token."""
    computed_tokens: int


@dataclass(frozen=True, repr=False)
class AttributionPart(Result):
    """`AttributionPart` of the API."""

    part: Literal[
        "embed", "position", "attn", "mlp", "mixer", "head", "source", "neuron", "rest", "bias"
    ]
    """`mixer` mixes positions without attention, such as a state space. `bias`: those of a block,
    and at the end (without `block`) those of the final norm and the unembedding. `rest`:
    everything that is not listed.
    """
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


@dataclass(frozen=True, repr=False)
class AttributionResponse(TableResult):
    """Signed parts whose `sum` is `difference` but for `residue`, which is rounding."""

    model: str
    model_identity: ModelIdentity
    position: int
    predicts_index: int
    target: NamedToken
    foil_kind: Literal["best", "mean", "none", "token"]
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


@dataclass(frozen=True, repr=False)
class BosCheckInfo(Result):
    """Measured when the model was loaded, on one English sentence."""

    with_nats: float
    """Mean surprisal of its tokens after the beginning-of-sequence token."""
    without_nats: float
    """Mean surprisal of the same tokens without it."""
    n_tokens: int
    is_needed: bool
    """The difference is so large (1 nat or more) that the model should be given that token: `bos:
    true`. It is never added silently.
    """


@dataclass(frozen=True, repr=False)
class Branch(Result):
    """One timeline of a conversation."""

    id: str
    """What `/api/chat` and `/api/lens` take as `conversation_id`."""
    name: str | None
    parent_id: str | None
    """The branch that it left; null for the first one. That branch may have been deleted."""
    from_index: int | None
    """Index of the first token that differs from the parent's."""
    n_tokens: int
    preview: str
    """The text from there on, cut."""
    is_steered: bool
    """Whether it is computed under interventions."""
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, repr=False)
class CapabilitiesInfo(Result):
    """What can be asked of this model: for each an identity was measured when it was loaded."""

    sublayers: CapabilityInfo
    """What a block adds to the stream is what its attention and its MLP write; the difference is
    in units of the stream.
    """
    heads: CapabilityInfo
    """Heads, MLPs, embedding and biases add up to the logit; the difference is in logits."""
    neurons: CapabilityInfo
    """The same with an MLP by its neurons."""
    attention: CapabilityInfo
    """Weights times values are what the heads put out; the difference is a share of the largest."""
    half_layers: CapabilityInfo
    """Inside each block there is a state after attention and before the MLP, which is what the two
    add to; the difference is a share of the largest.
    """
    gradients: CapabilityInfo
    """The model run with gradients gives the same logits, and slopes that a small step confirms;
    the difference is in logits.
    """
    interventions: CapabilityInfo
    """The residual stream of a layer, taken from another text, gives that text's output;
    `intervention_sites` has the other sites.
    """


@dataclass(frozen=True, repr=False)
class CapabilityInfo(Result):
    """`CapabilityInfo` of the API."""

    available: bool
    reason: str | None
    """Why it is not offered; null where it is."""
    max_abs_diff: float | None
    """How far the identity behind it was off when it was measured."""


@dataclass(frozen=True, repr=False)
class ChatMessage(Result):
    """`ChatMessage` of the API."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, repr=False)
class ChatResponse(TableResult, DrawnResult):
    """`ChatResponse` of the API."""

    id: str
    conversation_id: str
    model: str
    model_identity: ModelIdentity
    text: str
    finish_reason: Literal["stop", "length", "context", "cancelled", "interrupted"]
    stop: str | None
    """The stop string that ended the reply."""
    turn_start: int
    """Index of the first token that this request added; `from_index` with this value edits the
    turn.
    """
    prompt_tokens: list[Token]
    """Every token before the reply, from index 0."""
    tokens: list[Token]
    """The reply."""
    seed: int
    usage: Usage
    timings: Timings
    steering: Steering | None
    """What the reply was computed under; null for the plain model."""
    fired: list[int]
    """For each intervention: at how many layers, over all tokens that the reply was computed from,
    it changed the computation.
    """


@dataclass(frozen=True, repr=False)
class ChatTemplateInfo(Result):
    """`ChatTemplateInfo` of the API."""

    source: Literal["built-in", "tokenizer"]
    """`built-in`: this base model has no template; it continues text and was not trained to chat."""
    text: str
    stop: list[str]
    starts_with_bos: bool
    """Whether a new chat begins with the beginning-of-sequence token when `bos` is null: a
    tokenizer's template alone decides, the built-in one follows the tokenizer.
    """


@dataclass(frozen=True, repr=False)
class CompareResponse(TableResult):
    """Two timelines, prediction by prediction, in columns `[layer pair][position pair]`."""

    model: str
    model_identity: ModelIdentity
    layers: list[tuple[float, float]]
    labels: list[tuple[str, str]]
    a_tokens: list[Token]
    """The whole timeline, without scores; empty where `include_tokens` is false."""
    b_tokens: list[Token]
    positions: list[tuple[int, int]]
    kl_a_to_b_nats: list[list[float]]
    """KL(a ‖ b), over the full vocabulary."""
    kl_b_to_a_nats: list[list[float]]
    """KL(b ‖ a)."""
    js_nats: list[list[float]]
    """Jensen-Shannon divergence, at most ln 2: the same both ways, to rounding."""
    a_top_id: list[list[int]]
    """The most probable token."""
    a_top_probability: list[list[float]]
    b_top_id: list[list[int]]
    b_top_probability: list[list[float]]
    vocabulary: dict[str, str]
    """Text of every id in `a_top_id` and `b_top_id`, by id; U+FFFD stands for bytes that are no
    whole character.
    """
    vocabulary_bytes: dict[str, str]
    """Base64 of the bytes, by id, of those ids whose bytes are no whole characters."""
    targets: list[ComparedTarget]
    a_fired: list[int]
    """For each intervention of `a`: at how many layers, over all positions up to the last one
    compared, it changed the computation.
    """
    b_fired: list[int]


@dataclass(frozen=True, repr=False)
class ComparedTarget(Result):
    """One token on both sides; each list is [layer pair][position pair]."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    a_probability: list[list[float]]
    a_rank: list[list[int]]
    b_probability: list[list[float]]
    b_rank: list[list[int]]


@dataclass(frozen=True, repr=False)
class ContrastDirection(Result):
    """What the last tokens of `plus` have at the site, on average, less what those of `minus` have
    (Rimsky et al. 2023, arXiv:2312.06681).
    """

    kind: Literal["contrast"]
    plus: list[str]
    minus: list[str]


@dataclass(frozen=True, repr=False)
class ConversationFile(Result):
    """A conversation as a file, with all its branches."""

    format: Literal["mechanistic-explorer-conversation"]
    version: Literal[1, 2]
    """Files of version 1 repeat the parent's text and turns in each branch."""
    title: str
    model: ModelIdentity
    created_at_ms: int
    updated_at_ms: int
    branches: list[FileBranch]


@dataclass(frozen=True, repr=False)
class ConversationList(TableResult):
    """`ConversationList` of the API."""

    conversations: list[ConversationSummary]
    """The last written first."""
    total: int
    """All that match, of which `conversations` is one page."""


@dataclass(frozen=True, repr=False)
class ConversationSummary(Result):
    """`ConversationSummary` of the API."""

    id: str
    """Of the branch that was written last."""
    conversation_id: str
    """Of the conversation as a whole: that of its first branch."""
    title: str
    model: ModelIdentity
    created_at_ms: int
    """Milliseconds since 1970, UTC."""
    updated_at_ms: int
    n_tokens: int
    n_branches: int
    is_running: bool
    """Whether a reply of one of its branches is being generated by this server right now."""


@dataclass(frozen=True, repr=False)
class Deleted(Result):
    """`Deleted` of the API."""

    id: str
    restorable_until_ms: int
    """Until then it can be restored; afterwards it is gone."""


@dataclass(frozen=True, repr=False)
class DoseResponse(TableResult):
    """`DoseResponse` of the API."""

    model: str
    model_identity: ModelIdentity
    position: int
    predicts_index: int
    strengths: list[float]
    tokens: list[DosedToken]
    control: list[DosedToken] | None
    """The same tokens under the random direction; null where it was not asked for."""
    fired: list[int]
    """For each intervention: at how many layers, over all positions up to the one read, it changed
    the computation at a strength other than 0.
    """
    computed_tokens: int
    """Tokens that were run for this answer."""


@dataclass(frozen=True, repr=False)
class DosedToken(Result):
    """One token, at each of the strengths."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    probability: list[float]
    logprob: list[float]
    """In nats."""
    rank: list[int]


@dataclass(frozen=True, repr=False)
class DownloadInfo(Result):
    """`DownloadInfo` of the API."""

    done_bytes: int
    total_bytes: int | None


@dataclass(frozen=True, repr=False)
class ErrorBody(Result):
    """`ErrorBody` of the API."""

    code: str
    """Stable name of the failure, for programs."""
    message: str
    """What happened, naming the thing and the value."""
    hint: str | None
    """The way out, where there is one."""
    param: str | None
    """The field of the request that is at fault."""
    request_id: str
    """The same id stands in the server's log."""


@dataclass(frozen=True, repr=False)
class ErrorResponse(Result):
    """`ErrorResponse` of the API."""

    error: ErrorBody


@dataclass(frozen=True, repr=False)
class ExamplePrompt(Result):
    """`ExamplePrompt` of the API."""

    title: str
    mode: Literal["chat", "completion"]
    text: str
    note: str
    """What to look at in the layers, as measured on this model."""
    question: str | None = None
    """What there is to see, as a question in plain words."""
    watch: str | None = None
    """Text of the token that the note is about; null for the first one of the reply."""
    bos: bool | None = None
    """As in `/api/chat`: true where the model was measured to need the beginning-of-sequence token
    that its tokenizer does not add.
    """
    experiment: Experiment | None = None


@dataclass(frozen=True, repr=False)
class Examples(Result):
    """`Examples` of the API."""

    examples: list[ExamplePrompt]


@dataclass(frozen=True, repr=False)
class ExchangeOperation(Result):
    """What `h` has of one direction and of the other, exchanged; what it has of neither stays."""

    kind: Literal["exchange"]
    directions: list[TokenDirection | LensDirection | ContrastDirection | RandomDirection]


@dataclass(frozen=True, repr=False)
class ExpectedText(Result):
    """`ExpectedText` of the API."""

    text: str
    probability: float | None
    """Of this token at the output; null for a reply of several."""


@dataclass(frozen=True, repr=False)
class Experiment(Result):
    """A change of the computation that changes the answer, measured when the model was trained."""

    question: str
    """What is changed, and what a person is asked to expect."""
    choices: list[str]
    """What may come, `before` and `after` among them."""
    before: ExpectedText
    """What the model says without the change."""
    after: ExpectedText
    """What it says under it."""
    interventions: list[Intervention]
    note: str
    """What follows from it."""


@dataclass(frozen=True, repr=False)
class FileBranch(Result):
    """One timeline in a file; tokens, text and turns hold only what its parent does not."""

    token_ids: list[int]
    roles: list[tuple[Literal["template", "system", "user", "assistant"], int]]
    """Runs of tokens with the same role: `["user", 5]`."""
    name: str | None = None
    mode: Literal["chat", "completion"] | None = None
    """Null in older files; it is then read off the roles."""
    parent: int | None = None
    """Place of the parent in `branches`, which comes before; null for one that has none."""
    from_index: int = 0
    """How many tokens are the parent's."""
    text_start: int = 0
    """How many characters of the parent's text come first."""
    text: str = ""
    """For people and for searching; the model reads the ids only."""
    preview: str = ""
    turns_start: int = 0
    """How many of the parent's turns come first."""
    turns: list[SavedTurn] = field(default_factory=list)
    steering: Steering | None = None
    """What the branch is computed under; null for the plain model."""
    pins: PinnedPlaces | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class FitAssumptions(Result):
    """All that a fit depends on, besides the model."""

    lens: Literal["logit", "tuned", "jacobian"]
    seconds: float
    text: str
    """What the text is called."""
    fit_tokens: int
    """Of the text that is fitted; what is left over is read again."""
    held_out_tokens: int


@dataclass(frozen=True, repr=False)
class FitJobInfo(TableResult):
    """A lens being fitted."""

    id: str
    kind: Literal["fit_lens"]
    state: Literal["waiting", "running", "paused", "done", "error", "cancelled", "lost"]
    """`waiting` for its turn, `running`, `paused` by a person; `done`, `error`, `cancelled`, or
    `lost`: interrupted by the server's end without a checkpoint to go on from.
    """
    progress: float
    """In [0, 1], by the work that it takes."""
    seconds_left: float | None
    """Guessed from the pace so far; null where there is none."""
    created_at_ms: int
    updated_at_ms: int
    model: str
    model_identity: ModelIdentity
    conversation_id: str | None
    """The saved conversation that it is kept with."""
    title: str
    error: ErrorBody | None
    assumed: FitAssumptions
    result: FitResult


@dataclass(frozen=True, repr=False)
class FitPoint(Result):
    """Where a fit stood."""

    seconds: float
    """Of computing since it began."""
    tokens: int
    """Fitted so far."""
    values: list[float]
    """Of each layer. `tuned`: mean KL(final ‖ lens) in nats on the text that was fitted since the
    point before; of a large vocabulary an estimate from a sample of it. `jacobian`: how far the
    halves of the text are apart, as a share of their mean.
    """


@dataclass(frozen=True, repr=False)
class FitResult(Result):
    """`FitResult` of the API."""

    curve: list[FitPoint]
    verdict: LensVerdict | None
    """Null until the fit is over."""


@dataclass(frozen=True, repr=False)
class Health(Result):
    """`Health` of the API."""

    status: Literal["ready", "loading", "draining", "stalled", "failed"]
    model: str
    """The model that runs, or the name that was asked for while it loads."""
    revision: str | None
    """That of the model that runs, as in `/api/model_info`; null while none does."""
    instance: str
    """Random for each start of the server and each model that it loads: after a change, all that
    was read of the model before may be another one's.
    """
    version: str
    queue: QueueInfo
    jobs: int
    """Jobs (`/api/jobs`) that run or wait for their turn; they are not in `queue`."""
    detail: str | None
    """What is being waited for, or why it failed."""
    download: DownloadInfo | None
    """Progress of a model download, while there is one."""
    loading: list[LoadingStep] | None
    """The steps of loading, in their order, while the model loads."""
    switch: SwitchInfo | None
    """The change to another model that goes on, or the last one if it failed."""


@dataclass(frozen=True, repr=False)
class Intervention(Result):
    """One change of the computation, made in every pass over the tokens that it touches."""

    site: Literal["resid", "attn", "mlp", "head"]
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP adds
    to it. `head`: what single heads put into the attention's output.
    """
    layers: list[int]
    """`resid`: layers 0 to `n`. The other sites: blocks 1 to `n`."""
    positions: Literal["all", "prompt", "reply"] | list[int]
    """`reply`: the positions that choose the reply's tokens, from the last token before it to its
    last but one. `prompt`: the content of messages, without the template, special tokens and
    the reply. `all`: both. A list: exactly these tokens.
    """
    op: (
        ZeroOperation
        | MeanOperation
        | AddOperation
        | ProjectOutOperation
        | ExchangeOperation
        | ReplaceOperation
        | KnockOutOperation
    )
    heads: list[int] | None = None
    """With site `head`: which heads, from 0; null is all of them."""


@dataclass(frozen=True, repr=False)
class InterventionSites(Result):
    """Where the computation can be changed, each measured on the loaded model against what the
    change must give.
    """

    resid: CapabilityInfo
    attn: CapabilityInfo
    mlp: CapabilityInfo
    head: CapabilityInfo
    knock_out: CapabilityInfo
    """Attention edges."""


@dataclass(frozen=True, repr=False)
class JobCreated(Result):
    """`JobCreated` of the API."""

    id: str


@dataclass(frozen=True, repr=False)
class JobInfo(TableResult, DrawnResult):
    """A causal map."""

    id: str
    kind: Literal["patch_map"]
    state: Literal["waiting", "running", "paused", "done", "error", "cancelled", "lost"]
    """`waiting` for its turn, `running`, `paused` by a person; `done`, `error`, `cancelled`, or
    `lost`: interrupted by the server's end without a checkpoint to go on from.
    """
    progress: float
    """In [0, 1], by the work that it takes."""
    seconds_left: float | None
    """Guessed from the pace so far; null where there is none."""
    created_at_ms: int
    updated_at_ms: int
    model: str
    model_identity: ModelIdentity
    conversation_id: str | None
    """The saved conversation that it is kept with."""
    title: str
    error: ErrorBody | None
    assumed: PatchMapAssumptions
    result: PatchMapResult
    """Of a job that is not over, what it has so far."""


@dataclass(frozen=True, repr=False)
class JobList(TableResult):
    """`JobList` of the API."""

    jobs: list[JobSummary]
    """The newest first, at most 100."""


@dataclass(frozen=True, repr=False)
class JobSummary(Result):
    """`JobSummary` of the API."""

    id: str
    kind: Literal["patch_map", "fit_lens"]
    state: Literal["waiting", "running", "paused", "done", "error", "cancelled", "lost"]
    """`waiting` for its turn, `running`, `paused` by a person; `done`, `error`, `cancelled`, or
    `lost`: interrupted by the server's end without a checkpoint to go on from.
    """
    progress: float
    """In [0, 1], by the work that it takes."""
    seconds_left: float | None
    """Guessed from the pace so far; null where there is none."""
    created_at_ms: int
    updated_at_ms: int
    model: str
    model_identity: ModelIdentity
    conversation_id: str | None
    """The saved conversation that it is kept with."""
    title: str
    error: ErrorBody | None


@dataclass(frozen=True, repr=False)
class KnockOutOperation(Result):
    """Attention to these tokens is removed before the softmax, so that the weights of the others
    sum to 1.
    """

    kind: Literal["knock_out"]
    sources: list[int]


@dataclass(frozen=True, repr=False)
class LayerReadout(Result):
    """What one layer predicts for the token it is attached to; read at the position before it."""

    layer: float
    label: str
    """`embed`, then `1` to `n`; of half layers `0.5` to `n - 0.5`."""
    predictions: list[Prediction]
    entropy_nats: float
    kl_to_final_nats: float
    """KL(final ‖ layer)."""
    actual: ActualToken
    """How this layer scored the token that is really there."""


@dataclass(frozen=True, repr=False)
class LayerVerdict(Result):
    """One layer on held-out text: mean KL(final ‖ lens) in nats of the lens and of its controls."""

    layer: int
    kl_nats: float
    logit_kl_nats: float
    """The logit lens."""
    scaled_kl_nats: float
    """The logit lens with its logits times `scale`: of eight the best on this very text."""
    scale: float
    permuted_kl_nats: float
    """The fitted map of another layer."""
    in_use_kl_nats: float | None
    """The lens of this kind that the model had before; null where it had none."""
    standard_error_nats: float
    """Of the difference to the logit lens, position by position."""
    beats_controls: bool
    """Nearer to the model than each control by more than two standard errors."""


@dataclass(frozen=True, repr=False)
class LensDirection(Result):
    """The direction that raises a token's logit by the lens at that layer: `Jᵀ` times the token's
    direction.
    """

    kind: Literal["lens"]
    token_id: int
    lens: Literal["jacobian"] = "jacobian"


@dataclass(frozen=True, repr=False)
class LensInfo(Result):
    """`LensInfo` of the API."""

    kind: Literal["logit", "tuned", "jacobian"]
    fitted_tokens: int | None
    """Tokens of text it was fitted on; null for the logit lens, which is not fitted."""
    origin: Literal["shipped", "fitted", "published"]
    """With the model, fitted to it by this program, or read from a file that others published,
    whose making cannot be verified.
    """
    beats_controls: bool | None
    """Whether it was nearer to the model than the logit lens and other controls on held-out text,
    at every layer below the last two; null where that was not tried.
    """
    unfitted_layers: list[int]
    """Layers that it has no map for, which are read as the logit lens reads them; published
    Jacobian lenses leave out the embedding.
    """


@dataclass(frozen=True, repr=False)
class LensReadResponse(TableResult, DrawnResult):
    """Read-outs in columns. Position `t` predicts the token at `t + 1`."""

    model: str
    model_identity: ModelIdentity
    kind: Literal["logit", "tuned", "jacobian"]
    layers: list[float]
    labels: list[str]
    tokens: list[Token]
    """The whole timeline; empty where `include_tokens` is false."""
    positions: list[int]
    top_ids: list[list[list[int]]]
    """[layer][position][k], most probable first."""
    top_probabilities: list[list[list[float]]]
    vocabulary: dict[str, str]
    """Text of every id in `top_ids`, by id; U+FFFD stands for bytes that are no whole character."""
    vocabulary_bytes: dict[str, str]
    """Base64 of the bytes, by id, of those ids whose bytes are no whole characters."""
    entropy_nats: list[list[float]]
    """[layer][position]"""
    kl_to_final_nats: list[list[float]]
    next_probability: list[list[float | None]]
    """[layer][position]: of the token that follows in the timeline; null at its end."""
    next_rank: list[list[int | None]]
    targets: list[TargetColumns]
    fired: list[int]
    """For each intervention: at how many layers, over all positions up to the last one read, it
    changed the computation.
    """


@dataclass(frozen=True, repr=False)
class LensVerdict(Result):
    """`LensVerdict` of the API."""

    n_positions: int
    """Held-out positions, the same for the lens and its controls."""
    beats_controls: bool
    """At every layer below the last two."""
    is_in_use: bool
    """False where the model has a lens of this kind that is nearer to it, which stays."""
    layers: list[LayerVerdict]


@dataclass(frozen=True, repr=False)
class ListedModel(Result):
    """`ListedModel` of the API."""

    key: str
    """What `PUT /api/model` takes."""
    name: str
    source: Literal["hub", "local", "embedded"]
    identity: ModelIdentity | None
    """As conversations name their model; null for a folder that this server has not loaded yet,
    whose files would have to be hashed.
    """
    disk_bytes: int
    """Of its weights."""
    memory_bytes: int | None
    """Of its weights once they are loaded. Where there is room, as much again for a copy that
    multiplies faster.
    """
    fits: Literal["yes", "alone", "no"] | None
    """Whether that much is free: `yes`, beside the model that runs; `alone`, only once that one is
    unloaded; null where it cannot be told.
    """
    num_parameters: int | None
    context_length: int | None
    architecture: str | None
    has_chat_template: bool
    """Whether a template for chats comes with it, as with models that were trained to chat."""
    problem: str | None
    """Why it cannot be loaded, as far as its configuration and the headers of its files tell."""


@dataclass(frozen=True, repr=False)
class LoadingStep(Result):
    """`LoadingStep` of the API."""

    step: Literal["import", "find", "weights", "pack", "check"]
    status: Literal["done", "running", "waiting"]
    seconds: float | None
    """How long it took, or has taken so far; null while it waits, and where it was skipped."""
    done_bytes: int | None
    """Of a download, or of the weights in memory; null where it is not known."""
    total_bytes: int | None


@dataclass(frozen=True, repr=False)
class MapSide(Result):
    """One of the two texts of a map."""

    conversation_id: str | None
    """Where it is a saved conversation."""
    tokens: list[Token]


@dataclass(frozen=True, repr=False)
class MeanOperation(Result):
    """The mean of the site over the tokens before the reply, in the plain run: without the first
    token and special ones.
    """

    kind: Literal["mean"]


@dataclass(frozen=True, repr=False)
class ModelChosen(Result):
    """A model that is being loaded; `GET /api/health` tells how far it is."""

    key: str
    model: str


@dataclass(frozen=True, repr=False)
class ModelIdentity(Result):
    """The model that computed something; only the same one gives the same numbers again."""

    name: str
    revision: str | None
    """Commit of the hub repository; of the embedded model the SHA-256 of its weights; of a folder
    the SHA-256 over configuration, tokenizer files and weights. Null where it is unknown, in
    conversations that were saved before it was recorded: these are taken for no model's.
    """
    source: Literal["hub", "local", "embedded"]


@dataclass(frozen=True, repr=False)
class ModelInfo(Result):
    """`ModelInfo` of the API."""

    model_name: str
    source: Literal["hub", "local", "embedded"]
    revision: str | None
    note: str | None
    """Why this model runs, where that needs saying."""
    architecture: str
    num_layers: int
    num_heads: int | None
    hidden_size: int
    vocab_size: int
    context_length: int
    num_parameters: int
    dtype: str
    device: str
    tied_embeddings: bool
    packing: Literal["all", "unembedding", "none"]
    """Which linear maps multiply with weights laid out for this processor."""
    chat_template: ChatTemplateInfo
    adds_bos: bool
    bos_token_id: int | None
    bos_check: BosCheckInfo | None
    """What the beginning-of-sequence token does for this model; null where the tokenizer puts it,
    or has none.
    """
    byte_exact: bool
    """Whether the tokenizer gives back every text byte for byte."""
    text_losses: list[str]
    """What it changes of a text, in sentences; empty where it is byte-exact. The tokens always
    show what the model reads.
    """
    examples: list[ExamplePrompt]
    """Prompts that show something on this model; empty until `/api/examples` was asked for where
    they have to be measured.
    """
    lenses: list[LensInfo]
    """The lenses that this model can be read with, the logit lens first."""
    self_check: SelfCheckInfo
    capabilities: CapabilitiesInfo
    intervention_sites: InterventionSites
    site_modules: SiteModulesInfo
    half_layer_modules: list[str]
    """Of each block the module whose input is the half layer, as named inside the block (`ln_2`);
    empty where the model has none.
    """


@dataclass(frozen=True, repr=False)
class ModelList(TableResult):
    """`ModelList` of the API."""

    models: list[ListedModel]
    """The embedded one, those of `EXPLORER_MODELS_DIR`, folders that this server was started with
    or was given, those of the Hugging Face cache.
    """
    running: str | None
    """Key of the model that runs; null while there is none."""
    free_bytes: int | None
    """Memory that is free now; null where it cannot be told."""
    takes_paths: bool
    """Whether `PUT /api/model` takes paths and models that have to be downloaded."""


@dataclass(frozen=True, repr=False)
class NamedToken(Result):
    """`NamedToken` of the API."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""


@dataclass(frozen=True, repr=False)
class Note(Result):
    """A remark on the tokens [start, end), or on how they were predicted at one layer."""

    start: int
    end: int
    text: str
    layer: int | None = None
    """The layer, read one token before each; null for the tokens themselves."""


@dataclass(frozen=True, repr=False)
class Opening(Result):
    """`Opening` of the API."""

    opening: OpeningExample | None
    """Null unless the server runs, or is loading, exactly the model that computed it."""


@dataclass(frozen=True, repr=False)
class OpeningExample(Result):
    """A prompt with its greedy reply and every read-out, as one model computed them."""

    model: ModelIdentity
    """Only this model's page may show it."""
    example: ExamplePrompt
    tokens: list[Token]
    """The whole timeline; each token but the first with its read-outs through the logit lens."""
    turn: SavedTurn


@dataclass(frozen=True, repr=False)
class PatchMapAssumptions(Result):
    """All that the numbers of a map depend on, besides the model."""

    clean: MapSide
    corrupt: MapSide
    site: Literal["resid", "attn", "mlp", "head"]
    direction: Literal["denoise", "noise"]
    metric: Literal["logit_difference"]
    """The logit of `answer` less that of `foil` at the last position."""


@dataclass(frozen=True, repr=False)
class PatchMapResult(Result):
    """A map as far as it is computed, in rows `[layer][pair]`."""

    layers: list[int]
    """Layer or block of each row."""
    heads: list[int | None]
    """Head of each row; null for other sites."""
    positions: list[tuple[int, int]]
    answer: NamedToken | None
    """Null until both texts were run."""
    foil: NamedToken | None
    clean: float | None
    """The metric of the clean run."""
    corrupt: float | None
    cells: list[list[float | None]]
    """The metric of the run patched there; null where it is not computed yet."""
    scores: list[list[float | None]]
    """The same as `score` of `/api/patch`: 0 at the run that is changed, 1 at the other."""
    estimate: list[list[float]] | None
    """What attribution patching (one backward pass) guesses the scores to be: an estimate, which
    orders the cells and is no result.
    """
    no_estimate: str | None
    """Why there is none."""
    rank_correlation: float | None
    """Spearman's, of the estimate with the scores of the cells that were run; null for fewer than
    three.
    """
    n_cells: int
    n_done: int
    computed_tokens: int
    """Tokens run through blocks for the cells so far."""


@dataclass(frozen=True, repr=False)
class PatchPredictions(Result):
    """The most probable next tokens of each run."""

    clean: list[PredictedToken]
    corrupt: list[PredictedToken]
    patched: list[PredictedToken]


@dataclass(frozen=True, repr=False)
class PatchResponse(TableResult):
    """A patched run, read at its last position, with the two runs between which it lies."""

    model: str
    model_identity: ModelIdentity
    site: Literal["resid", "attn", "mlp", "head"]
    layer: int
    heads: list[int] | None
    positions: list[tuple[int, int]]
    direction: Literal["denoise", "noise"]
    answer: NamedToken
    foil: NamedToken
    clean: float
    """Logit of the answer less that of the foil, at the last position of the clean run."""
    corrupt: float
    """The same of the corrupt run."""
    patched: float
    """The same of the patched run."""
    score: float
    """0 where the patch changes nothing, 1 where it carries the whole difference over; may lie
    outside. `denoise`: `(patched - corrupt) / (clean - corrupt)`; `noise`: `(patched - clean) /
    (corrupt - clean)`.
    """
    kl_to_clean_nats: float
    """KL(clean ‖ patched)."""
    predictions: PatchPredictions
    computed_tokens: int
    """Tokens run through blocks for this answer: from the first patched position on where both
    texts are held, the whole text for a model whose cache cannot be cut.
    """


@dataclass(frozen=True, repr=False)
class PinnedPlaces(Result):
    """What is followed over the layers."""

    token_ids: list[list[int]] = field(default_factory=list)
    """Each a token, or several whose probabilities are added up."""
    positions: list[int] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class PrecisionCheckInfo(Result):
    """What computing the blocks in 16 bits changes, measured on one English sentence when the
    model was loaded.
    """

    max_logit_diff: float
    """Largest absolute difference of a logit to that in float32."""
    max_probability_diff: float
    """Largest absolute difference of a probability to that in float32."""
    same_top1: int
    """Tokens after which the top-1 prediction is that of float32."""
    n_tokens: int


@dataclass(frozen=True, repr=False)
class PredictedToken(Result):
    """`PredictedToken` of the API."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    probability: float


@dataclass(frozen=True, repr=False)
class Prediction(Result):
    """`Prediction` of the API."""

    token_id: int
    text: str
    probability: float
    rank: int
    """1 is the most probable."""
    bytes: str | None = None
    """Base64 of the token's bytes where they are no whole characters, so that `text` cannot tell
    them; else it is left out.
    """


@dataclass(frozen=True, repr=False)
class ProjectOutOperation(Result):
    """`h - (h·d) d`: nothing is left of the direction."""

    kind: Literal["project_out"]
    direction: TokenDirection | LensDirection | ContrastDirection | RandomDirection


@dataclass(frozen=True, repr=False)
class QueueInfo(Result):
    """`QueueInfo` of the API."""

    running: int
    waiting: int
    capacity: int


@dataclass(frozen=True, repr=False)
class RandomDirection(Result):
    """A direction drawn at random, the control for the others: all directions have length 1."""

    kind: Literal["random"]
    seed: int


@dataclass(frozen=True, repr=False)
class ReplaceOperation(Result):
    """The same site of another run, position by position."""

    kind: Literal["replace"]
    from_: TimelineSource = field(metadata={"json": "from"})
    positions: list[int]
    """Of the other run, in the order of the intervention's own positions."""


@dataclass(frozen=True, repr=False)
class SavedConversation(TableResult, DrawnResult):
    """A conversation as it is kept, opened at one of its branches."""

    id: str
    """Of the branch that is opened."""
    conversation_id: str
    title: str
    model: ModelIdentity
    is_readable: bool
    """Whether the running model is the one that the conversation was held with. Otherwise its
    tokens cannot be told, and it cannot be continued here.
    """
    is_running: bool
    """Whether a reply of this branch is being generated by this server right now: `tokens` then
    ends with the message.
    """
    mode: Literal["chat", "completion"]
    """How the last request continued this branch."""
    created_at_ms: int
    updated_at_ms: int
    branches: list[Branch]
    """In the order in which they were begun."""
    tokens: list[Token]
    """The timeline of this branch, without scores; empty where it is not readable."""
    text: str
    """What was written, without the template's words, as it was when it was saved."""
    turns: list[SavedTurn]
    steering: Steering | None
    """What this branch is computed under; null for the plain model."""
    pins: PinnedPlaces
    notes: list[Note]
    annotations_revision: int
    """How often pins or notes of this branch were replaced; a change of them names it."""


@dataclass(frozen=True, repr=False)
class SavedTurn(Result):
    """`SavedTurn` of the API."""

    start: int
    """Index of the first token that the turn added."""
    reply_start: int
    end: int
    """Past the last token of the reply."""
    finish_reason: Literal["stop", "length", "context", "cancelled", "interrupted"]
    sampling: TurnSampling | None
    """Null where it is not known."""


@dataclass(frozen=True, repr=False)
class SelfCheckInfo(Result):
    """`SelfCheckInfo` of the API."""

    passed: bool
    max_abs_diff: float
    """Largest absolute difference, in logits, between the lens at the last layer and the model's
    own output.
    """
    cache_max_abs_diff: float
    """Largest absolute difference, in logits, between decoding with and without a KV cache."""
    edit_max_abs_change: float
    """Largest absolute change of the logits when one layer's residual stream is replaced."""
    precision: PrecisionCheckInfo | None
    """Null where the blocks compute in float32."""


@dataclass(frozen=True, repr=False)
class SiteModulesInfo(Result):
    """Of each block the module at which interventions act, as named inside the block; null where
    the block has no such site.
    """

    attn: list[str | None]
    """Its output is what attention adds to the stream, up to a multiplier."""
    mlp: list[str | None]
    """Its output is what the MLP adds to the stream, up to a multiplier."""
    head: list[str | None]
    """Its input is all heads side by side."""


@dataclass(frozen=True, repr=False)
class Stats(Result):
    """Since the start of the server."""

    forward_passes: int
    """Passes through the blocks, those of the self-check included; decoding residual streams is
    none.
    """
    computed_tokens: int
    """Tokens that were run through the blocks."""
    store: StoreInfo
    conversations: int
    """Conversations that are kept in the database."""


@dataclass(frozen=True, repr=False)
class Steering(Result):
    """What a stored branch is computed under."""

    interventions: list[Intervention]
    """In the order in which they act."""
    reply_start: int
    """Where the first reply under them begins: what `reply` and `prompt` among their positions are
    measured from.
    """


@dataclass(frozen=True, repr=False)
class StoreInfo(Result):
    """`StoreInfo` of the API."""

    timelines: int
    """Token timelines whose residual streams are kept."""
    bytes: int
    """Memory of their residual streams and KV caches."""
    max_bytes: int


@dataclass(frozen=True, repr=False)
class SwitchInfo(Result):
    """A change to another model: it loads while the one that runs goes on."""

    key: str
    """As `PUT /api/model` named it."""
    model: str
    stage: Literal["loading", "ending_replies", "failed"]
    """`ending_replies`: it is ready, and running replies get the time of
    `EXPLORER_SHUTDOWN_SECONDS` to end. `failed`: it could not be had, and the former model goes
    on.
    """
    detail: str
    """What is being done, or why it failed."""
    loading: list[LoadingStep]
    error: ErrorBody | None
    """Why it failed; null while it goes on."""


@dataclass(frozen=True, repr=False)
class TargetColumns(Result):
    """`TargetColumns` of the API."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    probability: list[list[float]]
    """[layer][position]"""
    rank: list[list[int]]
    """[layer][position]"""


@dataclass(frozen=True, repr=False)
class TimelineSource(Result):
    """Which timeline is read: exactly one of `prompt`, `token_ids`, `conversation_id` and
    `messages`.
    """

    prompt: str | None = None
    token_ids: list[int] | None = None
    conversation_id: str | None = None
    messages: list[ChatMessage] | None = None
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: bool | None = None
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """


@dataclass(frozen=True, repr=False)
class Timings(Result):
    """`Timings` of the API."""

    queued_ms: float
    first_token_ms: float | None
    """From the start of the work to the first token; null when there was none."""
    total_ms: float


@dataclass(frozen=True, repr=False)
class Token(Result):
    """`Token` of the API."""

    index: int
    """Position in the timeline, from 0."""
    id: int
    text: str
    """Text of this token alone; U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes; joined over the timeline they are the exact text."""
    role: Literal["template", "system", "user", "assistant"]
    special: bool
    logprob_nats: float | None
    """The model's log-probability of this token given those before it; null where it was not
    computed, and for the first token.
    """
    rank: int | None
    entropy_nats: float | None
    """Entropy of the distribution this token was drawn from, at temperature 1."""
    lens: list[LayerReadout] | None
    """How this token was predicted, layer by layer (read at `index - 1`); null for the first token
    and where it was not asked for.
    """


@dataclass(frozen=True, repr=False)
class TokenDirection(Result):
    """The direction that raises a token's logit: its row of the unembedding, through the weight of
    the final norm.
    """

    kind: Literal["token"]
    token_id: int


@dataclass(frozen=True, repr=False)
class TokenEffect(Result):
    """`TokenEffect` of the API."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    contribution: float
    """What the write adds to the token's logit, less the mean of what it adds to all logits."""


@dataclass(frozen=True, repr=False)
class TokenMatch(Result):
    """`TokenMatch` of the API."""

    token_id: int
    text: str
    """U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes."""
    exact: bool
    """The text is the query in any normal form of Unicode, with or without a leading space;
    otherwise it begins with it, or differs in case or width.
    """
    is_byte_token: bool
    """A token such as `<0x0A>`, for a byte of what no other token has. A token of the same text
    without this mark is the one that texts have.
    """


@dataclass(frozen=True, repr=False)
class TokenSearchResponse(TableResult):
    """`TokenSearchResponse` of the API."""

    query: str
    matches: list[TokenMatch]
    encoded_ids: list[int]
    """The query as the tokenizer splits it: more than one id means that it is not one token."""
    encoded_texts: list[str]
    encoded_bytes: list[str]
    """Base64 of the bytes of each."""


@dataclass(frozen=True, repr=False)
class TurnSampling(Result):
    """How the tokens of a reply were chosen."""

    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    stop: list[str]


@dataclass(frozen=True, repr=False)
class Usage(Result):
    """`Usage` of the API."""

    prompt_tokens: int
    reply_tokens: int
    context_length: int
    computed_tokens: int
    """Tokens the model really ran on: those that no stored timeline already held."""


@dataclass(frozen=True, repr=False)
class VocabularyToken(Result):
    """`VocabularyToken` of the API."""

    token_id: int
    text: str
    """U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes."""


@dataclass(frozen=True, repr=False)
class WriteEffect(Result):
    """What one write of the block, its bias included, changes directly."""

    part: Literal["attn", "mlp", "mixer"]
    promoted: list[TokenEffect]
    """The most raised first."""
    suppressed: list[TokenEffect]
    """The most lowered first."""


@dataclass(frozen=True, repr=False)
class WritesResponse(TableResult):
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


@dataclass(frozen=True, repr=False)
class ZeroOperation(Result):
    """Nothing is left."""

    kind: Literal["zero"]


@dataclass(frozen=True, repr=False)
class DoneEvent(Result):
    """Last event of a stream that ended well; a stream without `done` or `error` was cut."""

    type: Literal["done"]
    text: str
    finish_reason: Literal["stop", "length", "context", "cancelled", "interrupted"]
    stop: str | None
    usage: Usage
    timings: Timings
    fired: list[int]
    """As in a `ChatResponse`."""


@dataclass(frozen=True, repr=False)
class ErrorEvent(Result):
    """Last event of a stream that failed."""

    type: Literal["error"]
    error: ErrorBody


@dataclass(frozen=True, repr=False)
class LensEvent(Result):
    """Read-outs of one token, of the reply or (scope `all`) of the prompt."""

    type: Literal["lens"]
    index: int
    lens: list[LayerReadout]


@dataclass(frozen=True, repr=False)
class QueuedEvent(Result):
    """The request waits for the model behind others; sent again when its place changes."""

    type: Literal["queued"]
    position: int
    """1 is next; 0 once the model has begun."""
    seconds_left: float
    """Until the model is expected to begin, from how long requests took lately."""


@dataclass(frozen=True, repr=False)
class RemoteEvent(Result):
    """How far the reply's job is on the NDIF server that runs the model; sent whenever that
    changes.
    """

    type: Literal["remote"]
    state: Literal["queued", "deploying", "running"]
    """`deploying`: NDIF loads the model, which may take minutes."""


@dataclass(frozen=True, repr=False)
class StartEvent(Result):
    """First event of a stream."""

    type: Literal["start"]
    id: str
    conversation_id: str
    model: str
    model_identity: ModelIdentity
    seed: int
    turn_start: int
    prompt_tokens: list[Token]
    steering: Steering | None
    """As in a `ChatResponse`."""


@dataclass(frozen=True, repr=False)
class TokenEvent(Result):
    """A token of the reply; its read-outs follow in a `lens` event."""

    type: Literal["token"]
    token: Token


@dataclass(frozen=True, repr=False)
class CellsEvent(Result):
    """Cells that were computed since the event before."""

    type: Literal["cells"]
    cells: list[MapCell]


@dataclass(frozen=True, repr=False)
class JobCancelledEvent(Result):
    """`JobCancelledEvent` of the API."""

    type: Literal["cancelled"]


@dataclass(frozen=True, repr=False)
class JobDoneEvent(Result):
    """Last event of a job that came to its end."""

    type: Literal["done"]
    job: JobInfo | FitJobInfo


@dataclass(frozen=True, repr=False)
class JobErrorEvent(Result):
    """Last event of a job that failed, or was lost. With the code `draining` it is the last of a
    stream only: the server ends, and the job goes on when it is back.
    """

    type: Literal["error"]
    error: ErrorBody


@dataclass(frozen=True, repr=False)
class JobEvent(Result):
    """The whole job: first event of a stream, and again when more than cells became known."""

    type: Literal["job"]
    job: JobInfo | FitJobInfo


@dataclass(frozen=True, repr=False)
class MapCell(Result):
    """`MapCell` of the API."""

    row: int
    pair: int
    value: float
    """As in `cells` of the result."""
    score: float


@dataclass(frozen=True, repr=False)
class ProgressEvent(Result):
    """`ProgressEvent` of the API."""

    type: Literal["progress"]
    state: Literal["waiting", "running", "paused", "done", "error", "cancelled", "lost"]
    progress: float
    seconds_left: float | None


StreamEvent = (
    StartEvent | QueuedEvent | RemoteEvent | TokenEvent | LensEvent | DoneEvent | ErrorEvent
)


JobStreamEvent = (
    JobEvent | ProgressEvent | CellsEvent | JobDoneEvent | JobErrorEvent | JobCancelledEvent
)
