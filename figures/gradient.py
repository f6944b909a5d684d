"""The figures of the page on the gradient."""

import numpy as np

from figures.parameter_space import descent_shares
from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.foundations.gradient import directional_derivative, numerical_gradient, one_sided_gradient

BLUE = ARC["foundations"]
POINT = np.array([1.0, 1.0])


def _cost(w):
    return 1.5 * w[..., 0] * w[..., 0] + 0.5 * w[..., 1] * w[..., 1]


def level_lines():
    """The plane of two dials with level lines of the cost: ellipses around the origin, higher than wide. At the point
    (1, 1), where the cost is 2, an arrow to the right and slightly up shows the gradient (3, 1), drawn at a quarter
    of its length. It is perpendicular to the level line. An arrow in the opposite direction leads to (0.7, 0.9),
    where the cost is 1.14. It does not point at the minimum in the origin."""
    fig, ax = canvas(height=3.3)
    x, y = np.meshgrid(np.linspace(-1.2, 2.2, 171), np.linspace(-1.5, 1.8, 166))
    costs = _cost(np.stack([x, y], axis=-1))
    ax.contour(x, y, costs, levels=[0.5, 1.14, 3.2, 4.8], colors=[LINE], linewidths=1)
    ax.contour(x, y, costs, levels=[2], colors=[FG], linewidths=1.4)
    slopes = numerical_gradient(_cost, POINT)
    new = POINT - 0.1 * slopes
    for tip, colour in ((POINT + slopes / 4, BLUE), (new, ARC["generation"])):
        ax.annotate(
            "", tip, POINT, arrowprops={"arrowstyle": "->", "color": colour, "lw": 2, "shrinkA": 0, "shrinkB": 0}
        )
    ax.plot(*POINT, "o", color=FG, ms=4)
    ax.plot(0, 0, "+", color=MUTED)
    label(ax, 0.0, -0.16, "minimum", MUTED)
    label(ax, 1.78, 1.27, "gradient (3, 1)", BLUE, ha="left")
    label(ax, 1.13, 0.6, "cost 2", ha="left")
    label(ax, 0.66, 0.98, f"a step down: {_cost(new):.2f}", ARC["generation"], ha="right")
    ax.set(xlim=(-1.2, 2.9), ylim=(-1.2, 1.75), aspect="equal", xlabel="first dial", ylabel="second dial")
    ax.set(xticks=[-1, 0, 1, 2], yticks=[-1, 0, 1])
    return fig


def turning():
    """The slope of the cost at the point (1, 1) against the direction of the step, from 0 to 360 degrees. It is a
    cosine: 3 along the first dial, at its highest, 3.16, at 18 degrees, which is the direction of the gradient, 0 at
    right angles to it, and at its lowest, -3.16, straight opposite. Dots measured along 24 directions lie on the
    curve."""
    fig, ax = canvas(height=2.3)
    slopes = numerical_gradient(_cost, POINT)
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(np.degrees(angle), np.cos(angle) * slopes[0] + np.sin(angle) * slopes[1], color=BLUE)
    for a in np.arange(0, 360, 15):
        way = np.array([np.cos(np.radians(a)), np.sin(np.radians(a))])
        ax.plot(a, directional_derivative(_cost, POINT, way), "o", color=FG, ms=3.5)
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    steepest = np.degrees(np.arctan2(slopes[1], slopes[0]))
    length = np.sqrt(slopes @ slopes)
    for a, slope, text, align in (
        (steepest, length, f"the gradient, {steepest:.0f}°: {length:.2f}", "left"),
        (steepest + 90, 0, "along the level line: 0", "left"),
        (steepest + 180, -length, f"straight down: −{length:.2f}", "left"),
    ):
        ax.plot([a, a], [0, slope], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        label(
            ax,
            a + 12,
            slope + 0.25 * (slope > 0),
            text,
            BLUE if slope else MUTED,
            ha=align,
            va="bottom" if slope >= 0 else "top",
        )
    ax.set(xlim=(0, 360), ylim=(-4.3, 4), xticks=[0, 90, 180, 270, 360], yticks=[-3, 0, 3])
    ax.set(xlabel="direction of the step, in degrees", ylabel="slope")
    return fig


def error():
    """The error of a measured slope against the step h, from 1 down to 1e-15, on logarithmic axes. From both sides
    the error falls a hundredfold for each tenfold smaller h, reaches about 1e-10 near h = 1e-5, and rises again. From
    one side it falls only tenfold, reaches about 1e-8 near h = 1e-8, and rises on the same line. In float32 the rise
    starts near h = 1e-2."""
    fig, ax = canvas(height=2.9)
    h = np.geomspace(1, 1e-15, 121)

    def f(x):
        return np.sum(np.exp(np.sin(x)))

    def errors(measure, dtype):
        x, true = np.ones(1, dtype), np.exp(np.sin(1.0)) * np.cos(1.0)
        return [np.maximum(abs(float(measure(f, x, step)[0]) - true), 1e-13) for step in h]

    ax.plot(h, errors(one_sided_gradient, np.float64), color=FG, lw=1.2)
    ax.plot(h, errors(numerical_gradient, np.float64), color=BLUE, lw=1.6)
    enough = h > 2e-7  # below, 1 + h is 1 in float32
    ax.plot(h[enough], np.array(errors(numerical_gradient, np.float32))[enough], color=BLUE, lw=1, alpha=0.45)
    ax.set_xscale("log")
    ax.set_yscale("log")
    label(ax, 1.2e-3, 4e-9, "both sides:\nh²/6 · f‴", BLUE, ha="right", ma="center")
    label(ax, 3e-6, 8e-9, "one side:\nh/2 · f″", FG, ma="center")
    label(ax, 2e-12, 1e-6, "digits cancel: ε/h", MUTED, ha="left")
    label(ax, 6e-6, 0.3, "float32", BLUE, alpha=0.7)
    ax.set(xlim=(2, 5e-16), ylim=(3e-13, 10), xlabel="step h", ylabel="error of the slope")
    ax.set_xticks([1, 1e-5, 1e-10, 1e-15], ["1", "1e-5", "1e-10", "1e-15"])
    ax.set_yticks([1, 1e-4, 1e-8, 1e-12], ["1", "1e-4", "1e-8", "1e-12"])
    ax.minorticks_off()
    return fig


def bang_for_the_buck():
    """What each of the 13,002 numbers of the untrained digit network contributes to the descent of a small step, in
    order, added up. The curve rises steeply: the first hundredth of them, 130 numbers, brings 74 % of the descent,
    the first tenth 94 %. The last 1,024 bring nothing at all."""
    fig, ax = canvas(height=2.4)
    share = descent_shares()
    n = np.arange(1, share.size + 1)
    ax.plot(n, share, color=BLUE)
    for count in (130, 1300):
        ax.plot(count, share[count - 1], "o", color=FG, ms=4)
    label(ax, 160, share[129] - 0.05, f"130 numbers: {share[129]:.0%}", ha="left")
    label(ax, 1100, share[1299] + 0.05, f"1,300 numbers: {share[1299]:.0%}", ha="right")
    ax.set_xscale("log")
    ax.set_xticks([1, 10, 100, 1000, 13002], ["1", "10", "100", "1,000", "13,002"])
    ax.minorticks_off()
    ax.set(xlim=(1, 13002), ylim=(0, 1.03), yticks=[0, 0.5, 1], xlabel="numbers of the network, largest slope first")
    ax.set_yticks([0, 0.5, 1], ["0", "half", "all"])
    ax.set_ylabel("share of the descent")
    return fig
