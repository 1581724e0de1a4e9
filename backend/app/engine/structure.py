"""Where a decoder keeps its parts, found without a table of architectures.

Holds for every decoder of Hugging Face that was tried (28 families): the blocks are the outermost
`ModuleList` of the base model with one entry for each hidden layer of the configuration, the final
norm is a norm beside that list, the unembedding is `get_output_embeddings()`. What does not fit is
refused with a message that says what was found; what fits is still proven by the self-check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from app.errors import UnsupportedArchitecture

UNLIMITED_CONTEXT = 131_072
"""Tokens allowed to a model that knows no limit, such as a state-space model: as many as a request may hold."""

CONTEXT_FIELDS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
    "n_ctx",
)


@dataclass(frozen=True, slots=True)
class Structure:
    """The parts of one decoder and the sizes that its configuration states."""

    blocks: tuple[nn.Module, ...]
    block_paths: tuple[str, ...]
    """Dotted path of each block in the model, such as `transformer.h.0`."""
    final_norm_path: str | None
    """None where the model has no norm beside its blocks; the model's own tail decodes all the same."""
    unembedding: nn.Module
    unembedding_path: str
    n_heads: int | None
    n_ctx: int

    @property
    def n_layers(self) -> int:
        return len(self.blocks)


def find_structure(model: nn.Module) -> Structure:
    """The parts of a Hugging Face decoder. Raises UnsupportedArchitecture naming what was found."""
    name = type(model).__name__
    config = getattr(model, "config", None)
    if config is None or not hasattr(model, "get_output_embeddings"):
        raise UnsupportedArchitecture(
            f"{name} is not a Hugging Face language model: it has no configuration or no"
            " unembedding.",
            hint="Choose a decoder that transformers loads as a causal language model.",
        )
    if getattr(config, "is_encoder_decoder", False):
        raise UnsupportedArchitecture(
            f"{name} is an encoder-decoder; only decoders are supported.",
            hint="Choose a causal language model such as gpt2.",
        )
    text_config = config.get_text_config(decoder=True)
    n_layers = getattr(text_config, "num_hidden_layers", None)
    if not isinstance(n_layers, int) or n_layers < 1:
        raise UnsupportedArchitecture(
            f"The configuration of {name} does not say how many layers it has"
            f" (num_hidden_layers: {n_layers!r})."
        )
    unembedding = model.get_output_embeddings()  # type: ignore[operator]
    if not isinstance(unembedding, nn.Module):
        raise UnsupportedArchitecture(
            f"{name} has no unembedding: get_output_embeddings() gives {unembedding!r}.",
            hint="Choose a model with a language-model head.",
        )

    paths = {id(module): path for path, module in model.named_modules()}
    base = getattr(model, "base_model", model)
    list_path, blocks = _find_blocks(name, base, n_layers)
    base_path = paths[id(base)]
    list_path = ".".join(part for part in (base_path, list_path) if part)
    parent = model.get_submodule(list_path.rpartition(".")[0])
    norm_name = _find_final_norm(parent, blocks)
    parent_path = paths[id(parent)]
    return Structure(
        blocks=tuple(blocks),
        block_paths=tuple(f"{list_path}.{i}" for i in range(n_layers)),
        final_norm_path=norm_name and ".".join(part for part in (parent_path, norm_name) if part),
        unembedding=unembedding,
        unembedding_path=paths[id(unembedding)],
        n_heads=_count_heads(text_config),
        n_ctx=_find_context(text_config),
    )


def _find_blocks(name: str, base: nn.Module, n_layers: int) -> tuple[str, nn.ModuleList]:
    lists = [(path, m) for path, m in base.named_modules() if isinstance(m, nn.ModuleList)]
    fitting = [(path, m) for path, m in lists if len(m) == n_layers]
    outermost = min((path.count(".") for path, _ in fitting), default=0)
    fitting = [(path, m) for path, m in fitting if path.count(".") == outermost]
    if len(fitting) == 1:
        return fitting[0]
    found = ", ".join(f"{path} ({len(m)})" for path, m in lists[:8]) or "none"
    wanted = f"one module list with {n_layers} blocks"
    problem = "several fit" if fitting else "none fits"
    raise UnsupportedArchitecture(
        f"The blocks of {name} were not found: wanted {wanted}, {problem}. Module lists found: {found}.",
        hint="This architecture keeps its layers in a way that is not known here.",
    )


def _find_final_norm(parent: nn.Module, blocks: nn.ModuleList) -> str | None:
    """Name of the norm beside the blocks: the first after them, else the last before them (OPT)."""
    before: str | None = None
    is_after = False
    for name, module in parent.named_children():
        if module is blocks:
            is_after = True
        elif "norm" in type(module).__name__.lower():
            if is_after:
                return name
            if "final" in name:
                before = name
    return before


def _count_heads(text_config: Any) -> int | None:
    heads = getattr(text_config, "num_attention_heads", None)
    return heads if isinstance(heads, int) and heads > 0 else None


def _find_context(text_config: Any) -> int:
    """Tokens that fit the model's context.

    With `longrope` the rotary frequencies change once a text is longer than the original context,
    and every earlier residual stream with them: only within the original context has each token
    one residual stream, whatever follows, so that is the limit used.
    """
    limits = [getattr(text_config, field, None) for field in CONTEXT_FIELDS]
    n_ctx = next((n for n in limits if isinstance(n, int) and n > 0), UNLIMITED_CONTEXT)
    rope = getattr(text_config, "rope_parameters", None)
    if isinstance(rope, dict) and rope.get("rope_type") == "longrope":
        original = rope.get("original_max_position_embeddings")
        original = original or getattr(text_config, "original_max_position_embeddings", None)
        if isinstance(original, int) and original > 0:
            n_ctx = min(n_ctx, original)
    return min(n_ctx, UNLIMITED_CONTEXT)


def special_ids(model: nn.Module) -> frozenset[int]:
    """Ids that the configuration names, and that a model may treat in a way of its own."""
    named = (getattr(model.config, f"{kind}_token_id", None) for kind in ("pad", "bos", "eos"))
    return frozenset(
        i for ids in named for i in (ids if isinstance(ids, list) else [ids]) if i is not None
    )


def is_tied(model: nn.Module, unembedding: nn.Module) -> bool:
    """Whether the unembedding is the embedding's own matrix."""
    embedding = model.get_input_embeddings()  # type: ignore[operator]
    return getattr(embedding, "weight", None) is getattr(unembedding, "weight", False)
