"""Forward diffusion: mix data with Gaussian noise, a little per step, until almost only noise is left.

t counts from 0, as in diffusers: t = 0 is the papers' step 1, t = T - 1 their step T, and t = -1 the data themselves.

Source: Ho et al. 2020, "Denoising diffusion probabilistic models", equations 2 and 4 (linear betas),
https://arxiv.org/abs/2006.11239; Nichol & Dhariwal 2021, equation 17 (cosine), https://arxiv.org/abs/2102.09672;
Lin et al. 2024, algorithm 1 (zero terminal SNR), https://arxiv.org/abs/2305.08891
"""

import math

import numpy as np

from kb.shapes import checked


def make_betas(schedule="linear", T=1000, beta_start=1e-4, beta_end=0.02):
    """The noise schedule: the share of fresh noise, as a variance, that each of T steps mixes in; float64, shape (T).

    "linear": evenly spaced from beta_start to beta_end (DDPM). "scaled_linear": the square roots are evenly spaced
    (Stable Diffusion, with 0.00085 to 0.012). "cosine": what is left of the data follows a squared cosine; it takes no
    beta_start and beta_end. Raises ValueError for another name and for T below 1.
    """
    if T < 1:
        raise ValueError(f"make_betas: T is {T}, expected at least 1 step")
    if schedule == "linear":
        return np.linspace(beta_start, beta_end, T)
    if schedule == "scaled_linear":
        return np.square(np.linspace(math.sqrt(beta_start), math.sqrt(beta_end), T))
    if schedule == "cosine":
        left = np.square(np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * (math.pi / 2)))
        return np.minimum(1 - left[1:] / left[:-1], 0.999)  # the last step would take everything
    raise ValueError(f"make_betas: schedule is {schedule!r}, expected 'linear', 'scaled_linear' or 'cosine'")


@checked
def alphas_cumprod(betas):
    """abar_t, how much of the data's variance is left after each step: the product of all 1 - beta so far.

    betas (i) -> (i)
    """
    return np.cumprod(1 - betas)


@checked
def snr(alphas_cumprod):
    """The signal-to-noise ratio of each level: the variance of the data's part over that of the noise.

    alphas_cumprod (i) -> (i)

    For data of variance 1. It falls with every step.
    """
    return alphas_cumprod / (1 - alphas_cumprod)


def alpha_bar(t, alphas_cumprod):
    """abar at level t, an integer or an array of integers in -1..T-1; 1 for the data themselves, t = -1.

    Raises ValueError for levels that are no integers or lie outside: -2 would silently count from the end.
    """
    if np.result_type(t).kind not in "iu":
        raise ValueError(f"alpha_bar: t holds {np.result_type(t)}, expected integers")
    if np.min(t) < -1 or np.max(t) >= len(alphas_cumprod):
        raise ValueError(f"alpha_bar: t lies in {np.min(t)}..{np.max(t)}, expected -1..{len(alphas_cumprod) - 1}")
    return np.concatenate([np.ones(1, alphas_cumprod.dtype), alphas_cumprod])[t + 1]


def signal_and_noise(t, alphas_cumprod, x):
    """The two weights of level t, sqrt(abar_t) of the data and sqrt(1 - abar_t) of the noise, ready to multiply x.

    t is one level for all of x, or an array of levels for its first axes, such as (b). Both weights have x's dtype.
    Raises ValueError where the shape of t is not the beginning of x's.
    """
    level = alpha_bar(t, alphas_cumprod)
    if level.shape != x.shape[: level.ndim]:
        raise ValueError(f"signal_and_noise: t has shape {level.shape}, expected the first axes of x {x.shape}")
    level = level.reshape(level.shape + (1,) * (x.ndim - level.ndim))
    return np.sqrt(level).astype(x.dtype), np.sqrt(1 - level).astype(x.dtype)


@checked
def forward_step(x, noise, t, betas):
    """One small step of the chain, from level t - 1 to level t: shrink a little, add a little noise.

    x (...), noise (...), betas (i) -> (...)

    sqrt(1 - beta_t) x + sqrt(beta_t) noise. Raises ValueError for t outside 0..T-1.
    """
    if not 0 <= t < len(betas):
        raise ValueError(f"forward_step: t is {t}, expected 0..{len(betas) - 1}")
    beta = float(betas[t])
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * noise


@checked
def add_noise(x0, noise, t, alphas_cumprod):
    """The shortcut: jump from the data straight to level t, in one step instead of t + 1.

    x0 (...), noise (...), alphas_cumprod (i) -> (...)

    sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise. t: one integer, or an array of them for the first axes of x0.
    """
    if x0.shape != noise.shape:
        raise ValueError(f"add_noise: noise has shape {noise.shape}, expected that of x0 {x0.shape}")
    signal, rest = signal_and_noise(t, alphas_cumprod, x0)
    return signal * x0 + rest * noise


@checked
def rescale_zero_terminal_snr(betas):
    """The same schedule, stretched so that the last level is pure noise: sqrt(abar_T) is 0 instead of nearly 0.

    betas (i) -> (i)

    sqrt(abar) is shifted and stretched: its first value stays, its last becomes 0. The last beta is then 1.
    """
    root = np.sqrt(alphas_cumprod(betas))
    root = (root - root[-1]) * (root[0] / (root[0] - root[-1]))
    abar = root * root
    return 1 - np.concatenate([abar[:1], abar[1:] / abar[:-1]])
