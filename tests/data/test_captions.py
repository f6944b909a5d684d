import re

import numpy as np
import pytest

from kb.data import captions as kb
from kb.data.digits import load_digits, resize

DATA = load_digits(dtype=np.float64)
TOKENS = kb.WordTokenizer()


def bar(left, right, size=8):
    """An upright bar of full ink from one column to another, a pixel of paper above and below."""
    image = np.zeros((size, size))
    image[1:-1, left:right] = 1
    return image


# ---- measuring ---------------------------------------------------------------------------------------------------
def test_thickness_of_a_bar_by_hand():
    """A bar of 6 x w pixels has 6 w of ink and an edge of 2 (6 + w)."""
    found = kb.measure(np.stack([bar(3, 4), bar(2, 5)]))["thickness"]
    np.testing.assert_allclose(found, [2 * 6 / 14 / 8, 2 * 18 / 18 / 8])


def test_width_and_slant_by_hand():
    """Columns 2, 3, 4 have the standard deviation sqrt(2/3); a diagonal moves a pixel to the side per pixel."""
    upright = kb.measure(bar(2, 5)[None])
    np.testing.assert_allclose(upright["width"], np.sqrt(2 / 3) / 8)
    np.testing.assert_allclose(upright["slant"], 0, atol=1e-12)
    falling = np.eye(8)  # from the top left to the bottom right: its top leans to the left
    np.testing.assert_allclose(kb.measure(np.stack([falling, falling[::-1]]))["slant"], [-1, 1])


def test_as_a_plain_loop_over_pixels():
    image = DATA.images[0]
    total = sum(image[i, j] for i in range(8) for j in range(8))
    row = sum(i * image[i, j] for i in range(8) for j in range(8)) / total
    column = sum(j * image[i, j] for i in range(8) for j in range(8)) / total
    both = sum((i - row) * (j - column) * image[i, j] for i in range(8) for j in range(8))
    along = sum((i - row) ** 2 * image[i, j] for i in range(8) for j in range(8))
    across = sum((j - column) ** 2 * image[i, j] for i in range(8) for j in range(8))
    found = kb.measure(image[None])
    np.testing.assert_allclose(found["slant"], -both / along)
    np.testing.assert_allclose(found["width"], np.sqrt(across / total) / 8)


def test_a_mirror_turns_the_slant_and_keeps_the_rest():
    found, mirrored = kb.measure(DATA.images), kb.measure(DATA.images[..., ::-1])
    np.testing.assert_allclose(mirrored["slant"], -found["slant"], atol=1e-12)
    for name in ("thickness", "width"):
        np.testing.assert_allclose(mirrored[name], found[name])


def test_enlarged_digits_measure_nearly_the_same():
    small, large = kb.measure(DATA.images), kb.measure(resize(DATA.images, 28))
    for name in small:
        assert np.corrcoef(small[name], large[name])[0, 1] > 0.97
        assert np.abs(large[name] - small[name]).mean() < 0.12 * np.abs(small[name]).mean()


# ---- words -------------------------------------------------------------------------------------------------------
def test_every_word_is_true_of_a_third_of_each_digit():
    words = kb.attributes(DATA.images, DATA.labels)
    for digit in range(10):
        own = [w for w, label in zip(words, DATA.labels, strict=True) if label == digit]
        for pair in kb.PAIRS.values():
            for word in pair:
                assert abs(np.mean([word in w for w in own]) - 1 / 3) < 0.01
            assert not any(set(pair) <= set(w) for w in own)


def test_thick_digits_have_more_ink_than_thin_ones():
    """Another measure, of the same thing: the ink alone."""
    words, ink = kb.attributes(DATA.images, DATA.labels), DATA.images.sum((1, 2))
    for digit in range(10):
        means = [
            np.mean([i for i, w, k in zip(ink, words, DATA.labels, strict=True) if k == digit and word in w])
            for word in ("thin", "thick")
        ]
        assert means[1] > means[0] + 1


def test_captions_are_true():
    """Every attribute that is said holds, both of a pair are never said, and all are said now and then."""
    rng = np.random.default_rng(0)
    sentences, true = kb.captions(rng, DATA.labels, DATA.images), kb.attributes(DATA.images, DATA.labels)
    spoken = {word for pair in kb.PAIRS.values() for word in pair}
    said = [set(sentence.split()) & spoken for sentence in sentences]
    assert all(a <= set(b) for a, b in zip(said, true, strict=True))
    assert set().union(*said) == spoken
    share = sum(map(len, said)) / sum(map(len, true))
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / sum(map(len, true)))
    for sentence, label in zip(sentences, DATA.labels, strict=True):
        assert [w for w in sentence.split() if w in kb.DIGITS] == [kb.DIGITS[label]]


def test_captions_are_english():
    sentences = kb.captions(np.random.default_rng(1), DATA.labels, DATA.images)
    assert "a photo of a seven" in kb.captions(np.random.default_rng(0), [7] * 100)
    assert any(s.startswith("an image of ") for s in sentences)
    assert any(" an eight" in s for s in sentences)
    for sentence in sentences:
        assert not re.search(r"\ba [aei]|\ban [^aei]|\ban one|  | $", sentence), sentence


def test_the_same_generator_gives_the_same_captions():
    first, again = (kb.captions(np.random.default_rng(5), range(10)) for _ in range(2))
    assert first == again
    assert first != kb.captions(np.random.default_rng(6), range(10))
    assert kb.captions(np.random.default_rng(0), 3) == kb.captions(np.random.default_rng(0), [3])


# ---- tokens ------------------------------------------------------------------------------------------------------
def test_tokens_by_hand():
    ids = TOKENS.encode("a photo of a seven", 8)
    assert ids.tolist() == [0, 1, 5, 4, 1, 1 + kb.WORDS.index("seven"), TOKENS.end, TOKENS.end]
    assert TOKENS.vocab_size == len(kb.WORDS) + 2 == TOKENS.end + 1
    assert TOKENS.encode("", 3).tolist() == [0, TOKENS.end, TOKENS.end]


def test_there_and_back_for_every_caption():
    sentences = kb.captions(np.random.default_rng(2), DATA.labels, DATA.images)
    ids = TOKENS.encode_all(sentences)
    assert ids.shape == (len(DATA), kb.LENGTH)
    assert [TOKENS.decode(row) for row in ids] == sentences
    assert np.all(ids[:, -1] == TOKENS.end)
    assert {word for s in sentences for word in s.split()} == set(kb.WORDS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TOKENS.encode("a photo of a cat"), "'cat' is not among"),
        (lambda: TOKENS.encode("a a a", 4), "3 words, a start and an end do not fit into 4"),
        (lambda: TOKENS.decode([0, 99]), "99 is not a token"),
        (lambda: kb.WordTokenizer(["a", "a"]), "stands twice"),
        (lambda: kb.captions(np.random.default_rng(0), [10]), "from 0 to 9"),
        (lambda: kb.captions(np.random.default_rng(0), [1.5]), "whole numbers"),
        (lambda: kb.captions(np.random.default_rng(0), [1, 2], DATA.images[:1]), "1 images and 2 digits"),
        (lambda: kb.measure(np.zeros((1, 8, 8))), "without ink"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
