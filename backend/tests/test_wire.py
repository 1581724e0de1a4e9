"""What requests may hold: JSON's types as they are documented, none that only looks alike."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.models.catalogue import ModelChoice
from app.models.causes import AttentionRequest, AttributionRequest, WritesRequest
from app.models.chat import ChatRequest
from app.models.compare import CompareRequest
from app.models.conversations import ConversationChanges, ConversationFile
from app.models.dosing import DoseRequest
from app.models.jobs import FitLensRequest, PatchMapRequest
from app.models.lens import LensReadRequest
from app.models.patching import PatchRequest
from app.models.wire import Wire

NOTE = {"start": 0, "end": 1, "layer": 1, "text": "x"}
PINS = {"token_ids": [[1]], "positions": [0]}
SAMPLING = {
    "max_new_tokens": 2,
    "temperature": 0.5,
    "top_k": 3,
    "top_p": 0.5,
    "seed": 4,
    "stop": ["x"],
}
REQUESTS: list[tuple[type[Wire], dict[str, Any]]] = [
    (ModelChoice, {"model": "embedded", "revision": "main", "unload_first": False}),
    (
        ChatRequest,
        {
            "messages": [],
            "conversation_id": "a",
            "from_index": 1,
            "continue_with": [1],
            "bos": True,
            "sampling": SAMPLING,
            "lens": {"kind": "logit", "top_k": 2, "scope": "all"},
            "stream": False,
        },
    ),
    (
        LensReadRequest,
        {
            "token_ids": [1],
            "bos": None,
            "layers": [0],
            "positions": [0, 1],
            "top_k": 2,
            "targets": [1],
            "include_tokens": False,
        },
    ),
    (
        CompareRequest,
        {
            "a": {"prompt": "x", "bos": False},
            "b": {"token_ids": [1]},
            "layers": [[0, 1]],
            "positions": [[0, 0]],
            "targets": [1],
            "include_tokens": True,
        },
    ),
    (
        DoseRequest,
        {
            "prompt": "x",
            "interventions": [
                {
                    "site": "head",
                    "layers": [1],
                    "heads": [0],
                    "positions": [2],
                    "op": {"kind": "knock_out", "sources": [1]},
                },
                {
                    "site": "resid",
                    "layers": [0],
                    "positions": [0],
                    "op": {"kind": "replace", "from": {"token_ids": [1]}, "positions": [0]},
                },
                {
                    "site": "resid",
                    "layers": [1],
                    "positions": "all",
                    "op": {
                        "kind": "add",
                        "strength": 0.5,
                        "direction": {"kind": "random", "seed": 3},
                    },
                },
            ],
            "strengths": [0.5],
            "targets": [1],
            "position": 0,
            "control": True,
        },
    ),
    (
        AttributionRequest,
        {
            "prompt": "x",
            "bos": True,
            "position": 0,
            "target": 1,
            "foil": 2,
            "unit": "source",
            "block": 1,
            "head": 0,
            "top_k": 3,
        },
    ),
    (
        AttentionRequest,
        {"token_ids": [1], "position": 0, "target": 1, "foil": 2, "blocks": [1], "kind": "logit"},
    ),
    (WritesRequest, {"token_ids": [1], "position": 0, "block": 1, "top_k": 3}),
    (
        PatchRequest,
        {
            "clean": {"token_ids": [1]},
            "corrupt": {"prompt": "x", "bos": False},
            "clean_length": 1,
            "corrupt_length": 1,
            "site": "head",
            "answer": 1,
            "foil": 2,
            "layer": 1,
            "positions": [[0, 0]],
            "heads": [0],
        },
    ),
    (
        PatchMapRequest,
        {
            "kind": "patch_map",
            "clean": {"token_ids": [1]},
            "corrupt": {"prompt": "x", "bos": False},
            "clean_length": 1,
            "corrupt_length": 1,
            "site": "head",
            "answer": 1,
            "foil": 2,
            "layers": [1],
            "positions": [[0, 0]],
            "heads": [0],
        },
    ),
    (
        FitLensRequest,
        {
            "kind": "fit_lens",
            "lens": "tuned",
            "seconds": 60.0,
            "text": {"source": "text", "name": "notes", "text": "Some text."},
        },
    ),
    (ConversationChanges, {"pins": PINS, "notes": [NOTE], "annotations_revision": 3}),
    (
        ConversationFile,
        {
            "format": "mechanistic-explorer-conversation",
            "version": 1,
            "title": "t",
            "model": {"name": "m", "revision": "r", "source": "local"},
            "created_at_ms": 1,
            "updated_at_ms": 2,
            "branches": [
                {
                    "parent": 0,
                    "from_index": 1,
                    "token_ids": [1],
                    "roles": [["user", 1]],
                    "turns": [
                        {
                            "start": 0,
                            "reply_start": 1,
                            "end": 2,
                            "finish_reason": "stop",
                            "sampling": SAMPLING,
                        }
                    ],
                    "pins": PINS,
                    "notes": [NOTE],
                }
            ],
        },
    ),
]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Numbers and flags of a JSON value, with the way to each."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    elif isinstance(value, bool | int | float):
        yield path, value


def alike(value: Any) -> list[Any]:
    """What Python would take for it."""
    return [int(value), str(value).lower()] if isinstance(value, bool) else [True, str(value)]


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(body)
    place: Any = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


@pytest.mark.parametrize(
    ("kind", "body"), REQUESTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_numbers_and_flags_of_other_types_are_refused(
    kind: type[Wire], body: dict[str, Any]
) -> None:
    kind.model_validate(body)
    taken = []
    for path, value in leaves(body):
        for other in alike(value):
            try:
                kind.model_validate(changed(body, path, other))
            except ValidationError:
                continue
            taken.append((path, other))

    assert taken == []


def test_the_body_of_every_request_is_tried() -> None:
    described = json.loads((Path(__file__).parents[1] / "openapi.json").read_text())
    schemas = [
        method["requestBody"]["content"]["application/json"]["schema"]
        for methods in described["paths"].values()
        for method in methods.values()
        if "requestBody" in method
    ]
    bodies = {
        form["$ref"].rpartition("/")[2]
        for schema in schemas
        for form in schema.get("oneOf", [schema])
    }

    assert bodies == {kind.__name__ for kind, _ in REQUESTS}


def test_whole_numbers_are_taken_where_fractions_are() -> None:
    body = {"messages": [], "from_index": 0, "sampling": {"temperature": 1, "top_p": 1}}

    assert ChatRequest.model_validate(body).sampling.temperature == 1.0
