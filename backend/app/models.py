"""The wire: requests, responses and stream events, as OpenAPI and the page's types know them.

Every number, string and list of a request has bounds. Probabilities are in [0, 1] over the full
vocabulary at temperature 1; log-probabilities, entropies and KL divergences are in nats.
Layer 0 is the residual stream after the embedding, layer `n` the one after block `n`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_TEXT_CHARS = 200_000
MAX_MESSAGES = 512
MAX_TOKENS = 131_072

TokenId = Annotated[int, Field(ge=0, le=10_000_000)]
TokenIndex = Annotated[int, Field(ge=0, le=MAX_TOKENS)]
LayerIndex = Annotated[int, Field(ge=0, le=10_000)]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
Role = Literal["template", "system", "user", "assistant"]
FinishReason = Literal["stop", "length", "context", "cancelled"]
LensKind = Literal["logit", "tuned", "jacobian"]
Mode = Literal["chat", "completion"]


class Wire(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, frozen=True
    )


# --- errors -------------------------------------------------------------------------------------


class ErrorBody(Wire):
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


class ErrorResponse(Wire):
    error: ErrorBody


# --- tokens and read-outs ------------------------------------------------------------------------


class Prediction(Wire):
    token_id: int
    text: str
    probability: float
    rank: int
    """1 is the most probable."""


class ActualToken(Wire):
    probability: float
    rank: int


class LayerReadout(Wire):
    """What one layer predicts for the token it is attached to; read at the position before it."""

    layer: int
    label: str
    """`embed`, then `1` to `n`."""
    predictions: list[Prediction]
    entropy_nats: float
    kl_to_final_nats: float
    """KL(final ‖ layer)."""
    actual: ActualToken
    """How this layer scored the token that is really there."""


class Token(Wire):
    index: int
    """Position in the timeline, from 0."""
    id: int
    text: str
    """Text of this token alone; U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes; joined over the timeline they are the exact text."""
    role: Role
    special: bool
    logprob_nats: float | None
    """The model's log-probability of this token given those before it; null where it was not computed, and for the first token."""
    rank: int | None
    entropy_nats: float | None
    """Entropy of the distribution this token was drawn from, at temperature 1."""
    lens: list[LayerReadout] | None
    """How this token was predicted, layer by layer (read at `index - 1`); null for the first token and where it was not asked for."""


# --- chat ----------------------------------------------------------------------------------------


class ChatMessage(Wire):
    role: Literal["system", "user", "assistant"]
    content: Text


class SamplingRequest(Wire):
    max_new_tokens: int = Field(64, ge=1, le=4096)
    temperature: float = Field(0.0, ge=0.0, le=10.0)
    """0 is greedy: always the most probable token."""
    top_k: int = Field(0, ge=0, le=1_000_000)
    """Sample among this many most probable tokens; 0 keeps all."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Sample among the most probable tokens that together hold this probability."""
    seed: int | None = Field(None, ge=0, le=2**53 - 1)
    """Null draws one; the response says which, and giving it back repeats the reply."""
    stop: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field([], max_length=16)
    """Further strings that end the reply, besides those of the chat template."""


class LensRequest(Wire):
    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""
    top_k: int = Field(5, ge=1, le=50)
    scope: Literal["reply", "all", "none"] = "reply"
    """Which tokens get read-outs: those of the reply, also those of the prompt, or none."""


class ChatRequest(Wire):
    messages: list[ChatMessage] = Field(max_length=MAX_MESSAGES)
    """In a new conversation the whole history, the user's message last; with `conversation_id` only what is new. Empty only together with `from_index`, to regenerate."""
    mode: Mode = "chat"
    """`chat` renders messages by the model's template; `completion` sends the last message as raw text."""
    conversation_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    from_index: int | None = Field(None, ge=0, le=MAX_TOKENS)
    """Continue from the stored timeline cut before this token index, as a new branch with an id of its own; the old one stays as it was."""
    continue_with: list[TokenId] = Field([], max_length=256)
    """Ids that the reply begins with, whatever the model would have chosen; with `from_index` and no messages. They come as tokens of the reply, with the model's own scores."""
    bos: bool | None = None
    """Whether a new conversation starts with the beginning-of-sequence token; null does what the model's tokenizer does."""
    sampling: SamplingRequest = SamplingRequest()
    lens: LensRequest = LensRequest()
    stream: bool = False


class Usage(Wire):
    prompt_tokens: int
    reply_tokens: int
    context_length: int
    computed_tokens: int
    """Tokens the model really ran on: those that no stored timeline already held."""


class Timings(Wire):
    queued_ms: float
    first_token_ms: float | None
    """From the start of the work to the first token; null when there was none."""
    total_ms: float


class ChatResponse(Wire):
    id: str
    conversation_id: str
    model: str
    text: str
    finish_reason: FinishReason
    stop: str | None
    """The stop string that ended the reply."""
    turn_start: int
    """Index of the first token that this request added; `from_index` with this value edits the turn."""
    prompt_tokens: list[Token]
    """Every token before the reply, from index 0."""
    tokens: list[Token]
    """The reply."""
    seed: int
    usage: Usage
    timings: Timings


class StartEvent(Wire):
    """First event of a stream."""

    type: Literal["start"]
    id: str
    conversation_id: str
    model: str
    seed: int
    turn_start: int
    prompt_tokens: list[Token]


class TokenEvent(Wire):
    """A token of the reply; its read-outs follow in a `lens` event."""

    type: Literal["token"]
    token: Token


class LensEvent(Wire):
    """Read-outs of one token, of the reply or (scope `all`) of the prompt."""

    type: Literal["lens"]
    index: int
    lens: list[LayerReadout]


class DoneEvent(Wire):
    """Last event of a stream that ended well; a stream without `done` or `error` was cut."""

    type: Literal["done"]
    text: str
    finish_reason: FinishReason
    stop: str | None
    usage: Usage
    timings: Timings


class ErrorEvent(Wire):
    """Last event of a stream that failed."""

    type: Literal["error"]
    error: ErrorBody


StreamEvent = Annotated[
    StartEvent | TokenEvent | LensEvent | DoneEvent | ErrorEvent, Field(discriminator="type")
]


# --- lens ----------------------------------------------------------------------------------------


SOURCE_FIELDS = ("prompt", "token_ids", "conversation_id", "messages")


class TimelineSource(Wire):
    """Which timeline is read: exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`."""

    prompt: Text | None = None
    token_ids: list[TokenId] | None = Field(None, min_length=1, max_length=MAX_TOKENS)
    conversation_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    messages: list[ChatMessage] | None = Field(None, min_length=1, max_length=MAX_MESSAGES)
    """A history, the user's message last: rendered by the model's template up to where the reply begins, as `/api/chat` does for a new conversation."""
    bos: bool | None = None
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null does what the tokenizer does."""

    @model_validator(mode="after")
    def one_source(self) -> TimelineSource:
        given = [name for name in SOURCE_FIELDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "give exactly one of prompt, token_ids, conversation_id and messages"
                + (f", not {' and '.join(given)}" if given else "")
            )
        return self

    @property
    def source_field(self) -> str:
        """Name of the field that was given."""
        return next(name for name in SOURCE_FIELDS if getattr(self, name) is not None)


class LensReadRequest(TimelineSource):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and what to read of it."""

    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""
    layers: list[LayerIndex] | None = Field(None, min_length=1, max_length=1024)
    """Null reads every layer."""
    positions: tuple[TokenIndex, TokenIndex] | None = None
    """[start, end): the positions that are read; null reads all."""
    top_k: int = Field(5, ge=1, le=50)
    targets: list[TokenId] = Field([], max_length=32)
    """Token ids whose probability and rank are wanted at every layer and position."""
    include_tokens: bool = True
    """False leaves `tokens` empty: shorter and sooner, for a reader that already holds the timeline."""


class TargetColumns(Wire):
    token_id: int
    text: str
    probability: list[list[float]]
    """[layer][position]"""
    rank: list[list[int]]
    """[layer][position]"""


class LensReadResponse(Wire):
    """Read-outs in columns. Position `t` predicts the token at `t + 1`."""

    model: str
    kind: LensKind
    layers: list[int]
    labels: list[str]
    tokens: list[Token]
    """The whole timeline; empty where `include_tokens` is false."""
    positions: list[int]
    top_ids: list[list[list[int]]]
    """[layer][position][k], most probable first."""
    top_probabilities: list[list[list[float]]]
    vocabulary: dict[str, str]
    """Text of every id in `top_ids`, by id."""
    entropy_nats: list[list[float]]
    """[layer][position]"""
    kl_to_final_nats: list[list[float]]
    next_probability: list[list[float | None]]
    """[layer][position]: of the token that follows in the timeline; null at its end."""
    next_rank: list[list[int | None]]
    targets: list[TargetColumns]


# --- compare -------------------------------------------------------------------------------------


class CompareSide(TimelineSource):
    """One of the two timelines: exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`."""

    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""


class CompareRequest(Wire):
    a: CompareSide
    b: CompareSide
    layers: list[tuple[LayerIndex, LayerIndex]] | None = Field(
        None, min_length=1, max_length=16_384
    )
    """Pairs of layers, of `a` and of `b`; null compares every layer with itself."""
    positions: list[tuple[TokenIndex, TokenIndex]] | None = Field(
        None, min_length=1, max_length=MAX_TOKENS
    )
    """Pairs of positions, of `a` and of `b`, in any order; null pairs equal indices up to the end of the shorter timeline. Position `t` predicts the token at `t + 1`."""
    targets: list[TokenId] = Field([], max_length=32)
    """Token ids whose probability and rank are wanted on both sides."""
    include_tokens: bool = True
    """False leaves `a_tokens` and `b_tokens` empty, for a reader that already holds the timelines."""


class ComparedTarget(Wire):
    """One token on both sides; each list is [layer pair][position pair]."""

    token_id: int
    text: str
    a_probability: list[list[float]]
    a_rank: list[list[int]]
    b_probability: list[list[float]]
    b_rank: list[list[int]]


class CompareResponse(Wire):
    """Two timelines, prediction by prediction, in columns `[layer pair][position pair]`."""

    model: str
    layers: list[tuple[int, int]]
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
    """Jensen-Shannon divergence: the same both ways, at most ln 2."""
    a_top_id: list[list[int]]
    """The most probable token."""
    a_top_probability: list[list[float]]
    b_top_id: list[list[int]]
    b_top_probability: list[list[float]]
    vocabulary: dict[str, str]
    """Text of every id in `a_top_id` and `b_top_id`, by id."""
    targets: list[ComparedTarget]


# --- saved conversations -------------------------------------------------------------------------

Milliseconds = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
NO_NUL = r"^[^\x00]*$"
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
"""Not blank."""


class SavedModel(Wire):
    """The model that a conversation was held with; only this one gives its numbers again."""

    name: Annotated[str, Field(min_length=1, max_length=512, pattern=NO_NUL)]
    revision: Annotated[str, Field(max_length=128, pattern=NO_NUL)] | None
    """Commit of the hub repository or digest of the shipped weights; null for a local folder."""
    source: Literal["hub", "local", "embedded"]


class ConversationSummary(Wire):
    id: str
    """Of the branch that was written last."""
    conversation_id: str
    """Of the conversation as a whole: that of its first branch."""
    title: str
    model: SavedModel
    created_at_ms: int
    """Milliseconds since 1970, UTC."""
    updated_at_ms: int
    n_tokens: int
    n_branches: int


class ConversationList(Wire):
    conversations: list[ConversationSummary]
    """The last written first."""
    total: int
    """All that match, of which `conversations` is one page."""


class Branch(Wire):
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
    created_at_ms: int
    updated_at_ms: int


class PinnedPlaces(Wire):
    """What is followed over the layers."""

    token_ids: list[Annotated[list[TokenId], Field(min_length=1, max_length=64)]] = Field(
        [], max_length=64
    )
    """Each a token, or several whose probabilities are added up."""
    positions: list[TokenIndex] = Field([], max_length=64)


class Note(Wire):
    """A remark on the tokens [start, end), or on how they were predicted at one layer."""

    start: TokenIndex
    end: TokenIndex
    layer: LayerIndex | None = None
    """The layer, read one token before each; null for the tokens themselves."""
    text: str = Field(min_length=1, max_length=4000, pattern=NO_NUL)

    @model_validator(mode="after")
    def not_empty(self) -> Note:
        if self.end <= self.start:
            raise ValueError("a note is on the tokens [start, end), so end is larger than start")
        return self


Notes = Annotated[list[Note], Field(max_length=1000)]


class TurnSampling(Wire):
    """How the tokens of a reply were chosen."""

    max_new_tokens: int = Field(ge=1, le=1_000_000)
    temperature: float = Field(ge=0.0, le=10.0)
    top_k: int = Field(ge=0, le=1_000_000)
    top_p: float = Field(gt=0.0, le=1.0)
    seed: int = Field(ge=0, le=2**53 - 1)
    stop: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field(max_length=64)


class SavedTurn(Wire):
    start: TokenIndex
    """Index of the first token that the turn added."""
    reply_start: TokenIndex
    end: TokenIndex
    """Past the last token of the reply."""
    finish_reason: FinishReason
    sampling: TurnSampling | None
    """Null where it is not known."""


class SavedConversation(Wire):
    """A conversation as it is kept, opened at one of its branches."""

    id: str
    """Of the branch that is opened."""
    conversation_id: str
    title: str
    model: SavedModel
    is_readable: bool
    """Whether the running model is the one that the conversation was held with. Otherwise its tokens cannot be told, and it cannot be continued here."""
    created_at_ms: int
    updated_at_ms: int
    branches: list[Branch]
    """In the order in which they were begun."""
    tokens: list[Token]
    """The timeline of this branch, without scores; empty where it is not readable."""
    text: str
    """What was written, without the template's words, as it was when it was saved."""
    turns: list[SavedTurn]
    pins: PinnedPlaces
    notes: list[Note]


class ConversationChanges(Wire):
    """What is given is changed, what is left out stays."""

    title: Title | None = None
    branch_name: Annotated[str, Field(max_length=200, pattern=NO_NUL)] | None = None
    """Name of this branch; an empty one takes the name away."""
    pins: PinnedPlaces | None = None
    """Replaces the pins of this branch."""
    notes: Notes | None = None
    """Replaces the notes of this branch."""


class Deleted(Wire):
    id: str
    restorable_until_ms: int
    """Until then it can be restored; afterwards it is gone."""


class FileBranch(Wire):
    """One timeline in a file; `token_ids` and `roles` hold only what its parent does not."""

    name: Annotated[str, Field(max_length=200, pattern=NO_NUL)] | None = None
    parent: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Place of the parent in `branches`, which comes before; null for one that has none."""
    from_index: TokenIndex = 0
    """How many tokens are the parent's."""
    token_ids: list[TokenId] = Field(max_length=MAX_TOKENS)
    roles: list[tuple[Role, Annotated[int, Field(ge=1, le=MAX_TOKENS)]]] = Field(
        max_length=MAX_TOKENS
    )
    """Runs of tokens with the same role: `["user", 5]`."""
    text: str = Field("", max_length=4_000_000, pattern=NO_NUL)
    """For people and for searching; the model reads the ids only."""
    preview: str = Field("", max_length=400, pattern=NO_NUL)
    turns: list[SavedTurn] = Field([], max_length=MAX_TOKENS)
    pins: PinnedPlaces = PinnedPlaces()
    notes: Notes = []


class ConversationFile(Wire):
    """A conversation as a file, with all its branches."""

    format: Literal["mechanistic-explorer-conversation"]
    version: Literal[1]
    title: Title
    model: SavedModel
    created_at_ms: Milliseconds
    updated_at_ms: Milliseconds
    branches: list[FileBranch] = Field(min_length=1, max_length=1000)


# --- tokens, model, health -----------------------------------------------------------------------


class TokenMatch(Wire):
    token_id: int
    text: str
    bytes: str
    exact: bool
    """The text is the query, with or without a leading space; otherwise it only begins with it."""


class TokenSearchResponse(Wire):
    query: str
    matches: list[TokenMatch]
    encoded_ids: list[int]
    """The query as the tokenizer splits it: more than one id means that it is not one token."""
    encoded_texts: list[str]


class SelfCheckInfo(Wire):
    passed: bool
    max_abs_diff: float
    """Largest absolute difference, in logits, between the lens at the last layer and the model's own output."""
    cache_max_abs_diff: float
    """Largest absolute difference, in logits, between decoding with and without a KV cache."""
    edit_max_abs_change: float
    """Largest absolute change of the logits when one layer's residual stream is replaced."""


class ChatTemplateInfo(Wire):
    source: Literal["built-in", "tokenizer"]
    """`built-in`: this base model has no template; it continues text and was not trained to chat."""
    text: str
    stop: list[str]


class ExamplePrompt(Wire):
    title: str
    mode: Mode
    text: str
    watch: str | None = None
    """Text of the token that the note is about; null for the first one of the reply."""
    note: str
    """What to look at in the layers."""


class LensInfo(Wire):
    kind: LensKind
    fitted_tokens: int | None
    """Tokens of text it was fitted on; null for the logit lens, which is not fitted."""


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
    byte_exact: bool
    """Whether the tokenizer gives back every text byte for byte."""
    examples: list[ExamplePrompt]
    """Prompts that show something on this model."""
    lenses: list[LensInfo]
    """The lenses that this model can be read with, the logit lens first."""
    self_check: SelfCheckInfo


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


class Health(Wire):
    status: Literal["ready", "loading", "draining", "stalled", "failed"]
    model: str
    """The model that runs, or the name that was asked for while it loads."""
    version: str
    queue: QueueInfo
    detail: str | None
    """What is being waited for, or why it failed."""
    download: DownloadInfo | None
    """Progress of a model download, while there is one."""
