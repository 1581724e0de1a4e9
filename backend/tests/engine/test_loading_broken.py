"""Files of a model that are damaged, lacking, or not those of its configuration."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as tr

from app.engine import loading
from app.engine.loading import load_engine
from app.errors import ModelLoadError, UnsupportedArchitecture
from tests.engine.model_folders import SMALL, edit_json, edit_weights, load
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


def folder_for_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()


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


def deep_beyond_measure(folder: Path) -> None:
    edit_json(folder / "config.json", n_layer=100_000, n_embd=1_000_000)


def wide_beyond_measure(folder: Path) -> None:
    edit_json(folder / "config.json", n_embd=1_000_000, n_head=1)


def inner_beyond_measure(folder: Path) -> None:
    edit_json(folder / "config.json", n_inner=50_000_000)


def long_beyond_measure(folder: Path) -> None:
    edit_json(folder / "config.json", n_positions=20_000_000)


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
        (folder_for_weights, r"^model.safetensors of broken is a folder, not a file"),
        (
            deep_beyond_measure,
            r"asks for 100,000 layers \(n_layer\), but its weight files hold 28 t",
        ),
        (
            wide_beyond_measure,
            r"describes a model of [\d,]{11,} parameters or more, but its weight",
        ),
        (
            inner_beyond_measure,
            r"describes a model of [\d,]{11,} parameters or more, but its weight",
        ),
        (long_beyond_measure, r"config.json of broken describes "),
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


# --- types of weights -----------------------------------------------------------------------------


def change_types(folder: Path, old: str, new: str) -> None:
    """Say in the header that the same bytes are numbers of another type."""
    path = folder / "model.safetensors"
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    for tensor in header.values():
        if tensor.get("dtype") == old:
            tensor["dtype"] = new
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


@pytest.mark.parametrize(("old", "new"), [("F16", "I16"), ("F16", "U16"), ("F32", "I32")])
def test_weights_that_are_whole_numbers_are_not_run(folder: Path, old: str, new: str) -> None:
    """They were computed with, and the model was called verified."""
    if old == "F16":
        edit_weights(
            folder, lambda weights: weights.update({k: v.half() for k, v in weights.items()})
        )
    change_types(folder, old, new)
    with pytest.raises(ModelLoadError, match=f"stored as {new}, not as floating") as caught:
        load(folder)
    assert "\n" not in caught.value.message


def test_masks_among_the_weights_may_be_whole_numbers(folder: Path) -> None:
    def add_mask(weights: dict[str, torch.Tensor]) -> None:
        weights["transformer.h.0.attn.bias"] = torch.ones(1, 1, 64, 64).tril().to(torch.uint8)

    edit_weights(folder, add_mask)
    assert load(folder).ends.ids == (0,)


# --- failures while a model is prepared -----------------------------------------------------------


def test_what_a_model_raises_when_it_is_first_run_is_one_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("an odd key\nand more")

    monkeypatch.setattr("app.engine.engine.check_model", fail)
    with pytest.raises(UnsupportedArchitecture, match="broken could not be prepared for reading: "):
        load_engine(str(folder), **SMALL)


def test_running_out_of_memory_in_the_first_run_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(tr.GPT2LMHeadModel, "forward", fail)
    with pytest.raises(ModelLoadError, match="not enough memory to load broken"):
        load_engine(str(folder), **SMALL)
