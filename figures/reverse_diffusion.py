"""The figures of the page on sampling by denoising."""

import itertools

import numpy as np

from figures.sampled_islands import MEASURED, samples, without_noise
from figures.small_denoiser import learned
from figures.style import ARC, BLUE, MUTED, OCHRE, bare, canvas, label
from figures.three_islands import ABAR, BETAS, exact, islands
from kb.generation.reverse_diffusion import ddim_step, ddpm_step, timesteps

RED = ARC["generation"]


START = np.array([[-1.9, 1.3], [1.7, 1.5], [0.5, -1.7]])


def _walk(method, steps=40):
    rng, x, levels = np.random.default_rng(5), START, [*timesteps(1000, steps), -1]
    path = [x]
    for t, t_prev in itertools.pairwise(levels):
        if method == "ddim":
            x = ddim_step(exact(x, t), t, t_prev, x, ABAR)
        else:
            x = ddpm_step(exact(x, t), t, x, BETAS, noise=rng.standard_normal(x.shape), t_prev=t_prev)
        path.append(x)
    return np.array(path)


def walks():
    """Two panels with the same three starting points and the three islands in grey. Left, DDPM: three jagged paths that
    wander about the whole plane before they end on islands. Right, DDIM: three smooth curves that end on the islands,
    one of them on another one than on the left."""
    fig, axes = canvas(height=2.8, columns=2)
    for ax, method, title in zip(axes, ("ddpm", "ddim"), ("DDPM: fresh noise at each step", "DDIM: none"), strict=True):
        ax.plot(*islands(100).T, ".", color=MUTED, ms=3, alpha=0.5, mew=0)
        path = _walk(method)
        for k, colour in enumerate((RED, BLUE, OCHRE)):
            ax.plot(*path[:, k].T, color=colour, lw=1)
            ax.plot(*path[0, k], "o", color=colour, ms=7, mfc="none")
            ax.plot(*path[-1, k], "o", color=colour, ms=6)
        ax.set(xlim=(-3.0, 2.9), ylim=(-2.8, 2.4), aspect="equal", title=title)
        bare(ax)
    label(axes[1], -2.8, -2.55, "ring: start, dot: end", MUTED, ha="left", fontsize=9)
    return fig


def clouds():
    """Four clouds of 150 points. Exact samples: three islands. DDPM in 100 steps: the same three islands. DDIM in 100
    steps with the trained network: the same, with a few points between the islands. DDPM in 100 steps without its
    noise: all points on one spot inside the largest island."""
    fig, axes = canvas(height=2.0, columns=4)
    panels = {
        "exact samples": islands(150),
        "DDPM": samples("ddpm"),
        "trained network": samples("ddim", network=learned),
        "DDPM, no noise": without_noise(),
    }
    for ax, (title, x) in zip(axes, panels.items(), strict=True):
        ax.plot(*x[:150].T, ".", color=RED, ms=3, alpha=0.7, mew=0)
        ax.set(xlim=(-2.3, 2.1), ylim=(-1.7, 1.9), aspect="equal", title=title)
        bare(ax)
    return fig


def quality():
    """Distance from the true density against calls of the network, both logarithmic, from 5 to 99 calls. DDPM falls
    from 0.25 to 0.019, DDIM from 0.21 to 0.016. Heun's method starts worse, at 0.55, crosses DDIM between 13 and 19
    calls and reaches 0.0085. A dashed line at 0.0044 is what exact samples have by chance; DDPM with all 1,000 steps
    has 0.0059."""
    fig, ax = canvas(height=2.9)
    calls = MEASURED["calls"]
    for method, name, colour, place in (
        ("ddpm", "DDPM", OCHRE, (42, 0.056)),
        ("ddim", "DDIM", RED, (7.6, 0.066)),
        ("heun", "Heun", BLUE, (22, 0.016)),
    ):
        ax.plot(calls, MEASURED[method], "o-", color=colour, ms=4)
        label(ax, *place, name, colour)
    ax.axhline(MEASURED["exact"], color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 5, 0.0036, "20,000 exact samples", MUTED, ha="left", fontsize=9.5)
    ax.plot(1000, MEASURED["ddpm_1000"], "o", color=OCHRE, ms=5)
    label(ax, 880, 0.0059, "DDPM, all steps", OCHRE, ha="right", fontsize=9.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_xticks([5, 10, 20, 50, 100, 1000], ["5", "10", "20", "50", "100", "1,000"])
    ax.set_yticks([0.5, 0.1, 0.02, 0.005], ["0.5", "0.1", "0.02", "0.005"])
    ax.set(xlabel="calls of the network", ylabel="distance from the truth", ylim=(0.003, 0.8))
    return fig


def guesses():
    """The guess of the clean data along one walk of DDIM in 40 steps: at first near the middle of all data, then on a
    curve towards an island; beside it the walk itself, which starts far away at a point of pure noise."""
    fig, ax = canvas(height=2.8)
    ax.plot(*islands(130).T, ".", color=MUTED, ms=3, alpha=0.5, mew=0)
    levels, x, path, clean = [*timesteps(1000, 40), -1], np.array([[1.7, 1.6]]), [], []
    for t, t_prev in itertools.pairwise(levels):
        path.append(x[0])
        epsilon = exact(x, t)
        clean.append(((x - np.sqrt(1 - ABAR[t]) * epsilon) / np.sqrt(ABAR[t]))[0])
        x = ddim_step(epsilon, t, t_prev, x, ABAR)
    path, clean = np.array([*path, x[0]]), np.array(clean)
    ax.plot(*path.T, ".-", color=RED, ms=4, lw=1)
    ax.plot(*clean.T, ".-", color=BLUE, ms=4, lw=1)
    label(ax, path[0, 0] + 0.12, path[0, 1], "$x_t$, from noise", RED, ha="left")
    label(ax, clean[0, 0] - 0.05, clean[0, 1] + 0.33, "guess of the data", BLUE, ha="right")
    ax.set(xlim=(-2.9, 3.2), ylim=(-1.5, 1.9), aspect="equal")
    bare(ax)
    return fig
