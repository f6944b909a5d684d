"""How every figure looks: one palette, labels instead of legends, text that stays text.

The colours are names: sitebuild.figures replaces them by the page's own, so that a figure follows light and dark.
"""

from matplotlib.figure import Figure

FG, MUTED, LINE, BG = "#010101", "#020202", "#030303", "#040404"
ARC = {
    "foundations": "#0b5cad",
    "structure": "#0a6b57",
    "learning": "#8a5200",
    "architecture": "#7b3aa3",
    "generation": "#b02a4c",
}
BLUE, GREEN, OCHRE, VIOLET, RED = ARC.values()
WIDTH = 5.6  # inches of 72 points: the text column of a phone, and the page scales it up

RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kb",
    "figure.dpi": 72,
    "savefig.transparent": True,
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "text.color": FG,
    "axes.labelcolor": FG,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "grid.color": LINE,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 1.0,
}


def canvas(height=2.6, columns=1, rows=1, **kwargs):
    """A figure of the site's width (inches x `height`) and its axes."""
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **kwargs)


def bare(ax):
    """No ticks and no frame: for diagrams."""
    ax.set_axis_off()
    return ax


def label(ax, x, y, text, colour=FG, **kwargs):
    """A label beside what it names."""
    return ax.text(x, y, text, color=colour, **{"va": "center", "ha": "center", **kwargs})
