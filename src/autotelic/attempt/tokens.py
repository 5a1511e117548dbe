"""Text to token ids and back, once: what was sampled is never tokenized again."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast


class Tokens:
    """A model's tokenizer, as the loop needs it: plain text in, ids out, nothing added."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.end_id = int(tokenizer.eos_token_id)

    def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Ids of each text, without any token that the text does not spell."""
        if not texts:
            return []
        found = self.tokenizer.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [tuple(encoding.ids) for encoding in found]

    def completions(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Ids of each text as a whole completion: with the end token."""
        return [(*ids, self.end_id) for ids in self.encode(texts)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of a completion, without its end token."""
        kept = ids[:-1] if ids and ids[-1] == self.end_id else ids
        return str(self.tokenizer.decode(list(kept), skip_special_tokens=False))
