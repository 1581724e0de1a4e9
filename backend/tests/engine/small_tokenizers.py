"""Small tokenizers of the families in use, trained in the test in a few milliseconds."""

import json
from collections.abc import Sequence
from functools import cache

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

TEXTS = (
    "User: Hello there, what is the capital of France?\nAssistant: Paris is the capital.\n" * 20,
    "User: Hello! How are you?\nAssistant: Hello, I am well, thank you. What is it?\n" * 20,
    "the quick brown fox jumps over the lazy dog 1 2 3 the user and the assistant hello " * 20,
)
CHATML_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def byte_level(
    specials: Sequence[str | AddedToken] = CHATML_SPECIALS,
    *,
    normalizer: normalizers.Normalizer | None = None,
    add_prefix_space: bool = False,
    bos: str | None = None,
    chat_template: str | None = None,
) -> PreTrainedTokenizerFast:
    """Byte-level BPE like GPT-2's; with `bos` it puts that token first, as Llama 3 does."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if bos is not None:
        _put_first(tokenizer, bos)
    first = str(specials[0])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos or first,
        eos_token=first,
        chat_template=chat_template,
    )


@cache
def _sentencepiece_model(prepends: bool) -> tuple[dict[str, int], list[tuple[str, str]]]:
    trained = Tokenizer(models.BPE())
    steps: list[normalizers.Normalizer] = [normalizers.Replace(" ", "▁")]
    trained.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), *steps] if prepends else steps
    )
    trained.train_from_iterator(
        [text.replace("\n", " ").split("?")[0] for text in TEXTS],
        trainers.BpeTrainer(vocab_size=300, show_progress=False, max_token_length=8),
    )
    model = json.loads(trained.to_str())["model"]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    names += [name for name in model["vocab"] if name not in names]
    return {name: i for i, name in enumerate(names)}, [(a, b) for a, b in model["merges"]]


def sentencepiece_like(
    *, prepends: bool, bos: bool = True, chat_template: str | None = None
) -> PreTrainedTokenizerFast:
    """BPE with `▁` for a space and byte fallback; `prepends` a space as Llama 2 does, or not, as Gemma."""
    vocab, merges = _sentencepiece_model(prepends)
    tokenizer = Tokenizer(
        models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    replace = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = (
        normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prepends else replace
    )
    strip = [decoders.Strip(" ", 1, 0)] if prepends else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")]
    )
    if bos:
        _put_first(tokenizer, "<s>")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        chat_template=chat_template,
    )


def first_word_prefixed(chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """Metaspace that prepends a space to the first word of a text only, as newer Llama 2 files do."""
    tokenizer = sentencepiece_like(prepends=True).backend_tokenizer
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first", split=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=chat_template
    )


def word_piece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(vocab={"[UNK]": 0, "a": 1, "##b": 2}))
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


def _put_first(tokenizer: Tokenizer, token: str) -> None:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{token} $A", special_tokens=[(token, tokenizer.token_to_id(token))]
    )
