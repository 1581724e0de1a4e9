"""What runs on the NDIF server: sent as source with each job, so torch, json and nnsight only.

Each function is the body of one job. A job says what it found by printed lines, which NDIF sends on
as they come; nothing is saved, so nothing that the server pickled has to be loaded here. Lines are
counted, so that a lost one is noticed. A line is `MARK` and a JSON object.

`plan` is what `plans.py` makes: names of modules and sizes of the model, and what is asked of it.
Rows are decoded by the model's own tail, as in `capture.py`: they stand where the last block's output
would be.
"""

from __future__ import annotations

import json
from typing import Any

import torch

from app.engine.runtime import nnsight
from app.engine.sampling import chosen_token

MARK = "@explorer "


def reply(model: Any, plan: dict[str, Any]) -> None:
    """A chat turn: a pass over the prompt up to its last token, then one a token, each read in every layer."""
    generator = torch.Generator(device="cpu").manual_seed(plan["seed"])
    cache, token_id = filled_cache(model, plan, plan["ids"][:-1]), plan["ids"][-1]
    written, n_lines = [], 0
    while True:
        logits, cache = step(model, plan, token_id, cache)
        token_id = chosen_token(
            logits[0], generator, plan["temperature"], plan["sample_top_k"], plan["top_p"]
        )
        line = {
            "n": n_lines,
            "token": token_id,
            **numbers(logits, [token_id, *plan["targets"]], plan["top_k"]),
        }
        print(MARK + json.dumps(line))
        n_lines += 1
        written.append(token_id)
        is_over = token_id in plan["end_ids"] or n_lines >= plan["max_new_tokens"]
        if not is_over and plan["stop"]:
            # Saves passes only: which tokens a stop string takes away is decided by who asked.
            text = model.tokenizer.decode(written[-plan["stop_tokens"] :])
            is_over = any(stop in text for stop in plan["stop"])
        if is_over:
            print(MARK + json.dumps({"n": n_lines, "over": True}))
            return


def filled_cache(model: Any, plan: dict[str, Any], ids: list[int]) -> Any:
    """The cache after a pass over ids; None for none."""
    if not ids:
        return None
    arguments = {"input_ids": on_device(model, [ids]), "use_cache": True}
    if plan["keeps_last"]:
        arguments["logits_to_keep"] = 1
    with torch.no_grad():  # noqa: SIM117 (nnsight reads the source of its own `with`)
        with model.trace(**arguments):
            cache = nnsight.save(model.output[plan["cache_name"]])
    return cache


def step(model: Any, plan: dict[str, Any], token_id: int, cache: Any) -> Any:
    """Runs the model on one further token: logits of its rows, float32 `[layers, d_vocab]`, and the cache."""
    blocks = [envoy(model, path) for path in plan["blocks"]]
    arguments = {"input_ids": on_device(model, [[token_id]]), "use_cache": True}
    if cache is not None:
        arguments[plan["cache_name"]] = cache
    rows = []
    with torch.no_grad():  # noqa: SIM117 (nnsight reads the source of its own `with`)
        with model.trace(**arguments):
            # Copied at once: a later block may change its input in place.
            rows.append(blocks[0].input[0].clone())
            for block in blocks:
                output = block.output
                stream = output[0] if isinstance(output, tuple) else output
                rows.append(stream[0].clone())
            wanted = torch.stack([rows[layer].to(stream.device) for layer in plan["layers"]])
            blocks[-1].output = (wanted, *output[1:]) if isinstance(output, tuple) else wanted
            logits = nnsight.save(model.output.logits)
            cache = nnsight.save(model.output[plan["cache_name"]])
    return logits[:, -1].float(), cache


def read(model: Any, plan: dict[str, Any]) -> None:
    """Read-outs of positions: one pass over the text, then its rows through the tail, in chunks."""
    with torch.no_grad():
        rows, outputs = streams(model, plan)
        for n, place in enumerate(range(0, len(plan["positions"]), plan["chunk"])):
            chunk = rows[place : place + plan["chunk"]]
            logits = decode(model, plan, chunk.flatten(0, 1), outputs)
            logits = logits.view(len(chunk), -1, logits.shape[-1])
            tokens = plan["tokens"][place : place + plan["chunk"]]
            found = [
                numbers(each, of_each, plan["top_k"])
                for each, of_each in zip(logits, tokens, strict=True)
            ]
            print(MARK + json.dumps({"n": n, "positions": found}))


def streams(model: Any, plan: dict[str, Any]) -> Any:
    """Streams `[positions, layers, d_model]` in main memory, and how many items each block returns."""
    blocks = [envoy(model, path) for path in plan["blocks"]]
    arguments = {"input_ids": on_device(model, [plan["ids"]]), "use_cache": False}
    if plan["keeps_last"]:
        arguments["logits_to_keep"] = 1
    rows, lengths = [], []
    with model.trace(**arguments):
        rows.append(blocks[0].input[0, plan["positions"]].cpu())
        for block in blocks:
            output = block.output
            lengths.append(len(output) if isinstance(output, tuple) else 0)
            stream = output[0] if isinstance(output, tuple) else output
            rows.append(stream[0, plan["positions"]].cpu())
    return torch.stack([rows[layer] for layer in plan["layers"]], dim=1), lengths


def decode(model: Any, plan: dict[str, Any], rows: Any, lengths: list[int]) -> Any:
    """Logits of rows `[n, d_model]` by the model's own tail, float32 `[n, d_vocab]`; no block runs."""
    blocks = [envoy(model, path) for path in plan["blocks"]]
    batch = rows[:, None].to(model.device)
    with model.trace(input_ids=on_device(model, [[0]] * len(rows)), use_cache=False):
        for block, length in zip(blocks, lengths, strict=True):
            block.skip((batch, *[None] * (length - 1)) if length else batch)
        logits = nnsight.save(model.output.logits)
    return logits[:, 0].float()


def compare(model: Any, plan: dict[str, Any]) -> None:
    """Predictions of two texts compared: a pass over each, then pairs of rows through the tail."""
    with torch.no_grad():
        rows_a, outputs = streams(model, plan | plan["a"])
        rows_b, _ = streams(model, plan | plan["b"])
        for n, place in enumerate(range(0, len(plan["pairs"]), plan["chunk"])):
            sides = []
            for rows, number in ((rows_a, 0), (rows_b, 1)):
                pairs = plan["pairs"][place : place + plan["chunk"]]
                # Where both texts are one so far, the rows of `a` stand for both.
                each = [
                    (rows_a, pair[2]) if number and pair[2] is not None else (rows, pair[number])
                    for pair in pairs
                ]
                layers = [pair[number] for pair in plan["layer_pairs"]]
                chosen = torch.stack([of[row][layers] for of, row in each])
                sides.append(decode(model, plan, chosen.flatten(0, 1), outputs))
            shape = (len(pairs), len(plan["layer_pairs"]))
            found = compared(sides[0], sides[1], plan["targets"], shape)
            print(MARK + json.dumps({"n": n, "pairs": len(pairs), **found}))


def compared(a: Any, b: Any, targets: list[int], shape: tuple[int, int]) -> dict[str, Any]:
    """What pairs of rows of logits `[rows, d_vocab]` say of each other, each `[positions, layers]`."""
    log_a, log_b = a.log_softmax(-1), b.log_softmax(-1)
    p_a, p_b = log_a.exp(), log_b.exp()
    log_mean = torch.logaddexp(log_a, log_b) - torch.log(torch.tensor(2.0))
    to_mean_a = (p_a * (log_a - log_mean)).sum(-1)
    to_mean_b = (p_b * (log_b - log_mean)).sum(-1)
    is_same = (a == b).all(-1)
    found = {
        "kl_a_to_b": (p_a * (log_a - log_b)).sum(-1),
        "kl_b_to_a": (p_b * (log_b - log_a)).sum(-1),
        "js": (to_mean_a + to_mean_b) / 2,
    }
    found = {
        name: short(value.clamp(min=0.0).masked_fill(is_same, 0.0).view(shape))
        for name, value in found.items()
    }
    for side, logits, logprobs in (("a", a, log_a), ("b", b, log_b)):
        best, ids = logprobs.max(-1)
        found[side + "_ids"] = ids.view(shape).tolist()
        found[side + "_probabilities"] = short(best.exp().view(shape))
        own = [logits[:, token, None] for token in targets]
        found[side + "_target_probabilities"] = [
            short(logprobs[:, token].exp().view(shape)) for token in targets
        ]
        found[side + "_target_ranks"] = [
            (1 + (logits > each).sum(-1)).view(shape).tolist() for each in own
        ]
    return found


def check(model: Any, plan: dict[str, Any]) -> None:
    """The self-check of `selfcheck.py` that can be made there, on the ids of the plan."""
    blocks = [envoy(model, path) for path in plan["blocks"]]
    middle = blocks[plan["middle"] - 1]
    ids = on_device(model, [plan["ids"]])
    with torch.no_grad():
        with model.trace(input_ids=ids, use_cache=False):
            output = middle.output
            stream = nnsight.save(output[0] if isinstance(output, tuple) else output)
            logits = nnsight.save(model.output.logits)
        logits = logits[0].float()
        with model.trace(input_ids=ids, use_cache=False):
            output = middle.output
            reversed_stream = stream.flip(1)
            middle.output = (
                (reversed_stream, *output[1:]) if isinstance(output, tuple) else reversed_stream
            )
            edited = nnsight.save(model.output.logits)
        rows, lengths = streams(model, plan)
        lens = decode(model, plan, rows[:, 0], lengths)
    half = len(plan["ids"]) // 2
    cached, cache = [], filled_cache(model, plan, plan["ids"][:half])
    for token_id in plan["ids"][half:]:
        stepped, cache = step(model, plan, token_id, cache)
        cached.append(stepped[0])
    found = {
        "n": 0,
        "finite": bool(torch.isfinite(logits).all()),
        "largest": float(logits.abs().max()),
        "lens": float((lens - logits).abs().max()),
        "cached": float((torch.stack(cached) - logits[half:]).abs().max()),
        "edited": float((edited[0].float() - logits).abs().max()),
        "d_model": rows.shape[-1],
        "d_vocab": logits.shape[-1],
        "dtype": str(model.dtype),
        "nnsight": nnsight.__version__,
    }
    print(MARK + json.dumps(found))


def numbers(logits: Any, tokens: list[int], top_k: int) -> dict[str, Any]:
    """What rows of logits `[layers, d_vocab]` say, the last layer's first; `tokens` are looked up in each."""
    logprobs = logits.log_softmax(-1)
    probabilities = logprobs.exp()
    top, ids = logits.topk(top_k)
    divergence = (probabilities[:1] * (logprobs[:1] - logprobs)).sum(-1)
    looked_up = torch.tensor(tokens, dtype=torch.long, device=logits.device)
    own = logits[:, looked_up]
    return {
        "ids": ids.tolist(),
        "probabilities": short(logprobs.gather(-1, ids).exp()),
        "ranks": [
            [1 + int((row > each).sum()) for each in best]
            for row, best in zip(logits, top, strict=True)
        ],
        "entropy": short(-(probabilities * logprobs).sum(-1)),
        "kl": short(divergence.clamp(min=0.0)),
        "token_logprobs": short(logprobs[:, looked_up]),
        "token_ranks": [
            [1 + int((row > each).sum()) for each in of_row]
            for row, of_row in zip(logits, own, strict=True)
        ],
    }


def short(values: Any) -> Any:
    """Numbers with as many digits as float32 needs to come back bit for bit."""
    if values.dim() > 1:
        return [short(row) for row in values]
    return [float(f"{value:.9g}") for value in values.tolist()]


def envoy(model: Any, path: str) -> Any:
    """The part of the model that a dotted path names."""
    for name in path.split("."):
        model = getattr(model, name)
    return model


def on_device(model: Any, ids: list[list[int]]) -> Any:
    return torch.tensor(ids, dtype=torch.long, device=model.device)
