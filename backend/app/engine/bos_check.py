"""Whether a model needs a beginning-of-sequence token that its tokenizer does not put.

Some checkpoints lose that token's place when they are converted: the tokenizer still knows it, adds
it no more, and the model, which never saw a text without it, predicts badly. Both ways are measured
on one sentence when the model is loaded, and what was measured is reported. Nothing is changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch

from app.engine.capture import TracedDecoder
from app.engine.protocols import Vocabulary
from app.engine.types import BosCheck

logger = logging.getLogger(__name__)

SENTENCE = (
    "The children walked to the park because the weather was warm and they wanted to play football."
)
NEEDED_NATS = 1.0
"""A model that was trained with and without the token differs by a few tenths of a nat."""


def check_bos(
    decoder: TracedDecoder, vocabulary: Vocabulary, bos_token_id: int, name: str
) -> BosCheck | None:
    """Mean surprisal of one sentence with and without the token; None for a context too short."""
    ids = vocabulary.encode(SENTENCE)
    if len(ids) < 2 or len(ids) >= decoder.structure.n_ctx:
        return None
    # Of the same tokens: the first is predicted by the token in question, or by nothing.
    without = _mean_surprisal(decoder, ids, len(ids) - 1)
    with_it = _mean_surprisal(decoder, (bos_token_id, *ids), len(ids) - 1)
    is_needed = without - with_it >= NEEDED_NATS
    if is_needed:
        logger.warning(
            "%s predicts far better after its beginning-of-sequence token, which its tokenizer does "
            "not add: mean surprisal %.2f nats with it, %.2f without. Send bos: true, or switch it on.",
            name,
            with_it,
            without,
        )
    return BosCheck(with_it, without, len(ids) - 1, is_needed)


def _mean_surprisal(decoder: TracedDecoder, ids: Sequence[int], n_last: int) -> float:
    """Mean of −ln p over the last `n_last` tokens, in nats."""
    logits = decoder.full_logits(ids)[-n_last - 1 : -1]
    following = torch.tensor(ids[-n_last:], device=logits.device)
    return float(torch.nn.functional.cross_entropy(logits, following))
