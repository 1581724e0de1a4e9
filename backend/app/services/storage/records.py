"""What is stored of a conversation, as the services see it: no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.services.identity import ModelIdentity
from app.services.timelines import Conversation


@dataclass(frozen=True, slots=True)
class Words:
    """What people find a timeline by; made from its ids, since the database knows no vocabulary."""

    title: str
    """For a conversation that has none yet."""
    text: str
    """What was written, without the template's words."""
    preview: str
    """Where the branch begins to differ, or its beginning."""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the tokens [start, end), or on one layer of them."""

    start: int
    end: int
    layer: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Pins:
    """What is followed over the layers: tokens, several of them summed up, and positions."""

    token_ids: tuple[tuple[int, ...], ...] = ()
    positions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """A branch without its tokens."""

    id: str
    name: str | None
    parent_id: str | None
    from_index: int | None
    n_tokens: int
    preview: str
    is_steered: bool
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """A conversation without its tokens; its branches in the order in which they were begun."""

    id: str
    title: str
    model: ModelIdentity
    created_at_ms: int
    updated_at_ms: int
    branches: tuple[BranchFacts, ...]


@dataclass(frozen=True, slots=True)
class StoredBranch:
    """All of one branch."""

    timeline: Conversation
    name: str | None
    text: str
    preview: str
    pins: Pins
    notes: tuple[Note, ...]
    created_at_ms: int
    updated_at_ms: int
    annotations_revision: int = 0
    """How often its pins or notes were replaced."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in the list."""

    id: str
    """Of the branch that was written last: the one to open."""
    conversation_id: str
    title: str
    model: ModelIdentity
    created_at_ms: int
    updated_at_ms: int
    n_tokens: int
    branch_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it is kept."""

    id: str
    kind: str
    state: str
    client: str
    branch_id: str | None
    """The stored timeline that it is about."""
    model: ModelIdentity
    plan: dict[str, Any]
    """What was asked for, with every id: enough to go on without the request."""
    found: dict[str, Any]
    """What it has found so far."""
    failure: dict[str, Any] | None
    created_at_ms: int
    updated_at_ms: int
    owner: str | None = None
    """The person whose it is on a shared server."""
    is_new: bool = False
    """It may not be in the database yet."""
