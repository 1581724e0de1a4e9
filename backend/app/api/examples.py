"""Requests that work as they stand, for /docs and for whoever reads the OpenAPI file."""

from __future__ import annotations

from fastapi.openapi.models import Example

CHAT_EXAMPLES: dict[str, Example] = {
    "first turn": {
        "summary": "A first turn, greedy",
        "value": {
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "sampling": {"max_new_tokens": 24},
        },
    },
    "completion": {
        "summary": "Raw text continued, with the read-outs of the prompt as well",
        "value": {
            "messages": [{"role": "user", "content": "The capital of France is"}],
            "mode": "completion",
            "sampling": {"max_new_tokens": 8},
            "lens": {"kind": "logit", "top_k": 5, "scope": "all"},
        },
    },
    "sampled stream": {
        "summary": "Sampled with a seed, as a stream",
        "value": {
            "messages": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": "Why is the sky blue?"},
            ],
            "sampling": {"max_new_tokens": 48, "temperature": 0.7, "top_p": 0.95, "seed": 41},
            "stream": True,
        },
    },
    "steered": {
        "summary": "A reply with a head taken out, and the direction of a token added",
        "value": {
            "messages": [{"role": "user", "content": "Where is Paris?"}],
            "interventions": [
                {
                    "site": "head",
                    "layers": [11],
                    "heads": [1],
                    "positions": "reply",
                    "op": {"kind": "zero"},
                },
                {
                    "site": "resid",
                    "layers": [8],
                    "positions": "reply",
                    "op": {
                        "kind": "add",
                        "direction": {"kind": "token", "token_id": 300},
                        "strength": 0.2,
                    },
                },
            ],
        },
    },
}

LENS_EXAMPLES: dict[str, Example] = {
    "text": {
        "summary": "Every layer and position of a text",
        "value": {"prompt": "The capital of France is", "top_k": 3},
    },
    "token ids": {
        "summary": "Chosen layers and positions of token ids, with a token that is followed",
        "value": {
            "token_ids": [464, 3139, 286, 4881, 318],
            "layers": [0, 1, 2],
            "positions": [3, 5],
            "top_k": 1,
            "targets": [262],
        },
    },
    "half layers": {
        "summary": "One position at every layer, also inside each block after attention",
        "value": {"prompt": "The capital of France is", "positions": [4, 5], "half_layers": True},
    },
    "interventions": {
        "summary": "Read while the direction of a token is taken out at layer 6, everywhere",
        "value": {
            "prompt": "The capital of France is",
            "interventions": [
                {
                    "site": "resid",
                    "layers": [6],
                    "positions": "all",
                    "op": {"kind": "project_out", "direction": {"kind": "token", "token_id": 300}},
                }
            ],
        },
    },
}

ATTRIBUTION_EXAMPLES: dict[str, Example] = {
    "what wrote the answer": {
        "summary": "Attention and MLP of each block, the answer against the best other token",
        "value": {"prompt": "The capital of France is", "position": 4},
    },
    "heads": {
        "summary": "The same by heads, against a chosen token",
        "value": {
            "token_ids": [464, 3139, 286, 4881, 318],
            "position": 4,
            "target": 262,
            "foil": 257,
            "unit": "head",
        },
    },
    "source tokens": {
        "summary": "Which earlier tokens the attention of one block took it from",
        "value": {
            "prompt": "The capital of France is",
            "position": 4,
            "unit": "source",
            "block": 1,
        },
    },
}

ATTENTION_EXAMPLES: dict[str, Example] = {
    "weights": {
        "summary": "Attention weights of a token in every block and head",
        "value": {"prompt": "The capital of France is", "position": 4},
    },
    "effect": {
        "summary": "What two blocks' heads add to the answer's logit from each token",
        "value": {
            "prompt": "The capital of France is",
            "position": 4,
            "blocks": [1, 2],
            "kind": "logit",
        },
    },
}

WRITES_EXAMPLES: dict[str, Example] = {
    "block": {
        "summary": "What attention and MLP of the last block promoted and suppressed",
        "value": {"prompt": "The capital of France is", "position": 4, "block": 12},
    },
    "longer lists": {
        "summary": "Fifty tokens in each list, of token ids",
        "value": {
            "token_ids": [464, 3139, 286, 4881, 318],
            "position": 4,
            "block": 7,
            "top_k": 50,
        },
    },
}

DOSE_EXAMPLES: dict[str, Example] = {
    "a token": {
        "summary": "A token's direction added at two layers, at the last token",
        "value": {
            "prompt": "The capital of France is",
            "interventions": [
                {
                    "site": "resid",
                    "layers": [6, 7],
                    "positions": [4],
                    "op": {
                        "kind": "add",
                        "direction": {"kind": "token", "token_id": 300},
                        "strength": 1,
                    },
                }
            ],
            "strengths": [-0.5, 0, 0.5, 1],
            "targets": [300],
        },
    },
    "contrast": {
        "summary": "The difference of two texts, before a reply is written",
        "value": {
            "messages": [{"role": "user", "content": "How was the film?"}],
            "interventions": [
                {
                    "site": "resid",
                    "layers": [6],
                    "positions": "all",
                    "op": {
                        "kind": "add",
                        "direction": {
                            "kind": "contrast",
                            "plus": ["I love it."],
                            "minus": ["I hate it."],
                        },
                        "strength": 1,
                    },
                }
            ],
            "strengths": [0, 0.25, 0.5],
            "targets": [257, 262],
            "control": False,
        },
    },
}

PATCH_EXAMPLES: dict[str, Example] = {
    "one position": {
        "summary": "The country's representation at layer 6, carried from one text to another",
        "value": {
            "clean": {"prompt": "The capital of Spain is"},
            "corrupt": {"prompt": "The capital of France is"},
            "layer": 6,
            "positions": [[3, 3]],
        },
    },
    "heads": {
        "summary": "Is what two heads write at the end needed? With an answer and a foil",
        "value": {
            "clean": {"token_ids": [464, 3139, 286, 4881, 318]},
            "corrupt": {"token_ids": [464, 3139, 286, 8031, 318]},
            "site": "head",
            "layer": 6,
            "heads": [0, 1],
            "positions": [[4, 4]],
            "direction": "noise",
            "answer": 262,
            "foil": 257,
        },
    },
}

MODEL_EXAMPLES: dict[str, Example] = {
    "embedded": {
        "summary": "The model that ships with the project",
        "value": {"model": "embedded"},
    },
    "hub": {"summary": "A model of the Hugging Face hub", "value": {"model": "Qwen/Qwen3-0.6B"}},
}

JOB_EXAMPLES: dict[str, Example] = {
    "causal map": {
        "summary": "Which word's representation, at which layer, carries the country?",
        "value": {
            "kind": "patch_map",
            "clean": {"prompt": "The capital of Spain is"},
            "corrupt": {"prompt": "The capital of France is"},
        },
    },
    "heads of a block": {
        "summary": "One cell refined: every head of a block at one position",
        "value": {
            "kind": "patch_map",
            "clean": {"prompt": "The capital of Spain is"},
            "corrupt": {"prompt": "The capital of France is"},
            "site": "head",
            "layers": [10],
            "positions": [[4, 4]],
            "direction": "noise",
        },
    },
    "lens": {
        "summary": "A tuned lens for the running model, fitted for ten minutes",
        "value": {
            "kind": "fit_lens",
            "lens": "tuned",
            "seconds": 600,
            "text": {"source": "sample"},
        },
    },
}

COMPARE_EXAMPLES: dict[str, Example] = {
    "last tokens": {
        "summary": "Two texts at their last tokens, with two answers that are followed",
        "value": {
            "a": {"token_ids": [464, 3139, 286, 4881, 318]},
            "b": {"token_ids": [464, 3139, 286, 8031, 318]},
            "positions": [[4, 4]],
            "targets": [262, 257],
        },
    },
    "messages": {
        "summary": "The same question with and without a system message, at the last layers",
        "value": {
            "a": {"messages": [{"role": "user", "content": "Why is the sky blue?"}]},
            "b": {
                "messages": [
                    {"role": "system", "content": "Answer in one sentence."},
                    {"role": "user", "content": "Why is the sky blue?"},
                ]
            },
            "layers": [[12, 12], [11, 11]],
            "positions": [[5, 10]],
            "include_tokens": False,
        },
    },
}

CHANGES_EXAMPLES: dict[str, Example] = {
    "title": {"summary": "Another title", "value": {"title": "Capitals"}},
    "note": {
        "summary": "A note on two tokens, and one on a cell",
        "value": {
            "notes": [
                {"start": 3, "end": 5, "text": "The name is two tokens."},
                {"start": 4, "end": 5, "layer": 9, "text": "First seen here."},
            ],
            "annotations_revision": 0,
        },
    },
}

GPT2 = {
    "name": "openai-community/gpt2",
    "revision": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "source": "hub",
}

FILE_EXAMPLES: dict[str, Example] = {
    "one branch": {
        "summary": "A conversation of five tokens",
        "value": {
            "format": "mechanistic-explorer-conversation",
            "version": 1,
            "title": "The capital of France",
            "model": GPT2,
            "created_at_ms": 1_767_225_600_000,
            "updated_at_ms": 1_767_225_600_000,
            "branches": [
                {
                    "token_ids": [464, 3139, 286, 4881, 318],
                    "roles": [["user", 5]],
                    "text": "The capital of France is",
                }
            ],
        },
    },
    "two branches": {
        "summary": "A second branch that shares four tokens with the first",
        "value": {
            "format": "mechanistic-explorer-conversation",
            "version": 1,
            "title": "Two capitals",
            "model": GPT2,
            "created_at_ms": 1_767_225_600_000,
            "updated_at_ms": 1_767_225_600_000,
            "branches": [
                {"token_ids": [464, 3139, 286, 4881], "roles": [["user", 4]]},
                {
                    "name": "Italy",
                    "parent": 0,
                    "from_index": 3,
                    "token_ids": [8031],
                    "roles": [["user", 1]],
                },
            ],
        },
    },
}
