"""The figures of the page on the denoising objective."""

import numpy as np

from figures.small_denoiser import learned, loss_by_level
from figures.style import ARC, BLUE, FG, LINE, MUTED, bare, canvas, label
from figures.three_islands import ABAR, MIXTURE, exact, islands
from kb.generation.denoising_objective import posterior_mean, to_score

RED = ARC["generation"]


def _arrows(ax, x, arrow, colour, lw=1.0):
    """All arrows from the points x (n, 2) as one line with gaps: tail, tip, barb, tip, other barb."""
    tip, side = x + arrow, np.stack([-arrow[:, 1], arrow[:, 0]], axis=1)
    barbs = [tip - 0.35 * arrow + sign * 0.22 * side for sign in (1, -1)]
    line = np.stack([x, tip, barbs[0], tip, barbs[1], np.full_like(x, np.nan)], axis=1).reshape(-1, 2)
    ax.plot(*line.T, color=colour, lw=lw)


def _grid(n, reach):
    side = np.linspace(-reach, reach, n)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def field():
    """Arrows on a grid over three islands of points, at three levels: the direction in which a noisy point gets more
    likely fastest; longer arrows where it is less likely, but none longer than the grid allows. At step 50 every arrow
    points to an island near it, and there are borders where neighbouring arrows part. At step 150 the islands run into
    one another. At step 500 all arrows point to the middle."""
    fig, axes = canvas(height=2.15, columns=3)
    points, noise = islands(45), np.random.default_rng(0).standard_normal((45, 2))
    for ax, step in zip(axes, (50, 150, 500), strict=True):
        t, reach = step - 1, 2.3
        noisy = np.sqrt(ABAR[t]) * points + np.sqrt(1 - ABAR[t]) * noise
        ax.plot(*noisy[np.abs(noisy).max(axis=1) < reach].T, ".", color=MUTED, ms=3, alpha=0.6, mew=0)
        x = _grid(8, reach)
        arrow = np.sqrt(1 - ABAR[t]) * to_score(exact(x, t), t, ABAR)
        size = np.linalg.norm(arrow, axis=1, keepdims=True)
        _arrows(ax, x, arrow * (0.58 * np.tanh(size / 1.5) / size), RED)
        ax.set(xlim=(-reach - 0.1, reach + 0.1), ylim=(-reach - 0.1, reach + 0.1), aspect="equal", title=f"step {step}")
        bare(ax)
    return fig


def guess():
    """Left: a noisy point between the islands at step 300. The clean points that may have led to it, the darker the
    more likely, lie on all three islands; their mean, the best guess, lies between the islands where no data are.
    Right: the same at step 60: the point is near one island, the clean points lie there, and so does the mean."""
    fig, axes = canvas(height=2.6, columns=2)
    x0 = islands(100)
    for ax, step, x in zip(axes, (300, 60), ((0.15, 0.1), (0.75, -0.15)), strict=True):
        t, x = step - 1, np.array(x)
        gap_ = x - np.sqrt(ABAR[t]) * x0
        likely = np.exp(-np.sum(gap_ * gap_, axis=-1) / (2 * (1 - ABAR[t])))
        rank = np.digitize(likely / likely.max(), (0.05, 0.35, 0.7))
        for k, (colour, alpha) in enumerate(((MUTED, 0.25), (RED, 0.35), (RED, 0.6), (RED, 1))):
            ax.plot(*x0[rank == k].T, ".", color=colour, alpha=alpha, ms=5, mew=0)
        best = posterior_mean(x, *MIXTURE, t, ABAR)
        ax.annotate("", best, x, arrowprops={"arrowstyle": "->", "color": FG, "lw": 1.2, "shrinkA": 3, "shrinkB": 4})
        ax.plot(*x, "o", color=FG, ms=5)
        ax.plot(*best, "s", color=BLUE, ms=6)
        right = step == 300
        label(ax, x[0] + (0.12 if right else -0.12), x[1] + 0.17, "noisy point", ha="left" if right else "right")
        side = -0.1 if right else 0.1
        label(
            ax, best[0] + side, best[1] + (0.26 if right else 0.42), "best guess", BLUE, ha="right" if right else "left"
        )
        ax.set(xlim=(-2.3, 2.1), ylim=(-1.6, 1.9), aspect="equal", title=f"step {step}")
        bare(ax)
    return fig


def circle():
    """A quarter circle from the data, to the right, to the noise, at the top. A point on it at the angle phi of 50
    degrees is x_t, cos phi of the data and sin phi of the noise. An arrow along the circle, at a right angle to the
    radius, is the velocity v."""
    fig, ax = canvas(height=2.7)
    phi = np.radians(50)
    turn = np.linspace(0, np.pi / 2, 60)
    ax.plot(np.cos(turn), np.sin(turn), color=MUTED, lw=1.2)
    x, v = np.array([np.cos(phi), np.sin(phi)]), np.array([-np.sin(phi), np.cos(phi)])
    for end, colour in (((1, 0), FG), ((0, 1), FG), (x, RED)):
        ax.annotate("", end, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0})
    ax.annotate("", x + 0.55 * v, x, arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 1.8, "shrinkA": 0})
    ax.plot([x[0], x[0]], [0, x[1]], color=LINE, lw=1)
    ax.plot([0, x[0]], [x[1], x[1]], color=LINE, lw=1)
    small = np.linspace(0, phi, 20)
    ax.plot(0.2 * np.cos(small), 0.2 * np.sin(small), color=MUTED, lw=1)
    label(ax, 0.27, 0.12, "φ", MUTED)
    label(ax, 1.04, 0, "data $x_0$", ha="left")
    label(ax, 0, 1.06, "noise ε")
    label(ax, x[0] + 0.05, x[1] + 0.03, "$x_t$ = cos φ data + sin φ noise", RED, ha="left")
    label(ax, *(x + 0.62 * v + [0.05, 0.05]), "v: the way it turns", BLUE, ha="left")
    label(ax, x[0], -0.07, "cos φ = √ᾱ", MUTED, fontsize=9.5)
    label(ax, -0.03, x[1], "sin φ = √(1 − ᾱ)", MUTED, ha="right", fontsize=9.5)
    ax.set(xlim=(-0.75, 1.75), ylim=(-0.13, 1.33), aspect="equal")
    bare(ax)
    return fig


def learned_field():
    """Left: the loss against the step. Answering 0 costs about 1 everywhere. The exact answer costs about 1 at the
    first step too, 0.43 at step 100, a little more at step 200, 0.16 at step 400 and 0.00003 at the last; the trained
    network lies on the same curve. Right: arrows of the exact score and of the trained network's at step 200, nearly
    everywhere one over the other."""
    fig, (left, right) = canvas(height=2.75, columns=2)
    levels, best = loss_by_level(exact)
    ours = loss_by_level(learned)[1]
    left.plot(levels + 1, best, color=RED)
    left.plot(levels + 1, ours, "o", color=BLUE, ms=3.2)
    left.axhline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(left, 990, 0.94, "always answering 0", MUTED, ha="right", fontsize=9.5)
    label(left, 290, 0.6, "the exact answer", RED, ha="left")
    label(left, 290, 0.49, "the trained network", BLUE, ha="left")
    left.set(xlabel="step", ylabel="loss", ylim=(0, 1.06), xticks=[0, 500, 1000], yticks=[0, 0.5, 1])
    t, x = 199, _grid(6, 2.1)
    right.plot(*islands(45).T, ".", color=MUTED, ms=3, alpha=0.6, mew=0)
    for model, colour, lw in ((exact, RED, 2.6), (learned, BLUE, 1.0)):
        _arrows(right, x, 0.25 * np.sqrt(1 - ABAR[t]) * to_score(model(x, t), t, ABAR), colour, lw)
    right.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", title="step 200")
    bare(right)
    return fig
