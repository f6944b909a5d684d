"""A stack of three blocks, made by hand, that continues a text as it went on before.

Each of the 21 dimensions of its stream belongs to one of four slots, so one can see who reads and writes where. In a
trained model nobody hands out slots.
"""

import functools

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention as attention
from kb.architecture.residual_stream import direct_logit_attribution, held_layer_norm, written
from kb.foundations.softmax import softmax

WORDS = ["the", "grey", "cat", "saw", "dog"]
TEXT = ["the", "grey", "cat", "saw", "the", "grey"]
SLOTS = ["this word", "word before", "next word", "position"]
THIS, BEFORE, NEXT, PLACE = np.split(np.eye(21), [5, 10, 15])  # the rows of each read that slot and write to it
HABITS = np.zeros((5, 5))
HABITS[WORDS.index("grey"), WORDS.index("dog")] = 2.5  # in other texts "grey" was mostly followed by "dog"
HABITS[WORDS.index("saw"), WORDS.index("the")] = 3.0
UNEMBEDDING = NEXT - THIS  # (v, d): what was written about the next word; and a word does not follow itself
SHARP = 30.0  # the factor of the scores: the best key gets all but e^-30 of the attention


def look_back(x):
    """Attention: from each position to the one before it. Copies that position's word into the slot "word before"."""
    place = x @ PLACE.T
    return attention(place @ np.eye(6, k=-1), place, x @ THIS.T, is_causal=True, scale=SHARP) @ BEFORE


def copy(x):
    """Attention: to where the word before was the word that stands here. Copies what came there to "next word"."""
    word = x @ THIS.T
    return 4 * attention(word, x @ BEFORE.T, word, is_causal=True, scale=SHARP) @ NEXT


def habit(x):
    """A layer with a ReLU: which word mostly follows this one, wherever it stands."""
    return np.maximum(x @ THIS.T, 0) @ HABITS @ NEXT


BLOCKS = {"look back": look_back, "copy": copy, "habit": habit}


@functools.cache
def last_parts(*left_out):
    """What the last position's vector is made of, one row for the embedding and one for each block: (l, d)."""
    start = np.stack([THIS[WORDS.index(word)] for word in TEXT]) + PLACE
    return written(start, {name: block for name, block in BLOCKS.items() if name not in left_out})[:, -1]


def shares(word, *left_out):
    """What each part adds to the logit of `word` at the last position."""
    return direct_logit_attribution(last_parts(*left_out), UNEMBEDDING)[:, WORDS.index(word)]


def normed_shares(word):
    """The same with a layer norm in front of the unembedding, its scale held."""
    return direct_logit_attribution(held_layer_norm(last_parts()), UNEMBEDDING)[:, WORDS.index(word)]


def probability(word, *left_out):
    """What the stack gives to `word` as the next one."""
    return softmax(np.sum(last_parts(*left_out), axis=0) @ UNEMBEDDING.T)[WORDS.index(word)]


def readable(width, writes, seed=0):
    """Unit vectors in random directions are written into one stream: what a reader of each finds there, (writes)."""
    vectors = np.random.default_rng(seed).standard_normal((writes, width), np.float32)
    vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors @ np.sum(vectors, axis=0)
