"""Failures as HTTP: one table from code to status, one form of the body.

Nothing here echoes what a request contained: a prompt is private, and FastAPI's stock handler
crashes when the offending input holds a lone surrogate or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from app.errors import (
    ExplorerError,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
)
from app.models.wire import ErrorBody, ErrorResponse

STATUS_OF: dict[str, int] = {
    "invalid_request": 422,
    "context_exceeded": 422,
    "layer_out_of_range": 422,
    "position_out_of_range": 422,
    "unknown_token": 422,
    "empty_prompt": 422,
    "lens_unavailable": 422,
    "identity_failed": 422,
    "unsupported_intervention": 422,
    "undefined_effect": 422,
    "not_found": 404,
    "conversation_not_found": 404,
    "job_not_found": 404,
    "job_lost": 500,
    "method_not_allowed": 405,
    "conflict": 409,
    "job_elsewhere": 409,
    "model_mismatch": 409,
    "annotations_changed": 409,
    "payload_too_large": 413,
    "forbidden": 403,
    "unauthorized": 401,
    "queue_full": 429,
    "unavailable": 503,
    "model_loading": 503,
    "model_failed": 503,
    "model_switched": 503,
    "queue_timeout": 503,
    "draining": 503,
    "deadline_exceeded": 504,
    "reader_too_slow": 408,
    "not_on_ndif": 422,
    "ndif_unavailable": 503,
    "ndif_lost": 502,
    "ndif_refused": 502,
    "ndif_version": 502,
    "ndif_failed": 502,
    "out_of_memory": 507,
    "storage_failed": 507,
    "model_load_failed": 422,
    "model_not_found": 404,
    "model_too_large": 507,
    "hub_unreachable": 503,
    "unsupported_architecture": 422,
    "model_non_finite": 500,
    "internal_error": 500,
}

RETRY_AFTER_S = {"queue_full": 2.0, "model_loading": 2.0, "model_switched": 2.0, "draining": 5.0}
"""What `Retry-After` says where the error itself knows no better."""


TOO_LARGE_HINTS = {
    "/api/conversations/import": "Export a conversation with fewer branches, or delete branches that "
    "you do not need before you export it.",
}


def request_id_of(scope: Scope) -> str:
    """The id that the outermost middleware gave this request."""
    return str(scope.get("state", {}).get("request_id", ""))


def error_body(error: ExplorerError, request_id: str) -> ErrorBody:
    """The wire form of a failure, the same in a response and in a stream."""
    return ErrorBody(
        code=error.code,
        message=error.message,
        hint=error.hint,
        param=error.param,
        request_id=request_id,
    )


def error_response(
    error: ExplorerError, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The HTTP answer for a failure."""
    all_headers = dict(headers or {})
    retry_after_s = error.retry_after_s or RETRY_AFTER_S.get(error.code)
    if retry_after_s is not None:
        all_headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
    if error.code == "unauthorized":
        all_headers["www-authenticate"] = "Bearer"
    return Response(
        ErrorResponse(error=error_body(error, request_id)).model_dump_json(),
        status_code=STATUS_OF[error.code],
        media_type="application/json",
        headers=all_headers,
    )


def field_path(loc: Sequence[int | str], body: object) -> list[int | str]:
    """The way to a field as the request has it: without the names of the forms that it was tried as."""
    if loc[0] != "body" or not isinstance(body, dict):
        return list(loc)
    path: list[int | str] = [loc[0]]
    node: Any = body  # JSON of any shape
    for place, part in enumerate(loc[1:], start=1):
        is_index = isinstance(part, int) and isinstance(node, list) and part < len(node)
        if is_index or (isinstance(node, dict) and part in node):
            path.append(part)
            node = node[part]
        elif isinstance(node, dict) and place == len(loc) - 1:
            path.append(part)
    return path


def from_validation(failure: RequestValidationError) -> InvalidRequest:
    """The first thing wrong with a request, in words, without what the request contained."""
    errors = failure.errors()
    first: Mapping[str, Any] = errors[0]
    where = [str(part) for part in field_path(first["loc"], failure.body)]
    if str(first["type"]).startswith("union_tag"):
        # What tells the forms apart is missing or none of them.
        where.append(str(first["ctx"]["discriminator"]).strip("'"))
    if first["type"] == "json_invalid":
        return InvalidRequest(
            f"The request body is not JSON: {first['ctx']['error']} at character {where[-1]}.",
            hint="Send one JSON object with Content-Type: application/json.",
        )
    if where == ["body"] and first["type"] in ("missing", "model_attributes_type"):
        return InvalidRequest(
            "The request has no JSON object as its body.",
            hint="Send one JSON object with Content-Type: application/json.",
        )
    message = str(first["msg"]).removeprefix("Value error, ")
    # A key that the client made up may hold anything, lone surrogates included.
    param = ".".join(where[1:])[:120].encode("utf-8", "replace").decode() or None
    more = f" ({len(errors) - 1} more fields are wrong as well.)" if len(errors) > 1 else ""
    named = f"{param}: {message}" if param else message
    return InvalidRequest(
        f"{named[:1].upper() if not param else named[:1]}{named[1:]}.{more}",
        hint="See /docs for every field with its bounds.",
        param=param,
    )


def from_http(failure: HTTPException, path: str) -> ExplorerError:
    """What Starlette and FastAPI raise themselves, in our words."""
    if failure.status_code == 404:
        return NotFound("There is nothing at this address.", hint="See /docs for every address.")
    if failure.status_code == 405:
        allowed = (failure.headers or {}).get("Allow", "another method")
        return MethodNotAllowed(
            f"This address does not take this method; it takes {allowed}.",
            hint="See /docs for every address.",
        )
    if failure.status_code == 413:
        return PayloadTooLarge(
            "The request body is larger than this server accepts.",
            hint=TOO_LARGE_HINTS.get(
                path, "Send a shorter text, or only what is new together with conversation_id."
            ),
        )
    if failure.status_code == 400:
        return InvalidRequest(
            "The request body could not be read as JSON.",
            hint="Send one JSON object, UTF-8, not deeply nested.",
        )
    return InternalError(f"The server answered {failure.status_code} where it should not.")


def methods_at(app: FastAPI, path: str) -> str:
    """Every method that an address of the API takes, as the header Allow lists them."""
    found: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            found.update(method.upper() for method in operations)
    return ", ".join(sorted(found))


def install_error_handlers(app: FastAPI) -> None:
    """Replaces the stock handlers, so that each failure has our form."""

    async def on_known(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, ExplorerError)
        return error_response(failure, request_id_of(request.scope))

    async def on_validation(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, RequestValidationError)
        return error_response(from_validation(failure), request_id_of(request.scope))

    async def on_http(request: Request, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        if failure.status_code == 405 and (allowed := methods_at(app, request.scope["path"])):
            # Starlette names those of the first route that has the path.
            failure.headers = {**(failure.headers or {}), "Allow": allowed}
        # What the reading of the body found itself, FastAPI wraps.
        cause = failure.__cause__
        known = (
            cause if isinstance(cause, ExplorerError) else from_http(failure, request.scope["path"])
        )
        return error_response(known, request_id_of(request.scope), failure.headers)

    app.add_exception_handler(ExplorerError, on_known)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)


def internal_error() -> InternalError:
    """What a client is told of a defect of ours: nothing that the exception said."""
    return InternalError(
        "The server made a mistake while answering.",
        hint="The server's log has the details under the request id.",
    )
