"""From a small corpus to a served model, by the commands of the model card, on a CPU."""

import json
import lzma
import sys
from pathlib import Path

import pytest

from app.engine.loading import load_engine
from training.__main__ import main
from training.card import BEGIN, END
from training.chats import CHAT_PROMPTS
from training.mix import FACTBOOK_FILE, SOURCES
from training.packing import read_stream
from training.tokenizer import load_tokenizer

COUNTRIES = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Peru": "Lima",
    "Cuba": "Havana",
    "Kenya": "Nairobi",
}
SEASONS = ("spring", "summer", "autumn", "winter")


def article(index: int) -> str:
    """A short text with a little variety, so that no two are alike."""
    country, city = list(COUNTRIES.items())[index % len(COUNTRIES)]
    season = SEASONS[index // 8 % 4]
    return (
        f"{city} is a city in {country}. In {season} of the year {1900 + index} many people came"
        f" to {city}. They liked the {season} there, and they liked {country}.\n"
    )


def dialogue(index: int) -> str:
    season = SEASONS[index % 4]
    return f"User: Do you like {season} {index}?\nAssistant: Yes, I like {season} best.\n"


def write_small_corpus(folder: Path) -> None:
    """Every file that the mix names, with a few hundred documents of our own."""
    folder.mkdir()
    for source in SOURCES:
        if source.kind == "facts":
            samples = [{"subject": s, "object": o} for s, o in COUNTRIES.items()]
            relation = {
                "name": "country capital city",
                "templates": ["The capital city of {} is", "The capital of {} is"],
                "samples": samples,
            }
            (folder / source.file).write_text(json.dumps(relation) + "\n", encoding="utf-8")
            continue
        made = dialogue if source.kind == "dialogue" else article
        text = "".join(f"{made(index)}<|endoftext|>\n" for index in range(4000))
        with lzma.open(folder / source.file, "wt", encoding="utf-8") as file:
            file.write(text)
    assert (folder / FACTBOOK_FILE).exists()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    main()


# Counted in tokens, not in time: a busy machine takes longer, and comes to the same weights.
TRAINING_TOKENS = 40 * 1024


@pytest.mark.timeout(1800)
def test_a_little_training_gives_a_model_that_the_engine_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, work, folder = tmp_path / "corpus", tmp_path / "work", tmp_path / "exported"
    write_small_corpus(corpus)

    run(monkeypatch, "prepare", "--corpus", corpus, "--work", work)
    run(
        monkeypatch,
        *("train", "--work", work, "--tokens", TRAINING_TOKENS, "--tokens-per-step", 512),
        *("--threads", 1, "--d-model", 128),
    )
    run(monkeypatch, "export", "--work", work, "--to", folder)
    engine = load_engine(
        str(folder), device="cpu", threads=1, store_bytes=2**24, readout_bytes=2**22
    )

    (folder / "README.md").write_text(f"# Card\n\n{BEGIN}\n{END}\n", encoding="utf-8")
    run(monkeypatch, "find-examples", "--folder", folder)
    run(monkeypatch, *("evaluate", "--work", work, "--folder", folder), *("--max-bytes", 4_000))

    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| Simple English Wikipedia |" in card
    assert card.count("- *") == len(CHAT_PROMPTS)
    assert {"loss.svg", "depth.svg", "examples.json", "evaluation.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert engine.facts.n_layers == 12
    assert engine.facts.self_check.max_abs_diff <= 1e-4
    told = [country for country in COUNTRIES if f"capital of {country} is" in training_text(work)]
    likely = []
    for country in told:
        ids = engine.vocabulary.encode(f"The capital of {country} is {COUNTRIES[country]}")
        columns = engine.read(ids, layers=[0, 12], positions=range(len(ids) - 1))
        before_city = len(engine.vocabulary.encode(f"The capital of {country} is")) - 1
        likely.append(columns.next_rank[1, before_city] <= 30)
    # That cities follow, of some thousand tokens, is learned long before which of them.
    assert told
    assert sum(likely) >= len(told) / 2
    log = (folder / "training_log.csv").read_text(encoding="utf-8").splitlines()
    assert log[0].startswith("step,tokens_seen")
    assert float(log[-1].split(",")[3]) < float(log[1].split(",")[3]) - 2.0


def training_text(work: Path) -> str:
    """What was read in training, decoded."""
    ids = read_stream(work / "training.bin").tolist()
    return load_tokenizer(work).decode(ids, skip_special_tokens=False)
