"""Prompts for the first-run screen, chosen for the model that runs.

A note says what a model does only where that is known of this very model: measured when the
embedded model was trained, or published for GPT-2. For any other model it says where to look.
"""

from __future__ import annotations

import json
import logging

from pydantic import TypeAdapter, ValidationError

from app.engine.model_names import EMBEDDED_FOLDER, GPT2
from app.engine.types import ModelFacts
from app.models.facts import ExamplePrompt

logger = logging.getLogger(__name__)

EMBEDDED_FILE = EMBEDDED_FOLDER / "examples.json"

COUNTING = ExamplePrompt(
    title="Counting on",
    mode="completion",
    text="1, 2, 3, 4,",
    note="Look for the layer at which the next number, if it comes, is ahead of the others.",
)
AGREEMENT = ExamplePrompt(
    title="One or many",
    mode="completion",
    text="The keys to the cabinet in the old house",
    note="The verb belongs to “ keys”, not to the nouns nearest to it (Linzen et al. 2016). Pin a "
    "plural and a singular verb, such as “ are” and “ is”, and see which leads at which layer.",
)
OPPOSITE = ExamplePrompt(
    title="An opposite",
    mode="completion",
    text="The opposite of hot is",
    watch=" cold",
    note="Look whether “ cold” appears in the layers, and whether “ hot” was ahead of it before.",
)

GPT2_EXAMPLES = (
    ExamplePrompt(
        title="Who gets the drink?",
        mode="completion",
        text="When Mary and John went to the store, John gave a drink to",
        watch=" Mary",
        note="GPT-2 small answers “ Mary”, by heads in blocks 10 and 11 that copy the name which "
        "was not repeated (Wang et al. 2022). Watch “ Mary” part from “ John” in those layers.",
    ),
    ExamplePrompt(
        title="Said before",
        mode="completion",
        text="The lighthouse keeper is called Mirabel. The lighthouse keeper is called",
        note="Induction heads copy what followed the same words before (Olsson et al. 2022). Look "
        "for the layer from which the first part of the name is the first choice.",
    ),
    ExamplePrompt(
        title="A capital",
        mode="completion",
        text="The capital of France is",
        watch=" Paris",
        note="Follow “ Paris” through the layers: a fact can gain rank layer by layer and still "
        "not be the first choice at the end.",
    ),
    AGREEMENT,
    COUNTING,
)

COPYING = ExamplePrompt(
    title="Said before",
    mode="completion",
    text="The lighthouse keeper is called Mirabel. The lighthouse keeper is called",
    note="The name stands in the text already. Look whether a layer takes it up, and which.",
)
CAPITAL = ExamplePrompt(
    title="A capital",
    mode="completion",
    text="The capital of France is",
    watch=" Paris",
    note="Follow “ Paris” through the layers: does its rank rise step by step or at once?",
)
QUESTION = ExamplePrompt(
    title="A question",
    mode="chat",
    text="What is the capital of France?",
    note="Click the first word of the reply and follow it back through the layers.",
)


def example_prompts(facts: ModelFacts) -> list[ExamplePrompt]:
    """Five or more prompts that show something in the layers of this model."""
    if facts.source == "embedded" and (embedded := _embedded_examples()):
        return embedded
    if facts.source == "hub" and facts.name == GPT2:
        return list(GPT2_EXAMPLES)
    is_chat_model = facts.chat_template.source == "tokenizer"
    return [QUESTION if is_chat_model else CAPITAL, COPYING, OPPOSITE, AGREEMENT, COUNTING]


def _embedded_examples() -> list[ExamplePrompt]:
    """Those that were tried on the shipped weights; none if the file beside them is damaged."""
    try:
        written = json.loads(EMBEDDED_FILE.read_text(encoding="utf-8"))
        return TypeAdapter(list[ExamplePrompt]).validate_python(written)
    except (OSError, ValueError, ValidationError) as error:
        logger.warning("the embedded model's examples cannot be read: %s", error)
        return []
