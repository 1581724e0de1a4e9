"""The engine: one loaded nnsight model behind `LensEngine`.

Everything that computes happens on the thread that calls the methods; nnsight is bound to one
thread at a time, so only the worker thread may call them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.engine.types import ChatTemplate, ModelSource, PromptTemplate, Vocabulary

if TYPE_CHECKING:
    from nnsight.modeling.transformers import TransformersModel


class NnsightEngine:
    """A loaded decoder with its lens; implements `LensEngine`."""

    def __init__(
        self,
        lm: TransformersModel,
        *,
        vocabulary: Vocabulary,
        template: PromptTemplate,
        chat_template: ChatTemplate,
        name: str,
        source: ModelSource,
        revision: str | None,
        note: str | None,
        adds_bos: bool,
        bos_token_id: int | None,
        eos_token_ids: tuple[int, ...],
        is_byte_exact: bool,
        store_bytes: int,
        readout_bytes: int,
    ) -> None:
        """Finds the model's parts and runs the self-check; raises UnsupportedArchitecture.

        `lm` is a dispatched nnsight `LanguageModel`; `store_bytes` bounds the residual streams and
        KV caches that are kept, `readout_bytes` the logits of one chunk of read-outs.
        """
        self.vocabulary = vocabulary
        self.template = template
