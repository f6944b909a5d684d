"""Tokenization cuts a text into pieces from a fixed vocabulary and writes down the number of each piece.

The vocabulary is learned: byte-pair encoding starts from the 256 bytes and joins the most frequent pair of neighbours,
again and again. Because every text is bytes, every text can be written. Pairs are joined inside words only, and GPT-2's
pattern says what a word is. The files `vocab.json` and `merges.txt` are those of GPT-2.

Source: Gage 1994, "A new algorithm for data compression"; Sennrich, Haddow and Birch 2016, "Neural machine translation
of rare words with subword units", algorithm 1, https://arxiv.org/abs/1508.07909; Radford et al. 2019, "Language models
are unsupervised multitask learners", section 2.2, code: https://github.com/openai/gpt-2/blob/master/src/encoder.py
"""

import functools
import heapq
import itertools
import operator
import re
import sys
import unicodedata
from collections import Counter, defaultdict

import numpy as np

from kb.checkpoints.vocabulary import BYTES, read_vocabulary, write_vocabulary
from kb.shapes import checked

MOST = 100_000  # words that a tokenizer remembers
_NUMBER = {byte: n for n, byte in enumerate(BYTES)}
_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # White_Space; Python's \s has 4 more


# ---- words -------------------------------------------------------------------------------------------------------
def pre_tokenize(text):
    """The words of a text, as GPT-2's pattern cuts it: no token ever reaches across two of them.

    A word is letters, or digits, or other signs, with the one space before it; English endings such as 's stand alone.
    Together the words are the text again. Letters and digits are those of the Unicode version that Python knows
    (`unicodedata.unidata_version`); a later letter counts as a sign. Raises ValueError for a lone surrogate.
    """
    _refuse_what_is_no_text("pre_tokenize", text)
    return _pattern().findall(text)


@functools.cache
def _pattern():
    r"""GPT-2's pattern. Python's `re` has no \p{L} and \p{N}: they are spelled out as ranges of characters."""
    letter, number = _ranges("L"), _ranges("N")
    return re.compile(
        rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{letter}]+| ?[{number}]+| ?[^{_SPACE}{letter}{number}]+"
        rf"|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+"
    )


def _ranges(group):
    """The characters of a general category, such as L for letters, as ranges for a regular expression."""
    codes = (code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == group)
    runs = (list(run) for _, run in itertools.groupby(enumerate(codes), lambda pair: pair[1] - pair[0]))
    return "".join(rf"\U{run[0][1]:08x}-\U{run[-1][1]:08x}" for run in runs)


def _refuse_what_is_no_text(function, text):
    if not isinstance(text, str):
        raise ValueError(f"{function}: text must be a str, not {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{function}: the text has the lone surrogate {text[error.start]!r} at position {error.start}, "
            "half of a character that UTF-8 cannot hold"
        ) from None


# ---- the two steps of byte-pair encoding -------------------------------------------------------------------------
@checked
def count_pairs(ids):
    """How often each pair of neighbours occurs: the pairs in rising order, and their counts.

    ids (n) -> (k, 2), (k)

    Overlapping ones count too: in 1 1 1 the pair (1, 1) is there twice.
    """
    return np.unique(np.stack([ids[:-1], ids[1:]], axis=1), axis=0, return_counts=True)


@checked
def merge_pair(ids, pair, new):
    """The sequence with one token `new` wherever the two of `pair` stood side by side.

    ids (n), pair (2), new () -> (k)

    From left to right: of 1 1 1 the first two become one token, the third stays.
    """
    hit = np.flatnonzero((ids[:-1] == pair[0]) & (ids[1:] == pair[1]))
    if pair[0] == pair[1]:
        hit = _every_other(hit)
    first, second = (np.isin(np.arange(len(ids)), at) for at in (hit, hit + 1))
    return np.where(first, ids.dtype.type(new), ids)[~second]


def _every_other(hit):
    """Of each run of neighbouring places the 1st, 3rd, 5th, ...: in 1 1 1 the pairs at 0 and 1 overlap."""
    starts = np.diff(hit, prepend=-2) != 1
    first = np.maximum.accumulate(np.where(starts, np.arange(len(hit)), 0))
    return hit[(np.arange(len(hit)) - first) % 2 == 0]


# ---- training ----------------------------------------------------------------------------------------------------
def train_bpe(text, num_merges):
    """The merges that byte-pair encoding learns from a text: at each step the most frequent pair of neighbours.

    A list of (left, right), each some bytes, in the order in which they were learned; fewer than `num_merges` when
    every word has become one token. Of equally frequent pairs the one with the smaller numbers is taken, left before
    right (a byte's number is its place in GPT-2's alphabet, a merge's the next free one), as in Hugging Face's trainer.
    Raises ValueError for a lone surrogate and for a negative number of merges.
    """
    if operator.index(num_merges) < 0:
        raise ValueError(f"train_bpe: num_merges is {num_merges}, expected at least 0")
    pairs = _Pairs(Counter(pre_tokenize(text)))
    tokens = [bytes([byte]) for byte in BYTES]
    number = {token: n for n, token in enumerate(tokens)}
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < num_merges and (best := pairs.most_frequent()):
        left, right = (tokens[n] for n in best)
        if left + right not in number:  # two merges may spell the same token: it keeps its first number
            number[left + right] = len(tokens)
            tokens.append(left + right)
        pairs.merge(best, number[left + right])
        merges.append((left, right))
    return merges


class _Pairs:
    """How often each pair of neighbours occurs, kept up to date: a merge touches only the words that have the pair.

    `words` are lists of numbers, each different word once; `times` says how often it stands in the text. The heap has
    the most frequent pair on top. Counts that have fallen since are put right when they come up.
    """

    def __init__(self, words):
        self.words = [[_NUMBER[byte] for byte in word.encode()] for word in words]
        self.times = list(words.values())
        self.count: defaultdict[tuple, int] = defaultdict(int)
        self.where: defaultdict[tuple, set] = defaultdict(set)  # pair -> the words that have it, or had it once
        for place, (word, times) in enumerate(zip(self.words, self.times, strict=True)):
            for pair in itertools.pairwise(word):
                self.count[pair] += times
                self.where[pair].add(place)
        self.heap = [(-count, pair) for pair, count in self.count.items()]
        heapq.heapify(self.heap)

    def most_frequent(self):
        """The pair with the largest count, of equals the smallest; None when no pair is left."""
        while self.heap:
            remembered, pair = heapq.heappop(self.heap)
            count = self.count.get(pair, 0)
            if count == -remembered:
                return pair
            if count:
                heapq.heappush(self.heap, (-count, pair))
        return None

    def merge(self, pair, new):
        """Join the pair in every word that has it."""
        grown: set[tuple] = set()
        for place in self.where.pop(pair):
            self.words[place] = self._joined(place, pair, new, grown)
        del self.count[pair]
        for other in grown:
            if self.count[other]:  # in abab a pair grows and vanishes within one merge
                heapq.heappush(self.heap, (-self.count[other], other))

    def _joined(self, place, pair, new, grown):
        """One word with the pair joined. Each time, a neighbour on either side loses one partner and gets another."""
        word, times, joined, n = self.words[place], self.times[place], [], 0
        while n < len(word):
            if (word[n], *word[n + 1 : n + 2]) != pair:
                joined.append(word[n])
                n += 1
                continue
            if joined:
                self._partner(place, times, (joined[-1], pair[0]), (joined[-1], new), grown)
            if n + 2 < len(word):
                self._partner(place, times, (pair[1], word[n + 2]), (new, word[n + 2]), grown)
            joined.append(new)
            n += 2
        return joined

    def _partner(self, place, times, old, fresh, grown):
        self.count[old] -= times
        self.count[fresh] += times
        self.where[fresh].add(place)
        grown.add(fresh)


# ---- encoding and decoding ---------------------------------------------------------------------------------------
class Tokenizer:
    """Text to token numbers and back, by learned merges.

    merges: pairs of bytes as train_bpe gives them, the first learned first.
    special: names such as "<|endoftext|>" of tokens that stand for no text; or one name.
    vocab: {bytes, or str for a special token: number}. By default the 256 bytes in GPT-2's order come first, then the
    merges, then the special tokens: the numbers in GPT-2's own files.
    Raises ValueError for a merge of tokens that do not exist yet and for an empty or repeated special token.
    """

    def __init__(self, merges, special=(), vocab=None):
        self.merges = [(bytes(left), bytes(right)) for left, right in merges]
        self.special = [special] if isinstance(special, str) else list(special)
        self.vocab = _numbered(self.merges, self.special) if vocab is None else dict(vocab)
        self.tokens = sorted(self.vocab, key=self.vocab.__getitem__)  # by number: bytes, or the name of a special one
        self._bytes = [token.encode() if isinstance(token, str) else token for token in self.tokens]
        self._first = [self.vocab[bytes([byte])] for byte in range(256)]
        self._known: dict[str, list] = {}  # words that were encoded before
        self._merge: dict[tuple, tuple] = {}  # the numbers of a pair -> (when it is merged, the number of the result)
        for rank, (left, right) in enumerate(self.merges):
            self._merge.setdefault((self.vocab[left], self.vocab[right]), (rank, self.vocab[left + right]))

    @classmethod
    def from_files(cls, vocab_json, merges_txt):
        """The tokenizer of GPT-2's two files. Raises ValueError, with the file and the reason, where they are wrong."""
        vocab, merges = read_vocabulary(vocab_json, merges_txt)
        return cls(merges, [token for token in vocab if isinstance(token, str)], vocab)

    def to_files(self, vocab_json, merges_txt):
        """Write GPT-2's two files, which from_files and other libraries read."""
        write_vocabulary(vocab_json, merges_txt, self.vocab, self.merges)

    @property
    def vocab_size(self):
        """The number of tokens. GPT-2's is 256 bytes + 50,000 merges + 1 special token = 50,257."""
        return len(self.tokens)

    def encode(self, text, allowed_special=()):
        """The numbers of the text's tokens, as a list. Any text can be encoded, and decode gives exactly it back.

        The name of a special token in the text is text like any other, so that what a user types cannot be mistaken for
        a control sign. The names in `allowed_special`, or all of them with "all", become special tokens.
        Raises ValueError for a lone surrogate, and for a name that is no special token.
        """
        _refuse_what_is_no_text("encode", text)
        allowed = self.special if allowed_special == "all" else list(allowed_special)
        if unknown := [name for name in allowed if name not in self.special]:
            raise ValueError(f"encode: {unknown[0]!r} in allowed_special is not one of {self.special}")
        if not allowed:
            return self._encode_text(text)
        names = "|".join(re.escape(name) for name in sorted(allowed, key=len, reverse=True))
        parts = re.split(f"({names})", text)  # text, name, text, name, ..., text
        return [n for i, part in enumerate(parts) for n in ([self.vocab[part]] if i % 2 else self._encode_text(part))]

    def _encode_text(self, text):
        words = _pattern().findall(text)
        known = self._known = self._known if len(self._known) < MOST else {}
        for word in set(words).difference(known):  # each different word once
            known[word] = self._encode_word(word)
        return list(itertools.chain.from_iterable(map(known.__getitem__, words)))

    def _encode_word(self, word):
        """The merges of one word, the one learned first before all others, and from left to right.

        The tokens form a linked list that ends in None, and the merges that are possible wait in a heap: n bytes take
        n log n steps. A merge whose two tokens are no longer there is passed over.
        """
        ids: list = [*(self._first[byte] for byte in word.encode()), None]
        after, before = list(range(1, len(ids))), list(range(-1, len(ids) - 1))  # ids[-1] is None too
        merge_of = self._merge.get
        waiting = [(merge, i) for i, pair in enumerate(itertools.pairwise(ids)) if (merge := merge_of(pair))]
        heapq.heapify(waiting)
        while waiting:
            merge, i = heapq.heappop(waiting)
            j = after[i]
            if merge_of((ids[i], ids[j])) is not merge:
                continue
            new = ids[i] = merge[1]
            ids[j] = None
            k = after[i] = after[j]
            before[k] = i
            if merge := merge_of((ids[before[i]], new)):
                heapq.heappush(waiting, (merge, before[i]))
            if merge := merge_of((new, ids[k])):
                heapq.heappush(waiting, (merge, i))
        return [n for n in ids if n is not None]

    def decode(self, ids, errors="replace"):
        """The text of the tokens.

        A character may be spread over several tokens. Where a part of it is missing, `errors` says what happens, as in
        bytes.decode: "replace" writes U+FFFD, "strict" raises. Raises ValueError for what is not the number of a token.
        """
        return b"".join(self.decode_bytes(ids)).decode("utf-8", errors)

    def decode_bytes(self, ids):
        """The bytes of each token, as a list."""
        try:
            ids = [operator.index(i) for i in (ids.tolist() if hasattr(ids, "tolist") else ids)]
        except TypeError as error:
            raise ValueError(f"decode: ids must be a sequence of whole numbers: {error}") from None
        if wrong := [i for i in ids if not 0 <= i < self.vocab_size]:
            raise ValueError(f"decode: {wrong[0]} is not a token; they are numbered 0 to {self.vocab_size - 1}")
        return [self._bytes[i] for i in ids]


def _numbered(merges, special):
    """{token: its number} in GPT-2's order: bytes, merges, special tokens."""
    vocab: dict = {bytes([byte]): n for n, byte in enumerate(BYTES)}
    for n, (left, right) in enumerate(merges):
        if missing := [part for part in (left, right) if part not in vocab]:
            raise ValueError(
                f"Tokenizer: merge {n} is of {left!r} and {right!r}, but no merge before made {missing[0]!r}"
            )
        vocab.setdefault(left + right, len(vocab))
    for name in special:
        if not name or name in vocab:
            raise ValueError(f"Tokenizer: special names must not be empty or repeated: {special}")
        vocab[name] = len(vocab)
    return vocab
