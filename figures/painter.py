"""A painter that was trained here: a caption such as "a red sun and a blue sea", and a picture whose places ask it.

The words read each other (causal self-attention, as in CLIP's text encoder), so that "sun" can learn that it is red.
Each place of the picture knows what is drawn there, but not its colour; it asks the caption (cross-attention) and has
to name the colour. A fifth of all captions, among them CAPTION, never occurs in training.
"""

import functools
import math

import numpy as np

from kb.architecture.multi_head_attention import head_patterns
from kb.architecture.self_attention_vs_cross_attention import cross_attention, cross_attention_maps, self_attention
from kb.autograd.tensor import value_and_grad
from kb.foundations.softmax import log_softmax

COLOURS = ["red", "blue", "green", "violet", "brown"]
THINGS = ["sun", "sea", "house", "tree", "boat", "hill"]
WORDS = ["a", "and", *COLOURS, *THINGS]
TEXT_WIDTH, IMAGE_WIDTH, PLACES = 32, 16, 20
PICTURE = ["sun sun sun sea sea", "sun sun sun sea sea", "sun sea sea sea sea", "sea sea sea sea sea"]
CAPTION = "a red sun and a blue sea"


def example(rng, held_out=False):
    """A caption of seven words, the things at 20 places (numbers), and the colour wanted at each (numbers)."""
    while True:
        colours, things = rng.integers(0, len(COLOURS), 2), rng.permutation(len(THINGS))[:2]
        if ((colours.sum() + things.sum()) % 5 == 2) == held_out:
            break
    (c, d), (s, t) = [COLOURS[i] for i in colours], [THINGS[i] for i in things]
    which = rng.integers(0, 2, PLACES)
    return [WORDS.index(w) for w in ("a", c, s, "and", "a", d, t)], things[which], colours[which]


def batch(rng, n, held_out=False):
    return [np.array(part) for part in zip(*(example(rng, held_out) for _ in range(n)), strict=True)]


def initial(rng):
    """Small random weights of both vocabularies, the two attention layers and the layer that names colours."""
    d, c = IMAGE_WIDTH, TEXT_WIDTH
    shapes = {"words": (len(WORDS), c), "positions": (7, c), "w_in": (3 * c, c), "w_o": (c, c)}
    shapes |= {"things": (len(THINGS), d), "w_q": (c, d), "w_k": (c, c), "w_v": (c, c), "w_out": (d, c)}
    shapes |= {"read": (len(COLOURS), d)}
    params = {name: (rng.standard_normal(s) / math.sqrt(s[-1])).astype(np.float32) for name, s in shapes.items()}
    return params | {"b_out": np.zeros(d, np.float32)}


def read_text(params, ids):
    """The words after they have read each other, (n, 7, text width); as they are where there is no such layer."""
    x = params["words"][ids] + params["positions"]
    if "w_in" not in params:
        return x
    return x + self_attention(x, params["w_in"], None, params["w_o"], None, 1, is_causal=True)


def logits(params, ids, things):
    """The score of each colour at each place, (n, places, colours)."""
    asked = (params[name] for name in ("w_q", "w_k", "w_v", "w_out", "b_out"))
    return cross_attention(params["things"][things], read_text(params, ids), *asked, 1) @ params["read"].T


def cost(params, ids, things, colours):
    """Cross-entropy in nats per place."""
    wanted = np.eye(len(COLOURS), dtype=np.float32)[colours]
    return -np.sum(log_softmax(logits(params, ids, things)) * wanted) / colours.size


@functools.cache
def train(text_layer=True, seed=2, steps=400, lr=0.05, momentum=0.9):
    """The weights after `steps` steps of gradient descent with momentum, each on 32 new captions."""
    rng = np.random.default_rng(seed)
    params = {name: p for name, p in initial(rng).items() if text_layer or name not in {"w_in", "w_o"}}
    speed = {k: np.zeros_like(p) for k, p in params.items()}
    step = value_and_grad(cost)
    for _ in range(steps):
        _, slope = step(params, *batch(rng, 32))
        speed = {k: momentum * speed[k] - lr * slope[k] for k in params}
        params = {k: params[k] + speed[k] for k in params}
    return params


@functools.cache
def accuracy(held_out=True, text_layer=True, n=300):
    """The share of places that get the colour of the caption; held_out: of captions that never occurred in training."""
    ids, things, colours = batch(np.random.default_rng(1), n, held_out)
    return float(np.mean(np.argmax(logits(train(text_layer), ids, things), -1) == colours))


@functools.cache
def paint(caption=CAPTION):
    """For one caption and PICTURE: who looks where in the text (7, 7), each place at the words (20, 7), the colours."""
    params, ids = train(), np.array([WORDS.index(w) for w in caption.split()])
    things = np.array([THINGS.index(thing) for row in PICTURE for thing in row.split()])
    x = params["words"][ids] + params["positions"]
    text = head_patterns(x, x, params["w_in"], None, 1, is_causal=True)[0]
    context = read_text(params, ids)
    maps = cross_attention_maps(params["things"][things], context, params["w_q"], params["w_k"], 1)[0]
    return text, maps, [COLOURS[i] for i in np.argmax(logits(params, ids, things), -1)]
