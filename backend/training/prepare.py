"""From corpus files to a work directory: tokenizer, stream, held-out text, fact prompts."""

import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np

from training.corpus import split_documents, stable_hash
from training.facts import fact_documents, fact_prompts, read_facts
from training.mix import FACTBOOK_FILE, MAIN_SOURCE, SOURCES, Source
from training.packing import encode_documents, mix_streams, write_stream
from training.tokenizer import load_tokenizer, train_tokenizer
from training.turns import article_dialogues, with_system_text

logger = logging.getLogger(__name__)

TOKENIZER_CHARACTERS = 24_000_000
"""Text the tokenizer is trained on, in the shares of the mix; more changes few of 8,192 ids."""


def dialogue_document(document: str) -> str:
    """A dialogue whose last turn ends with a newline, as the built-in template ends a turn."""
    return with_system_text(document.rstrip("\n") + "\n")


def source_documents(source: Source, corpus: Path, seed: int) -> tuple[list[str], list[str]]:
    """Training and held-out documents of a source; rewritten sources use training text only."""
    path = corpus / source.file
    if source.kind == "facts":
        return fact_documents(read_facts(path, corpus / FACTBOOK_FILE), seed), []
    training, held_out = split_documents(path)
    if source.kind == "article_turns":
        return article_dialogues(training), []
    if source.kind == "dialogue":
        return [dialogue_document(d) for d in training], [dialogue_document(d) for d in held_out]
    return training, held_out


def tokenizer_sample(documents: dict[str, list[str]], characters: int) -> list[str]:
    """Documents in hash order, from each source as many characters as its weight asks for."""
    sample: list[str] = []
    for source in SOURCES:
        wanted = source.weight * characters
        for document in sorted(documents[source.name], key=stable_hash):
            if wanted <= 0:
                break
            sample.append(document)
            wanted -= len(document)
    return sample


def prepare(corpus: Path, work: Path, seed: int, tokenizer_folder: Path | None = None) -> None:
    """Write everything that training and evaluation read into `work`.

    The tokenizer is trained on the texts, or taken from `tokenizer_folder`.
    """
    (work / "held_out").mkdir(parents=True, exist_ok=True)
    documents: dict[str, list[str]] = {}
    report: dict[str, dict[str, int | float]] = {}
    for source in SOURCES:
        training, held_out = source_documents(source, corpus, seed)
        documents[source.name] = training
        if held_out:
            path = work / "held_out" / f"{source.name}.json"
            path.write_text(json.dumps(held_out, ensure_ascii=False), encoding="utf-8")
        report[source.name] = {
            "weight": source.weight,
            "training_documents": len(training),
            "held_out_documents": len(held_out),
        }
        logger.info("%s: %s", source.name, report[source.name])

    if tokenizer_folder is None:
        tokenizer = train_tokenizer(tokenizer_sample(documents, TOKENIZER_CHARACTERS))
    else:
        tokenizer = load_tokenizer(tokenizer_folder)
    tokenizer.save(str(work / "tokenizer.json"))
    logger.info("tokenizer: %d ids", tokenizer.get_vocab_size())

    encoded = {name: encode_documents(tokenizer, texts) for name, texts in documents.items()}
    for name, arrays in encoded.items():
        report[name]["tokens"] = sum(map(len, arrays))
    weights = {source.name: source.weight for source in SOURCES}
    stream = mix_streams(encoded, weights, MAIN_SOURCE)
    write_stream(work / "training.bin", stream)
    logger.info("training stream: %d tokens", len(stream))

    held_out_path = work / "held_out" / f"{MAIN_SOURCE}.json"
    held_out = json.loads(held_out_path.read_text(encoding="utf-8"))
    write_stream(work / "validation.bin", np.concatenate(encode_documents(tokenizer, held_out)))

    facts = read_facts(corpus / "relations-facts.jsonl", corpus / FACTBOOK_FILE)
    prompts = [asdict(prompt) for prompt in fact_prompts(facts)]
    (work / "fact_prompts.json").write_text(json.dumps(prompts), encoding="utf-8")
    summary = {"seed": seed, "stream_tokens": len(stream), "sources": report}
    (work / "prepared.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
