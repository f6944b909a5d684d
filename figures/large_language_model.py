"""The figures of the The large language model page."""

import numpy as np

from figures.style import ARC, canvas
from kb.architecture.large_language_model import large_language_model


def overview():
    """What the picture shows, for somebody who cannot see it: the shapes, the numbers, the point."""
    fig, ax = canvas(height=2.4)
    x = np.linspace(-3, 3, 100)
    ax.plot(x, large_language_model(x), color=ARC["architecture"])
    ax.set(xlabel="x", ylabel="y")
    return fig
