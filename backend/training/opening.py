"""The `opening` step: answers the first worked example and writes it with every read-out.

The page shows the file while the embedded model loads; its numbers are computed as the server does.
"""

from __future__ import annotations

import logging

from app.engine.loading import load_engine
from app.engine.model_names import EMBEDDED_NAME
from app.engine.protocols import LensEngine
from app.engine.types import Finish, Role, Sampling, Step, Wanted
from app.models.conversations import SavedTurn, TurnSampling
from app.models.opening import OpeningExample
from app.models.source import ChatMessage
from app.services.encoding import encode_history
from app.services.examples import known_examples
from app.services.identity import ModelIdentity, wire_model
from app.services.opening import OPENING_FILE
from app.services.readouts import make_token, readouts_by_token

logger = logging.getLogger(__name__)

MAX_REPLY_TOKENS = 24
TOP_K = 5
"""As many predictions a layer as come with a reply."""
SEED = 0
"""A greedy reply takes no random number; the number stands in the record of the turn."""


def write_opening() -> None:
    """Write the file beside the embedded weights."""
    engine = load_engine(EMBEDDED_NAME, device="cpu", store_bytes=2**26, readout_bytes=None)
    opening = make_opening(engine)
    OPENING_FILE.write_text(opening.model_dump_json() + "\n", encoding="utf-8")
    logger.info("wrote %d tokens to %s", len(opening.tokens), OPENING_FILE.name)


def make_opening(engine: LensEngine) -> OpeningExample:
    """The first worked example of the embedded model, answered greedily and read at every layer."""
    example = known_examples(engine.facts)[0]
    prompt = encode_history(
        engine, [ChatMessage(role="user", content=example.text)], example.bos, engine.facts.n_ctx
    )
    stop = engine.facts.chat_template.stop
    sampling = Sampling(MAX_REPLY_TOKENS, 0.0, 0, 1.0, SEED, stop)
    items = list(engine.generate(prompt.ids, sampling))
    steps = [item for item in items if isinstance(item, Step)]
    (finish,) = (item for item in items if isinstance(item, Finish))
    ids = [*prompt.ids, *(step.token_id for step in steps)]
    wanted = Wanted(tuple(range(engine.facts.n_layers + 1)), TOP_K, ())
    lenses = {
        index: lens
        for columns in engine.reading(ids, range(len(ids) - 1), wanted)
        if columns is not None
        for index, lens in readouts_by_token(columns, engine.vocabulary)
    }
    scores = {step.index: step for step in steps}
    replied: list[Role] = ["assistant"] * len(steps)
    return OpeningExample(
        model=wire_model(ModelIdentity.of(engine.facts)),
        example=example,
        tokens=[
            make_token(
                engine.vocabulary, index, token_id, role, scores.get(index), lenses.get(index)
            )
            for index, (token_id, role) in enumerate(
                zip(ids, [*prompt.roles, *replied], strict=True)
            )
        ],
        turn=SavedTurn(
            start=0,
            reply_start=len(prompt.ids),
            end=len(ids),
            finish_reason=finish.reason,
            sampling=TurnSampling(
                max_new_tokens=MAX_REPLY_TOKENS,
                temperature=0.0,
                top_k=0,
                top_p=1.0,
                seed=SEED,
                stop=list(stop),
            ),
        ),
    )
