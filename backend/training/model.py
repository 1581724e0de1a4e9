"""The architecture, how it starts, and the loss.

A stock `GPT2LMHeadModel`, so that everything that reads GPT-2 reads this model. Two choices differ
from GPT-2: the activation is the exact GELU, whose kernel on a CPU takes 40 % of the time of the
tanh approximation, and the position table starts as sinusoids instead of noise, which relates
neighbouring positions from the first step; with a few thousand steps a random table stays noise at
rarely met positions. Heads have 64 dimensions, as GPT-2's have.
"""

import math

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from training.tokenizer import END_OF_TEXT_ID, VOCABULARY_SIZE

INITIAL_STD = 0.02


D_HEAD = 64


def model_config(d_model: int = 192) -> GPT2Config:
    """12 blocks, 1,024 positions, heads of 64; as shipped 3 heads and about 7 M parameters.

    Raises ValueError for a width that is not made of whole heads.
    """
    if d_model <= 0 or d_model % D_HEAD:
        raise ValueError(f"d_model is {d_model}; it must be a multiple of {D_HEAD}.")
    n_heads = d_model // D_HEAD
    return small_config(VOCABULARY_SIZE, n_ctx=1024, d_model=d_model, n_layers=12, n_heads=n_heads)


def small_config(d_vocab: int, n_ctx: int, d_model: int, n_layers: int, n_heads: int) -> GPT2Config:
    """A GPT-2 configuration of any size, without dropout, with tied embeddings."""
    return GPT2Config(
        vocab_size=d_vocab,
        n_positions=n_ctx,
        n_embd=d_model,
        n_layer=n_layers,
        n_head=n_heads,
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=END_OF_TEXT_ID,
        eos_token_id=END_OF_TEXT_ID,
        tie_word_embeddings=True,
    )


def sinusoids(n_ctx: int, d_model: int) -> torch.Tensor:
    """Sinusoidal positions (Vaswani et al. 2017), scaled to `INITIAL_STD`: `[n_ctx, d_model]`."""
    position = torch.arange(n_ctx).unsqueeze(1)  # [n_ctx, 1]
    rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model))
    table = torch.empty(n_ctx, d_model)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)
    return table * (INITIAL_STD * math.sqrt(2.0))


def build_model(config: GPT2Config, seed: int) -> GPT2LMHeadModel:
    """A model with GPT-2's own initialisation, but sinusoidal positions."""
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.wpe.weight.copy_(sinusoids(config.n_positions, config.n_embd))
    return model


def causal_mask(n_positions: int, device: torch.device) -> torch.Tensor:
    """What is added to attention scores, `[1, 1, n_positions, n_positions]`: 0, or about -inf."""
    lowest = torch.finfo(torch.bfloat16).min
    mask = torch.full((n_positions, n_positions), lowest, device=device).triu(1)
    return mask[None, None]


def training_layers(
    model: GPT2LMHeadModel, input_ids: torch.Tensor, position_ids: torch.Tensor
) -> list[torch.Tensor]:
    """The residual stream of every layer, each `[rows, positions, d_model]`.

    Rows may start at any position. Runs the blocks directly: `GPT2Model.forward` inspects
    `position_ids` for packed sequences. On a CPU and in bfloat16 the scores are written out (`eager`
    attention): compiled, that takes half the time of the fused kernel, forwards and backwards. In
    float32 the fused kernel is the faster one, 1.2 times over a whole step with rows of 1,024.
    """
    transformer = model.transformer
    is_written_out = model.config._attn_implementation == "eager"
    mask = causal_mask(input_ids.shape[1], input_ids.device) if is_written_out else None
    layers = [transformer.wte(input_ids) + transformer.wpe(position_ids)]
    for block in transformer.h:
        output = block(layers[-1], attention_mask=mask)
        layers.append(output[0] if isinstance(output, tuple) else output)
    return layers


def training_losses(
    model: GPT2LMHeadModel, rows: torch.Tensor, offsets: torch.Tensor, exits: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of the output and the early-exit loss, both as mean cross-entropy in nats a token.

    `exits`: `[2, n]`, layers in [1, n_layers) and places in the flattened rows. At these places the
    next token is predicted from the layer's residual stream by the final norm and the unembedding,
    as the logit lens does (early exits: Elhoushi et al. 2024, arXiv:2404.16710; here a few random
    places and layers a pass instead of every one, which costs 2 % of the time).
    """
    layers, targets = _layers_and_targets(model, rows, offsets)
    output_loss = _cross_entropy(model, layers[-1].flatten(0, 1), targets)
    inner = torch.stack(layers).flatten(1, 2)[exits[0], exits[1]]  # [n, d_model]
    return output_loss, _cross_entropy(model, inner, targets[exits[1]])


def _layers_and_targets(
    model: GPT2LMHeadModel, rows: torch.Tensor, offsets: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor]:
    inputs, targets = rows[:, :-1], rows[:, 1:]
    positions = offsets.unsqueeze(1) + torch.arange(inputs.shape[1], device=rows.device)
    return training_layers(model, inputs, positions), targets.flatten()


def _cross_entropy(
    model: GPT2LMHeadModel, hidden: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    logits = model.lm_head(model.transformer.ln_f(hidden))
    return F.cross_entropy(logits.float(), targets)
