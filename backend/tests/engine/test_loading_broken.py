"""Files of a model that are damaged, lacking, or not those of its configuration."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as tr

from app.engine import loading
from app.errors import ModelLoadError
from tests.engine.model_folders import edit_json, edit_weights, load
from tests.engine.small_tokenizers import byte_level

# --- files that are broken ------------------------------------------------------------------------


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def empty_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def page_instead_of_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_text("<html>404 not found</html>")


def pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04evil")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def damaged_index(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text("{}")


def index_that_leaves_the_folder(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"wte.weight": "../../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def lost_shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"wte.weight": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{not json")


def list_for_config(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def impossible_config(folder: Path) -> None:
    edit_json(folder / "config.json", n_layer="many")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"')


def inconsistent_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"].append(["no", "such"])
    path.write_text(json.dumps(tokenizer))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut_weights, r"model.safetensors of broken \([\d,]+ bytes\) is damaged or incomplete"),
        (empty_weights, r"model.safetensors of broken \(0 bytes\) is damaged or incomplete"),
        (page_instead_of_weights, r"model.safetensors of broken .* is damaged"),
        (pickled_weights, r"only as pytorch_model.bin, a pickle file that can run code"),
        (no_weights, r"broken has no model.safetensors"),
        (damaged_index, r"model.safetensors.index.json is damaged: .*no weight_map"),
        (index_that_leaves_the_folder, r"secret.safetensors', which is not .* beside it"),
        (lost_shard, r"broken lacks model-00001-of-00001.safetensors"),
        (no_json, r"config.json of broken is not valid JSON"),
        (list_for_config, r"config.json of broken is not a JSON object"),
        (impossible_config, r"broken has a configuration that cannot be read: .*n_layer"),
        (no_tokenizer, r"broken has no tokenizer \(no tokenizer.json\)"),
        (damaged_tokenizer, r"broken has a tokenizer that cannot be read"),
        (inconsistent_tokenizer, r"tokenizer that cannot be read: Token .* out of vocabulary"),
    ],
)
def test_broken_files_give_one_clear_line(
    damage: Callable[[Path], None], words: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(ModelLoadError, match=words) as caught:
        load(folder)
    assert "\n" not in caught.value.message
    assert str(folder.parent) not in caught.value.message
    assert caught.value.hint


def test_folders_of_this_machine_are_not_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: object) -> None:
        raise OSError(f"Can't load {path}/config.json\nIf you were trying to …")

    monkeypatch.setattr(loading.AutoConfig, "from_pretrained", fail)
    with pytest.raises(ModelLoadError) as caught:
        load(folder)
    assert caught.value.message == (
        "broken has a configuration that cannot be read: Can't load broken/config.json."
    )


# --- weights that are not those of the architecture -----------------------------------------------


def drop_norm(weights: dict[str, torch.Tensor]) -> None:
    del weights["transformer.ln_f.weight"]


def add_block(weights: dict[str, torch.Tensor]) -> None:
    for key in [key for key in weights if ".h.1." in key]:
        weights[key.replace(".h.1.", ".h.2.")] = weights[key].clone()


def reshape(weights: dict[str, torch.Tensor]) -> None:
    weights["transformer.ln_f.weight"] = torch.ones(8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_norm, r"missing: transformer.ln_f.weight"),
        (add_block, r"not part of the model: transformer.h.2.attn.c_attn.* and \d+ more"),
        (reshape, r"transformer.ln_f.weight is \[8\] in the files and \[16\] in the model"),
    ],
)
def test_checkpoint_that_does_not_match_is_not_run(
    change: Callable[[dict[str, torch.Tensor]], None], words: str, folder: Path
) -> None:
    edit_weights(folder, change)
    with pytest.raises(ModelLoadError, match=f"do not match its configuration: .*{words}"):
        load(folder)


def test_classifier_is_not_run_with_a_random_head(tmp_path: Path) -> None:
    config = tr.LlamaConfig(
        vocab_size=300, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=16, pad_token_id=0,
    )  # fmt: skip
    tr.LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    with pytest.raises(ModelLoadError, match=r"missing: lm_head.weight; not part .*: score.weight"):
        load(tmp_path)
