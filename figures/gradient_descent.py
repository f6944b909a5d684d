"""The figures of the gradient descent page."""

import numpy as np
from matplotlib.patches import Circle

from figures import digit_landscape
from figures.style import ARC, BG, FG, LINE, MUTED, canvas, label
from kb.learning.gradient_descent import (
    descend,
    hills,
    hills_gradient,
    largest_stable_lr,
    product_fit,
    product_fit_gradient,
    quadratic,
    quadratic_gradient,
)

OCHRE = ARC["learning"]
BOWL = np.diag([10.0, 1.0])


def _grid(x, y):
    return np.stack(np.meshgrid(x, y), axis=-1)


def _relief(ax, x, y, height, levels):
    """Contour lines, and a tint that is the stronger the lower the ground."""
    for level in levels[::2]:
        ax.contourf(x, y, height, levels=[-1e9, level], colors=[OCHRE], alpha=0.1)
    ax.contour(x, y, height, levels=levels, colors=[MUTED], linewidths=0.5, linestyles="solid")


def _walk(ax, path, colour=FG):
    ax.plot(*path.T, "o-", markevery=max(1, len(path) // 25), color=colour, ms=2.6, lw=1.2, zorder=3)
    ax.plot(*path[0], "o", color=BG, mec=colour, ms=6, zorder=4)


def walks():
    """A map of a landscape with contour lines, the deeper the ground the stronger the colour. Three walks downhill
    start on its hills as rings and end in three valleys: at height -0.89, the deepest, at -0.44 and at 0.01."""
    fig, ax = canvas(height=3.1)
    x, y = np.linspace(-4.2, 6.2, 40), np.linspace(-2.4, 4.4, 27)
    _relief(ax, x, y, hills(_grid(x, y)), np.linspace(-0.8, 2.4, 6))
    for start, side in (((-0.4, 1.7), -1), ((0.9, 1.75), 1), ((2.7, 0.3), 1)):
        path = descend(hills_gradient, np.array(start), 0.3, 60)
        _walk(ax, path)
        end = path[-1]
        label(
            ax,
            end[0] + 0.3 * side,
            end[1] - 0.35,
            f"{hills(end):.2f}".replace("-", "−"),
            FG,
            ha="left" if side > 0 else "right",
        )
    ax.set(aspect="equal", xticks=[], yticks=[], xlabel="one weight", ylabel="another weight")
    return fig


def learning_rates():
    """The same parabola three times, each with ten steps from the same start. With learning rate 0.1 the steps are
    short and the walk is still far from the bottom. With 0.7 it is there after five steps. With 2.1 each step lands
    higher on the other side than it started."""
    fig, axes = canvas(height=2.0, columns=3, sharey=True)
    bowl, x = np.eye(1), np.linspace(-3.2, 3.2, 121)
    for ax, lr, title in zip(axes, (0.1, 0.7, 2.1), ("too small", "right", "too large"), strict=True):
        path = descend(lambda x: quadratic_gradient(x, bowl), np.array([1.25]), lr, 10)
        ax.plot(x, quadratic(x[:, None], bowl), color=LINE)
        ax.plot(path[:, 0], quadratic(path, bowl), "o-", color=OCHRE, ms=3.5, lw=1.1)
        ax.plot(path[0, 0], quadratic(path[0], bowl), "o", color=BG, mec=OCHRE, ms=6.5)
        ax.set(title=f"{title}: {lr}", xticks=[], yticks=[], ylim=(-0.2, 5))
        ax.spines[:].set_visible(False)
    return fig


def limit():
    """The distance from the bottom after 50 steps against the learning rate, on a logarithmic axis, for a bowl with
    the curvatures 10 and 1. It falls to a smallest value close to the best rate, 2/11, rises steeply, and passes the
    distance of the start exactly at the dashed line, 2/10."""
    fig, ax = canvas(height=2.4)
    rates = np.linspace(0.002, 0.23, 115)
    start = np.array([1.0, 1.0]) / np.sqrt(2)
    ends = np.array([descend(lambda x: quadratic_gradient(x, BOWL), start, lr, 50)[-1] for lr in rates])
    ax.semilogy(rates, np.linalg.norm(ends, axis=1), color=OCHRE)
    ax.axhline(1, color=LINE, lw=0.8, zorder=0)
    ax.axvline(largest_stable_lr(BOWL), color=FG, lw=0.9, ls=(0, (4, 3)))
    label(ax, 0.197, 3e3, "2 / λmax", FG, ha="right")
    label(ax, 0.002, 2.6, "where it started", MUTED, ha="left")
    label(ax, 0.06, 4e-4, "comes down", OCHRE)
    label(ax, 0.2165, 2e1, "climbs", OCHRE, ha="left")
    ax.set(xlabel="learning rate η", ylabel="distance after 50 steps", xlim=(0, 0.24), ylim=(1e-5, 1e5))
    ax.set_yticks([1e-4, 1, 1e4])
    ax.minorticks_off()
    return fig


def saddle():
    """The map of the cost (u v - 1) squared. Its lowest ground is a curve, u v = 1, in two branches. Two walks start
    next to each other on the ridge between them. The one that starts exactly on the ridge ends at the saddle point in
    the middle. The other leaves it sideways and ends on the curve. A third walk ends elsewhere on the curve."""
    fig, ax = canvas(height=3.0)
    x, y = np.linspace(-2.2, 3.4, 43), np.linspace(-1.9, 2.1, 31)
    _relief(ax, x, y, product_fit(_grid(x, y)), [0.05, 0.6, 2, 8])
    for branch in (x[x > 0.4], x[x < -0.4]):
        ax.plot(branch, 1 / branch, color=OCHRE, lw=2.2)
    for start in ((1.6, -1.6), (1.6, -1.5), (3.2, 1.2)):
        _walk(ax, descend(product_fit_gradient, np.array(start), 0.03, 200))
    ax.add_patch(Circle((0, 0), 0.13, fill=False, ec=FG, lw=1.2))
    label(ax, -0.2, -0.35, "saddle point", FG, ha="right")
    label(ax, 1.0, 1.6, "flat along u v = 1", FG, ha="left")
    ax.set(
        aspect="equal", xlim=(-2.2, 3.4), ylim=(-1.9, 2.1), xticks=[], yticks=[], xlabel="weight u", ylabel="weight v"
    )
    return fig


def digits():
    """Two slices through the cost of the digit network over its 13,002 weights. Left: along straight lines. From the
    untrained start to the trained network the cost falls all the way. From the trained network to another one, and to
    its own copy with shuffled neurons, it rises to about 0.7 and 0.8 in the middle. Right: the plane through the
    start and both trained networks, with two separate valleys and a ridge between them."""
    start, shipped, another, copy = digit_landscape.networks()
    fig, (left, right) = canvas(height=2.7, columns=2, width_ratios=[1.1, 1])
    t = np.linspace(0, 1, 21)
    left.plot(t - 1, digit_landscape.along(start, shipped, t), color=FG)
    left.plot(t, digit_landscape.along(shipped, copy, t), color=MUTED, lw=1.2)
    left.plot(t, digit_landscape.along(shipped, another, t), color=OCHRE)
    label(left, -0.62, 2.2, "from the start", FG, ha="left")
    label(left, 0.5, 1.32, "to its shuffled copy", MUTED, fontsize=9)
    label(left, 0.5, 1.02, "to another network", OCHRE, fontsize=9)
    left.set(ylabel="cost", xticks=[-1, 0, 1], ylim=(0, 3.4), xlim=(-1.05, 1.1))
    left.set_xticklabels(["start", "trained", "the other"])
    u, v, cost = digit_landscape.plane()
    _relief(right, u, v, cost, [0.05, 0.4, 1.5, 3])
    for (x, y), name in (((1, 0), "start"), ((0, 0), "trained"), ((0, 1), "another")):
        right.plot(x, y, "o", color=FG, ms=4.5)
        label(right, x + 0.07, y - 0.13, name, FG, ha="left", fontsize=9.5)
    right.set(xticks=[], yticks=[], aspect="equal")
    return fig
