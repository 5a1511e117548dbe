"""A tokenizer trained by the run, on text from the rules alone.

Byte-pair encoding (Sennrich et al. 2016) over pieces that never join two digits: a number is read digit by
digit, as arithmetic needs (Nogueira et al. 2021), while a fragment of grammar that always occurs together
(`    x = [v + `) becomes one token. A comma rides with the digit it introduces, so that `[3,1,4]` is `[`,
`3`, `,1`, `,4`, `]` and an element is a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD = "<|pad|>"
END = "<|end|>"
UNKNOWN = "<|unknown|>"

# A digit with its sign and the comma that introduces it | an empty list | a comment's mark | anything else up
# to the next of these, with the line's end.
_NUMBER = r",?-?\d"
_PIECE = Regex(rf"{_NUMBER}|\[\]|  # |(?:(?!  # |\[\]|{_NUMBER})[^\n])+\n?|\n")
_ALPHABET = [chr(c) for c in range(32, 127)] + ["\n"]


def train_tokenizer(corpus: Sequence[str], special: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A Hugging Face tokenizer of at most `size` tokens.

    `special` are the domain's own markers (`<|deduction|>`); each is one token that no other text can spell. Those of
    another form are words, which are one token each wherever they stand. Only printable ASCII and the newline are in
    the alphabet: the rules write nothing else.
    """
    words = [each for each in special if not each.startswith("<|")]
    special = [each for each in special if each.startswith("<|")]
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_PIECE, behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(words),
        special_tokens=[PAD, END, UNKNOWN, *special],
        initial_alphabet=_ALPHABET,
        min_frequency=4,
        show_progress=False,
    )
    # Trained on a fixed order of texts, so the vocabulary is a function of the corpus.
    tokenizer.train_from_iterator(_without(corpus, words), trainer)
    tokenizer.add_tokens(words)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        additional_special_tokens=list(special),
        clean_up_tokenization_spaces=False,
    )


def _without(corpus: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """The texts cut where words of their own stand, so that no merge is spent on these."""
    if not words:
        yield from corpus
        return
    parting = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    for text in corpus:
        yield from parting.split(text)
