"""Every address under /api."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.api import (
    attention,
    attribution,
    chat,
    compare,
    conversations,
    dose,
    health,
    jobs,
    lens,
    model,
    patching,
    stats,
    tokens,
    writes,
)


def operation_name(route: APIRoute) -> str:
    """The endpoint's name is the operation's: `chat`, not `chat_api_chat_post`."""
    return route.name


router = APIRouter(prefix="/api", generate_unique_id_function=operation_name)
for part in (
    chat,
    lens,
    compare,
    attribution,
    attention,
    writes,
    dose,
    patching,
    jobs,
    tokens,
    conversations,
    model,
    stats,
    health,
):
    router.include_router(part.router)
