"""One attention head, trained here: each noun has to find the adjectives that describe it.

The sentences come from a small grammar ("the small grey cat chased the red ball"). The head reads a sentence from left
to right, and at each noun it has to name that noun's adjectives; at every other word it has to name none. Nobody tells
it where to look. The adjective-noun pairs of HELD_OUT never occur in training.
"""

import functools
import math

import numpy as np

from kb.architecture.attention import attention_weights
from kb.autograd.tensor import value_and_grad

ADJECTIVES = ["small", "old", "tall", "red", "grey", "kind", "loud", "blue"]
NOUNS = ["cat", "dog", "horse", "ball", "tree", "child", "boat", "door"]
VERBS = ["chased", "saw", "liked", "found"]
PLACES = ["near", "behind", "under"]
WORDS = ["the", ".", *ADJECTIVES, *NOUNS, *VERBS, *PLACES]
HELD_OUT = {(a, n) for i, a in enumerate(ADJECTIVES) for j, n in enumerate(NOUNS) if (i - j) % 4 == 0}
LENGTH = 14  # the longest sentence: three noun phrases of four words, a verb, a preposition
WIDTH = 32  # of the embedding and of q, k and v


def sentence(rng, held_out=False):
    """A sentence, as a list of words: noun phrase, verb, noun phrase, and sometimes a preposition and a third.

    With held_out each adjective-noun pair is from HELD_OUT, otherwise none is.
    """
    words = [*_noun_phrase(rng, held_out), _pick(rng, VERBS), *_noun_phrase(rng, held_out)]
    return [*words, _pick(rng, PLACES), *_noun_phrase(rng, held_out)] if rng.random() < 0.5 else words


def _noun_phrase(rng, held_out):
    noun = _pick(rng, NOUNS)
    fitting = [a for a in ADJECTIVES if ((a, noun) in HELD_OUT) == held_out]
    return ["the", *(fitting[i] for i in rng.permutation(len(fitting))[: rng.integers(0, 3)]), noun]


def _pick(rng, words):
    return words[rng.integers(len(words))]


def own_adjectives(words):
    """For each position the positions of the adjectives that describe it: those right before it, if it is a noun."""
    own = []
    for i, word in enumerate(words):
        first = i
        while word in NOUNS and first > 0 and words[first - 1] in ADJECTIVES:
            first -= 1
        own.append(list(range(first, i)))
    return own


def encode(words):
    """Word numbers, filled up with full stops to LENGTH; targets (LENGTH, adjectives), 1 = describes this noun."""
    targets = np.zeros((LENGTH, len(ADJECTIVES)), np.float32)
    for i, places in enumerate(own_adjectives(words)):
        targets[i, [ADJECTIVES.index(words[j]) for j in places]] = 1
    return [WORDS.index(w) for w in [*words, *"." * (LENGTH - len(words))]], targets


def batch(rng, n):
    ids, targets = zip(*(encode(sentence(rng)) for _ in range(n)), strict=True)
    return np.array(ids), np.array(targets)


def initial(rng):
    """Small random weights: word and position embedding, W_Q, W_K, W_V, and the output layer."""
    shapes = {"words": (len(WORDS), WIDTH), "positions": (LENGTH, WIDTH)}
    shapes |= {"w_q": (WIDTH, WIDTH), "w_k": (WIDTH, WIDTH), "w_v": (WIDTH, WIDTH), "w_out": (len(ADJECTIVES), WIDTH)}
    params = {name: rng.standard_normal(shape) / math.sqrt(shape[-1]) for name, shape in shapes.items()}
    return {k: p.astype(np.float32) for k, p in params.items()} | {"b_out": np.zeros(len(ADJECTIVES), np.float32)}


def head(params, ids):
    """The pattern (..., t, t) and the logits (..., t, adjectives) of a batch of sentences."""
    x = params["words"][ids] + params["positions"][: ids.shape[-1]]
    weights = attention_weights(x @ params["w_q"].T, x @ params["w_k"].T, is_causal=True)
    return weights, (weights @ (x @ params["w_v"].T)) @ params["w_out"].T + params["b_out"]


def cost(params, ids, targets):
    """Binary cross-entropy of each adjective at each position, in nats per sentence."""
    logits = head(params, ids)[1]
    return np.sum(np.logaddexp(0, logits) - targets * logits) / len(ids)


def train_head(seed=0, steps=1000, lr=0.02, momentum=0.9):
    """The weights after `steps` steps of gradient descent with momentum, each on 64 of 2,000 sentences."""
    rng = np.random.default_rng(seed)
    params, (ids, targets) = initial(rng), batch(rng, 2000)
    speed = {k: np.zeros_like(p) for k, p in params.items()}
    for _ in range(steps):
        chosen = rng.integers(0, len(ids), 64)
        _, slope = value_and_grad(cost)(params, ids[chosen], targets[chosen])
        speed = {k: momentum * speed[k] - lr * slope[k] for k in params}
        params = {k: params[k] + speed[k] for k in params}
    return params


def pattern(params, words):
    """(words, weights (t, t), for each word the adjectives that the head names there) of one sentence."""
    words = words.split() if isinstance(words, str) else list(words)
    weights, logits = head(params, np.array([WORDS.index(w) for w in words]))
    return words, weights, [[a for a, x in zip(ADJECTIVES, row, strict=True) if x > 0] for row in logits]


@functools.cache
def held_out_accuracy(n=500):
    """The share of held-out nouns, in `n` sentences, whose adjectives the trained head names without a mistake."""
    rng, params = np.random.default_rng(1), train_head()
    right = []
    for words in (sentence(rng, held_out=True) for _ in range(n)):
        named = pattern(params, words)[2]
        right += [
            set(named[i]) == {words[j] for j in own} for i, own in enumerate(own_adjectives(words)) if words[i] in NOUNS
        ]
    return float(np.mean(right))
