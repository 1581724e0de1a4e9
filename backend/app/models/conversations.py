"""Saved conversations: as a list, opened, changed, and as files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.tokens import Token
from app.models.wire import (
    MAX_TOKENS,
    NO_NUL,
    FinishReason,
    LayerIndex,
    ModelIdentity,
    Role,
    TokenId,
    TokenIndex,
    Wire,
)

Milliseconds = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
"""Not blank."""


class ConversationSummary(Wire):
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
    model: ModelIdentity
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
    annotations_revision: int
    """How often pins or notes of this branch were replaced; a change of them names it."""


class ConversationChanges(Wire):
    """What is given is changed, what is left out stays."""

    title: Title | None = None
    branch_name: Annotated[str, Field(max_length=200, pattern=NO_NUL)] | None = None
    """Name of this branch; an empty one takes the name away."""
    pins: PinnedPlaces | None = None
    """Replaces the pins of this branch."""
    notes: Notes | None = None
    """Replaces the notes of this branch."""
    annotations_revision: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """The revision of pins and notes that this changes. When another request was faster, nothing is changed and the answer is `annotations_changed`. Null replaces whatever is there."""

    @model_validator(mode="after")
    def revision_of_something(self) -> ConversationChanges:
        if self.annotations_revision is not None and self.pins is None and self.notes is None:
            raise ValueError("annotations_revision is of pins and notes, so give one of them")
        return self


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
    notes: Notes = Field([])


class ConversationFile(Wire):
    """A conversation as a file, with all its branches."""

    format: Literal["mechanistic-explorer-conversation"]
    version: Literal[1]
    title: Title
    model: ModelIdentity
    created_at_ms: Milliseconds
    updated_at_ms: Milliseconds
    branches: list[FileBranch] = Field(min_length=1, max_length=1000)
