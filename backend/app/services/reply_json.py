"""The JSON form of a reply: its events folded, with a bound on what that takes.

Read-outs become JSON as they come, since as objects they take eight times the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic_core import to_json

from app.engine.types import ModelFacts
from app.errors import InternalError, InvalidRequest
from app.models.chat import ChatResponse, DoneEvent, LensEvent, StartEvent, StreamEvent, TokenEvent
from app.models.tokens import Token
from app.services.json_pieces import json_pieces
from app.services.prompts import Prompt
from app.services.reading import MAX_CELLS, every_layer


def require_reasonable_reply(facts: ModelFacts, prompt: Prompt) -> None:
    """Raises InvalidRequest where the read-outs of one JSON answer could be too many."""
    if prompt.lens.scope == "none":
        return
    n_reply = min(prompt.sampling.max_new_tokens, facts.n_ctx - len(prompt.ids))
    n_read = n_reply + (len(prompt.ids) if prompt.lens.scope == "all" else len(prompt.forced))
    n_layers = len(every_layer(facts.n_layers, prompt.lens.half_layers))
    top_k = min(prompt.lens.top_k, facts.d_vocab)
    cells = n_layers * n_read * top_k
    if cells > MAX_CELLS:
        fitting = max(1, MAX_CELLS // (n_layers * n_read))
        raise InvalidRequest(
            f"{n_layers} layers x {n_read:,} tokens x top_k {top_k} are {cells:,} values; one JSON "
            f"answer holds {MAX_CELLS:,}.",
            hint=f"Ask for stream: true, or for a top_k of {fitting}, a smaller scope or fewer "
            "tokens.",
            param="lens.top_k",
        )


class FoldedReply:
    """The events of one turn, gathered into its JSON answer."""

    def __init__(self, start: StartEvent) -> None:
        self._start = start
        self._tokens: list[Token] = []
        self._readouts: dict[int, bytes] = {}
        self._done: DoneEvent | None = None

    def take(self, event: StreamEvent | None) -> None:
        """Adds one event."""
        if isinstance(event, TokenEvent):
            self._tokens.append(event.token)
        elif isinstance(event, LensEvent):
            self._readouts[event.index] = to_json(event.lens)
        elif isinstance(event, DoneEvent):
            self._done = event

    def json(self) -> list[bytes]:
        """Pieces of the JSON of a ChatResponse."""
        if self._done is None:
            raise InternalError("The turn ended without saying how.")
        start, done = self._start, self._done
        response = ChatResponse(
            id=start.id,
            conversation_id=start.conversation_id,
            model=start.model,
            model_identity=start.model_identity,
            text=done.text,
            finish_reason=done.finish_reason,
            stop=done.stop,
            turn_start=start.turn_start,
            prompt_tokens=[],
            tokens=[],
            seed=start.seed,
            usage=done.usage,
            timings=done.timings,
            steering=start.steering,
            fired=done.fired,
        )
        tokens = {
            "prompt_tokens": self._encoded(start.prompt_tokens),
            "tokens": self._encoded(self._tokens),
        }
        return list(json_pieces(response, tokens))

    def _encoded(self, tokens: Sequence[Token]) -> Iterator[bytes]:
        """JSON of each token, with its read-outs where there are any."""
        for token in tokens:
            if lens := self._readouts.pop(token.index, None):
                yield to_json(token, exclude={"lens"})[:-1] + b',"lens":' + lens + b"}"
            else:
                yield to_json(token)
