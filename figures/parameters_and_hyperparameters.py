"""The figures of the vocabulary page."""

import numpy as np

from figures.live_model import EVENTS, changes, everything, image
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.structure.activation_functions import sigmoid
from kb.structure.parameters_and_hyperparameters import logit

GREEN = ARC["structure"]
ROWS = {
    "the image": ["a0"],
    "weights": ["0.weight", "2.weight", "4.weight"],
    "biases": ["0.bias", "2.bias", "4.bias"],
    "activations": ["a1", "a2", "a3"],
    "logits": ["z3"],
    "hyperparameters": ["hyperparameters"],
}
HEADINGS = "same image\nagain", "another\nimage", "a training\nstep", "a new run,\n32 neurons"


def what_changes():
    """A table of dots. Rows: the image, weights, biases, activations, logits and hyperparameters of the digit network.
    Columns: four events. Seeing the same image again changes nothing. Another image changes the image, the activations
    and the logits. A training step changes weights and biases, and with them activations and logits. A new run with 32
    hidden neurons changes everything but the image."""
    fig, ax = canvas(height=2.7)
    bare(ax).set(xlim=(-3.6, 7.9), ylim=(-0.7, 6.6))
    sizes = {name: array.size for name, array in everything(digits_mlp(), image(3)).items()}
    for column, heading in enumerate(HEADINGS):
        label(ax, 2 * column + 0.9, 6.15, heading, FG)
    for row, (name, arrays) in enumerate(ROWS.items()):
        y = 5 - row
        count = "" if name == "hyperparameters" else f" {sum(sizes[array] for array in arrays):,}"
        label(ax, -3.6, y, name, FG, ha="left")
        label(ax, -0.3, y, count, MUTED, ha="right")
        ax.plot([-3.6, 7.9], [y - 0.5, y - 0.5], color=LINE, lw=0.8)
        for column, event in enumerate(EVENTS):
            hit = set(arrays) & set(changes(event))
            style = {"ms": 11, "color": GREEN} if hit else {"ms": 4, "mfc": "none", "mec": MUTED}
            ax.plot(2 * column + 0.9, y, "o", **style)
    ax.plot([-3.6, 7.9], [5.5, 5.5], color=MUTED, lw=0.8)
    return fig


def logits():
    """The sigmoid from a logit of -6 to 6, with probabilities marked on the curve: a logit of 0 is a chance of 0.5,
    1.39 is 0.8, -1.39 is 0.2, and 4.60 is 0.99. The curve flattens at both ends."""
    fig, ax = canvas(height=2.3)
    z = np.linspace(-6, 6, 241)
    ax.plot(z, sigmoid(z), color=GREEN)
    for p in (0.2, 0.5, 0.8, 0.99):
        at = float(logit(np.array(p)))
        ax.plot([at, at, -6], [0, p, p], color=LINE, lw=0.8, zorder=0)
        ax.plot(at, p, "o", color=GREEN, ms=4)
        side = 1 if p > 0.5 else -1
        label(ax, at + 0.2 * side, p - 0.06 * side, _words(at, p), FG, ha="left" if p > 0.5 else "right")
    ax.set(xlabel="logit z", ylabel="probability", xlim=(-6, 7), ylim=(0, 1.03), yticks=[0, 0.5, 1])
    return fig


def _words(z, p):
    return f"{z:.2f} → {p:g}".replace("-", "−")
