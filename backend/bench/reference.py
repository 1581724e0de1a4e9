"""How others do it, in a process of its own: `python -m bench.reference FOLDER`.

Reads one command a line as JSON and answers each with a line. What is timed is the work alone; the
model, the libraries and the threads are those of the server.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

Answer = dict[str, Any]
TOP_K = 5


class Reference:
    """The references for one model; `notebook` and the other lenses are for the GPT-2 architecture."""

    def __init__(self, folder: str) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._folder = folder

    @torch.inference_mode()
    def generate(self, ids: list[int], n: int) -> Answer:
        """Plain Hugging Face `generate`, greedy, without a lens."""
        prompt = torch.tensor([ids])
        started = time.perf_counter()
        out = self._generate(prompt, n)
        return {"seconds": time.perf_counter() - started, "ids": out[0, len(ids) :].tolist()}

    @torch.inference_mode()
    def notebook(self, ids: list[int], n: int) -> Answer:
        """The common notebook: generate, then one pass with every hidden state, a softmax per layer.

        All distributions are kept, as notebooks do, and every number that a reply of ours carries is
        read from them.
        """
        started = time.perf_counter()
        out = self._generate(torch.tensor([ids]), n)
        states = self.model(out, output_hidden_states=True).hidden_states
        tail, unembedding = self.model.transformer.ln_f, self.model.lm_head
        # The last hidden state is already normed.
        normed = [*(tail(state) for state in states[:-1]), states[-1]]
        layers = [functional.softmax(unembedding(state), -1)[0] for state in normed]
        final = layers[-1]
        following = out[0, 1:, None]
        numbers = []
        for p in layers:
            top = p.topk(TOP_K)
            entropy = -(p * (p + 1e-20).log()).sum(-1)
            kl = (final * ((final + 1e-20).log() - (p + 1e-20).log())).sum(-1)
            actual = p[:-1].gather(-1, following)
            rank = 1 + (p[:-1] > actual).sum(-1)
            numbers.append((top.values, top.indices, entropy, kl, actual, rank))
        seconds = time.perf_counter() - started
        return {
            "seconds": seconds,
            "ids": out[0, len(ids) :].tolist(),
            "entropy_nats": [layer[2].tolist() for layer in numbers],
        }

    def nnsight_lens(self, ids: list[int], n: int) -> Answer:
        """nnsight's documented logit lens over a text, after generating it: norm, unembedding and
        softmax of each block's output, saved in a trace."""
        from app.engine.runtime import LanguageModel, nnsight

        if not hasattr(self, "_traced"):
            model = GPT2LMHeadModel.from_pretrained(self._folder).eval()
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(self._folder)
            self._traced = LanguageModel(model, tokenizer=tokenizer)
        lm = self._traced
        with torch.inference_mode():
            started = time.perf_counter()
            out = self._generate(torch.tensor([ids]), n)
            saved = []
            with lm.trace(out):
                for block in lm.transformer.h:
                    logits = lm.lm_head(lm.transformer.ln_f(block.output))
                    saved.append(nnsight.save(functional.softmax(logits, dim=-1)))
            largest, tokens = torch.cat(saved).max(dim=-1)
            seconds = time.perf_counter() - started
        return {"seconds": seconds, "n": largest.numel(), "first": tokens.flatten()[0].item()}

    @torch.inference_mode()
    def transformer_lens(self, ids: list[int], n: int) -> Answer:
        """TransformerLens: generate with its cache, then the logit lens of a pass with all activations.

        Random weights of the same shape; `seconds` is null where the library is not installed.
        """
        try:
            from transformer_lens import (  # type: ignore[import-not-found]
                HookedTransformer,
                HookedTransformerConfig,
            )
        except ImportError:
            return {"seconds": None}
        if not hasattr(self, "_hooked"):
            ours = self.model.config
            shape = HookedTransformerConfig(
                n_layers=ours.n_layer,
                d_model=ours.n_embd,
                n_ctx=ours.n_positions,
                n_heads=ours.n_head,
                d_head=ours.n_embd // ours.n_head,
                d_mlp=4 * ours.n_embd,
                d_vocab=ours.vocab_size,
                act_fn="gelu_new",
                normalization_type="LN",
                seed=0,
            )
            self._hooked = HookedTransformer(shape).eval()
        model = self._hooked
        started = time.perf_counter()
        out = model.generate(
            torch.tensor([ids]),
            max_new_tokens=n,
            do_sample=False,
            stop_at_eos=False,
            verbose=False,
        )
        _, cache = model.run_with_cache(out)
        streams = cache.accumulated_resid(layer=-1, incl_mid=False, apply_ln=True)
        largest, tokens = functional.softmax(model.unembed(streams[:, 0]), -1).max(-1)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "n": largest.numel(), "first": tokens.flatten()[0].item()}

    @torch.inference_mode()
    def steps(self, ids: list[int], positions: list[int]) -> Answer:
        """One decode step at each position behind the KV cache of the ids before it; seconds of each."""
        cache = self.model(torch.tensor([ids]), use_cache=True).past_key_values
        seconds = {}
        # A cache can only be cut, so the last position comes first.
        for position in sorted(set(positions), reverse=True):
            cache.crop(position - cache.get_seq_length())
            token = torch.tensor([[ids[position]]])
            started = time.perf_counter()
            self.model(token, past_key_values=cache, use_cache=True)
            seconds[position] = time.perf_counter() - started
        return {"seconds": sum(seconds.values()), "each": [seconds[each] for each in positions]}

    @torch.inference_mode()
    def passes(self, ids: list[int], n: int) -> Answer:
        """Whole passes over a text, one for each cell of a map, with the logits of its last token."""
        text = torch.tensor([ids])
        started = time.perf_counter()
        for _ in range(n):
            self.model(text, use_cache=False, logits_to_keep=1)
        return {"seconds": time.perf_counter() - started}

    def weights(self) -> Answer:
        """Bytes of the weights; those that two parts share count once."""
        each = (parameter.nbytes for parameter in self.model.parameters())
        return {"bytes": sum(each)}

    @torch.inference_mode()
    def product(self, rows: int, at_once: int) -> Answer:
        """A bare float32 product `[rows, d_model] x [d_model, d_vocab]`, in parts that fit memory.

        The faster of PyTorch's ordinary ways, and beside it the product with packed weights.
        """
        weight = self.model.lm_head.weight.detach()
        x = torch.randn(at_once, weight.shape[1])
        out = torch.empty(at_once, weight.shape[0])
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        ways: dict[str, Callable[[], object]] = {
            "plain": lambda: torch.mm(x, weight.t(), out=out),
            "packed": lambda: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], ""),
        }
        seconds = {}
        for name, multiply in ways.items():
            multiply()
            started = time.perf_counter()
            for _ in range(rows // at_once):
                multiply()
            seconds[name] = (time.perf_counter() - started) * rows / (rows // at_once * at_once)
        return {"seconds": seconds["plain"], "packed_seconds": seconds["packed"]}

    def _generate(self, prompt: torch.Tensor, n: int) -> torch.Tensor:
        return self.model.generate(  # type: ignore[no-any-return]
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=n,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
        )


def main() -> None:
    reference = Reference(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(reference, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
