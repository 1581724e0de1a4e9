"""Token ids by their text, and the text of an id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.deps import ServicesDep
from app.api.responses import error_responses
from app.api.whole import WholeRoute
from app.models.tokens import TokenSearchResponse, VocabularyToken

router = APIRouter(tags=["tokens"], route_class=WholeRoute)


@router.get("/tokens", responses=error_responses(422, 503))
def tokens(
    services: ServicesDep,
    query: Annotated[
        str,
        Query(
            min_length=1,
            max_length=256,
            description="Text of the token, without regard to a leading space.",
            examples=["Paris"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=100, description="Most matches that are returned.")] = 20,
) -> TokenSearchResponse:
    """Token ids that match a text, with and without the leading space, exact matches first.

    `encoded_ids` tells how the tokenizer splits the text: more than one id means that the text
    is not one token of this model.
    """
    return services.analysis.find_tokens(query, limit)


@router.get("/tokens/{token_id}", responses=error_responses(422, 503))
def token(
    services: ServicesDep,
    token_id: Annotated[
        int, Path(ge=0, le=10_000_000, description="Id of the token.", examples=[6342])
    ],
) -> VocabularyToken:
    """What one token id stands for."""
    return services.analysis.token(token_id)
