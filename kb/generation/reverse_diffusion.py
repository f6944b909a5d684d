"""Reverse diffusion: start from noise and take out, step by step, the noise that the network sees in it.

One network, several ways to walk back: DDPM adds fresh noise at every step, DDIM none, and Euler's and Heun's methods
solve the differential equation that DDIM follows. A model is a function (x_t, t) -> answer; t as in forward_diffusion.

Source: Ho et al. 2020, algorithm 2 and equation 7 (DDPM), https://arxiv.org/abs/2006.11239; Song et al. 2021,
equations 12 to 16 (DDIM), https://arxiv.org/abs/2010.02502; Song et al. 2021, equation 13 (probability-flow ODE),
https://arxiv.org/abs/2011.13456; Karras et al. 2022, algorithm 1 (Heun), https://arxiv.org/abs/2206.00364
"""

import itertools
import math

import numpy as np

from kb.generation.denoising_objective import to_epsilon, to_score, to_x0
from kb.generation.forward_diffusion import alpha_bar, alphas_cumprod
from kb.shapes import checked


def timesteps(T, n, spacing="leading", steps_offset=0):
    """The n levels of T at which the network is called, from noisy to clean: integers, shape (n).

    "leading": 0, T // n, 2 (T // n), ... plus `steps_offset`. "trailing": T - 1, then every T / n-th below it.
    "linspace": spread evenly from T - 1 to 0. Names and rounding are diffusers'. Only the last two start at the
    noisiest level. Raises ValueError for another name and unless 1 <= n <= T.
    """
    if not 1 <= n <= T:
        raise ValueError(f"timesteps: n is {n}, expected 1..{T}")
    if spacing == "leading":
        return np.arange(n)[::-1] * (T // n) + steps_offset
    if spacing == "trailing":
        return np.round(np.arange(T, 0, -T / n)).astype(np.int64) - 1
    if spacing == "linspace":
        return np.round(np.linspace(0, T - 1, n))[::-1].astype(np.int64)
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
    """One step of DDPM: the mean of where x_t may have come from, plus fresh noise.

    model_output (...), sample (...), betas (i), noise (...) -> (...)

    `noise`: standard normal; None leaves it out, and then samples collapse. The last step, to the data, adds none.
    `variance`: "fixed_small", exact for a single data point, or "fixed_large", exact for data that are standard normal.
    `clip_sample`: the bound of |x_0| (True: 1). `t_prev`: the next level, t - 1 unless given, -1 for the data.
    Raises ValueError for another variance, and unless t_prev < t.
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
    """One step of DDIM: guess the data, then mix the same noise back in, at the lower level t_prev.

    model_output (...), sample (...), alphas_cumprod (i), noise (...) -> (...)

    `eta` in 0..1 replaces part of that noise by fresh `noise`; 1 is DDPM with its small variance. t_prev is any level
    below t; -1 is the data themselves. Raises ValueError for eta outside 0..1, eta > 0 without noise, t_prev >= t.
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

    The equation moves a cloud of points through the same distributions as the noisy chain, without noise.
    """
    now, before = _levels("euler_step", t, t_prev, alphas_cumprod)
    score = to_score(to_epsilon(model_output, sample, t, alphas_cumprod, prediction_type), t, alphas_cumprod)
    return sample + 0.5 * math.log(before / now) * (sample + score)


@checked
def heun_step(model, t, t_prev, sample, alphas_cumprod, *, prediction_type="epsilon"):
    """One step along the same ODE with a second look: try DDIM's step, ask again there, walk with the mean answer.

    sample (...), alphas_cumprod (i) -> (...)

    Two calls of the model, but one where t_prev is -1: without noise there is nothing to ask. In x / sqrt(abar) and
    sigma = sqrt(1 / abar - 1) the ODE reads dx = epsilon dsigma: Euler's step there is DDIM, and this is Heun's.
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
    """From noise to samples: walk down the levels `steps`, and from the last of them to the data.

    x (...), betas (i) -> (...)

    x: standard normal. `method`: "ddpm" (draws from `rng`), "ddim", "euler" or "heun". Raises ValueError for another.
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
    return np.clip(x0, -bound, bound) if bound else x0


def _normal(rng, like):
    return rng.standard_normal(like.shape).astype(like.dtype)
