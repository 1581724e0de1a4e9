"""What all of the wire shares: bounds, the base of every model, and the form of an error.

Every number, string and list of a request has bounds. Probabilities are in [0, 1] over the full
vocabulary at temperature 1; log-probabilities, entropies and divergences are in nats.
Layer 0 is the residual stream after the embedding, layer `n` the one after block `n`; half layer
`n - 0.5` is the stream inside block `n`, after attention and before the MLP.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

MAX_TEXT_CHARS = 200_000
MAX_MESSAGES = 512
MAX_TOKENS = 131_072
NO_NUL = r"^[^\x00]*$"

Whole = Annotated[int, Strict()]
"""JSON's 1, not its true or "1": a request means what it says."""
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
TokenId = Annotated[Whole, Field(ge=0, le=10_000_000)]
TokenIndex = Annotated[Whole, Field(ge=0, le=MAX_TOKENS)]
Layer = int | float
"""A whole layer, or half layer `n - 0.5`."""
LayerIndex = Annotated[Whole, Field(ge=0, le=10_000)]
ReadLayer = Annotated[
    float,
    Strict(),
    Field(ge=0, le=10_000, multiple_of=0.5),
    AfterValidator(lambda layer: layer if layer % 1 else int(layer)),
]
"""As `LayerIndex`, or a half layer such as 6.5."""
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
Role = Literal["template", "system", "user", "assistant"]
FinishReason = Literal["stop", "length", "context", "cancelled", "interrupted"]
LensKind = Literal["logit", "tuned", "jacobian"]
Mode = Literal["chat", "completion"]


class Wire(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, frozen=True
    )


class ModelIdentity(Wire):
    """The model that computed something; only the same one gives the same numbers again."""

    name: Annotated[str, Field(min_length=1, max_length=512, pattern=NO_NUL)]
    revision: Annotated[str, Field(max_length=128, pattern=NO_NUL)] | None
    """Commit of the hub repository; of the embedded model the SHA-256 of its weights; of a folder the SHA-256 over configuration, tokenizer files and weights. Null where it is unknown, in conversations that were saved before it was recorded: these are taken for no model's."""
    source: Literal["hub", "local", "embedded"]


class ErrorBody(Wire):
    code: str
    """Stable name of the failure, for programs."""
    message: str
    """What happened, naming the thing and the value."""
    hint: str | None
    """The way out, where there is one."""
    param: str | None
    """The field of the request that is at fault."""
    request_id: str
    """The same id stands in the server's log."""


class ErrorResponse(Wire):
    error: ErrorBody
