import hashlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from training.card import BEGIN, END, card_part, update_card

FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"


def test_shipped_card_states_what_was_measured() -> None:
    results = json.loads((FOLDER / "evaluation.json").read_text(encoding="utf-8"))
    comparison = json.loads((FOLDER / "lenses/comparison.json").read_text(encoding="utf-8"))
    card = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert card_part(results, comparison) in card
    assert "### Lenses" in card


def test_shipped_lenses_belong_to_the_shipped_weights() -> None:
    weights = hashlib.sha256((FOLDER / "model.safetensors").read_bytes()).hexdigest()

    for name in ("tuned", "jacobian"):
        with safe_open(FOLDER / "lenses" / f"{name}.safetensors", framework="pt") as file:
            assert file.metadata()["weights_sha256"] == weights


def test_shipped_files_are_as_small_as_promised() -> None:
    lenses = sum(path.stat().st_size for path in (FOLDER / "lenses").glob("*.safetensors"))

    assert (FOLDER / "model.safetensors").stat().st_size <= 40e6
    assert lenses <= 10e6


def test_only_the_measured_part_is_replaced(tmp_path: Path) -> None:
    results = json.loads((FOLDER / "evaluation.json").read_text(encoding="utf-8"))
    card = tmp_path / "README.md"
    card.write_text(f"# Title\n\n{BEGIN}\nold numbers\n{END}\n\n## Limits\n", encoding="utf-8")

    update_card(card, results)
    update_card(card, results)

    text = card.read_text(encoding="utf-8")
    assert text.startswith(f"# Title\n\n{BEGIN}\n\n### Held-out text")
    assert text.endswith(f"{END}\n\n## Limits\n")
    assert "old numbers" not in text
    assert text.count("### Ten turns") == 1


def test_card_without_marks_is_refused(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# Title\n", encoding="utf-8")

    with pytest.raises(ValueError, match="measured"):
        update_card(card, {})
