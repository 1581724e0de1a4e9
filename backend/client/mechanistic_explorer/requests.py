"""What the server is asked, as dictionaries with the names of the API.

Made from openapi.json by `python client/generate.py`; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from mechanistic_explorer import answers

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class AddOperation(TypedDict):
    """`h + strength · ‖h‖ · d`, with the length of each position's own `h` (Turner et al. 2023,
    arXiv:2308.10248).
    """

    kind: Literal["add"]
    direction: (
        TokenDirection
        | answers.TokenDirection
        | LensDirection
        | answers.LensDirection
        | ContrastDirection
        | answers.ContrastDirection
        | RandomDirection
        | answers.RandomDirection
    )
    strength: float
    """A share of the length of `h`; negative pushes away. 0 changes no bit."""


class AttentionRequest(TypedDict):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and which rows to
    read.
    """

    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    position: int
    """Where the stream is read; it predicts the token at `position + 1`."""
    target: NotRequired[int | None]
    """Null: the token that follows in the timeline, else the most probable one."""
    foil: NotRequired[int | Literal["best", "mean", "none"]]
    """What the target is compared with: the most probable other token, the mean of all logits,
    nothing, or a token id.
    """
    blocks: NotRequired[Sequence[int] | None]
    """Null reads every block."""
    kind: NotRequired[Literal["weight", "norm", "logit"]]
    """`weight`: attention weights. `norm`: the length of what each source writes, weight times
    value through the output projection (Kobayashi et al. 2020). `logit`: what it adds to the
    logit of the target less that of the foil.
    """
    direction: NotRequired[Literal["reads", "read_by"]]
    """`reads`: what the token at `position` reads. `read_by`: how much each token from `position`
    to the end of the text reads it, `weight` only.
    """


class AttributionRequest(TypedDict):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and what to take
    apart.
    """

    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    position: int
    """Where the stream is read; it predicts the token at `position + 1`."""
    target: NotRequired[int | None]
    """Null: the token that follows in the timeline, else the most probable one."""
    foil: NotRequired[int | Literal["best", "mean", "none"]]
    """What the target is compared with: the most probable other token, the mean of all logits,
    nothing, or a token id.
    """
    unit: NotRequired[Literal["component", "head", "source", "neuron"]]
    """`component`: the embedding and each block's attention and MLP. `head`: attention by heads.
    `source`: the attention of one `block` by the tokens that it read. `neuron`: the MLP of one
    `block` by its neurons.
    """
    block: NotRequired[int | None]
    """From 1; needed for `source` and `neuron`."""
    head: NotRequired[int | None]
    """With `source`: this head alone; null adds up all heads of the block."""
    top_k: NotRequired[int]
    """With `neuron`: how many, the largest by absolute value; the others are one `rest`."""


class ChatMessage(TypedDict):
    """`ChatMessage` of the API."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(TypedDict):
    """`ChatRequest` of the API."""

    interventions: NotRequired[Sequence[Intervention | answers.Intervention] | None]
    """In the order in which they act. Null: those that the stored branch was written under, none
    for any other timeline; an empty list: none.
    """
    messages: Sequence[ChatMessage | answers.ChatMessage]
    """In a new conversation the whole history, the user's message last; with `conversation_id`
    only what is new. Empty only together with `from_index`, to regenerate.
    """
    mode: NotRequired[Literal["chat", "completion"]]
    """`chat` renders messages by the model's template; `completion` sends the last message as raw
    text.
    """
    conversation_id: NotRequired[str | None]
    from_index: NotRequired[int | None]
    """How many of the stored tokens are continued. All of them continue the same timeline; fewer
    make a new branch with an id of its own, and the old one stays as it was. A client that
    sends the length it shows can never continue behind tokens that it has not seen.
    """
    continue_with: NotRequired[Sequence[int]]
    """Ids that the reply begins with, whatever the model would have chosen; with `from_index` and
    no messages. They come as tokens of the reply, with the model's own scores.
    """
    bos: NotRequired[bool | None]
    """Whether a new conversation starts with the beginning-of-sequence token; null does what the
    model's tokenizer does.
    """
    sampling: NotRequired[SamplingRequest]
    lens: NotRequired[LensRequest]
    stream: NotRequired[bool]


class CompareRequest(TypedDict):
    """`CompareRequest` of the API."""

    a: CompareSide
    b: CompareSide
    layers: NotRequired[Sequence[Sequence[float]] | None]
    """Pairs of layers, of `a` and of `b`; null compares every whole layer with itself. Half layers
    are named by numbers such as 6.5.
    """
    half_layers: NotRequired[bool]
    """With `layers` null: half layers as well."""
    positions: NotRequired[Sequence[Sequence[int]] | None]
    """Pairs of positions, of `a` and of `b`, in any order; null pairs equal indices up to the end
    of the shorter timeline. Position `t` predicts the token at `t + 1`.
    """
    targets: NotRequired[Sequence[int]]
    """Token ids whose probability and rank are wanted on both sides."""
    include_tokens: NotRequired[bool]
    """False leaves `a_tokens` and `b_tokens` empty, for a reader that already holds the timelines."""


class CompareSide(TypedDict):
    """One of the two timelines: exactly one of `prompt`, `token_ids`, `conversation_id` and
    `messages`.
    """

    interventions: NotRequired[Sequence[Intervention | answers.Intervention] | None]
    """In the order in which they act. Null: those that the stored branch was written under, none
    for any other timeline; an empty list: none.
    """
    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    kind: NotRequired[Literal["logit", "tuned", "jacobian"]]
    """One of those that `/api/model_info` lists for the model."""


class ContrastDirection(TypedDict):
    """What the last tokens of `plus` have at the site, on average, less what those of `minus` have
    (Rimsky et al. 2023, arXiv:2312.06681).
    """

    kind: Literal["contrast"]
    plus: Sequence[str]
    minus: Sequence[str]


class ConversationChanges(TypedDict):
    """What is given is changed, what is left out stays."""

    title: NotRequired[str | None]
    branch_name: NotRequired[str | None]
    """Name of this branch; an empty one takes the name away."""
    pins: NotRequired[PinnedPlaces | answers.PinnedPlaces | None]
    """Replaces the pins of this branch."""
    notes: NotRequired[Sequence[Note | answers.Note] | None]
    """Replaces the notes of this branch."""
    annotations_revision: NotRequired[int | None]
    """The revision of pins and notes that this changes. When another request was faster, nothing
    is changed and the answer is `annotations_changed`. Null replaces whatever is there.
    """


class ConversationFile(TypedDict):
    """A conversation as a file, with all its branches."""

    format: Literal["mechanistic-explorer-conversation"]
    version: Literal[1, 2]
    """Files of version 1 repeat the parent's text and turns in each branch."""
    title: str
    model: ModelIdentity | answers.ModelIdentity
    created_at_ms: int
    updated_at_ms: int
    branches: Sequence[FileBranch | answers.FileBranch]


class ConversationsText(TypedDict):
    """What was said in the saved conversations, one branch of each."""

    source: Literal["conversations"]


class DoseRequest(TypedDict):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`; what is changed, and
    how strongly.
    """

    interventions: NotRequired[Sequence[Intervention | answers.Intervention] | None]
    """In the order in which they act. Null: those that the stored branch was written under, none
    for any other timeline; an empty list: none.
    """
    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    strengths: Sequence[float]
    """Each replaces the strength of every `add` among the interventions."""
    targets: Sequence[int]
    """The tokens whose probability is wanted."""
    position: NotRequired[int | None]
    """Where it is read; it predicts the token at `position + 1`. Null: the last position."""
    control: NotRequired[bool]
    """Whether a random direction of the same length is measured beside them: same layers,
    positions and strengths.
    """


class ExchangeOperation(TypedDict):
    """What `h` has of one direction and of the other, exchanged; what it has of neither stays."""

    kind: Literal["exchange"]
    directions: Sequence[
        TokenDirection
        | answers.TokenDirection
        | LensDirection
        | answers.LensDirection
        | ContrastDirection
        | answers.ContrastDirection
        | RandomDirection
        | answers.RandomDirection
    ]


class FileBranch(TypedDict):
    """One timeline in a file; tokens, text and turns hold only what its parent does not."""

    name: NotRequired[str | None]
    mode: NotRequired[Literal["chat", "completion"] | None]
    """Null in older files; it is then read off the roles."""
    parent: NotRequired[int | None]
    """Place of the parent in `branches`, which comes before; null for one that has none."""
    from_index: NotRequired[int]
    """How many tokens are the parent's."""
    token_ids: Sequence[int]
    roles: Sequence[tuple[Literal["template", "system", "user", "assistant"], int]]
    """Runs of tokens with the same role: `["user", 5]`."""
    text_start: NotRequired[int]
    """How many characters of the parent's text come first."""
    text: NotRequired[str]
    """For people and for searching; the model reads the ids only."""
    preview: NotRequired[str]
    turns_start: NotRequired[int]
    """How many of the parent's turns come first."""
    turns: NotRequired[Sequence[SavedTurn | answers.SavedTurn]]
    steering: NotRequired[Steering | answers.Steering | None]
    """What the branch is computed under; null for the plain model."""
    pins: NotRequired[PinnedPlaces | answers.PinnedPlaces]
    notes: NotRequired[Sequence[Note | answers.Note]]


class FitLensRequest(TypedDict):
    """A lens fitted to the running model, and judged on text that it was not fitted to."""

    kind: Literal["fit_lens"]
    lens: NotRequired[Literal["tuned", "jacobian"]]
    """Which lens is fitted. A Jacobian lens takes as many passes for each 128 tokens as the model
    is wide, and one such sequence at least, whatever the time.
    """
    seconds: NotRequired[float]
    """Of computing; turns that others have do not count. The verdict comes after it."""
    text: NotRequired[SampleText | OwnText | ConversationsText]
    """What it is fitted to; a fifth of it is held out."""


class Intervention(TypedDict):
    """One change of the computation, made in every pass over the tokens that it touches."""

    site: Literal["resid", "attn", "mlp", "head"]
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP adds
    to it. `head`: what single heads put into the attention's output.
    """
    layers: Sequence[int]
    """`resid`: layers 0 to `n`. The other sites: blocks 1 to `n`."""
    heads: NotRequired[Sequence[int] | None]
    """With site `head`: which heads, from 0; null is all of them."""
    positions: Literal["all", "prompt", "reply"] | Sequence[int]
    """`reply`: the positions that choose the reply's tokens, from the last token before it to its
    last but one. `prompt`: the content of messages, without the template, special tokens and
    the reply. `all`: both. A list: exactly these tokens.
    """
    op: (
        ZeroOperation
        | answers.ZeroOperation
        | MeanOperation
        | answers.MeanOperation
        | AddOperation
        | answers.AddOperation
        | ProjectOutOperation
        | answers.ProjectOutOperation
        | ExchangeOperation
        | answers.ExchangeOperation
        | ReplaceOperation
        | answers.ReplaceOperation
        | KnockOutOperation
        | answers.KnockOutOperation
    )


class KnockOutOperation(TypedDict):
    """Attention to these tokens is removed before the softmax, so that the weights of the others
    sum to 1.
    """

    kind: Literal["knock_out"]
    sources: Sequence[int]


class LensDirection(TypedDict):
    """The direction that raises a token's logit by the lens at that layer: `Jᵀ` times the token's
    direction.
    """

    kind: Literal["lens"]
    lens: NotRequired[Literal["jacobian"]]
    token_id: int


class LensReadRequest(TypedDict):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and what to read of
    it.
    """

    interventions: NotRequired[Sequence[Intervention | answers.Intervention] | None]
    """In the order in which they act. Null: those that the stored branch was written under, none
    for any other timeline; an empty list: none.
    """
    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    kind: NotRequired[Literal["logit", "tuned", "jacobian"]]
    """One of those that `/api/model_info` lists for the model."""
    layers: NotRequired[Sequence[float] | None]
    """Null reads every whole layer. Half layers are named by numbers such as 6.5."""
    half_layers: NotRequired[bool]
    """With `layers` null: half layers as well, each before the layer that its block ends with."""
    positions: NotRequired[Sequence[int] | None]
    """[start, end): the positions that are read; null reads all."""
    top_k: NotRequired[int]
    targets: NotRequired[Sequence[int]]
    """Token ids whose probability and rank are wanted at every layer and position."""
    include_tokens: NotRequired[bool]
    """False leaves `tokens` empty: shorter and sooner, for a reader that already holds the
    timeline.
    """


class LensRequest(TypedDict):
    """`LensRequest` of the API."""

    kind: NotRequired[Literal["logit", "tuned", "jacobian"]]
    """One of those that `/api/model_info` lists for the model."""
    top_k: NotRequired[int]
    scope: NotRequired[Literal["reply", "all", "none"]]
    """Which tokens get read-outs: those of the reply, also those of the prompt, or none."""
    half_layers: NotRequired[bool]
    """Half layers as well, each before the layer that its block ends with. The last pass over the
    prompt is then run twice.
    """


class MeanOperation(TypedDict):
    """The mean of the site over the tokens before the reply, in the plain run: without the first
    token and special ones.
    """

    kind: Literal["mean"]


class ModelChoice(TypedDict):
    """Which model to load."""

    model: str
    """The `key` of a listed model, `embedded`, a model id of the Hugging Face hub, or the path of
    a folder; paths and models that are not on this machine yet only where no other machine can
    reach the server.
    """
    revision: NotRequired[str | None]
    """Commit, tag or branch of a hub model."""
    unload_first: NotRequired[bool]
    """Frees the running model before the other is loaded, for a machine that does not hold both.
    Nothing can be computed meanwhile; where the other one cannot be had, the former is loaded
    again.
    """


class ModelIdentity(TypedDict):
    """The model that computed something; only the same one gives the same numbers again."""

    name: str
    revision: str | None
    """Commit of the hub repository; of the embedded model the SHA-256 of its weights; of a folder
    the SHA-256 over configuration, tokenizer files and weights. Null where it is unknown, in
    conversations that were saved before it was recorded: these are taken for no model's.
    """
    source: Literal["hub", "local", "embedded"]


class Note(TypedDict):
    """A remark on the tokens [start, end), or on how they were predicted at one layer."""

    start: int
    end: int
    layer: NotRequired[int | None]
    """The layer, read one token before each; null for the tokens themselves."""
    text: str


class OwnText(TypedDict):
    """A text of one's own."""

    source: Literal["text"]
    name: NotRequired[str]
    """What it is called, such as the name of its file."""
    text: str
    """Documents may end with a line `<|endoftext|>`."""


class PatchMapRequest(TypedDict):
    """A causal map: every layer at every pair of positions, patched one by one."""

    clean: TimelineSource | answers.TimelineSource
    corrupt: TimelineSource | answers.TimelineSource
    clean_length: NotRequired[int | None]
    """Only so many tokens of `clean`, such as those up to its reply; null reads all. The metric is
    read at the last one.
    """
    corrupt_length: NotRequired[int | None]
    site: NotRequired[Literal["resid", "attn", "mlp", "head"]]
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP puts
    out. `head`: what a head gives to the output projection.
    """
    direction: NotRequired[Literal["denoise", "noise"]]
    """`denoise`: states of the clean run are put into the corrupt one (are they enough?). `noise`:
    states of the corrupt run are put into the clean one (are they needed?).
    """
    answer: NotRequired[int | None]
    """Null: the most probable token at the end of the clean text."""
    foil: NotRequired[int | None]
    """Null: the most probable token at the end of the corrupt text."""
    kind: Literal["patch_map"]
    layers: NotRequired[Sequence[int] | None]
    """Layers for `resid`, blocks for the others; null is all that have the site."""
    positions: NotRequired[Sequence[Sequence[int]] | None]
    """Pairs of positions, of `clean` and of `corrupt`. Null aligns both texts: common tokens, and
    what stands between them in order. A token without a counterpart has no cell.
    """
    heads: NotRequired[Sequence[int] | None]
    """With `head`: which heads of each block, one row each; null is all."""


class PatchRequest(TypedDict):
    """One patched run."""

    clean: TimelineSource | answers.TimelineSource
    corrupt: TimelineSource | answers.TimelineSource
    clean_length: NotRequired[int | None]
    """Only so many tokens of `clean`, such as those up to its reply; null reads all. The metric is
    read at the last one.
    """
    corrupt_length: NotRequired[int | None]
    site: NotRequired[Literal["resid", "attn", "mlp", "head"]]
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP puts
    out. `head`: what a head gives to the output projection.
    """
    direction: NotRequired[Literal["denoise", "noise"]]
    """`denoise`: states of the clean run are put into the corrupt one (are they enough?). `noise`:
    states of the corrupt run are put into the clean one (are they needed?).
    """
    answer: NotRequired[int | None]
    """Null: the most probable token at the end of the clean text."""
    foil: NotRequired[int | None]
    """Null: the most probable token at the end of the corrupt text."""
    layer: int
    """For `resid` a layer, 0 (embed) to the number of layers; for the others a block, from 1."""
    positions: Sequence[Sequence[int]]
    """Pairs of positions, of `clean` and of `corrupt`, all patched at once."""
    heads: NotRequired[Sequence[int] | None]
    """With `head`: which, patched together; null patches all heads of the block."""


class PinnedPlaces(TypedDict):
    """What is followed over the layers."""

    token_ids: NotRequired[Sequence[Sequence[int]]]
    """Each a token, or several whose probabilities are added up."""
    positions: NotRequired[Sequence[int]]


class ProjectOutOperation(TypedDict):
    """`h - (h·d) d`: nothing is left of the direction."""

    kind: Literal["project_out"]
    direction: (
        TokenDirection
        | answers.TokenDirection
        | LensDirection
        | answers.LensDirection
        | ContrastDirection
        | answers.ContrastDirection
        | RandomDirection
        | answers.RandomDirection
    )


class RandomDirection(TypedDict):
    """A direction drawn at random, the control for the others: all directions have length 1."""

    kind: Literal["random"]
    seed: int


ReplaceOperation = TypedDict(
    "ReplaceOperation",
    {
        "kind": "Literal['replace']",
        "from": "TimelineSource | answers.TimelineSource",
        "positions": "Sequence[int]",
    },
)


class SampleText(TypedDict):
    """Passages of the World Factbook that ship with the program: English prose about countries."""

    source: Literal["sample"]


class SamplingRequest(TypedDict):
    """`SamplingRequest` of the API."""

    max_new_tokens: NotRequired[int]
    temperature: NotRequired[float]
    """0 is greedy: always the most probable token."""
    top_k: NotRequired[int]
    """Sample among this many most probable tokens; 0 keeps all."""
    top_p: NotRequired[float]
    """Sample among the most probable tokens that together hold this probability."""
    seed: NotRequired[int | None]
    """Null draws one; the response says which, and giving it back repeats the reply."""
    stop: NotRequired[Sequence[str]]
    """Further strings that end the reply, besides those of the chat template."""


class SavedTurn(TypedDict):
    """`SavedTurn` of the API."""

    start: int
    """Index of the first token that the turn added."""
    reply_start: int
    end: int
    """Past the last token of the reply."""
    finish_reason: Literal["stop", "length", "context", "cancelled", "interrupted"]
    sampling: TurnSampling | answers.TurnSampling | None
    """Null where it is not known."""


class Steering(TypedDict):
    """What a stored branch is computed under."""

    interventions: Sequence[Intervention | answers.Intervention]
    """In the order in which they act."""
    reply_start: int
    """Where the first reply under them begins: what `reply` and `prompt` among their positions are
    measured from.
    """


class TimelineSource(TypedDict):
    """Which timeline is read: exactly one of `prompt`, `token_ids`, `conversation_id` and
    `messages`.
    """

    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """


class TokenDirection(TypedDict):
    """The direction that raises a token's logit: its row of the unembedding, through the weight of
    the final norm.
    """

    kind: Literal["token"]
    token_id: int


class TurnSampling(TypedDict):
    """How the tokens of a reply were chosen."""

    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    stop: Sequence[str]


class WritesRequest(TypedDict):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, a token of it and a
    block.
    """

    prompt: NotRequired[str | None]
    token_ids: NotRequired[Sequence[int] | None]
    conversation_id: NotRequired[str | None]
    messages: NotRequired[Sequence[ChatMessage | answers.ChatMessage] | None]
    """A history, the user's message last: rendered by the model's template up to where the reply
    begins, as `/api/chat` does for a new conversation.
    """
    bos: NotRequired[bool | None]
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null
    does what the tokenizer does.
    """
    position: int
    """Where the stream is read; it predicts the token at `position + 1`."""
    block: int
    """From 1."""
    top_k: NotRequired[int]
    """How many tokens are listed of each write in each direction."""


class ZeroOperation(TypedDict):
    """Nothing is left."""

    kind: Literal["zero"]
