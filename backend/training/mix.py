"""What the model reads, and how much of each.

The weights are shares of the training tokens. Simple English Wikipedia is the largest part because
it is what the model is measured on and where its knowledge comes from; the dialogues and the turns
made from facts and article openings teach the `User:` / `Assistant:` form that the product uses for
models without a chat template. English Wikipedia is read about as often as Simple English: new text
teaches more than text read again. One pass over Simple English Wikipedia ends the stream; smaller
sources are repeated until their share is filled.
"""

from dataclasses import dataclass
from typing import Literal

SourceKind = Literal["documents", "dialogue", "article_turns", "facts"]


@dataclass(frozen=True)
class Source:
    """One stream of training documents."""

    name: str
    """Name in logs, reports and file names."""
    file: str
    """File in the corpus directory that the documents are read or made from."""
    kind: SourceKind
    """How documents are made: as they stand, as a dialogue, or rewritten into turns."""
    weight: float
    """Share of the training tokens, in [0, 1]; all weights sum to 1."""


SOURCES: tuple[Source, ...] = (
    Source("simplewiki", "simplewiki-2018.txt.xz", "documents", 0.57),
    Source("article_turns", "simplewiki-2018.txt.xz", "article_turns", 0.04),
    Source("enwiki", "enwiki-40mb.txt.xz", "documents", 0.14),
    Source("dialogue_self", "dialogue-self.txt.xz", "dialogue", 0.07),
    Source("dialogue_sgd", "dialogue-sgd.txt.xz", "dialogue", 0.015),
    Source("roleplay", "instruct-gpteacher-roleplay.txt.xz", "dialogue", 0.015),
    Source("factbook", "factbook.txt.xz", "documents", 0.015),
    Source("tinystories", "tinystories-sample.txt.xz", "documents", 0.015),
    Source("facts", "relations-facts.jsonl", "facts", 0.12),
)

MAIN_SOURCE = "simplewiki"
"""The source whose end is the end of the stream, and on which bits per byte are measured."""

FACTBOOK_FILE = "factbook.txt.xz"
"""Where the capitals and continents of the countries are read from, for the `facts` source."""

SYSTEM_TEXTS: tuple[str, ...] = (
    "You are a helpful assistant.",
    "You are a friendly assistant. Answer in short sentences.",
    "Answer the questions of the user.",
)
"""System texts that open a tenth of the dialogues, so that one does not surprise the model."""
