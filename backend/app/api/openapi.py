"""The OpenAPI description, from which the page's types are generated.

`python -m app.api.openapi > openapi.json` writes the committed file; no model is needed. The
models of stream events are no endpoint's response model, so they are added here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from app import __version__
from app.api.router import router
from app.models.chat import StreamEvent
from app.models.jobs import JobStreamEvent

STREAMS: dict[str, Any] = {"StreamEvent": StreamEvent, "JobStreamEvent": JobStreamEvent}
"""Events of each kind of stream, by the name of their union."""
TITLE = "Mechanistic Explorer"
DESCRIPTION = """\
Chat with a language model and read, for each token, how its prediction formed layer by layer.

Every number was computed by the model from exactly the token ids shown, or there is a typed error
of the form `{"error": {"code", "message", "hint", "param", "request_id"}}`. Probabilities are in
[0, 1] over the full vocabulary at temperature 1; entropies, log-probabilities and KL divergences
are in nats. Layer 0 is the residual stream after the embedding, layer `n` the one after block `n`.
The residual stream at position `t` predicts the token at `t + 1`.
"""


def openapi_schema(app: FastAPI) -> dict[str, Any]:
    """OpenAPI of the app's routes together with the schemas of the streams' events."""
    schema = get_openapi(
        title=TITLE, version=__version__, description=DESCRIPTION, routes=app.routes
    )
    components = schema["components"]["schemas"]
    for title, events in STREAMS.items():
        event_schema = TypeAdapter(events).json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        event_schema = without_null_defaults(event_schema)
        for name, definition in event_schema.pop("$defs").items():
            known = components.setdefault(name, definition)
            assert known == definition, f"two different schemas are called {name}"
        components[title] = {"title": title, **event_schema}
    return schema


def without_null_defaults(schema: Any) -> Any:
    """The same schema as FastAPI writes it."""
    if isinstance(schema, list):
        return [without_null_defaults(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_null_defaults(value)
        for key, value in schema.items()
        if key != "default" or value is not None
    }


def committed_text() -> str:
    """Contents of `openapi.json`."""
    app = FastAPI()
    app.include_router(router)
    return json.dumps(openapi_schema(app), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    # As bytes: a terminal's encoding and Windows' line ends have no place in a committed file.
    sys.stdout.buffer.write(committed_text().encode())
