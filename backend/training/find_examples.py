"""The `find-examples` step: prompts for the first screen, each tried on the shipped weights.

For every kind of example there is a list of candidates, and the first one that the model really
answers is taken. The note tells the measured ranks of the token to click, so no note can promise
what the model does not show.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from training.depth import FactDepth, fact_depth
from training.tokenizer import END_OF_TEXT_ID, load_tokenizer

logger = logging.getLogger(__name__)

EXAMPLES_FILE = "examples.json"
MAX_REPLY_TOKENS = 24
MIN_PROBABILITY = 0.2
"""A first choice below this is luck, not recall."""

Mode = Literal["chat", "completion"]


@dataclass(frozen=True)
class Candidate:
    """A prompt, and the word whose prediction it is meant to show."""

    text: str
    word: str


@dataclass(frozen=True)
class Kind:
    """One example of the first screen, and what may serve for it, best first."""

    title: str
    mode: Mode
    candidates: tuple[Candidate, ...]
    question: str = ""
    """What there is to see, in plain words; `{word}` is the word."""
    lead: str = ""
    """What the note says before the numbers."""


CAPITALS = (
    ("Japan", "Tokyo"),
    ("France", "Paris"),
    ("Italy", "Rome"),
    ("Germany", "Berlin"),
    ("Egypt", "Cairo"),
    ("Russia", "Moscow"),
    ("Spain", "Madrid"),
    ("Portugal", "Lisbon"),
    ("Greece", "Athens"),
    ("Cuba", "Havana"),
)
LANGUAGES = (
    ("Brazil", "Portuguese"),
    ("Mexico", "Spanish"),
    ("Germany", "German"),
    ("Japan", "Japanese"),
    ("Egypt", "Arabic"),
)
OPPOSITES = (("hot", "cold"), ("up", "down"), ("happy", "sad"), ("open", "closed"))
PASTS = (("ask", "asked"), ("believe", "believed"), ("go", "went"), ("find", "found"))
CONTINENTS = (("Kenya", "Africa"), ("Peru", "South America"), ("Malawi", "Africa"))


def candidates(pairs: Sequence[tuple[str, str]], text: str) -> tuple[Candidate, ...]:
    """One candidate for each (subject, word)."""
    return tuple(Candidate(text.format(subject), word) for subject, word in pairs)


KINDS: tuple[Kind, ...] = (
    Kind(
        "A capital",
        "chat",
        candidates(CAPITALS[1:] + CAPITALS[:1], "What is the capital of {}?"),
        question="When does it know that it is {word}?",
    ),
    Kind(
        "An opposite",
        "chat",
        candidates(OPPOSITES, "What is the opposite of {}?"),
        question="When does it find the opposite, {word}?",
    ),
    Kind(
        "A language",
        "completion",
        candidates(LANGUAGES, "People in {} speak"),
        question="When does it know which language?",
    ),
    Kind(
        "Another capital",
        "completion",
        candidates(CAPITALS, "The capital of {} is"),
        question="When does it know that it is {word}?",
    ),
    Kind(
        "A continent",
        "chat",
        candidates(CONTINENTS, "On which continent is {}?"),
        question="When does it know the continent?",
    ),
    Kind(
        "A past tense",
        "chat",
        candidates(PASTS, "What is the past tense of {}?"),
        question="When does it form the past tense?",
    ),
    Kind(
        "Half of a name",
        "completion",
        (
            Candidate("New York is a city in the United", "States"),
            Candidate("He was born in New York City, New", "York"),
        ),
        question="When does it complete the name?",
    ),
    Kind(
        "A story begins",
        "completion",
        (
            Candidate("Once upon a time, there was a little girl named", "Lily"),
            Candidate("Once upon a time, there was a little", "girl"),
        ),
        question="When does it choose a name for the girl?",
    ),
    Kind(
        "A polite answer",
        "chat",
        (Candidate("How are you?", "fine"), Candidate("Hello!", "help")),
        question="When does it choose a polite word?",
    ),
)


def before_word(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, kind: Kind, candidate: Candidate
) -> str | None:
    """The text up to the word in what the model writes greedily; None when it does not write it."""
    prompt = f"User: {candidate.text}\nAssistant:" if kind.mode == "chat" else candidate.text
    ids = tokenizer.encode(prompt).ids
    written = model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=MAX_REPLY_TOKENS if kind.mode == "chat" else 4,
        do_sample=False,
        pad_token_id=END_OF_TEXT_ID,
    )
    reply = tokenizer.decode(written[0, len(ids) :].tolist(), skip_special_tokens=False)
    sentence = reply.split("\n", 1)[0]
    before, word, _ = sentence.partition(" " + candidate.word)
    if not word or (kind.mode == "completion" and before):
        return None
    return prompt + before


def note(depth: FactDepth) -> str:
    """How the token's rank moves over the layers, in one sentence."""
    at, last = depth.decided_at, len(depth.ranks) - 1
    where = f"only at layer {at}" if at == last else f"from layer {at} on"
    earlier = [layer for layer in (at - 4, at - 2, at - 1) if layer >= 1 and depth.ranks[layer] > 1]
    ranks = " and ".join(f"{depth.ranks[layer]:,} at layer {layer}" for layer in earlier[-2:])
    opening = (
        f"“{depth.token}” is rank {ranks}, and rank 1" if ranks else f"“{depth.token}” is rank 1"
    )
    return f"{opening} {where}, with a probability of {depth.probability:.2f}."


def find_example(model: GPT2LMHeadModel, tokenizer: Tokenizer, kind: Kind) -> dict[str, str] | None:
    """The first candidate that the model answers, with its measured note."""
    for candidate in kind.candidates:
        text = before_word(model, tokenizer, kind, candidate)
        if text is None:
            continue
        depth = fact_depth(model, tokenizer, text, candidate.word)
        if depth.ranks[-1] == 1 and depth.probability >= MIN_PROBABILITY:
            return {
                "title": kind.title,
                **(
                    {"question": kind.question.format(word=candidate.word)} if kind.question else {}
                ),
                "mode": kind.mode,
                "text": candidate.text,
                "watch": depth.token,
                "note": (kind.lead + " " if kind.lead else "") + note(depth),
            }
    return None


def untold(model: GPT2LMHeadModel, tokenizer: Tokenizer) -> dict[str, str]:
    """A capital that training never told, and what the model says instead."""
    question = "What is the capital of Togo?"
    prompt = f"User: {question}\nAssistant: The capital of Togo is"
    ids = torch.tensor([tokenizer.encode(prompt).ids])
    with torch.no_grad():
        probabilities = model(ids).logits[0, -1].softmax(-1)
    best = int(probabilities.argmax())
    wanted = fact_depth(model, tokenizer, prompt, "Lomé")
    return {
        "title": "Never told",
        "question": "What does it say of a capital it was never told?",
        "mode": "chat",
        "text": question,
        "watch": tokenizer.decode([best]),
        "note": "Training left this capital out, and the model guesses all the same: after “ is” its "
        f"first choice is “{tokenizer.decode([best])}” with a probability of "
        f"{float(probabilities[best]):.2f}; the true “{wanted.token}” is rank {wanted.ranks[-1]:,}.",
    }


def copying(model: GPT2LMHeadModel, tokenizer: Tokenizer) -> dict[str, str]:
    """Whether a name that stands in the text is taken up again."""
    text = "The lighthouse keeper is called Mirabel. The lighthouse keeper is called"
    depth = fact_depth(model, tokenizer, text, "Mirabel")
    last = depth.ranks[-1]
    verdict = note(depth) if last == 1 else f"“{depth.token}” ends at rank {last:,}."
    return {
        "title": "Said before",
        "question": "Does it repeat a name that it has just read?",
        "mode": "completion",
        "text": text,
        "note": f"The name stands in the text already. Its first piece {verdict}",
    }


Extra = Callable[[GPT2LMHeadModel, Tokenizer], dict[str, str]]
EXTRAS: tuple[Extra, ...] = (untold, copying)
"""Examples of what the model cannot do, or only just."""


def find_examples(folder: Path) -> None:
    """Write `examples.json` beside the weights."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder)
    found = [find_example(model, tokenizer, kind) for kind in KINDS]
    for kind, example in zip(KINDS, found, strict=True):
        if example is None:
            logger.warning("%s: the model answers no candidate", kind.title)
    examples = [one for one in found if one is not None]
    examples += [extra(model, tokenizer) for extra in EXTRAS]
    lines = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in examples)
    (folder / EXAMPLES_FILE).write_text(f"[\n  {lines}\n]\n", encoding="utf-8")
    for one in examples:
        logger.info("%s: %s | %s", one["title"], one["text"], one["note"])
