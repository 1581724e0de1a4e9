"""The `evaluate` step: everything that the model card states of an exported folder, measured.

Writes `evaluation.json` and the pictures beside the weights, and the measured part of the card.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from app.engine.lenses import LENSES_FOLDER
from app.engine.loading import load_engine
from training.bits import bits_per_byte
from training.card import CARD_FILE, update_card
from training.chats import CHAT_PROMPTS, chat_turn
from training.corpus import stable_hash
from training.depth import fact_depth, lens_rows, varied
from training.export import EXPORTED_LOG_FILE
from training.facts import FactPrompt
from training.lenses.compare import COMPARISON_FILE
from training.mix import MAIN_SOURCE, SOURCES
from training.packing import encode_documents
from training.pictures import draw_depth, draw_loss
from training.recall import recall, recall_table
from training.tokenizer import END_OF_TEXT_ID, load_tokenizer

logger = logging.getLogger(__name__)

EVALUATION_FILE = "evaluation.json"
DEPTH_ROWS, DEPTH_ROW_LENGTH = 48, 256
N_FACT_DEPTHS = 10
TEMPERATURE, TOP_P = 0.7, 0.95


def read_fact_prompts(work: Path) -> list[FactPrompt]:
    """The prompts that `prepare` left in the work directory."""
    written = json.loads((work / "fact_prompts.json").read_text(encoding="utf-8"))
    return [FactPrompt(**one) for one in written]


def held_out_documents(work: Path, source: str) -> list[str]:
    """Documents of a source that no training read; none for sources that hold nothing out."""
    path = work / "held_out" / f"{source}.json"
    if not path.exists():
        return []
    documents: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return documents


def held_out_rows(tokenizer: Tokenizer, documents: list[str]) -> list[list[int]]:
    """Rows of token ids cut from the documents one after the other, as in training."""
    ids = [END_OF_TEXT_ID]
    for array in encode_documents(tokenizer, documents[: 4 * DEPTH_ROWS]):
        ids.extend(array.tolist())
    starts = range(0, len(ids) - DEPTH_ROW_LENGTH + 1, DEPTH_ROW_LENGTH)
    return [ids[start : start + DEPTH_ROW_LENGTH] for start in starts[:DEPTH_ROWS]]


def text_scores(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, work: Path, max_bytes: int
) -> dict[str, dict[str, float]]:
    """Bits per byte of every source with held-out text; the others are scored on 100 kB at most."""
    scores: dict[str, dict[str, float]] = {}
    for source in SOURCES:
        if documents := held_out_documents(work, source.name):
            limit = max_bytes if source.name == MAIN_SOURCE else min(max_bytes, 100_000)
            value, n_bytes = bits_per_byte(model, tokenizer, documents, limit)
            scores[source.name] = {"bits_per_byte": value, "bytes": n_bytes}
            logger.info("%s: %.4f bits per byte over %d bytes", source.name, value, n_bytes)
    return scores


def measure(work: Path, folder: Path, max_bytes: int, seed: int) -> dict[str, object]:
    """All measurements of the model in `folder`, as plain values."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder)
    scores = text_scores(model, tokenizer, work, max_bytes)
    recalls = recall(model, tokenizer, read_fact_prompts(work))
    facts = recall_table(recalls)
    logger.info("facts: %s", facts["all"])
    logger.info("capitals: %s", facts.get("country capital city"))
    rows = held_out_rows(tokenizer, held_out_documents(work, MAIN_SOURCE))
    depth = lens_rows(model, rows)
    for row in depth:
        logger.info("%s", row)
    # In hash order, so that the ten are not picked by how well they look.
    ordered = sorted(recalls, key=lambda one: stable_hash(one.prompt.prompt))
    fact_depths = [
        fact_depth(model, tokenizer, one.prompt.prompt, one.prompt.object)
        for one in varied(ordered, N_FACT_DEPTHS)
    ]
    engine = load_engine(
        str(folder.resolve()), device="cpu", store_bytes=2**26, readout_bytes=2**24
    )
    turns = [
        chat_turn(engine, text, temperature=TEMPERATURE, top_p=TOP_P, seed=seed)
        for text in CHAT_PROMPTS
    ]
    return {
        "parameters": model.num_parameters(),
        "text": scores,
        "facts": facts,
        "depth": {"positions": sum(map(len, rows)), "layers": [asdict(row) for row in depth]},
        "fact_depths": [asdict(one) for one in fact_depths],
        "turns": [asdict(one) for one in turns],
    }


def evaluate(work: Path, folder: Path, max_bytes: int, seed: int) -> None:
    """Measure the model in `folder`; write the numbers, the pictures and the card beside it."""
    results = measure(work, folder, max_bytes, seed)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (folder / EVALUATION_FILE).write_text(text, encoding="utf-8")
    written = json.loads(text)
    draw_depth(written["depth"]["layers"], folder / "depth.svg")
    if (folder / EXPORTED_LOG_FILE).exists():
        draw_loss(folder / EXPORTED_LOG_FILE, folder / "loss.svg")
    if (folder / CARD_FILE).exists():
        comparison = folder / LENSES_FOLDER / COMPARISON_FILE
        update_card(
            folder / CARD_FILE,
            written,
            json.loads(comparison.read_text(encoding="utf-8")) if comparison.exists() else None,
        )
    logger.info("written to %s", folder / EVALUATION_FILE)
