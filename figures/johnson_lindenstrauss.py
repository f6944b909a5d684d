"""The figures of the Johnson-Lindenstrauss page; the angles come from training/johnson_lindenstrauss.py."""

import numpy as np

from figures.packed_directions import DIMENSIONS, packed
from figures.projected_digits import ratios
from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.architecture.johnson_lindenstrauss import room, welch_bound
from training.johnson_lindenstrauss import EDGES, read

VIOLET = ARC["architecture"]


def angles():
    """All 49,995,000 angles between 10,000 vectors in 100 dimensions, twice. Left, two hills around 90 degrees that
    lie on top of each other, for random vectors and for vectors that pushed each other apart. Both are far wider than a
    narrow band from 89 to 91 degrees; dashed lines mark 84.3 and 95.7, beyond which some pair must lie. Right, on a
    logarithmic axis, the tails: random angles reach from 59 to 121 degrees, the others stop short at 77.2 and 102.8."""
    fig, (left, right) = canvas(height=2.7, columns=2)
    record = read()
    middle = ((EDGES[1:] + EDGES[:-1]) / 2).reshape(-1, 2).mean(1)
    bound = np.degrees(np.arccos(welch_bound(record["n"], record["d"])))
    for ax in (left, right):
        for name, colour in (("before", MUTED), ("after", VIOLET)):
            counts = np.array(record[name]["counts"]).reshape(-1, 2).sum(1)
            seen = counts > 0
            share = 100 * counts[seen] / counts.sum()
            ax.step(middle[seen], share, where="mid", color=colour, lw=1.3)
        ax.set(xlabel="angle in degrees", xticks=[60, 75, 90, 105, 120])
    left.axvspan(89, 91, color=LINE, lw=0, zorder=0)
    for angle in (bound, 180 - bound):
        left.plot([angle, angle], [0, 4.2], color=FG, lw=0.9, ls=(0, (4, 3)))
    label(left, 92, 5.3, "89° to 91°", FG, ha="left")
    label(left, bound - 1, 4.4, f"Welch: {bound:.1f}°", FG, ha="right", fontsize=9.5)
    left.set(xlim=(58, 122), ylim=(0, 5.7), ylabel="% of the pairs", title="per half degree")
    worst = np.degrees(np.arccos([record["worst"][0], record["worst"][-1]]))
    right.set_yscale("log")
    label(right, 90, 3e-5, f"random,\nworst {worst[0]:.1f}°", MUTED)
    label(right, 90, 0.008, f"pushed apart,\nworst {worst[1]:.1f}°", VIOLET)
    right.set(xlim=(55, 125), ylim=(1e-6, 10), title="the same, logarithmic")
    right.set_yticks([1e-6, 1e-4, 1e-2, 1], ["1e-6", "0.0001", "0.01", "1"])
    right.minorticks_off()
    return fig


def distances():
    """Three histograms of squared distances between 1,000 digits after a random projection, divided by those before.
    In 332 dimensions they lie between 0.71 and 1.29, well inside the promised band 0.5 to 1.5; in 100 dimensions a few
    leave it, down to 0.43 and up to 1.80; in 25 dimensions they spread from 0.23 to 2.16."""
    fig, axes = canvas(height=1.9, columns=3, sharex=True)
    for ax, k in zip(axes, (332, 100, 25), strict=True):
        ax.axvspan(0.5, 1.5, color=LINE, lw=0, alpha=0.6)
        counts, edges = np.histogram(ratios(k), 75, range=(0, 2.5))
        ax.stairs(counts / counts.max(), edges, color=VIOLET, fill=True)
        ends = ratios(k).min(), ratios(k).max()
        ax.plot(ends, [0.06, 0.06], "|", color=FG, ms=9)
        ax.set(title=f"{k} dimensions", xlim=(0, 2.5), ylim=(0, 1.1), yticks=[], xlabel="after / before")
        ax.set_xticks([0, 0.5, 1, 1.5, 2], ["0", "½", "1", "1½", "2"])
        ax.spines["left"].set_visible(False)
    return fig


def growth():
    """How many of 10,000 random directions can stay when all angles must be at least 60, 70 or 80 degrees, on a
    logarithmic axis against 2 to 28 dimensions. For 60 degrees the dots climb, in the end along a straight line, to
    677; for 70 degrees to 76; for 80 degrees to 16, which is less than the 28 that could be perpendicular. Dashed
    straight lines show what is guaranteed; they run lower and in the end about parallel."""
    fig, ax = canvas(height=2.8)
    d = np.array(DIMENSIONS)
    ax.plot(d, d, color=MUTED, lw=1.2)
    label(ax, 28.6, 29, "d: all perpendicular", MUTED, ha="left")
    for degrees, alpha in ((60, 1), (70, 0.7), (80, 0.45)):
        counts = [packed(int(n), degrees) for n in d]
        ax.plot(d, counts, "o-", color=VIOLET, alpha=alpha, ms=3.5, lw=1.4)
        ax.plot(d, room(d, np.cos(np.radians(degrees))), color=VIOLET, alpha=alpha, lw=1, ls=(0, (4, 3)))
        label(
            ax,
            28.6,
            counts[-1] * (0.85 if degrees == 80 else 1),
            f"{degrees}° or more: {counts[-1]}",
            VIOLET,
            ha="left",
        )
    ax.set_yscale("log")
    ax.set(xlim=(1, 39), ylim=(0.4, 1500), xlabel="dimensions d", ylabel="directions")
    ax.set_xticks([4, 8, 12, 16, 20, 24, 28])
    ax.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    ax.minorticks_off()
    return fig
