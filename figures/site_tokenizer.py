"""A tokenizer trained on the sentences of this site, for the figures and the claims."""

import functools

from kb.architecture.tokenization import Tokenizer, train_bpe
from kb.data.site_sentences import load_sentences

TEXT = "\n".join(text for _, text in load_sentences("summary", "definition", "answer"))
HELD_OUT = "\n".join(text for _, text in load_sentences("question"))
MOST = 2000


@functools.cache
def merges():
    return tuple(train_bpe(TEXT, MOST))


@functools.cache
def tokenizer(num_merges=MOST):
    """The tokenizer after so many merges: later ones build on earlier ones, so a shorter list is a tokenizer too."""
    return Tokenizer(merges()[:num_merges], "<|endoftext|>")


def pieces(text, num_merges=MOST):
    """The text cut into its tokens."""
    return [piece.decode() for piece in tokenizer(num_merges).decode_bytes(tokenizer(num_merges).encode(text))]


@functools.cache
def bytes_per_token(num_merges, text=HELD_OUT):
    return len(text.encode()) / len(tokenizer(num_merges).encode(text))
