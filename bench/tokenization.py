"""What byte-pair encoding in Python costs against libraries in Rust, and a one-hot product against a row lookup."""

import contextlib
import functools
import os
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import tiktoken
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from bench.timing import Row
from bench.training import AtItsBest, alone, numpy_at_its_best
from kb.architecture.one_hot_encoding import one_hot_product
from kb.architecture.token_embedding import embedding
from kb.architecture.tokenization import Tokenizer, pre_tokenize, train_bpe

SIZE, MERGES = 1_000_000, 3_840
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TOKENS, VOCABULARY, WIDTH = 64, 50_257, 768  # GPT-2 small


def rows():
    """Training, encoding a text whose words were met before and one whose words were not, and a lookup."""
    again, first = Ready(_encode), Ready(_encode_anew)
    peer = "tiktoken (Rust) with the same merges"
    return [
        Row(
            "bpe_train",
            "BPE training, 1 MB, 3,840 merges",
            "tokenizers BpeTrainer (Rust)",
            _train(),
            _theirs(),
            3.5,
            alone,
        ),
        Row(
            "bpe_encode",
            "BPE encoding, 1 MB of English-like text, words remembered",
            peer,
            again,
            Ready(_tiktoken),
            4.5,
        ),
        Row(
            "bpe_encode_first",
            "the same with a tokenizer that meets every word for the first time",
            peer,
            first,
            Ready(_tiktoken),
        ),
        Row(
            "bpe_recount",
            "BPE training, 100 kB, 200 merges, all pairs counted anew for each merge",
            "the same with counts that are kept",
            Ready(lambda: lambda: recounting(english()[:100_000], 200)),
            Ready(lambda: lambda: train_bpe(english()[:100_000], 200)),
        ),
        Row(
            "one_hot_lookup",
            "64 one-hot vectors times GPT-2 small's embedding matrix, (50257, 768), float32",
            "reading 64 rows",
            numpy_at_its_best(lambda: _selection(one_hot_product)),
            numpy_at_its_best(lambda: _selection(embedding)),
            measure=alone,
        ),
    ]


@dataclass(eq=False)
class Ready:
    """The work that `make` prepares, when it is first needed."""

    make: object

    @functools.cached_property
    def work(self):
        return self.make()

    def __call__(self):
        return self.work()


# ---- a text ------------------------------------------------------------------------------------------------------
@functools.cache
def english(size=SIZE, seed=0):
    """Text with the statistics of English: 20,000 made-up words, the n-th with a frequency of about 1 / (n + 2.7)."""
    rng = np.random.default_rng(seed)
    words = np.array([_word(rng) for _ in range(20_000)])
    frequency = 1 / (np.arange(len(words)) + 2.7)
    chosen = words[rng.choice(len(words), size // 5, p=frequency / frequency.sum())].tolist()
    ends = rng.choice(
        [" ", ", ", ". ", "'s ", " 1984 ", ".\n\n"], len(chosen), p=[0.87, 0.06, 0.055, 0.005, 0.005, 0.005]
    )
    starts = np.concatenate([[True], [end[0] == "." for end in ends[:-1]]])
    text = "".join(
        word.capitalize() + end if first else word + end for word, end, first in zip(chosen, ends, starts, strict=True)
    )
    return text[:size]


def _word(rng):
    """One to four syllables."""
    starts = ["", *"bcdfghlmnprstw", "st", "tr", "th", "sh", "pl", "br", "ch"]
    parts = (starts, [*"aeiou", "ea", "ou", "ai"], ["", *"nrstlm", "nd", "st", "ck"])
    return "".join(part[rng.integers(len(part))] for _ in range(min(rng.geometric(0.55), 4)) for part in parts)


# ---- training ----------------------------------------------------------------------------------------------------
def _train():
    return AtItsBest(lambda: functools.partial(train_bpe, english(), MERGES), lambda count: contextlib.nullcontext())


def _theirs():
    def make():
        text, alphabet = english(), pre_tokenizers.ByteLevel.alphabet()

        def train():
            tokenizer = tokenizers.Tokenizer(models.BPE())
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            trainer = trainers.BpeTrainer(vocab_size=256 + MERGES, show_progress=False, initial_alphabet=alphabet)
            tokenizer.train_from_iterator([text], trainer)

        return train

    return AtItsBest(make, _tokenizers_threads)


def recounting(text, num_merges):
    """The same merges, up to ties, as the algorithm is told: every pair of every different word, for every merge."""
    words = [(list(word.encode()), times) for word, times in Counter(pre_tokenize(text)).items()]
    merges = []
    for new in range(256, 256 + num_merges):
        count: Counter = Counter()
        for word, times in words:
            for pair in pairwise(word):
                count[pair] += times
        best = max(count, key=count.__getitem__)
        words = [(_joined(word, best, new), times) for word, times in words]
        merges.append(best)
    return merges


def _joined(word, pair, new):
    out: list = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return out


@contextlib.contextmanager
def _tokenizers_threads(count):
    """All threads or one: the library can be told no other number after it has started."""
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if count > 1 else "false"
    try:
        yield
    finally:
        os.environ.pop("TOKENIZERS_PARALLELISM")
        if before is not None:
            os.environ["TOKENIZERS_PARALLELISM"] = before


# ---- encoding ----------------------------------------------------------------------------------------------------
@functools.cache
def _tokenizer():
    return Tokenizer(train_bpe(english(), MERGES))


def _encode():
    return lambda: _tokenizer().encode(english())


def _encode_anew():
    merges = _tokenizer().merges
    return lambda: Tokenizer(merges).encode(english())


def _tiktoken():
    ranks = _tokenizer().vocab
    theirs = tiktoken.Encoding("ours", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    assert theirs.encode_ordinary(english()) == _tokenizer().encode(english())
    return lambda: theirs.encode_ordinary(english())


# ---- lookup ------------------------------------------------------------------------------------------------------
@functools.cache
def _table():
    rng = np.random.default_rng(0)
    return rng.integers(0, VOCABULARY, TOKENS), rng.standard_normal((VOCABULARY, WIDTH), dtype=np.float32)


def _selection(select):
    ids, weight = _table()
    return lambda: select(ids, weight)
