"""CLIP's tokenizer: byte-pair encoding of lower-case words, in which "</w>" marks the end of a word.

Two files hold it, as GPT-2's: vocab.json, the number of every token, and merges.txt, one merge per line. A text becomes
a start token, its tokens and an end token, and is filled up to a fixed length.

Source: Radford et al. 2021, "Learning transferable visual models from natural language supervision", code:
https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py
"""

import itertools
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from kb.checkpoints.hugging_face import read_json
from kb.checkpoints.vocabulary import spelled

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77  # of the texts that CLIP was trained on, start and end included
END_OF_WORD = "</w>"
MOST = 100_000  # words that a tokenizer remembers
LARGEST = 100_000_000  # bytes of a vocabulary; CLIP's has a million
_SPACES = re.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")  # Unicode's White_Space


class CLIPTokenizer:
    """Text to token numbers, by learned merges.

    vocab: {token, as the file spells it: number}; merges: pairs of such spellings, the first learned first.
    pad: the token that fills a short text up (Stable Diffusion 1: the end token). length: of every text.
    """

    def __init__(self, vocab, merges, pad=END, length=LENGTH):
        self.vocab, self.length = dict(vocab), length
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
        if missing := [name for name in (START, END, pad) if name not in self.vocab]:
            raise ValueError(f"CLIPTokenizer: the vocabulary has no token {missing[0]!r}")
        self.start, self.end, self.pad = (self.vocab[name] for name in (START, END, pad))
        self._known: dict[str, list] = {}

    @classmethod
    def from_pretrained(cls, folder):
        """The tokenizer in a folder with vocab.json and merges.txt, or with tokenizer.json, which holds both.

        A tokenizer_config.json says how texts are filled. Raises ValueError, with the file and the reason, for a file
        that is not of its form.
        """
        folder = Path(folder)
        settings = folder / "tokenizer_config.json"
        said = read_json(settings) if settings.exists() else {}
        pad = said.get("pad_token") or END
        length = min(said.get("model_max_length", LENGTH), LENGTH)
        vocab, merges = _vocabulary(folder)
        return cls(vocab, merges, pad["content"] if isinstance(pad, dict) else pad, length)

    @property
    def vocab_size(self):
        """The number of tokens; CLIP's is 2 x 256 bytes, inside a word and at its end, 48,894 merges, start and end."""
        return len(self.vocab)

    def tokens(self, text):
        """The tokens of a text as the file spells them, without start and end.

        What the vocabulary does not have counts as an end token, as in CLIP.
        """
        return [token for word in pre_tokenize(text) for token in self._word(word)]

    def encode(self, text, length=None):
        """The numbers (length) of a text's tokens: start, the text, end, and what fills it up. A long text is cut."""
        length = length or self.length
        ids = [self.vocab.get(token, self.end) for token in self.tokens(text)][: length - 2]
        ids = [self.start, *ids, self.end]
        return np.array(ids + [self.pad] * (length - len(ids)))

    def encode_all(self, texts, length=None):
        """The numbers (n, length) of several texts."""
        return np.stack([self.encode(text, length) for text in texts])

    def _word(self, word):
        if word in (START, END):
            return [word]
        self._known = self._known if len(self._known) < MOST else {}
        if word not in self._known:
            self._known[word] = self._merged(word)
        return self._known[word]

    def _merged(self, word):
        """The merges of one word, the one learned first before all others, and from left to right."""
        *inside, last = spelled(word.encode())
        parts, never = [*inside, last + END_OF_WORD], len(self.ranks)
        while len(parts) > 1:
            pairs = list(itertools.pairwise(parts))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, never))
            if best not in self.ranks:
                break
            i, joined = 0, []
            while i < len(parts):
                step = 2 if tuple(parts[i : i + 2]) == best else 1
                joined.append("".join(parts[i : i + step]))
                i += step
            parts = joined
        return parts


def pre_tokenize(text):
    """The words of a text, as CLIP's pattern cuts it: no token reaches across two of them, and spaces are gone.

    A word is letters, or one digit, or other signs; English endings such as 's stand alone. Case does not matter.
    """
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    parts = re.split(f"({re.escape(START)}|{re.escape(END)})", text)  # text, name, text, name, ..., text
    return [word for i, part in enumerate(parts) for word in ([part] if i % 2 else _words(part))]


def _words(text):
    """Letters and digits are those of Unicode: the pattern names the ones that occur, as `re` has no class for them."""
    text = "".join(map(str.lower, text))  # one by one, as transformers does: the last sigma of a word is no other one
    letter, digit = ("".join(re.escape(c) for c in {*text} if unicodedata.category(c)[0] == kind) for kind in "LN")
    pattern = rf"'s|'t|'re|'ve|'m|'ll|'d|[a{letter}]+|[0{digit}]|[^ a0{letter}{digit}]+"
    return re.findall(pattern, text)


# ---- the files ---------------------------------------------------------------------------------------------------
def _vocabulary(folder):
    """The numbers of the tokens, and the merges."""
    vocab_json, both = folder / "vocab.json", folder / "tokenizer.json"
    vocab: Any
    merges: Any
    if vocab_json.exists() or not both.exists():
        vocab, merges = read_json(vocab_json, LARGEST), _lines(folder / "merges.txt")
    else:
        model = read_json(both, LARGEST).get("model")
        vocab, merges = (model.get(name) for name in ("vocab", "merges")) if isinstance(model, dict) else (None, None)
    if not isinstance(vocab, dict) or not all(type(number) is int and number >= 0 for number in vocab.values()):
        raise ValueError(f"{folder}: the vocabulary must number every token")
    merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in merges or []]
    if wrong := [merge for merge in merges if not isinstance(merge, list) or len(merge) != 2]:
        raise ValueError(f"{folder}: a merge is of two tokens, found {wrong[0]}")
    return vocab, merges


def _lines(path):
    """A merge per line behind a first line that names the version; the last line may be empty."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line for line in lines[lines[0].startswith("#version") :] if line]
