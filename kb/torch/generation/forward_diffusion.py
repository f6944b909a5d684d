"""Torch twin of `kb.generation.forward_diffusion`: the same names and arguments; runs where its tensors live."""

import math

import torch

from kb.shapes import checked


def make_betas(schedule="linear", T=1000, beta_start=1e-4, beta_end=0.02):
    """The noise schedule: the share of fresh noise, as a variance, that each of T steps mixes in; float64."""
    if T < 1:
        raise ValueError(f"make_betas: T is {T}, expected at least 1 step")
    if schedule == "linear":
        return torch.linspace(beta_start, beta_end, T, dtype=torch.float64)
    if schedule == "scaled_linear":
        return torch.linspace(math.sqrt(beta_start), math.sqrt(beta_end), T, dtype=torch.float64).square()
    if schedule == "cosine":
        left = ((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * (math.pi / 2)).cos().square()
        return (1 - left[1:] / left[:-1]).clamp(max=0.999)
    raise ValueError(f"make_betas: schedule is {schedule!r}, expected 'linear', 'scaled_linear' or 'cosine'")


@checked
def alphas_cumprod(betas):
    """abar_t, how much of the data's variance is left after each step.

    betas (i) -> (i)
    """
    return (1 - betas).cumprod(0)


@checked
def snr(alphas_cumprod):
    """The signal-to-noise ratio of each level.

    alphas_cumprod (i) -> (i)
    """
    return alphas_cumprod / (1 - alphas_cumprod)


def alpha_bar(t, alphas_cumprod):
    """abar at level t, an integer or a tensor of integers in -1..T-1; 1 for the data themselves, t = -1."""
    t = torch.as_tensor(t, device=alphas_cumprod.device)
    if t.is_floating_point() or t.dtype == torch.bool:
        raise ValueError(f"alpha_bar: t holds {t.dtype}, expected integers")
    if t.min() < -1 or t.max() >= len(alphas_cumprod):
        raise ValueError(f"alpha_bar: t lies in {t.min()}..{t.max()}, expected -1..{len(alphas_cumprod) - 1}")
    return torch.cat([torch.ones_like(alphas_cumprod[:1]), alphas_cumprod])[t + 1]


def signal_and_noise(t, alphas_cumprod, x):
    """The two weights of level t, sqrt(abar_t) of the data and sqrt(1 - abar_t) of the noise, ready to multiply x."""
    level = alpha_bar(t, alphas_cumprod)
    if level.shape != x.shape[: level.ndim]:
        raise ValueError(
            f"signal_and_noise: t has shape {tuple(level.shape)}, expected the first axes of x {tuple(x.shape)}"
        )
    level = level.reshape(level.shape + (1,) * (x.ndim - level.ndim))
    return level.sqrt().to(x), (1 - level).sqrt().to(x)


@checked
def forward_step(x, noise, t, betas):
    """One small step of the chain, from level t - 1 to level t.

    x (...), noise (...), betas (i) -> (...)
    """
    if not 0 <= t < len(betas):
        raise ValueError(f"forward_step: t is {t}, expected 0..{len(betas) - 1}")
    beta = float(betas[t])
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * noise


@checked
def add_noise(x0, noise, t, alphas_cumprod):
    """The shortcut: jump from the data straight to level t.

    x0 (...), noise (...), alphas_cumprod (i) -> (...)
    """
    if x0.shape != noise.shape:
        raise ValueError(f"add_noise: noise has shape {tuple(noise.shape)}, expected that of x0 {tuple(x0.shape)}")
    signal, rest = signal_and_noise(t, alphas_cumprod, x0)
    return signal * x0 + rest * noise


@checked
def rescale_zero_terminal_snr(betas):
    """The same schedule, stretched so that the last level is pure noise.

    betas (i) -> (i)
    """
    root = alphas_cumprod(betas).sqrt()
    root = (root - root[-1]) * (root[0] / (root[0] - root[-1]))
    abar = root.square()
    return 1 - torch.cat([abar[:1], abar[1:] / abar[:-1]])
