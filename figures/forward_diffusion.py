"""The figures of the page on forward diffusion."""

import functools

import numpy as np

from figures.neural_network import INK
from figures.style import ARC, FG, MUTED, bare, canvas, label
from figures.three_islands import ABAR, BETAS, islands
from kb.data.digits import load_digits
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, forward_step, make_betas, snr

RED = ARC["generation"]
SCHEDULES = {
    "linear": make_betas(),
    "scaled linear": make_betas("scaled_linear", 1000, 0.00085, 0.012),
    "cosine": make_betas("cosine"),
}


def steps():
    """A handwritten 3 of 28 x 28 pixels, six times, with more and more of one fixed noise: the image itself; after 50
    steps, weights 0.98 of the image and 0.18 of the noise; after 150, 0.88 and 0.48; after 300, 0.63 and 0.78; after
    500, 0.28 and 0.96; after 1,000, 0.006 and 1.000, where no 3 is to be seen."""
    image = 2 * load_digits(28).images[3].astype(np.float64) - 1
    noise = np.random.default_rng(0).standard_normal(image.shape)
    fig, axes = canvas(height=1.75, columns=6)
    for ax, step in zip(axes, (0, 50, 150, 300, 500, 1000), strict=True):
        greys = np.round(3 * add_noise(image, noise, step - 1, ABAR)) / 3  # few of them make a small file
        bare(ax).imshow(greys, cmap=INK, vmin=-1.7, vmax=1.7, interpolation="none")
        level = 1.0 if step == 0 else ABAR[step - 1]
        ax.set_title("the data" if step == 0 else f"step {step:,}", fontsize=9.5)
        label(ax, 13.5, 31.5, f"{np.sqrt(level):.3f} image", RED, fontsize=8.5)
        label(ax, 13.5, 36.5, f"{np.sqrt(1 - level):.3f} noise", FG, fontsize=8.5)
        ax.set_ylim(38.5, -0.5)
    return fig


def schedules():
    """Left: the weight of the data, the root of abar, over 1,000 steps. The linear schedule falls first and ends at
    0.0064; Stable Diffusion's scaled linear one ends at 0.068; the cosine falls last and ends at 0.00005. Right: the
    signal-to-noise ratio on a logarithmic axis, from 10,000 (linear) down to 0.00004, 0.0047 and 0.000000002. It
    stays above 1 for 259 steps (linear), 354 (scaled linear) and 496 (cosine)."""
    fig, (left, right) = canvas(height=2.7, columns=2)
    t = np.arange(1, 1001)
    keep = np.unique(np.concatenate([np.arange(0, 1000, 20), [0, 2, 5, 10, 990, 995, 999]]))
    for (name, betas), style in zip(SCHEDULES.items(), ("-", (0, (5, 2)), (0, (1.5, 1.5))), strict=True):
        abar = alphas_cumprod(betas)
        left.plot(t[keep], np.sqrt(abar)[keep], color=RED, ls=style)
        right.plot(t[keep], snr(abar)[keep], color=RED, ls=style)
        x, y = {"linear": (195, 0.42), "scaled linear": (690, 0.9), "cosine": (800, 0.55)}[name]
        label(left, x, y, name, RED, fontsize=9.5)
    left.plot([590, 430], [0.85, 0.62], color=MUTED, lw=0.8)
    right.axhline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(right, 1000, 12, "as much data as noise", MUTED, ha="right", fontsize=9)
    right.set_yscale("log")
    right.minorticks_off()
    right.set_yticks([1e4, 1e2, 1, 1e-2, 1e-4, 1e-6], ["10,000", "100", "1", "0.01", "0.0001", "1e-6"])
    right.set(ylim=(1e-7, 3e4), xlabel="step", title="signal-to-noise ratio", xticks=[0, 500, 1000])
    left.set(ylim=(0, 1.03), xlabel="step", title="weight of the data", xticks=[0, 500, 1000], yticks=[0, 0.5, 1])
    return fig


@functools.cache
def _chains():
    """The step-by-step chain of 4,000 numbers, 70 % of them 1 and 30 % of them -1: (levels, 4000)."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(4000) < 0.7, 1.0, -1.0)
    path = [x]
    for t in range(1000):
        x = forward_step(x, rng.standard_normal(4000), t, BETAS)
        path.append(x)
    return np.array(path)


def chain():
    """Three histograms of 4,000 numbers that went through the chain step by step, and over them the density that the
    shortcut predicts. After 20 steps two separate bells at 1 and -1 of unequal height; after 150 steps two that
    overlap; after 1,000 one bell around 0. The curves follow the histograms."""
    path = _chains()
    fig, axes = canvas(height=2.2, columns=3)
    grid = np.linspace(-3.5, 3.5, 141)
    for ax, step in zip(axes, (20, 150, 1000), strict=True):
        ax.hist(path[step], bins=np.linspace(-3.5, 3.5, 36), density=True, color=MUTED, alpha=0.35)
        level = ABAR[step - 1]
        bells = [
            share * np.exp(-((grid - sign * np.sqrt(level)) ** 2) / (2 * (1 - level)))
            for share, sign in ((0.7, 1), (0.3, -1))
        ]
        ax.plot(grid, sum(bells) / np.sqrt(2 * np.pi * (1 - level)), color=RED)
        ax.set(title=f"after {step:,} steps", yticks=[], xticks=[-2, 0, 2])
        ax.spines["left"].set_visible(False)
    return fig


def clouds():
    """Three islands, 110 points in the plane, at four levels. At first they are apart; after 100 steps they are
    wider and nearer to the middle; after 300 they run into one another; after 1,000 they are one round cloud."""
    x0 = islands(110)
    noise = np.random.default_rng(1).standard_normal(x0.shape)
    fig, axes = canvas(height=1.75, columns=4)
    for ax, step in zip(axes, (0, 100, 300, 1000), strict=True):
        ax.plot(*add_noise(x0, noise, step - 1, ABAR).T, ".", color=RED, ms=3, mew=0)
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title="the data" if step == 0 else f"step {step:,}")
        bare(ax)
    return fig
