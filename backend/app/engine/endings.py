"""What ends a reply: the ids that a model's files name, and the mark of its chat template."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.engine.types import ChatTemplate
from app.engine.vocabulary import TokenizerVocabulary

logger = logging.getLogger(__name__)

GENERATION_FILE = "generation_config.json"


@dataclass(frozen=True, slots=True)
class Ends:
    """The ids that end a text."""

    ids: tuple[int, ...]
    """By the generation settings, the configuration and the tokenizer."""
    listed: frozenset[int]
    """Those of a list in the generation settings, which is written on purpose; else none."""


def find_ends(folder: Path, name: str, config: Any, tokenizer: Any) -> Ends:
    """What the files of a model in a folder name as the end of a text."""
    written = _generation_eos(folder, name)
    named = (written, getattr(config, "eos_token_id", None), tokenizer.eos_token_id)
    ids = [i for value in named for i in (value if isinstance(value, list) else [value])]
    end_ids = tuple(dict.fromkeys(i for i in ids if isinstance(i, int) and i >= 0))
    listed = written if isinstance(written, list) else []
    return Ends(end_ids, frozenset(i for i in end_ids if i in listed))


def without_mark_left_out(
    template: ChatTemplate, ends: Ends, vocabulary: TokenizerVocabulary
) -> ChatTemplate:
    """The template, without an end mark that the model's own list of end tokens leaves out.

    Such a mark ends a part of a reply and not the reply: after `<|end|>` a harmony model goes on from
    its thoughts to its answer.
    """
    marks = [vocabulary.special_tokens.get(stop) for stop in template.stop]
    is_left_out = (
        any(map(vocabulary.is_special, ends.listed))
        and None not in marks
        and ends.listed.isdisjoint(mark for mark in marks if mark is not None)
    )
    return replace(template, stop=()) if marks and is_left_out else template


def _generation_eos(folder: Path, name: str) -> Any:
    """What the generation settings name as the end of a text; None where they name nothing."""
    path = folder / GENERATION_FILE
    if not path.exists():
        return None
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(written, dict):
            raise ValueError("it is not a JSON object")
    except (OSError, ValueError) as error:
        logger.warning(
            "%s of %s cannot be read (%s): replies end where its configuration and tokenizer say, and "
            "may go on too long",
            GENERATION_FILE,
            name,
            error,
        )
        return None
    return written.get("eos_token_id")
