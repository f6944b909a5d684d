"""The figures of the @title@ page."""

import numpy as np

from figures.style import ARC, canvas
from kb.@arc@.@slug@ import @slug@


def overview():
    """What the picture shows, for somebody who cannot see it: the shapes, the numbers, the point."""
    fig, ax = canvas(height=2.4)
    x = np.linspace(-3, 3, 100)
    ax.plot(x, @slug@(x), color=ARC["@arc@"])
    ax.set(xlabel="x", ylabel="y")
    return fig
