"""A model small enough to count: which word follows which in nine sentences. It has logits, so it can be sampled."""

import numpy as np

TEXT = (
    "the cat sat on the mat . the dog sat on the log . the cat saw the dog . the dog saw the cat . "
    "the cat ran . the dog ran to the cat . the cat sat on the dog . the bird sat on the mat . the cat sat on the mat ."
)
WORDS = sorted(set(TEXT.split()))
IDS = np.array([WORDS.index(word) for word in TEXT.split()])
SEEN = np.zeros((len(WORDS), len(WORDS)))
np.add.at(SEEN, (IDS[:-1], IDS[1:]), 1)  # how often each word followed each
LOGITS = np.log(SEEN + 0.02)  # 0.02 for everything: what was never seen is unlikely, not impossible


def next_logits(ids):
    """The logits of the next word: this model looks at the last word only."""
    return LOGITS[ids[..., -1]]


def after(word):
    return LOGITS[WORDS.index(word)]


def encode(text):
    return np.array([WORDS.index(word) for word in text.split()])


def decode(ids):
    return " ".join(WORDS[i] for i in ids)


def never_seen(word):
    """Which words never followed this one in the text: the tail."""
    return SEEN[WORDS.index(word)] == 0


# ---- a fork: the likelier first word leads to the less likely text -----------------------------------------------
FORK_WORDS = ["saw", "a", "an", "bird", "cat", "dog", "owl", "ant"]
FORK = np.full((8, 8), 1e-9)
FORK[0, [1, 2]] = 0.55, 0.45  # saw a, saw an
FORK[1, [3, 4, 5]] = 0.4, 0.3, 0.3  # a bird, a cat, a dog
FORK[2, [6, 7]] = 0.96, 0.04  # an owl, an ant


def fork_logits(ids):
    return np.log(FORK[ids[..., -1]])
