"""The committed description is the generated one, and every number, text and list has bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.api.openapi import committed_text

COMMITTED = Path(__file__).resolve().parents[1] / "openapi.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(committed_text())
    return parsed


def test_committed_description_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == committed_text(), (
        "run `python -m app.api.openapi > openapi.json` in backend/, then `npm run types` in frontend/"
    )


def test_stream_events_are_described(schema: dict[str, Any]) -> None:
    events = schema["components"]["schemas"]["StreamEvent"]

    assert set(events["discriminator"]["mapping"]) == {
        "start",
        "queued",
        "remote",
        "token",
        "lens",
        "done",
        "error",
    }
    of_jobs = schema["components"]["schemas"]["JobStreamEvent"]
    assert {"job", "cells", "progress", "done"} < set(of_jobs["discriminator"]["mapping"])


def requests(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema that a client fills in."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                yield f"{method} {path} {parameter['name']}", parameter["schema"]
            if body := operation.get("requestBody"):
                yield f"{method} {path}", body["content"]["application/json"]["schema"]


def unbounded(where: str, node: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """Names of the numbers, texts, lists and objects below `node` that have no bounds."""
    if reference := node.get("$ref"):
        node = schemas[reference.rpartition("/")[2]]
    for part in ("anyOf", "oneOf", "allOf"):
        for inner in node.get(part, []):
            yield from unbounded(where, inner, schemas)
    kind = node.get("type")
    is_bounded = {"minimum", "exclusiveMinimum"} & node.keys() and {
        "maximum",
        "exclusiveMaximum",
    } & node.keys()
    if kind in ("integer", "number") and not is_bounded and not {"const", "enum"} & node.keys():
        yield f"{where}: {kind} without minimum and maximum"
    if kind == "string" and not {"maxLength", "enum", "const"} & node.keys():
        yield f"{where}: string without maxLength"
    if kind == "array":
        if "maxItems" not in node:
            yield f"{where}: array without maxItems"
        for inner in [node["items"]] if "items" in node else node.get("prefixItems", []):
            yield from unbounded(f"{where}[]", inner, schemas)
    if kind == "object":
        if node.get("additionalProperties") is not False:
            yield f"{where}: object that takes any field"
        for name, inner in node["properties"].items():
            yield from unbounded(f"{where}.{name}", inner, schemas)


def test_everything_a_client_may_send_is_bounded(schema: dict[str, Any]) -> None:
    found = list(requests(schema))

    assert len(found) >= 4
    schemas = schema["components"]["schemas"]
    assert [line for where, node in found for line in unbounded(where, node, schemas)] == []


@pytest.mark.parametrize(
    "node",
    [
        {"type": "integer", "minimum": 0},
        {"type": "number", "exclusiveMaximum": 1},
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "null"}},
        {"type": "array", "maxItems": 1, "items": {"type": "string"}},
        {"type": "object", "properties": {}},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    ],
)
def test_the_walker_finds_what_is_unbounded(node: dict[str, Any]) -> None:
    assert list(unbounded("x", node, {}))


def test_every_operation_has_words_and_every_body_an_example(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), (path, parameter["name"])
            if body := operation.get("requestBody"):
                assert len(body["content"]["application/json"]["examples"]) >= 2


def test_examples_of_requests_are_valid() -> None:
    from app.api import examples
    from app.models.chat import ChatRequest
    from app.models.compare import CompareRequest
    from app.models.conversations import ConversationChanges, ConversationFile
    from app.models.jobs import JobRequest
    from app.models.lens import LensReadRequest
    from app.models.patching import PatchRequest
    from app.services.conversation_file import branches_of_file

    for example in examples.CHAT_EXAMPLES.values():
        ChatRequest.model_validate(example["value"])
    for example in examples.LENS_EXAMPLES.values():
        LensReadRequest.model_validate(example["value"])
    for example in examples.PATCH_EXAMPLES.values():
        PatchRequest.model_validate(example["value"])
    for example in examples.JOB_EXAMPLES.values():
        TypeAdapter(JobRequest).validate_python(example["value"])
    for example in examples.COMPARE_EXAMPLES.values():
        CompareRequest.model_validate(example["value"])
    for example in examples.CHANGES_EXAMPLES.values():
        ConversationChanges.model_validate(example["value"])
    for example in examples.FILE_EXAMPLES.values():
        assert branches_of_file(ConversationFile.model_validate(example["value"]))
