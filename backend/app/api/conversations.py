"""Saved conversations and their branches. None of this waits for the model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from app.api.deps import ServicesDep
from app.api.examples import CHANGES_EXAMPLES, FILE_EXAMPLES
from app.api.responses import JsonPieces, error_responses, json_of
from app.api.whole import WholeRoute
from app.models.conversations import (
    ConversationChanges,
    ConversationFile,
    ConversationList,
    ConversationSummary,
    Deleted,
    SavedConversation,
)

router = APIRouter(tags=["conversations"], route_class=WholeRoute)

ConversationId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="Id of the conversation, or of any of its branches.",
    ),
]
BranchId = Annotated[str, Path(min_length=1, max_length=64, description="Id of the branch.")]


@router.get("/conversations", responses=error_responses(422, 507))
async def list_conversations(
    services: ServicesDep,
    query: Annotated[
        str,
        Query(
            max_length=256,
            description="Text that the title, the conversation or a note contains, without regard to case.",
            examples=["Paris"],
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="Most that are returned.")] = 50,
    offset: Annotated[
        int, Query(ge=0, le=1_000_000, description="How many are left out first.")
    ] = 0,
) -> ConversationList:
    """Saved conversations, the last written first, with how many there are in all."""
    return await services.library.find(query.replace("\x00", "\ufffd"), limit, offset)


@router.post("/conversations/import", status_code=201, responses=error_responses(413, 422, 507))
async def import_conversation(
    body: Annotated[ConversationFile, Body(openapi_examples=FILE_EXAMPLES)], services: ServicesDep
) -> ConversationSummary:
    """Keeps an exported conversation, under new ids.

    The ids of its tokens are checked against the model's vocabulary when it is opened, since the
    model that it was held with need not be the one that runs.
    """
    return await services.library.add(body)


@router.get(
    "/conversations/{conversation_id}",
    response_model=SavedConversation,
    responses=error_responses(404, 422, 503, 507),
)
async def open_conversation(
    conversation_id: ConversationId,
    services: ServicesDep,
    include_tokens: Annotated[
        bool,
        Query(description="False leaves `tokens` empty, for a reader that already holds them."),
    ] = True,
) -> Response:
    """A conversation at one of its branches, with its tokens.

    `is_readable` is false where another model runs than the one it was held with: `tokens` is then
    empty, `model` says which one is missing, and `text` is what was written.
    """
    return await json_of(await services.library.open(conversation_id, include_tokens))


@router.patch("/conversations/{conversation_id}", responses=error_responses(404, 409, 422, 507))
async def change_conversation(
    conversation_id: ConversationId,
    body: Annotated[ConversationChanges, Body(openapi_examples=CHANGES_EXAMPLES)],
    services: ServicesDep,
) -> ConversationSummary:
    """Changes the title of the conversation, or name, pins and notes of this branch.

    Pins and notes are lists that are replaced. Who has read a list and sends it back changed names
    the `annotations_revision` that came with it: then nobody's pin or note is overwritten unseen.
    """
    return await services.library.change(conversation_id, body)


@router.delete("/conversations/{conversation_id}", responses=error_responses(404, 422, 507))
async def delete_conversation(conversation_id: ConversationId, services: ServicesDep) -> Deleted:
    """Deletes a conversation with all its branches. For a day it can be restored."""
    return await services.library.delete(conversation_id)


@router.post("/conversations/{conversation_id}/restore", responses=error_responses(404, 422, 507))
async def restore_conversation(
    conversation_id: ConversationId, services: ServicesDep
) -> ConversationSummary:
    """Brings a deleted conversation back."""
    return await services.library.restore(conversation_id)


@router.post(
    "/conversations/{conversation_id}/duplicate",
    status_code=201,
    responses=error_responses(404, 422, 507),
)
async def duplicate_conversation(
    conversation_id: ConversationId, services: ServicesDep
) -> ConversationSummary:
    """Copies a conversation with all its branches, under new ids."""
    return await services.library.duplicate(conversation_id)


@router.get(
    "/conversations/{conversation_id}/export",
    response_model=ConversationFile,
    responses=error_responses(404, 413, 422, 507),
)
async def export_conversation(conversation_id: ConversationId, services: ServicesDep) -> Response:
    """A conversation with all its branches, pins and notes as one JSON file, to import elsewhere.

    What is larger than an import may be is refused.
    """
    response = JsonPieces(await services.library.export(conversation_id))
    response.headers["content-disposition"] = 'attachment; filename="conversation.json"'
    return response


@router.delete("/branches/{branch_id}", responses=error_responses(404, 409, 422, 507))
async def delete_branch(branch_id: BranchId, services: ServicesDep) -> Deleted:
    """Deletes one branch of a conversation that has several. For a day it can be restored."""
    return await services.library.delete_branch(branch_id)


@router.post("/branches/{branch_id}/restore", responses=error_responses(404, 422, 507))
async def restore_branch(branch_id: BranchId, services: ServicesDep) -> ConversationSummary:
    """Brings a deleted branch back."""
    return await services.library.restore_branch(branch_id)
