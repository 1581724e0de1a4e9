"""Attribution from the weights, in float64, by the names that an architecture has.

Shares no code with the engine, which knows no names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

Place = tuple[str, int | None, int | None]
"""Part, block from 1, head."""


@torch.no_grad()
def gpt2_parts(model: nn.Module, ids: Sequence[int], target: int, foil: int) -> dict[Place, float]:
    """Contributions to `logit[target] - logit[foil]` after `ids`: embeddings, heads, MLPs and biases."""
    model = model.double()
    n_layers, n_heads = model.config.n_layer, model.config.n_head
    places = {
        f"{n}.{kind}": f"transformer.h.{n}.{kind}.c_proj"
        for n in range(n_layers)
        for kind in ("attn", "mlp")
    }
    seen = seen_by_hooks(model, places | {"end": "transformer.ln_f"}, ids)
    stream, norm = seen["end"], model.transformer.ln_f
    difference = model.lm_head.weight[target] - model.lm_head.weight[foil]
    row = difference * norm.weight
    row = (row - row.mean()) / (stream.var(unbiased=False) + norm.eps).sqrt()
    parts: dict[Place, torch.Tensor] = {
        ("embed", None, None): row @ model.transformer.wte.weight[ids[-1]],
        ("position", None, None): row @ model.transformer.wpe.weight[len(ids) - 1],
        ("bias", None, None): norm.bias @ difference,
    }
    for n, block in enumerate(model.transformer.h):
        heads = seen[f"{n}.attn"].view(n_heads, -1)
        size = heads.shape[-1]
        for head in range(n_heads):
            matrix = block.attn.c_proj.weight[size * head : size * (head + 1)]
            parts["head", n + 1, head] = row @ (heads[head] @ matrix)
        parts["mlp", n + 1, None] = row @ (seen[f"{n}.mlp"] @ block.mlp.c_proj.weight)
        parts["bias", n + 1, None] = row @ (block.attn.c_proj.bias + block.mlp.c_proj.bias)
    return {place: float(value) for place, value in parts.items()}


@torch.no_grad()
def gpt2_write_effects(model: nn.Module, ids: Sequence[int], block: int) -> dict[str, torch.Tensor]:
    """What attention and MLP of a block, from 1, add to every logit after `ids`, less the mean: `[d_vocab]`."""
    model = model.double()
    path = f"transformer.h.{block - 1}"
    places = {kind: f"{path}.{kind}.c_proj" for kind in ("attn", "mlp")}
    seen = seen_by_hooks(model, places | {"end": "transformer.ln_f"}, ids)
    stream, norm = seen["end"], model.transformer.ln_f
    deviation = (stream.var(unbiased=False) + norm.eps).sqrt()
    effects = {}
    for kind, place in places.items():
        linear = model.get_submodule(place)
        written = seen[kind] @ linear.weight + linear.bias
        normed = norm.weight * (written - written.mean()) / deviation
        logits = model.lm_head.weight @ normed
        effects[kind] = logits - logits.mean()
    return effects


@torch.no_grad()
def seen_by_hooks(
    model: nn.Module, places: dict[str, str], ids: Sequence[int]
) -> dict[str, torch.Tensor]:
    """Inputs of modules at the last token, in one pass of the plain model over the text."""
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        model.get_submodule(path).register_forward_pre_hook(
            lambda _m, args, name=name: seen.__setitem__(name, args[0][0, -1].clone())
        )
        for name, path in places.items()
    ]
    model(input_ids=torch.tensor([list(ids)]), use_cache=False)
    for hook in hooks:
        hook.remove()
    return seen
