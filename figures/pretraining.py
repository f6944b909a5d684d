"""The figures of the Pretraining page."""

import numpy as np

from figures.style import ARC, canvas
from kb.architecture.pretraining import pretraining


def overview():
    """What the picture shows, for somebody who cannot see it: the shapes, the numbers, the point."""
    fig, ax = canvas(height=2.4)
    x = np.linspace(-3, 3, 100)
    ax.plot(x, pretraining(x), color=ARC["architecture"])
    ax.set(xlabel="x", ylabel="y")
    return fig
