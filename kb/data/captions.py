"""Sentences about the digits that are true: which digit it is, and what can be measured on the image.

    captions(rng, [7], image) -> ["a photo of a thick seven"]

Three things are measured, and each digit is compared with the other images of the same digit in kb.data.digits: the
thickest third of the sevens is "thick", the thinnest third "thin", and nothing is said about the rest. In the same way
a digit is "left-leaning" or "right-leaning", "wide" or "narrow". (Large and small would say nothing: whoever recorded
the digits scaled them all to the same height.)

With them a tokenizer for just these words: a token per word, one that starts a text and one that ends it.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np

from kb.data.digits import load_digits

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PAIRS = {"thickness": ("thin", "thick"), "width": ("narrow", "wide"), "slant": ("left-leaning", "right-leaning")}
KINDS = ("photo", "picture", "drawing", "image")
NOUNS = ("", "digit", "number")  # "a seven", "the digit seven", "the number seven"
OTHER = ("a", "an", "the", "of")
WORDS = (*OTHER, *KINDS, *NOUNS[1:], *(word for pair in PAIRS.values() for word in pair), *DIGITS)
LENGTH = 12  # start + "a photo of the thick wide left-leaning digit seven" + end, and one to spare


# ---- what can be measured ----------------------------------------------------------------------------------------
def measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """How thick, how wide and how slanted the ink of each image is; images (n, size, size) from 0 to 1, each (n).

    thickness: twice the ink over the length of its edge, in widths of the image. width: the standard deviation of the
    ink's columns, in widths of the image. slant: how far the ink moves to the right per pixel upwards; 0 is upright.
    Nearly the same for an enlarged image. Raises ValueError for an image without ink.
    """
    size, ink = images.shape[-1], images.sum((-2, -1))
    if np.any(ink <= 0):
        raise ValueError("measure: an image without ink has neither thickness nor slant")
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    edge = sum(np.abs(np.diff(padded, axis=axis)).sum((-2, -1)) for axis in (-2, -1))
    place = np.arange(size) - (size - 1) / 2
    rows, columns = images.sum(-1), images.sum(-2)  # (n, size): the ink in each
    down, right = (part @ place / ink for part in (rows, columns))  # the centre of the ink
    across = columns @ (place * place) / ink - right * right
    along = rows @ (place * place) / ink - down * down
    both = np.einsum("nij,i,j->n", images, place, place) / ink - down * right
    return {"thickness": 2 * ink / edge / size, "width": np.sqrt(across) / size, "slant": -both / along}


@functools.cache
def thirds() -> dict[str, np.ndarray]:
    """Between which two values the middle third of each digit lies, (10, 2) for each thing that is measured."""
    digits = load_digits(dtype=np.float64)
    measured = measure(digits.images)
    return {
        name: np.stack([np.quantile(values[digits.labels == digit], (1 / 3, 2 / 3)) for digit in range(10)])
        for name, values in measured.items()
    }


def attributes(images: np.ndarray, digits: Sequence[int] | np.ndarray) -> list[tuple[str, ...]]:
    """The words that are true of each image, given which digit it shows; images (n, size, size), digits (n)."""
    measured, limits = measure(images), thirds()
    found = []
    for i, digit in enumerate(np.asarray(digits).tolist()):
        words = (_word(PAIRS[name], measured[name][i], *limits[name][digit]) for name in PAIRS)
        found.append(tuple(word for word in words if word))
    return found


def _word(pair, value, low, high):
    return pair[0] if value < low else pair[1] if value > high else ""


# ---- sentences ---------------------------------------------------------------------------------------------------
def captions(rng: np.random.Generator, digits, images: np.ndarray | None = None) -> list[str]:
    """One sentence for each digit; with the images (n, size, size) it also tells, by chance, what is true of each.

    digits: one digit or several, 0 to 9. Each word that is true is said with probability one half.
    Raises ValueError for a digit that does not exist, and where there are not as many images as digits.
    """
    digits = np.atleast_1d(digits)
    if digits.dtype.kind not in "iu" or np.any((digits < 0) | (digits > 9)):
        raise ValueError(f"captions: digits are whole numbers from 0 to 9, got {digits}")
    if images is not None and len(images) != len(digits):
        raise ValueError(f"captions: {len(images)} images and {len(digits)} digits")
    true = [()] * len(digits) if images is None else attributes(images, digits)
    return [_sentence(rng, int(digit), words) for digit, words in zip(digits, true, strict=True)]


def _sentence(rng, digit, true):
    said = [word for word in true if rng.random() < 0.5]
    noun, kind = NOUNS[rng.integers(len(NOUNS))], (*KINDS, "")[rng.integers(len(KINDS) + 1)]
    thing = " ".join([*said, *([noun] if noun else []), DIGITS[digit]])
    thing = f"the {thing}" if noun else f"{_article(thing)} {thing}"
    return f"{_article(kind)} {kind} of {thing}" if kind else thing


def _article(text):
    return "an" if text[:1] in tuple("aei") and not text.startswith("one") else "a"


# ---- their words as numbers --------------------------------------------------------------------------------------
class WordTokenizer:
    """A token per word: `start` is 0, the words follow, `end` is the largest and also fills a short text up.

    As in CLIP a text is read at its first end token, and what fills it up behind that does not matter.
    """

    def __init__(self, words: Iterable[str] = WORDS):
        self.words = tuple(words)
        self.start, self.end = 0, len(self.words) + 1
        self.vocab_size = len(self.words) + 2
        self._ids = {word: i for i, word in enumerate(self.words, 1)}
        if len(self._ids) != len(self.words):
            raise ValueError("WordTokenizer: a word stands twice in the list")

    def encode(self, text: str, length: int = LENGTH) -> np.ndarray:
        """The tokens (length) of a text: start, its words, and end until the length is reached.

        Raises ValueError for a word that is not in the list, and for a text that is too long.
        """
        words = text.lower().split()
        if unknown := [word for word in words if word not in self._ids]:
            raise ValueError(f"encode: {unknown[0]!r} is not among the {len(self.words)} words of the tokenizer")
        if len(words) + 2 > length:
            raise ValueError(f"encode: {len(words)} words, a start and an end do not fit into {length} tokens")
        ids = [self.start, *(self._ids[word] for word in words)]
        return np.array(ids + [self.end] * (length - len(ids)))

    def encode_all(self, texts: Iterable[str], length: int = LENGTH) -> np.ndarray:
        """The tokens (n, length) of several texts."""
        return np.stack([self.encode(text, length) for text in texts])

    def decode(self, ids: Iterable[int]) -> str:
        """The words between start and the first end. Raises ValueError for a number that is no token."""
        words = []
        for i in map(int, ids):
            if i == self.end:
                break
            if not 0 <= i < self.end:
                raise ValueError(f"decode: {i} is not a token, expected 0 to {self.end}")
            words += [] if i == self.start else [self.words[i - 1]]
        return " ".join(words)
