"""A chat turn: what is asked, the reply, and the events of a stream."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.models.interventions import Intervened, Steering
from app.models.source import ChatMessage
from app.models.tokens import LayerReadout, Token
from app.models.wire import (
    MAX_MESSAGES,
    MAX_TOKENS,
    ErrorBody,
    FinishReason,
    Flag,
    LensKind,
    Mode,
    ModelIdentity,
    Number,
    TokenId,
    Whole,
    Wire,
)


class SamplingRequest(Wire):
    max_new_tokens: Whole = Field(64, ge=1, le=4096)
    temperature: Number = Field(0.0, ge=0.0, le=10.0)
    """0 is greedy: always the most probable token."""
    top_k: Whole = Field(0, ge=0, le=1_000_000)
    """Sample among this many most probable tokens; 0 keeps all."""
    top_p: Number = Field(1.0, gt=0.0, le=1.0)
    """Sample among the most probable tokens that together hold this probability."""
    seed: Whole | None = Field(None, ge=0, le=2**53 - 1)
    """Null draws one; the response says which, and giving it back repeats the reply."""
    stop: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field([], max_length=16)
    """Further strings that end the reply, besides those of the chat template."""


class LensRequest(Wire):
    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""
    top_k: Whole = Field(5, ge=1, le=50)
    scope: Literal["reply", "all", "none"] = "reply"
    """Which tokens get read-outs: those of the reply, also those of the prompt, or none."""
    half_layers: Flag = False
    """Half layers as well, each before the layer that its block ends with. The last pass over the prompt is then run twice."""


class ChatRequest(Intervened):
    messages: list[ChatMessage] = Field(max_length=MAX_MESSAGES)
    """In a new conversation the whole history, the user's message last; with `conversation_id` only what is new. Empty only together with `from_index`, to regenerate."""
    mode: Mode = "chat"
    """`chat` renders messages by the model's template; `completion` sends the last message as raw text."""
    conversation_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    from_index: Whole | None = Field(None, ge=0, le=MAX_TOKENS)
    """How many of the stored tokens are continued. All of them continue the same timeline; fewer make a new branch with an id of its own, and the old one stays as it was. A client that sends the length it shows can never continue behind tokens that it has not seen."""
    continue_with: list[TokenId] = Field([], max_length=256)
    """Ids that the reply begins with, whatever the model would have chosen; with `from_index` and no messages. They come as tokens of the reply, with the model's own scores."""
    bos: Flag | None = None
    """Whether a new conversation starts with the beginning-of-sequence token; null does what the model's tokenizer does."""
    sampling: SamplingRequest = SamplingRequest()
    lens: LensRequest = LensRequest()
    stream: Flag = False


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
    model_identity: ModelIdentity
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
    steering: Steering | None
    """What the reply was computed under; null for the plain model."""
    fired: list[int]
    """For each intervention: at how many layers, over all tokens that the reply was computed from, it changed the computation."""


class StartEvent(Wire):
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


class QueuedEvent(Wire):
    """The request waits for the model behind others; sent again when its place changes."""

    type: Literal["queued"]
    position: int
    """1 is next; 0 once the model has begun."""
    seconds_left: float
    """Until the model is expected to begin, from how long requests took lately."""


class RemoteEvent(Wire):
    """How far the reply's job is on the NDIF server that runs the model; sent whenever that changes."""

    type: Literal["remote"]
    state: Literal["queued", "deploying", "running"]
    """`deploying`: NDIF loads the model, which may take minutes."""


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
    fired: list[int]
    """As in a `ChatResponse`."""


class ErrorEvent(Wire):
    """Last event of a stream that failed."""

    type: Literal["error"]
    error: ErrorBody


StreamEvent = Annotated[
    StartEvent | QueuedEvent | RemoteEvent | TokenEvent | LensEvent | DoneEvent | ErrorEvent,
    Field(discriminator="type"),
]
