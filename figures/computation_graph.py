"""The figures of the computation graph page: every graph is drawn from what was recorded."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch

from figures.graph_drawing import OCHRE, arrows, circles, number
from figures.style import BG, FG, LINE, MUTED, bare, canvas, label
from kb.autograd.backward import backpropagate
from kb.autograd.backward import tape as tensor_tape
from kb.autograd.tensor import Tensor
from kb.learning.computation_graph import Value, gradients, tape


def _example():
    """y = (a + b) b + a as it was recorded, with a place and a name for each Value."""
    a, b = Value(2.0), Value(-3.0)
    y = (a + b) * b + a
    _, product, total, *_ = tape(y)
    places = {a: (0, 2.4), b: (0, -0.3), total: (1.75, 1.0), product: (3.7, 0.3), y: (5.6, 1.6)}
    return y, places, {a: "a", b: "b"}


def expression():
    """The recorded graph of y = (a + b) b + a for a = 2 and b = -3. Arrows lead from a and b to a plus with the value
    -1, from there and from b to a times with the value 3, and from there and from a to a plus with the value 5. Beside
    each arrow stands its slope, under each node its gradient: 1 for the result, 1 for the product, -3 for the inner
    sum, -2 for a and -4 for b."""
    fig, ax = canvas(height=2.8)
    y, places, names = _example()
    bare(ax).set(xlim=(-0.6, 7.2), ylim=(-1.0, 3.1), aspect="equal")
    slopes = {(p, v): number(s) for v in tape(y) for p, s in zip(v.parents, v.slopes, strict=True)}
    arrows(ax, places, labels=slopes)
    circles(ax, places, names)
    for value, gradient in gradients(y).items():
        at, up = places[value]
        label(ax, at, up + 0.48, number(value.data))
        label(ax, at, up - 0.48, number(gradient), OCHRE)
    at, up = places[y]
    label(ax, at + 0.25, up + 0.48, "value", ha="left")
    label(ax, at + 0.25, up - 0.48, "gradient", OCHRE, ha="left")
    label(ax, 3.05, 2.23, "slope", MUTED, ha="left")
    return fig


def modes():
    """The same graph twice. Left, forward mode: the slope by b starts with 1 at b and 0 at a and moves along the
    arrows: 1 at the inner sum, -4 at the product, -4 at the result. Right, reverse mode: it starts with 1 at the
    result and moves against the arrows: 1 at the product, -3 at the inner sum, -2 at a and -4 at b."""
    fig, axes = canvas(height=2.1, columns=2)
    y, places, names = _example()
    b = next(value for value, name in names.items() if name == "b")
    forward = {}
    for value in reversed(tape(y)):
        forward[value] = sum(s * forward[p] for p, s in zip(value.parents, value.slopes, strict=True)) + (value is b)
    for ax, shown, title, start in (
        (axes[0], forward, "forward from b", b),
        (axes[1], gradients(y), "reverse from y", y),
    ):
        bare(ax).set(xlim=(-0.6, 6.2), ylim=(-1.3, 3.4), aspect="equal", title=title)
        arrows(ax, places, radius=0.42, back=start is y)
        circles(ax, places, names, radius=0.42, colours={start: OCHRE})
        for value, slope in shown.items():
            at, up = places[value]
            label(ax, at, up + 0.72 if up > 0.5 else up - 0.72, number(slope), OCHRE)
    return fig


# ---- one network, two views --------------------------------------------------------------------------------------
def _network():
    """Two inputs, two hidden neurons and an output, without biases: inputs, and per neuron its record in order."""
    x = [Value(1.0), Value(0.5)]
    first, second = (_neuron(weights, x) for weights in ((1.0, -1.0), (2.0, 1.0)))
    return x, first, second, _neuron((1.0, -2.0), [first[-1], second[-1]])


def _neuron(weights, senders):
    """Weight, weight, product, product, sum, activation."""
    leaves = [Value(w) for w in weights]
    products = [w * a for w, a in zip(leaves, senders, strict=True)]
    total = products[0] + products[1]
    return [*leaves, *products, total, total.sigmoid()]


def two_views():
    """Left, a network diagram: two inputs, two hidden neurons, one output, and six lines between them, which are the
    weights. Right, the computation graph that was recorded when this network ran: 20 nodes, namely two inputs, six
    weights, six products, three sums and three sigmoids. One hidden neuron is shaded on both sides: one circle on the
    left, two weights, two products, a sum and a sigmoid on the right."""
    fig, (left, right) = canvas(height=2.85, columns=2, width_ratios=[1, 2.4])
    _diagram(bare(left))
    x, *neurons = _network()
    weights = [leaf for neuron in neurons for leaf in neuron[:2]]
    places = dict(zip(x, [(0, 2.8), (0, -0.4)], strict=True))
    for neuron, (at, up) in zip(neurons, ((1.7, 2.8), (1.7, -0.4), (5.5, 1.2)), strict=True):
        spots = [(0, 1.2), (0, -1.2), (0, 0.4), (0, -0.4), (1.15, 0), (2.15, 0)]
        places |= {value: (at + dx, up + dy) for value, (dx, dy) in zip(neuron, spots, strict=True)}
    bare(right).set(xlim=(-0.4, 8.1), ylim=(-2.1, 4.5), aspect="equal", title=f"computation graph: {len(places)} nodes")
    _shade(right, (1.35, 1.25), 2.85, 3.1)
    arrows(right, places, radius=0.27)
    names = {**dict.fromkeys(x, "x"), **dict.fromkeys(weights, "w")}
    circles(right, places, names, radius=0.27, colours=dict.fromkeys(weights, OCHRE))
    return fig


def _diagram(ax):
    """The same network as circles and lines."""
    ax.set(xlim=(-0.45, 3.0), ylim=(-2.1, 4.5), aspect="equal", title="network: 6 lines")
    x, hidden, y = [(0, 2.2), (0, 0.2)], [(1.3, 2.2), (1.3, 0.2)], (2.6, 1.2)
    _shade(ax, (0.55, 1.75), 1.15, 0.9)
    for start, end in [*((a, b) for a in x for b in hidden), *((b, y) for b in hidden)]:
        ax.plot(*zip(start, end, strict=True), color=OCHRE, lw=1.4, zorder=0)
    for place in (*x, *hidden, y):
        ax.add_patch(Circle(place, 0.27, fc=BG, ec=FG, zorder=2))
    for place in x:
        label(ax, *place, "x", zorder=3)


def _shade(ax, corner, width, height):
    box = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.05", fc=LINE, ec="none", alpha=0.5, zorder=-1)
    ax.add_patch(box)


# ---- the same with arrays ----------------------------------------------------------------------------------------
def arrays():
    """The graph that kb.autograd recorded for the cost of one layer on a batch of five examples, as a row of nodes: the
    weights W (3, 4), their transpose (4, 3), a matrix product (5, 3), plus the bias b (3), tanh (5, 3), minus (5, 3),
    square (5, 3), and a sum to one number. Over each node stand the shape of its value and that of its gradient, which
    are the same."""
    fig, ax = canvas(height=1.9)
    rng = np.random.default_rng(0)
    W, b, x, y = Tensor(rng.normal(size=(3, 4))), Tensor(np.zeros(3)), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    cost = np.sum((np.tanh(x @ W.T + b) - y) ** 2)
    record = dict(backpropagate(tensor_tape(cost), np.ones(())))
    row = [t for t in reversed(record) if t is not b]
    places = {t: (1.25 * i, 0) for i, t in enumerate(row)} | {b: (2.5, -1.3)}
    bare(ax).set(xlim=(-1.9, 1.25 * len(row) - 0.7), ylim=(-1.75, 1.5), aspect="equal")
    arrows(ax, places, radius=0.4)
    names = {W: "W", b: "b", **{t: {"transpose": "T", "matmul": "@"}.get(t.op) for t in row if t.op}}
    circles(ax, places, names, radius=0.4, colours={W: OCHRE, b: OCHRE})
    for t, gradient in record.items():
        at, up = places[t] if t is not b else (1.5, -2.2)
        for shape, rise, colour in ((t.shape, 1.15, FG), (gradient.shape, 0.65, OCHRE)):
            label(ax, at, up + rise, "()" if not shape else f"({', '.join(map(str, shape))})", colour)
    label(ax, -0.7, 1.15, "value", ha="right")
    label(ax, -0.7, 0.65, "gradient", OCHRE, ha="right")
    return fig
