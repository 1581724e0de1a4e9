"""From a model's name to an engine that has checked itself.

Nothing of a model's files is run as code: weights are safetensors, `trust_remote_code` is off, and
configurations that make transformers fetch code are refused. A checkpoint has to match its
architecture tensor for tensor, because transformers fills what is missing with random numbers.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from app.engine.building import watching_build
from app.engine.cgroups import usable_cores
from app.engine.checkpoint import (
    DAMAGED_HINT,
    VOCABULARY_FILES,
    read_config,
    read_headers,
    require_plausible_depth,
    sha256_of,
    weight_files,
    weights_digest,
)
from app.engine.digest import ModelDigest
from app.engine.endings import Ends, find_ends, without_mark_left_out
from app.engine.engine import NnsightEngine
from app.engine.failures import MODEL_FAILURES
from app.engine.gguf_header import GgufHeader, read_gguf_header
from app.engine.gguf_model import GGUF_NAME, link_or_copy, rounding_note, stored_in
from app.engine.hub import Hub
from app.engine.lens_folder import lens_folder_name
from app.engine.lenses import LENSES_FOLDER, LensFiles
from app.engine.matching import require_match
from app.engine.memory import require_memory, return_free_memory
from app.engine.model_names import shown_name
from app.engine.packing import pack, packing_that_fits
from app.engine.precision import DtypeChoice, cpu_dtype
from app.engine.residuals import StoreDtype
from app.engine.runtime import LanguageModel
from app.engine.sources import ModelFiles, find_model
from app.engine.structure import find_structure
from app.engine.template import BuiltInTemplate, TokenizerTemplate
from app.engine.types import ChatTemplate, LoadStep, Message, Packing
from app.engine.vocabulary import TokenizerVocabulary
from app.errors import InvalidRequest, ModelLoadError, UnsupportedArchitecture

logger = logging.getLogger(__name__)

OnLoading = Callable[[LoadStep, str, int | None, int | None], None]
"""Called with the step, its description, and the bytes done and in all where they are known."""

CAUSAL_HINT = "Choose a decoder that transformers loads as a causal language model, such as gpt2."

FAILURES = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ImportError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    SafetensorError,
    StrictDataclassError,
)
"""What transformers is known to raise when a model's files are not as it expects them."""

TELL_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model in memory, with what its files say of the end of a text."""

    model: Any
    tokenizer: Any
    ends: Ends
    note: str | None
    """What is to be said of its weights."""


def load_engine(
    model: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: DtypeChoice = "float32",
    threads: int = 0,
    store_bytes: int,
    readout_bytes: int | None,
    store_dtype: StoreDtype = "float32",
    packing: Packing | Literal["auto"] = "auto",
    lenses: Path | None = None,
    fitted_lenses: Path | None = None,
    user_label: str = "User",
    assistant_label: str = "Assistant",
    is_beside: bool = False,
    on_progress: OnLoading | None = None,
    hub: Hub = Hub(),  # noqa: B008  (immutable)
) -> NnsightEngine:
    """Finds or downloads a model, loads it and checks it. Raises ModelLoadError.

    `device` is `auto` (a CUDA GPU if there is one, else the CPU), `cpu`, `mps` or `cuda:n`; `dtype`
    what the blocks compute with, `auto` as in `Settings.dtype`;
    `threads` 0 takes every core that this process may use. `packing` `auto` packs what there is
    memory for. `lenses` is the folder of lenses fitted to the model, by default `lenses` in its own
    folder, `fitted_lenses` that of lenses which this program fitted to any model. `is_beside`: another model stays in memory, so the weights have to fit what is free.
    """
    tell = on_progress or (lambda _step, _detail, _done, _total: None)
    shown = shown_name(model)
    tell("find", f"Looking for {shown}.", None, None)
    files = find_model(
        model,
        revision,
        on_progress=lambda done, total: tell("find", f"Downloading {shown}.", done, total),
        hub=hub,
    )
    torch.set_num_threads(threads or usable_cores())
    started = time.monotonic()
    tell("weights", f"Loading the weights of {files.name}.", None, None)
    revision_found = files.revision or ModelDigest(files.folder, files.name, files.gguf)
    loaded = load_files(
        files,
        _device(device),
        lambda detail, done, total: tell("weights", detail, done, total),
        dtype=dtype,
        is_beside=is_beside,
    )
    logger.info(
        "loaded %s from %s: %s, %s, %.1f s",
        files.name,
        files.source,
        str(loaded.model.dtype).removeprefix("torch."),
        loaded.model.device,
        time.monotonic() - started,
    )
    engine = _make_engine(
        files,
        revision_found,
        loaded,
        BuiltInTemplate(user_label, assistant_label),
        lenses=lenses or files.folder / LENSES_FOLDER,
        fitted_lenses=fitted_lenses,
        store_bytes=store_bytes,
        readout_bytes=readout_bytes,
        store_dtype=store_dtype,
        packing=packing,
        tell=tell,
    )
    # Reading files and checking left gaps of all sizes.
    return_free_memory()
    return engine


def _make_engine(
    files: ModelFiles,
    revision: str | ModelDigest,
    loaded: _Loaded,
    built_in: BuiltInTemplate,
    *,
    lenses: Path,
    fitted_lenses: Path | None,
    store_bytes: int,
    readout_bytes: int | None,
    store_dtype: StoreDtype,
    packing: Packing | Literal["auto"],
    tell: OnLoading,
) -> NnsightEngine:
    model, tokenizer = loaded.model, loaded.tokenizer
    with explained(files, "could not be prepared for reading", kind=UnsupportedArchitecture):
        vocabulary = TokenizerVocabulary(tokenizer, d_vocab_of(model, files.name))
        template = (
            TokenizerTemplate(tokenizer, vocabulary.special_tokens, files.name)
            if tokenizer.chat_template
            else built_in
        )
        unembedding = find_structure(model).unembedding
        change_weights_now(model)
        tell("pack", f"Packing the weights of {files.name}.", None, None)
        if packing == "auto":
            packing = packing_that_fits(model, unembedding)
        packed = pack(model, unembedding, packing)
        checking = partial(tell, "check", f"Checking {files.name}.", None, None)
        checking()
        revision = revision if isinstance(revision, str) else revision.result()
        # Without a device, the pipeline that nnsight makes would move the model to the first GPU.
        lm = LanguageModel(model, tokenizer=tokenizer, device=model.device)
        return NnsightEngine(
            lm,
            vocabulary=vocabulary,
            template=template,
            chat_template=without_mark_left_out(
                described(template, vocabulary), loaded.ends, vocabulary
            ),
            name=files.name,
            source=files.source,
            revision=revision,
            note=files.note or loaded.note,
            adds_bos=vocabulary.adds_bos,
            bos_token_id=vocabulary.bos_token_id,
            eos_token_ids=tuple(i for i in loaded.ends.ids if i < vocabulary.size),
            is_byte_exact=vocabulary.is_byte_exact,
            text_losses=vocabulary.text_losses,
            store_bytes=store_bytes,
            readout_bytes=readout_bytes,
            store_dtype=store_dtype,
            packing=packed,
            lens_files=LensFiles(
                lenses,
                partial(_weights_digest, files),
                fitted_lenses and fitted_lenses / lens_folder_name(files.source, revision),
            ),
            pause=checking,
        )


def change_weights_now(model: Any) -> None:
    """Runs a model on one token, because some change their weights when they first run.

    RWKV divides those of deep blocks. Packed copies of them would be of the weights before.
    """
    with torch.inference_mode(), suppress(*MODEL_FAILURES):  # the self-check says what fails
        model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device))


def described(
    template: BuiltInTemplate | TokenizerTemplate, vocabulary: TokenizerVocabulary
) -> ChatTemplate:
    """What is known of a template, with what it does about the beginning-of-sequence token."""
    if isinstance(template, BuiltInTemplate):
        return replace(template.description, starts_with_bos=vocabulary.adds_bos)
    try:
        spans = template.start([Message("user", "Hello")])
    except InvalidRequest:  # Chatting with this template says why.
        return template.description
    leads = vocabulary.leading_bos(spans) is not None
    return replace(template.description, starts_with_bos=leads)


def load_files(
    files: ModelFiles,
    device: torch.device,
    tell: Callable[[str, int, int], None] = lambda _detail, _done, _total: None,
    *,
    dtype: DtypeChoice = "float32",
    is_beside: bool = False,
) -> _Loaded:
    """The model and its tokenizer from a folder, in memory. Raises ModelLoadError.

    `dtype` `auto` is on the CPU what `cpu_dtype` chooses, on a GPU what the weights are stored in. `tell`
    is called about once a second while weights are read, with the bytes done and in all.
    """
    with ExitStack() as opened:
        if files.gguf is None:
            return _load_from(files, files.folder, None, device, tell, dtype, is_beside)
        # transformers prefers a tokenizer.json beside the file to the tokenizer in it.
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        link_or_copy(files.gguf, folder / GGUF_NAME)
        header = read_gguf_header(files.gguf, files.name)
        return _load_from(files, folder, header, device, tell, dtype, is_beside)


def _load_from(
    files: ModelFiles,
    folder: Path,
    header: GgufHeader | None,
    device: torch.device,
    tell: Callable[[str, int, int], None],
    dtype: DtypeChoice,
    is_beside: bool,
) -> _Loaded:
    """From the files in `folder`: those of a model that was saved, or one GGUF file with this header."""
    name = files.name
    if header is None:
        settings = read_config(folder, name)
        require_known(settings, name)
        stored = read_headers(weight_files(folder, name), name)
        require_plausible_depth(settings, stored, name)
        require_tokenizer(folder, name)
    else:
        stored = stored_in(header, name)
    computing: torch.dtype | Literal["auto"] = "auto" if dtype == "auto" else getattr(torch, dtype)
    if device.type == "cpu":
        computing = cpu_dtype(dtype, stored.n_parameters, stored.n_bfloat16, name)
        is_bfloat16 = computing == torch.bfloat16
        require_memory(stored.n_parameters, name, is_bfloat16=is_bfloat16, is_beside=is_beside)
    transformers.logging.set_verbosity_error()  # what matters of its warnings is an error here
    transformers.logging.disable_progress_bar()
    only_data: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    if header is not None:
        only_data["gguf_file"] = GGUF_NAME
    with explained(files, "has a configuration that cannot be read"):
        config = AutoConfig.from_pretrained(folder, **only_data)
    if getattr(config, "is_encoder_decoder", False):
        raise UnsupportedArchitecture(
            f"{name} ({config.model_type}) is an encoder-decoder; only decoders can be read "
            "layer by layer.",
            hint=CAUSAL_HINT,
        )
    if header is not None:
        require_known({"model_type": config.model_type}, name)
    # The tokenizers library raises bare Exception.
    with explained(files, "has a tokenizer that cannot be read", failures=(Exception,)):
        # transformers reads the flag of a GGUF file and leaves it out.
        flags = {} if header is None else {"add_bos_token": header.adds_bos}
        tokenizer = AutoTokenizer.from_pretrained(folder, **only_data, **flags)
    last_told = time.monotonic()

    def on_tensor(n_filled: int, done: int, total: int) -> None:
        nonlocal last_told
        if time.monotonic() - last_told >= TELL_EVERY_SECONDS:
            last_told = time.monotonic()
            tell(f"Loading the weights of {name} (tensors read: {n_filled:,}).", done, total)

    with explained(files, "could not be loaded"), watching_build(stored, name, on_tensor):
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=computing,
            use_safetensors=True,
            # Only what the file says of ends is used, below; none of its sampling settings is.
            generation_config=GenerationConfig(),
            # Reported in `info`, where _require_match names the tensors.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **only_data,
        )
    require_match(info, stored, model, name)
    with explained(files, f"could not be moved to {device}"):
        model = model.to(device).eval().requires_grad_(False)
    ends = find_ends(folder, name, config, tokenizer)
    return _Loaded(model, tokenizer, ends, None if header is None else rounding_note(header))


def _weights_digest(files: ModelFiles) -> str:
    if files.gguf is not None:
        return sha256_of([files.gguf])
    return weights_digest(files.folder, files.name)


def require_tokenizer(folder: Path, name: str) -> None:
    """Raises ModelLoadError for a folder without the files of a tokenizer."""
    if not any((folder / file).is_file() for file in VOCABULARY_FILES):
        raise ModelLoadError(
            f"{name} has no tokenizer (no tokenizer.json).",
            hint="Save the tokenizer beside the model with save_pretrained.",
        )


def require_known(settings: dict[str, Any], name: str) -> None:
    """Raises UnsupportedArchitecture unless transformers itself has this kind of decoder."""
    kind = settings.get("model_type")
    if not isinstance(kind, str):
        raise UnsupportedArchitecture(
            f"The configuration of {name} does not say which model_type it is.", hint=CAUSAL_HINT
        )
    if kind not in CONFIG_MAPPING:
        if "auto_map" in settings:
            raise UnsupportedArchitecture(
                f"{name} ({kind}) comes with code of its own (auto_map), which is never run.",
                hint=CAUSAL_HINT,
            )
        raise UnsupportedArchitecture(
            f"transformers {transformers.__version__} does not know the model_type {kind!r} of {name}.",
            hint=CAUSAL_HINT,
        )
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        named = settings.get("architectures")
        what = f"{kind}, {named[0]}" if isinstance(named, list) and named else kind
        raise UnsupportedArchitecture(
            f"{name} ({what}) is not a causal language model.", hint=CAUSAL_HINT
        )


@torch.inference_mode()
def d_vocab_of(model: Any, name: str) -> int:
    unembedding = model.get_output_embeddings()
    weight = getattr(unembedding, "weight", None)
    if weight is None:
        raise UnsupportedArchitecture(
            f"{name} ({type(model).__name__}) has no unembedding.", hint=CAUSAL_HINT
        )
    return int(weight.shape[0])


@contextmanager
def explained(
    files: ModelFiles,
    what: str,
    *,
    kind: type[ModelLoadError] = ModelLoadError,
    failures: tuple[type[Exception], ...] = FAILURES,
) -> Iterator[None]:
    """Turns what transformers raises into one line that does not name this machine's folders."""
    try:
        yield
    except failures as error:
        logger.debug("%s %s", files.name, what, exc_info=True)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(
            error
        ):
            raise ModelLoadError(
                f"There is not enough memory to load {files.name}.",
                hint="Choose a smaller model, or close other programs.",
            ) from error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = lines[0].replace(str(files.folder), files.name).rstrip(".")
        raise kind(f"{files.name} {what}: {reason}.", hint=DAMAGED_HINT) from error


def _device(wanted: str) -> torch.device:
    """The device to compute on. Raises ModelLoadError for one that this machine does not have."""
    if wanted == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[device.type]
    if (device.index or 0) >= there:
        raise ModelLoadError(
            f"This machine has no device {wanted} that torch {torch.__version__} can use.",
            hint="Leave the device at auto.",
        )
    return device
