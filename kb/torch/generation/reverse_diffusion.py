"""Torch twin of `kb.generation.reverse_diffusion`: the same names and arguments; runs where its tensors live."""

import itertools
import math

import torch

from kb.shapes import checked
from kb.torch.generation.denoising_objective import to_epsilon, to_score, to_x0
from kb.torch.generation.forward_diffusion import alpha_bar, alphas_cumprod


def timesteps(T, n, spacing="leading", steps_offset=0):
    """The n levels of T at which the network is called, from noisy to clean."""
    if not 1 <= n <= T:
        raise ValueError(f"timesteps: n is {n}, expected 1..{T}")
    if spacing == "leading":
        return torch.arange(n).flip(0) * (T // n) + steps_offset
    if spacing == "trailing":
        return torch.arange(T, 0, -T / n, dtype=torch.float64).round().long() - 1
    if spacing == "linspace":
        return torch.linspace(0, T - 1, n, dtype=torch.float64).round().flip(0).long()
    raise ValueError(f"timesteps: spacing is {spacing!r}, expected 'leading', 'trailing' or 'linspace'")


# ---- one step ----------------------------------------------------------------------------------------------------
@checked
def ddpm_step(
    model_output,
    t,
    sample,
    betas,
    *,
    noise=None,
    variance="fixed_small",
    prediction_type="epsilon",
    clip_sample=False,
    t_prev=None,
):
    """One step of DDPM.

    model_output (...), sample (...), betas (i), noise (...) -> (...)
    """
    if variance not in ("fixed_small", "fixed_large"):
        raise ValueError(f"ddpm_step: variance is {variance!r}, expected 'fixed_small' or 'fixed_large'")
    table, t_prev = alphas_cumprod(betas), t - 1 if t_prev is None else t_prev
    now, before = _levels("ddpm_step", t, t_prev, table)
    x0 = _clipped(to_x0(model_output, sample, t, table, prediction_type), clip_sample)
    beta = 1 - now / before
    mean = math.sqrt(before) * beta / (1 - now) * x0 + math.sqrt(now / before) * (1 - before) / (1 - now) * sample
    if noise is None or t_prev == -1:
        return mean
    return mean + math.sqrt(beta if variance == "fixed_large" else beta * (1 - before) / (1 - now)) * noise


@checked
def ddim_step(
    model_output,
    t,
    t_prev,
    sample,
    alphas_cumprod,
    *,
    eta=0.0,
    noise=None,
    prediction_type="epsilon",
    clip_sample=False,
):
    """One step of DDIM.

    model_output (...), sample (...), alphas_cumprod (i), noise (...) -> (...)
    """
    if not 0 <= eta <= 1 or (eta > 0 and noise is None):
        raise ValueError(f"ddim_step: eta is {eta}, expected 0..1, and noise where it is above 0")
    now, before = _levels("ddim_step", t, t_prev, alphas_cumprod)
    x0 = _clipped(to_x0(model_output, sample, t, alphas_cumprod, prediction_type), clip_sample)
    epsilon = to_epsilon(model_output, sample, t, alphas_cumprod, prediction_type)
    fresh = eta * math.sqrt((1 - before) / (1 - now) * (1 - now / before))  # its standard deviation
    moved = math.sqrt(before) * x0 + math.sqrt(max(0.0, 1 - before - fresh * fresh)) * epsilon
    return moved + fresh * noise if eta > 0 else moved


@checked
def euler_step(model_output, t, t_prev, sample, alphas_cumprod, *, prediction_type="epsilon"):
    """One straight step along the probability-flow ODE, dx / d log abar = (x + score) / 2.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)
    """
    now, before = _levels("euler_step", t, t_prev, alphas_cumprod)
    score = to_score(to_epsilon(model_output, sample, t, alphas_cumprod, prediction_type), t, alphas_cumprod)
    return sample + 0.5 * math.log(before / now) * (sample + score)


@checked
def heun_step(model, t, t_prev, sample, alphas_cumprod, *, prediction_type="epsilon"):
    """One step along the same ODE with a second look.

    sample (...), alphas_cumprod (i) -> (...)
    """
    epsilon = to_epsilon(model(sample, t), sample, t, alphas_cumprod, prediction_type)
    tried = ddim_step(epsilon, t, t_prev, sample, alphas_cumprod)
    if t_prev == -1:
        return tried
    again = to_epsilon(model(tried, t_prev), tried, t_prev, alphas_cumprod, prediction_type)
    return ddim_step((epsilon + again) / 2, t, t_prev, sample, alphas_cumprod)


# ---- all steps ---------------------------------------------------------------------------------------------------
@checked
def generate(model, x, steps, betas, method="ddim", rng=None, prediction_type="epsilon"):
    """From noise to samples.

    x (...), betas (i) -> (...)
    """
    if method not in ("ddpm", "ddim", "euler", "heun"):
        raise ValueError(f"generate: method is {method!r}, expected 'ddpm', 'ddim', 'euler' or 'heun'")
    table, levels = alphas_cumprod(betas), [int(t) for t in steps] + [-1]
    kind = {"prediction_type": prediction_type}
    for t, t_prev in itertools.pairwise(levels):
        if method == "heun":
            x = heun_step(model, t, t_prev, x, table, **kind)
        elif method == "ddpm":
            x = ddpm_step(model(x, t), t, x, betas, noise=_normal(rng, x), t_prev=t_prev, **kind)
        else:
            x = (ddim_step if method == "ddim" else euler_step)(model(x, t), t, t_prev, x, table, **kind)
    return x


# ---- shared ------------------------------------------------------------------------------------------------------
def _levels(name, t, t_prev, table):
    """abar at the two ends of a step, as plain numbers, so that float32 stays float32."""
    if not -1 <= t_prev < t:
        raise ValueError(f"{name}: t_prev is {t_prev}, expected -1..{t - 1}, below t = {t}")
    return float(alpha_bar(t, table)), float(alpha_bar(t_prev, table))


def _clipped(x0, bound):
    return x0.clamp(-bound, bound) if bound else x0


def _normal(rng, like):
    if isinstance(rng, torch.Generator):
        return torch.randn(like.shape, generator=rng, dtype=like.dtype, device=like.device)
    return torch.as_tensor(rng.standard_normal(tuple(like.shape))).to(like)
