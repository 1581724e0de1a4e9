"""The running model, what it has computed, and whether the server can answer."""

from __future__ import annotations

from typing import Literal

from app.models.causes import CapabilitiesInfo, InterventionSites
from app.models.interventions import Intervention
from app.models.wire import ErrorBody, LensKind, Mode, Wire


class PrecisionCheckInfo(Wire):
    """What computing the blocks in 16 bits changes, measured on one English sentence when the model was loaded."""

    max_logit_diff: float
    """Largest absolute difference of a logit to that in float32."""
    max_probability_diff: float
    """Largest absolute difference of a probability to that in float32."""
    same_top1: int
    """Tokens after which the top-1 prediction is that of float32."""
    n_tokens: int


class SelfCheckInfo(Wire):
    passed: bool
    max_abs_diff: float
    """Largest absolute difference, in logits, between the lens at the last layer and the model's own output."""
    cache_max_abs_diff: float
    """Largest absolute difference, in logits, between decoding with and without a KV cache."""
    edit_max_abs_change: float
    """Largest absolute change of the logits when one layer's residual stream is replaced."""
    precision: PrecisionCheckInfo | None
    """Null where the blocks compute in float32."""


class BosCheckInfo(Wire):
    """Measured when the model was loaded, on one English sentence."""

    with_nats: float
    """Mean surprisal of its tokens after the beginning-of-sequence token."""
    without_nats: float
    """Mean surprisal of the same tokens without it."""
    n_tokens: int
    is_needed: bool
    """The difference is so large (1 nat or more) that the model should be given that token: `bos: true`. It is never added silently."""


class ChatTemplateInfo(Wire):
    source: Literal["built-in", "tokenizer"]
    """`built-in`: this base model has no template; it continues text and was not trained to chat."""
    text: str
    stop: list[str]
    starts_with_bos: bool
    """Whether a new chat begins with the beginning-of-sequence token when `bos` is null: a tokenizer's template alone decides, the built-in one follows the tokenizer."""


class ExpectedText(Wire):
    text: str
    probability: float | None
    """Of this token at the output; null for a reply of several."""


class Experiment(Wire):
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


class ExamplePrompt(Wire):
    title: str
    question: str | None = None
    """What there is to see, as a question in plain words."""
    mode: Mode
    text: str
    watch: str | None = None
    """Text of the token that the note is about; null for the first one of the reply."""
    note: str
    """What to look at in the layers, as measured on this model."""
    bos: bool | None = None
    """As in `/api/chat`: true where the model was measured to need the beginning-of-sequence token that its tokenizer does not add."""
    experiment: Experiment | None = None


class Examples(Wire):
    examples: list[ExamplePrompt]


class LensInfo(Wire):
    kind: LensKind
    fitted_tokens: int | None
    """Tokens of text it was fitted on; null for the logit lens, which is not fitted."""
    origin: Literal["shipped", "fitted", "published"]
    """With the model, fitted to it by this program, or read from a file that others published, whose making cannot be verified."""
    beats_controls: bool | None
    """Whether it was nearer to the model than the logit lens and other controls on held-out text, at every layer below the last two; null where that was not tried."""
    unfitted_layers: list[int]
    """Layers that it has no map for, which are read as the logit lens reads them; published Jacobian lenses leave out the embedding."""


class SiteModulesInfo(Wire):
    """Of each block the module at which interventions act, as named inside the block; null where the block has no such site."""

    attn: list[str | None]
    """Its output is what attention adds to the stream, up to a multiplier."""
    mlp: list[str | None]
    """Its output is what the MLP adds to the stream, up to a multiplier."""
    head: list[str | None]
    """Its input is all heads side by side."""


class ModelInfo(Wire):
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
    """What the beginning-of-sequence token does for this model; null where the tokenizer puts it, or has none."""
    byte_exact: bool
    """Whether the tokenizer gives back every text byte for byte."""
    text_losses: list[str]
    """What it changes of a text, in sentences; empty where it is byte-exact. The tokens always show what the model reads."""
    examples: list[ExamplePrompt]
    """Prompts that show something on this model; empty until `/api/examples` was asked for where they have to be measured."""
    lenses: list[LensInfo]
    """The lenses that this model can be read with, the logit lens first."""
    self_check: SelfCheckInfo
    capabilities: CapabilitiesInfo
    intervention_sites: InterventionSites
    site_modules: SiteModulesInfo
    half_layer_modules: list[str]
    """Of each block the module whose input is the half layer, as named inside the block (`ln_2`); empty where the model has none."""


class StoreInfo(Wire):
    timelines: int
    """Token timelines whose residual streams are kept."""
    bytes: int
    """Memory of their residual streams and KV caches."""
    max_bytes: int


class Stats(Wire):
    """Since the start of the server."""

    forward_passes: int
    """Passes through the blocks, those of the self-check included; decoding residual streams is none."""
    computed_tokens: int
    """Tokens that were run through the blocks."""
    store: StoreInfo
    conversations: int
    """Conversations that are kept in the database."""


class QueueInfo(Wire):
    running: int
    waiting: int
    capacity: int


class DownloadInfo(Wire):
    done_bytes: int
    total_bytes: int | None


class LoadingStep(Wire):
    step: Literal["import", "find", "weights", "pack", "check"]
    status: Literal["done", "running", "waiting"]
    seconds: float | None
    """How long it took, or has taken so far; null while it waits, and where it was skipped."""
    done_bytes: int | None
    """Of a download, or of the weights in memory; null where it is not known."""
    total_bytes: int | None


class SwitchInfo(Wire):
    """A change to another model: it loads while the one that runs goes on."""

    key: str
    """As `PUT /api/model` named it."""
    model: str
    stage: Literal["loading", "ending_replies", "failed"]
    """`ending_replies`: it is ready, and running replies get the time of `EXPLORER_SHUTDOWN_SECONDS` to end. `failed`: it could not be had, and the former model goes on."""
    detail: str
    """What is being done, or why it failed."""
    loading: list[LoadingStep]
    error: ErrorBody | None
    """Why it failed; null while it goes on."""


class Health(Wire):
    status: Literal["ready", "loading", "draining", "stalled", "failed"]
    model: str
    """The model that runs, or the name that was asked for while it loads."""
    revision: str | None
    """That of the model that runs, as in `/api/model_info`; null while none does."""
    instance: str
    """Random for each start of the server and each model that it loads: after a change, all that was read of the model before may be another one's."""
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
