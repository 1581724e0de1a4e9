from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.export import export_model
from training.tokenizer import train_tokenizer
from training.train import exported_model
from training.trainer import Trainer


def test_exported_folder_gives_the_trained_models_logits(
    trainer: Trainer, tokenizer: Tokenizer
) -> None:
    trainer.run(max_steps=20)
    tokenizer.save(str(trainer.work / "tokenizer.json"))
    folder = trainer.work / "exported"

    export_model(trainer.work, folder)

    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([AutoTokenizer.from_pretrained(folder)("The capital of Italy").input_ids])
    with torch.no_grad():
        exported, trained = loaded(ids).logits, trainer.model(ids).logits
    # Float16 keeps 11 bits of each weight, a relative error of 2**-11 at most; logits of a few
    # units that add up such errors at random stay well within one hundredth.
    assert (exported - trained).abs().max() < 1e-2


def test_a_run_goes_on_from_exported_weights_of_the_same_tokenizer_only(
    trainer: Trainer, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    trainer.run(max_steps=1)
    tokenizer.save(str(trainer.work / "tokenizer.json"))
    folder, other = tmp_path / "exported", tmp_path / "other"
    export_model(trainer.work, folder)
    other.mkdir()
    train_tokenizer(["Quite another text, with other words in it.\n"] * 9, 300).save(
        str(other / "tokenizer.json")
    )

    model = exported_model(folder, trainer.work)

    difference = model.transformer.wte.weight - trainer.model.transformer.wte.weight
    assert difference.abs().max() < 1e-4  # the rounding of float16
    with pytest.raises(ValueError, match="another tokenizer"):
        exported_model(folder, other)


def test_export_replaces_files_and_keeps_others(
    trainer: Trainer, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    trainer.run(max_steps=1)
    tokenizer.save(str(trainer.work / "tokenizer.json"))
    folder = tmp_path / "exported"
    folder.mkdir()
    (folder / "README.md").write_text("model card", encoding="utf-8")

    export_model(trainer.work, folder)
    export_model(trainer.work, folder)

    assert (folder / "README.md").read_text(encoding="utf-8") == "model card"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in folder.iterdir()
    }
