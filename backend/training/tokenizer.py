"""A byte-level BPE of 8,192 ids that gives back every string it is given, byte for byte.

No normaliser and no prefix space: the product shows the bytes of each token, and their
concatenation must be the text. All 256 bytes are in the alphabet, so no string needs an unknown id.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from training.corpus import END_OF_TEXT

VOCABULARY_SIZE = 8192
END_OF_TEXT_ID = 0


def train_tokenizer(texts: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """A BPE trained on `texts`, with `<|endoftext|>` as id 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def as_transformers(tokenizer: Tokenizer, n_ctx: int) -> PreTrainedTokenizerFast:
    """The tokenizer as `AutoTokenizer` will load it; decoding changes nothing, spaces included."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        unk_token=END_OF_TEXT,
        model_max_length=n_ctx,
        clean_up_tokenization_spaces=False,
    )


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a work directory, or of an exported folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
