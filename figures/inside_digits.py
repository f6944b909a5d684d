"""A look inside the shipped digit network: what its hidden neurons tell apart, which edges they resemble, and noise."""

import functools
from itertools import combinations, product

import numpy as np

from figures.reading_digits import held_out
from kb.checkpoints.shipped import digits_dense, digits_mlp
from kb.data.digits import load_digits, resize, split
from kb.foundations.softmax import softmax
from kb.structure.activation_functions import identity, relu, sigmoid
from kb.structure.forward_pass import forward, forward_all
from kb.structure.multilayer_perceptron import init_mlp, mlp, predict
from kb.structure.representation_learning import hold, mean_activations, separation, visible_part

LOOPS = (0, 6, 8, 9)


@functools.cache
def activations(layer):
    """What the 16 neurons of hidden layer 1 or 2 say to the held-out digits, (360, 16)."""
    return forward_all(digits_mlp(), held_out()[0], sigmoid)[f"a{layer}"]


# ---- are there edges? --------------------------------------------------------------------------------------------
@functools.cache
def blots():
    """What all digits are mixtures of, (61, 784): each of the 8 x 8 pixels that ever has ink, interpolated."""
    inked = load_digits().images.any(axis=0).ravel()
    return resize(np.eye(64)[inked].reshape(-1, 8, 8), 28).reshape(-1, 784)


@functools.cache
def visible_weights():
    """The first layer's weights without the part that no digit can see, (16, 784)."""
    return visible_part(digits_mlp()["0.weight"].astype(np.float64), blots())


@functools.cache
def edges(size=28):
    """Edges (light beside dark) and lines (dark between light) at many places, angles and lengths, each of length 1."""
    rows, cols = np.mgrid[:size, :size] + 0.5
    found = []
    for y, x, angle, width, longer in product(
        *[np.arange(4, size, 3)] * 2, np.arange(8) * np.pi / 8, (1.75, 3), (1, 2)
    ):
        across = (cols - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        along = (rows - y) * np.cos(angle) - (cols - x) * np.sin(angle)
        window = np.exp(-(across**2) / (2 * width**2) - along**2 / (2 * (longer * width) ** 2))
        found += [(window * across).ravel(), (window * (1 - (across / width) ** 2)).ravel()]
    return np.array(found) / np.linalg.norm(found, axis=1, keepdims=True)


def best_edges(weight):
    """For each weight image the edge that fits best, and how much of the image it explains: its cosine squared."""
    unit = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    cosines = unit @ edges().T
    best = np.abs(cosines).argmax(axis=1)
    fit = cosines[np.arange(len(weight)), best]
    return edges()[best] * fit[:, None], fit * fit


@functools.cache
def share_by_chance():
    """How much the best edge explains of a random image that is as coarse as the digits are, on average over 200."""
    drawn = np.random.default_rng(0).standard_normal((200, 784))
    return best_edges(visible_part(drawn, blots()))[1].mean()


# ---- what training never touched ---------------------------------------------------------------------------------
@functools.cache
def invisible_parts():
    """What no digit can see of the first layer's weights: before training and after it, each (16, 784)."""
    start = init_mlp((784, 16, 16, 10), np.random.default_rng(0))["0.weight"]
    return tuple(w - visible_part(w.astype(np.float64), blots()) for w in (start, digits_mlp()["0.weight"]))


# ---- are there loops? --------------------------------------------------------------------------------------------
@functools.cache
def best_separations(layer):
    """For each set of four digits how well the best neuron of a layer tells it from the other six: {set: 0.5..1}."""
    labels = held_out()[1]
    found = {}
    for digits in combinations(range(10), 4):
        share = separation(activations(layer), np.isin(labels, digits))
        found[digits] = float(np.max(np.maximum(share, 1 - share)))
    return found


def rank_of_loops(layer):
    """How many sets of four digits are told apart at least as well as the four with a loop, themselves included."""
    found = best_separations(layer)
    return sum(value >= found[LOOPS] for value in found.values())


@functools.cache
def accuracy_without(layer):
    """The share of held-out digits read rightly when each neuron of a layer in turn is held at its mean, (16)."""
    (x, labels), mean = held_out(), activations(layer).mean(axis=0)
    nets = [hold(digits_mlp(), layer, neuron, mean[neuron]) for neuron in range(16)]
    return np.array([np.mean(predict(net, x) == labels) for net in nets])


@functools.cache
def accuracy_without_first(count):
    """The same with the first `count` neurons of the first layer held at their means, all at once."""
    (x, labels), mean, net = held_out(), activations(1).mean(axis=0), digits_mlp()
    for neuron in range(count):
        net = hold(net, 1, neuron, mean[neuron])
    return np.mean(predict(net, x) == labels)


def digits_that_excite(layer):
    """For each neuron of a layer, how many of the ten digits it answers with more than 1/2 on average, (16)."""
    return np.sum(mean_activations(activations(layer), held_out()[1], 10) > 0.5, axis=0)


# ---- noise -------------------------------------------------------------------------------------------------------
@functools.cache
def images(kind, count=10_000):
    """(n, 784) images: "digits" held out, "noise" of 8 x 8 grey blocks made into 28 x 28 as the digits were, or
    "pixels" in which each of the 784 is drawn for itself."""
    rng = np.random.default_rng(0)
    if kind == "digits":
        return held_out()[0]
    if kind == "noise":
        return resize(rng.random((count, 8, 8), dtype=np.float32), 28).reshape(count, 784)
    return rng.random((count, 784), dtype=np.float32)


@functools.cache
def top_outputs(kind):
    """The highest of the ten sigmoid outputs for each image."""
    return mlp(digits_mlp(), images(kind)).max(axis=1)


@functools.cache
def top_shares(kind):
    """The highest of ten probabilities: the other shipped network, ReLU and softmax, on the same images in 8 x 8."""
    x = (
        split(load_digits())[1].images
        if kind == "digits"
        else np.random.default_rng(0).random((10_000, 8, 8), np.float32)
    )
    return softmax(forward(digits_dense(), x.reshape(-1, 64), relu, identity)).max(axis=1)


def noise_answers():
    """How many of the noise images are read as each digit, (10)."""
    return np.bincount(predict(digits_mlp(), images("noise")), minlength=10)
