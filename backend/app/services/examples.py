"""Worked examples: prompts of a pool that hold on the model that runs, with what was measured of each.

Which prompts show something differs from model to model: one answers a question with the token in
mind, another with an article. So each candidate is tried on the running model, with its own template
and beginning-of-sequence token, and kept where the model does give the expected token. The embedded
model's were tried when it was trained and lie beside its weights.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.engine.model_names import EMBEDDED_FOLDER
from app.engine.protocols import LensEngine
from app.engine.types import (
    LensColumns,
    ModelFacts,
    Sampling,
    Step,
    TooManyTokens,
    Wanted,
)
from app.errors import InvalidRequest, ModelComputationError
from app.models.facts import ExamplePrompt
from app.models.source import ChatMessage
from app.models.wire import Mode
from app.services.encoding import encode_history, encode_text
from app.services.job import Job

logger = logging.getLogger(__name__)

EMBEDDED_FILES = ("examples.json", "experiments.json")
READ_FIRST = 2
"""Examples that only read the model, before the first one that changes it: a page shows three at once."""
ENOUGH = 6
"""Examples after which no further candidate is tried."""
MIN_PROBABILITY = 0.25
"""Of the expected token at the output: below that, sampling would mostly give another one."""
CHAT_TOKENS = 12
"""How far into a reply the expected token is looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prompt that shows something on some models, and the token that it is about."""

    title: str
    text: str
    watch: str
    about: str = ""
    """What there is to know, put before what was measured."""
    mode: Mode = "completion"


CHAT_POOL = (
    Candidate("A question", "What is the capital of France?", " Paris", mode="chat"),
    Candidate("An opposite", "What is the opposite of hot?", " cold", mode="chat"),
)
POOL = (
    Candidate("A capital", "The capital of France is", " Paris"),
    Candidate(
        "Who gets the drink?",
        "When Mary and John went to the store, John gave a drink to",
        " Mary",
        "The name that was not repeated (Wang et al. 2022).",
    ),
    Candidate("An opposite", "The opposite of hot is", " cold"),
    Candidate(
        "Said before",
        "The lighthouse keeper is called Mirabel. The lighthouse keeper is called",
        " Mir",
        "Induction copies what followed the same words before (Olsson et al. 2022).",
    ),
    Candidate(
        "One or many",
        "The keys to the cabinet in the old house",
        " are",
        "The verb belongs to “ keys”, not to the nouns nearest to it (Linzen et al. 2016).",
    ),
    Candidate("Days in a row", "Monday, Tuesday, Wednesday,", " Thursday"),
    Candidate("A tower", "The Eiffel Tower is in the city of", " Paris"),
    Candidate("A pair", "Romeo and", " Juliet"),
    Candidate("By example", "hot -> cold\nbig -> small\nfast ->", " slow"),
    Candidate("A table", "France: Paris\nItaly: Rome\nJapan:", " Tokyo"),
    Candidate("An import", "import numpy as", " np"),
    Candidate("A sum", "def add(a, b):\n    return a", " +"),
    Candidate("A continent", "Kenya is a country in", " Africa"),
    Candidate("A country", "New York is a city in the United", " States"),
)


def known_examples(facts: ModelFacts) -> list[ExamplePrompt]:
    """Those that need no measuring: of the embedded model, whose weights they were tried on."""
    if facts.source != "embedded":
        return []
    examples, experiments = (written_in(EMBEDDED_FOLDER / name) for name in EMBEDDED_FILES)
    return examples[:READ_FIRST] + experiments + examples[READ_FIRST:]


def written_in(file: Path) -> list[ExamplePrompt]:
    """The examples of a file; none where it is damaged."""
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        return TypeAdapter(list[ExamplePrompt]).validate_python(written)
    except (OSError, ValueError, ValidationError) as error:
        logger.warning("the embedded model's examples cannot be read: %s", error)
        return []


def run_measuring(job: Job[list[ExamplePrompt]], engine: LensEngine) -> Iterator[None]:
    """Work of a job: one turn for each pass; ends with the examples that hold."""
    found: list[ExamplePrompt] = []
    is_chat_model = engine.facts.chat_template.source == "tokenizer"
    for candidate in (*(CHAT_POOL if is_chat_model else ()), *POOL):
        if any(candidate.title == example.title for example in found):
            continue
        example = yield from measured(engine, candidate)
        if example is not None:
            found.append(example)
        if len(found) == ENOUGH:
            break
    job.emit(found, 4096)


def measured(
    engine: LensEngine, candidate: Candidate
) -> Generator[None, None, ExamplePrompt | None]:
    """Try one candidate; the generator's value is the example, or None where it does not hold."""
    bos = bos_of(engine.facts, candidate.mode)
    try:
        if candidate.mode == "chat":
            message = ChatMessage(role="user", content=candidate.text)
            prompt = encode_history(engine, [message], bos, engine.facts.n_ctx).ids
        else:
            prompt = encode_text(engine, candidate.text, bos, engine.facts.n_ctx).ids
    except (InvalidRequest, TooManyTokens):
        return None
    n_new = CHAT_TOKENS if candidate.mode == "chat" else 1
    if len(prompt) + n_new >= engine.facts.n_ctx:
        return None
    ids, step = list(prompt), None
    try:
        with contextlib.closing(generated(engine, prompt, n_new)) as items:
            for item in items:
                yield
                if isinstance(item, Step):
                    ids.append(item.token_id)
                    if engine.vocabulary.token_text(item.token_id) == candidate.watch:
                        step = item
                        break
        if step is None:
            return None
        wanted = Wanted(tuple(range(engine.facts.n_layers + 1)), 1, (step.token_id,))
        chunks: list[LensColumns] = []
        for chunk in engine.reading(ids, [step.index - 1], wanted):
            yield
            if chunk is not None:
                chunks.append(chunk)
    except ModelComputationError as error:
        logger.warning("an example cannot be tried: %s", error.message)
        return None
    return as_example(engine, candidate, chunks[0], bos)


def as_example(
    engine: LensEngine, candidate: Candidate, columns: LensColumns, bos: bool | None
) -> ExamplePrompt | None:
    """The example with what was measured; None where the model hardly gives the token."""
    ranks = [int(rank) for rank in columns.target_rank[0, :, 0]]
    probability = float(columns.target_probability[0, -1, 0])
    decided = decision_layer(ranks)
    if decided is None or probability < MIN_PROBABILITY:
        return None
    before = ""
    if decided > 0:
        rival = engine.vocabulary.token_text(int(columns.top_ids[decided - 1, 0, 0]))
        before = f"rank {ranks[decided - 1]:,} at layer {decided - 1}, where “{rival}” leads, and "
    note = (
        f"“{candidate.watch}” is {before}rank 1 from layer {decided} on, with a probability of "
        f"{probability:.2f} at the output."
    )
    return ExamplePrompt(
        title=candidate.title,
        question=f"When does it know that “{candidate.watch.strip()}” comes next?",
        mode=candidate.mode,
        text=candidate.text,
        watch=candidate.watch,
        note=f"{candidate.about} {note}".strip(),
        bos=bos,
    )


def decision_layer(ranks: Sequence[int]) -> int | None:
    """First layer from which the rank stays 1 up to the output; None where it is not 1 there."""
    if ranks[-1] != 1:
        return None
    return len(ranks) - next((n for n, rank in enumerate(reversed(ranks)) if rank != 1), len(ranks))


def bos_of(facts: ModelFacts, mode: Mode) -> bool | None:
    """An example turns the beginning-of-sequence token on where the model needs it and lacks it."""
    usual = facts.chat_template.starts_with_bos if mode == "chat" else facts.adds_bos
    return True if facts.bos_check is not None and facts.bos_check.is_needed and not usual else None


def generated(engine: LensEngine, prompt: Sequence[int], n: int) -> Generator[object, None, None]:
    """At most `n` tokens of a greedy reply."""
    yield from engine.generate(prompt, Sampling(n, 0.0, 0, 1.0, 0, ()))
