"""Classifier-free guidance: ask the denoiser with and without the prompt, and go past the prompted answer.

One network answers both questions, because in training part of the prompts was replaced by an empty one. A model is a
function (x_t, t, prompts) -> answer, with one prompt per sample.

Source: Ho & Salimans 2022, algorithms 1 and 2, equation 6, https://arxiv.org/abs/2207.12598; Lin et al. 2024, section
3.4 (rescale), https://arxiv.org/abs/2305.08891; Saharia et al. 2022, section 2.3 (clipping: static thresholding),
https://arxiv.org/abs/2205.11487; the names of Hugging Face diffusers (guidance_scale, guidance_rescale)
"""

import math

import numpy as np

from kb.generation.denoising_objective import to_epsilon, to_x0
from kb.shapes import checked
from kb.structure.activation_functions import silu


# ---- two answers into one ----------------------------------------------------------------------------------------
@checked
def classifier_free_guidance(uncond, cond, scale):
    """From the answer without the prompt, `scale` times the way to the answer with it.

    uncond (...), cond (...) -> (...)

    uncond + s (cond - uncond), Stable Diffusion's guidance_scale: 0 ignores the prompt, 1 is the plain conditional
    answer, above 1 goes past it. The answers may be noise, data, velocity or score: all are linear in one another.
    Raises ValueError unless both have the same shape.
    """
    _same_shape("classifier_free_guidance", uncond, cond)
    return uncond + scale * (cond - uncond)


@checked
def paper_guidance(uncond, cond, w):
    """The same in the paper's form, (1 + w) cond - w uncond: w counts from the conditional answer, so s = w + 1.

    uncond (...), cond (...) -> (...)

    Raises ValueError unless both have the same shape.
    """
    _same_shape("paper_guidance", uncond, cond)
    return (1 + w) * cond - w * uncond


@checked
def rescale_guidance(guided, cond, rescale):
    """Guided answers brought back to the spread of the conditional ones, so that contrast does not grow with the scale.

    guided (b, ...), cond (b, ...) -> (b, ...)

    Each sample is multiplied by std(cond) / std(guided) over its own axes; `rescale` in 0..1 says how much of that
    counts. Raises ValueError for another, and unless both have the same shape.
    """
    _same_shape("rescale_guidance", guided, cond)
    if not 0 <= rescale <= 1:
        raise ValueError(f"rescale_guidance: rescale is {rescale}, expected 0..1")
    matched = guided * (_std(cond) / _std(guided))
    return rescale * matched + (1 - rescale) * guided


def guided_model(model, prompts, empty, scale, rescale=0.0):
    """A model of (x_t, t, prompts) made into one of (x_t, t), which is what the samplers call.

    prompts and empty: one row per sample. Both questions go through the network in one batch of twice the size.
    A negative prompt takes the place of `empty`: then the way leads away from it.
    """

    def answer(x, t):
        both = model(np.concatenate([x, x]), t, np.concatenate([empty, prompts]))
        uncond, cond = both[: len(x)], both[len(x) :]
        guided = classifier_free_guidance(uncond, cond, scale)
        return rescale_guidance(guided, cond, rescale) if rescale else guided

    return answer


def clipped_model(model, alphas_cumprod, bound=1.0):
    """A noise predictor whose guess of the data stays within -bound..bound, the range of all data.

    Large scales push that guess out of it, further with each step. The noise is what then explains x_t.
    """

    def answer(x, t):
        x0 = to_x0(model(x, t), x, t, alphas_cumprod)
        return to_epsilon(np.clip(x0, -bound, bound), x, t, alphas_cumprod, "sample")

    return answer


# ---- a network that can be asked both ways -----------------------------------------------------------------------
@checked
def drop_prompts(labels, empty, u, p=0.1):
    """Prompt dropout: each label becomes `empty` with probability p, so that training teaches both answers.

    labels (b), u (b) -> (b)

    u: uniform in 0..1, drawn by the caller.
    """
    return np.where(u < p, empty, labels)


def init_conditional_mlp(rng, features=64, hidden=256, classes=10, frequencies=16, dtype=np.float32):
    """Random weights of `conditional_mlp`, as a flat dict; row `classes` of "class.weight" is the empty prompt."""
    shapes = {
        "in.weight": (hidden, features),
        "time.weight": (2 * hidden, 2 * frequencies),
        "mid.weight": (hidden, hidden),
        "out.weight": (features, hidden),
    }
    params = {name: rng.standard_normal(s).astype(dtype) * math.sqrt(1 / s[1]) for name, s in shapes.items()}
    params["class.weight"] = 0.5 * rng.standard_normal((classes + 1, 2 * hidden)).astype(dtype)
    params |= {"in.bias": np.zeros(hidden, dtype), "mid.bias": np.zeros(hidden, dtype)}
    return params | {"out.bias": np.zeros(features, dtype)}


@checked
def conditional_mlp(params, x, t, labels):
    """A small noise predictor for n numbers per sample, with two hidden layers that hear the level and the label.

    x (b, n), labels (b) -> (b, n)

    t: one integer, or one per sample (b), of 1,000 levels. The layout is ours, as small as it can be.
    """
    said = _time_features(t, len(labels), params["time.weight"].shape[1] // 2, x.dtype) @ params["time.weight"].T
    said = said + params["class.weight"][labels]
    hidden = params["in.weight"].shape[0]
    h = silu(x @ params["in.weight"].T + params["in.bias"] + said[:, :hidden])
    h = silu(h @ params["mid.weight"].T + params["mid.bias"] + said[:, hidden:])
    return h @ params["out.weight"].T + params["out.bias"]


# ---- shared ------------------------------------------------------------------------------------------------------
def _time_features(t, n, frequencies, dtype):
    """Cosines and sines of t at wavelengths from 2 pi to about 2,000 pi levels: (n, 2 frequencies)."""
    angle = np.broadcast_to(t, (n,))[:, None] * np.exp(-math.log(1000) * np.arange(frequencies) / frequencies)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(dtype)


def _std(x):
    axes = tuple(range(1, x.ndim))
    gap = x - np.mean(x, axis=axes, keepdims=True)
    return np.sqrt(np.mean(gap * gap, axis=axes, keepdims=True))


def _same_shape(name, one, other):
    if one.shape != other.shape:
        raise ValueError(f"{name}: two shapes that should be equal: {one.shape} and {other.shape}")
