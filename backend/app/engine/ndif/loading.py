"""A model on NDIF made ready: described here without weights, checked there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from app.engine.runtime import LanguageModel, nnsight  # isort: skip  (configures nnsight)
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from app.engine import sampling
from app.engine.checkpoint import read_config
from app.engine.digest import ModelDigest
from app.engine.endings import find_ends, without_mark_left_out
from app.engine.hub import Hub
from app.engine.loading import (
    CAUSAL_HINT,
    d_vocab_of,
    described,
    explained,
    require_known,
    require_tokenizer,
)
from app.engine.model_names import shown_name
from app.engine.ndif import connection as connection_module
from app.engine.ndif import shipped
from app.engine.ndif.connection import Connection, keep_source
from app.engine.ndif.engine import NdifEngine, RemoteModel
from app.engine.ndif.plans import Shape, check_plan, shape_of
from app.engine.ndif.withheld import CAPABILITIES, SITES
from app.engine.selfcheck import LARGEST_LOGIT, MIN_EDIT_CHANGE, spread_ids
from app.engine.sources import ModelFiles, find_description
from app.engine.structure import find_structure, is_tied, special_ids
from app.engine.template import BuiltInTemplate, TokenizerTemplate
from app.engine.types import LoadStep, ModelFacts, RemoteState, SelfCheck
from app.engine.vocabulary import TokenizerVocabulary
from app.errors import NdifFailed, NdifVersion, UnsupportedArchitecture

logger = logging.getLogger(__name__)

OnLoading = Callable[[LoadStep, str], None]

WORDS = {
    "queued": "NDIF has the check of {name} in its queue.",
    "deploying": "NDIF is loading {name}, which may take minutes.",
    "running": "NDIF is checking {name}.",
}
"""What a state of the check is called while the server starts."""

# An installed package would be looked for on the other side.
nnsight.register(shipped)
nnsight.register(sampling)
keep_source(connection_module, sampling, shipped)


def load_engine(
    model: str,
    connection: Connection,
    *,
    revision: str | None = None,
    user_label: str = "User",
    assistant_label: str = "Assistant",
    on_progress: OnLoading = lambda _step, _detail: None,
    hub: Hub = Hub(),  # noqa: B008  (immutable)
) -> NdifEngine:
    """Describes a model, and has NDIF load and check it.

    Raises ModelLoadError, NdifUnavailable, NdifRefused, NdifVersion, NdifLost, NdifFailed or
    DeadlineExceeded.
    """
    on_progress("find", f"Looking for the description of {shown_name(model)}.")
    files = find_description(model, revision, hub=hub)
    on_progress("find", f"Describing {files.name}, without its weights.")
    built = _describe(files)
    vocabulary = TokenizerVocabulary(built.tokenizer, d_vocab_of(built.model, files.name))
    template = (
        TokenizerTemplate(built.tokenizer, vocabulary.special_tokens, files.name)
        if built.tokenizer.chat_template
        else BuiltInTemplate(user_label, assistant_label)
    )
    structure = find_structure(built.model)
    d_model = built.model.get_input_embeddings().weight.shape[1]
    n_embeddings = built.model.get_input_embeddings().weight.shape[0]
    ends = find_ends(files.folder, files.name, built.config, built.tokenizer)
    remote = RemoteModel(
        LanguageModel(built.model, tokenizer=built.tokenizer, device="meta"),
        _key_of(files, revision),
        connection,
        shape_of(built.model, structure, d_model, vocabulary.size),
        n_embeddings,
    )
    avoid = frozenset(ends.ids) | special_ids(built.model)
    ids = spread_ids(min(n_embeddings, vocabulary.size), structure.n_ctx, vocabulary, avoid)
    found = _checked(remote, files.name, ids, lambda detail: on_progress("check", detail))
    dtype = str(found["dtype"]).removeprefix("torch.")
    facts = ModelFacts(
        name=files.name,
        source=files.source,
        revision=files.revision or ModelDigest(files.folder, files.name).result(),
        architecture=type(built.model).__name__,
        n_layers=structure.n_layers,
        n_heads=structure.n_heads,
        d_model=d_model,
        d_vocab=vocabulary.size,
        n_ctx=structure.n_ctx,
        n_parameters=sum(parameter.numel() for parameter in built.model.parameters()),
        dtype=dtype,
        device="NDIF",
        tied_embeddings=is_tied(built.model, structure.unembedding),
        chat_template=without_mark_left_out(described(template, vocabulary), ends, vocabulary),
        adds_bos=vocabulary.adds_bos,
        bos_token_id=vocabulary.bos_token_id,
        eos_token_ids=tuple(i for i in ends.ids if i < vocabulary.size),
        is_byte_exact=vocabulary.is_byte_exact,
        text_losses=vocabulary.text_losses,
        self_check=SelfCheck(found["lens"], found["cached"], found["edited"]),
        capabilities=CAPABILITIES,
        intervention_sites=SITES,
        note=" ".join(filter(None, (files.note, _note(dtype)))),
    )
    return NdifEngine(remote, facts, vocabulary, template)


@dataclass(frozen=True, slots=True)
class _Description:
    """A model on torch's `meta` device, which has shapes and no numbers, and its tokenizer."""

    model: Any
    config: Any
    tokenizer: Any


def _describe(files: ModelFiles) -> _Description:
    require_known(read_config(files.folder, files.name), files.name)
    require_tokenizer(files.folder, files.name)
    transformers.logging.set_verbosity_error()
    only_data: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    with explained(files, "has a configuration that cannot be read"):
        config = AutoConfig.from_pretrained(files.folder, **only_data)
    if getattr(config, "is_encoder_decoder", False):
        raise UnsupportedArchitecture(
            f"{files.name} ({config.model_type}) is an encoder-decoder; only decoders can be read "
            "layer by layer.",
            hint=CAUSAL_HINT,
        )
    # The tokenizers library raises bare Exception.
    with explained(files, "has a tokenizer that cannot be read", failures=(Exception,)):
        tokenizer = AutoTokenizer.from_pretrained(files.folder, **only_data)
    with explained(files, "cannot be described without its weights"), torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config).eval()
    return _Description(model, config, tokenizer)


def _key_of(files: ModelFiles, revision: str | None) -> str:
    """By which NDIF knows a model: as nnsight makes it, without asking the hub for the id's spelling."""
    repo = files.name if files.source == "hub" else str(files.folder)
    identity = {"repo_id": repo, "revision": revision, "task": "text-generation"}
    return f"nnsight.modeling.transformers.TransformersModel:{json.dumps(identity)}"


def _checked(
    remote: RemoteModel, name: str, ids: tuple[int, ...], tell: Callable[[str], None]
) -> dict[str, Any]:
    """What the self-check found there. Raises UnsupportedArchitecture with the number that failed."""
    found: dict[str, Any] | None = None
    words = "Sending the check of {name} to NDIF."
    with closing(remote.job(shipped.check, check_plan(remote.shape, ids))) as job:
        for news in job.updates():
            if isinstance(news, RemoteState):
                words = WORDS[news.state]
            elif news is not None:
                found = news
            tell(words.format(name=name))
    if found is None:
        raise NdifFailed(f"The check of {name} on NDIF found nothing.", hint="Start again.")
    _require_fit(found, remote.shape, name)
    return found


def _require_fit(found: dict[str, Any], shape: Shape, name: str) -> None:
    here, there = nnsight.__version__, str(found["nnsight"])
    if here.split(".")[:2] != there.split(".")[:2]:
        raise NdifVersion(
            f"NDIF runs nnsight {there}, this server {here}.",
            hint="Install versions of nnsight that fit each other on both sides.",
        )
    if (found["d_model"], found["d_vocab"]) != (shape.d_model, shape.d_vocab):
        raise UnsupportedArchitecture(
            f"{name} on NDIF has streams of {found['d_model']:,} numbers and {found['d_vocab']:,} "
            f"logits; its files here say {shape.d_model:,} and {shape.d_vocab:,}.",
            hint="Give the revision that NDIF runs.",
        )
    largest = found["largest"]
    if not found["finite"] or largest > LARGEST_LOGIT:
        raise UnsupportedArchitecture(
            f"{name} on NDIF gives logits that cannot be read (up to {largest:.3g} in magnitude)."
        )
    # As in `selfcheck.py`; on NDIF the tail, too, computes in 16 bits where the blocks do.
    is_wide = found["dtype"] in ("torch.float32", "torch.float64")
    tolerance = max(1e-4, 2e-6 * largest) if is_wide else 0.05 * largest
    for what, difference, allowed in (
        (
            "the lens at the last layer differs from the model's own logits",
            found["lens"],
            tolerance,
        ),
        (
            "decoding with a cache differs from decoding without",
            found["cached"],
            tolerance * (10 if is_wide else 1),
        ),
    ):
        if not difference <= allowed:
            raise UnsupportedArchitecture(
                f"Of {name} on NDIF {what} by {difference:.3g} (allowed: {allowed:.3g})."
            )
    if not found["edited"] >= MIN_EDIT_CHANGE:
        raise UnsupportedArchitecture(
            f"Replacing the residual stream of {name} on NDIF in a middle layer changed its logits by"
            f" only {found['edited']:.3g}."
        )


def _note(dtype: str) -> str:
    note = "The model runs on an NDIF server."
    if dtype in ("float16", "bfloat16"):
        note += (
            f" Its logits are rounded to {dtype} there: probabilities hold to two or three digits."
        )
    return note
