"""Torch twin of `kb.generation.classifier_free_guidance`: the same names and arguments; runs where its tensors live."""

import math

import torch
import torch.nn.functional as F

from kb.shapes import checked
from kb.torch.generation.denoising_objective import to_epsilon, to_x0

WITHOUT_A_TWIN = {"init_conditional_mlp": "random weights come from NumPy, so that both have the same"}


# ---- two answers into one ----------------------------------------------------------------------------------------
@checked
def classifier_free_guidance(uncond, cond, scale):
    """From the answer without the prompt, `scale` times the way to the answer with it.

    uncond (...), cond (...) -> (...)
    """
    _same_shape("classifier_free_guidance", uncond, cond)
    return uncond + scale * (cond - uncond)


@checked
def paper_guidance(uncond, cond, w):
    """The same in the paper's form, w = s - 1.

    uncond (...), cond (...) -> (...)
    """
    _same_shape("paper_guidance", uncond, cond)
    return (1 + w) * cond - w * uncond


@checked
def rescale_guidance(guided, cond, rescale):
    """Guided answers brought back to the spread of the conditional ones.

    guided (b, ...), cond (b, ...) -> (b, ...)
    """
    _same_shape("rescale_guidance", guided, cond)
    if not 0 <= rescale <= 1:
        raise ValueError(f"rescale_guidance: rescale is {rescale}, expected 0..1")
    matched = guided * (_std(cond) / _std(guided))
    return rescale * matched + (1 - rescale) * guided


def guided_model(model, prompts, empty, scale, rescale=0.0):
    """A model of (x_t, t, prompts) made into one of (x_t, t), which is what the samplers call."""

    def answer(x, t):
        both = model(torch.cat([x, x]), t, torch.cat([empty, prompts]))
        uncond, cond = both[: len(x)], both[len(x) :]
        guided = classifier_free_guidance(uncond, cond, scale)
        return rescale_guidance(guided, cond, rescale) if rescale else guided

    return answer


def clipped_model(model, alphas_cumprod, bound=1.0):
    """A noise predictor whose guess of the data stays within -bound..bound."""

    def answer(x, t):
        x0 = to_x0(model(x, t), x, t, alphas_cumprod)
        return to_epsilon(x0.clamp(-bound, bound), x, t, alphas_cumprod, "sample")

    return answer


# ---- a network that can be asked both ways -----------------------------------------------------------------------
@checked
def drop_prompts(labels, empty, u, p=0.1):
    """Prompt dropout: each label becomes `empty` with probability p.

    labels (b), u (b) -> (b)
    """
    return torch.where(u < p, empty, labels)


@checked
def conditional_mlp(params, x, t, labels):
    """A small noise predictor for n numbers per sample, with two hidden layers that hear the level and the label.

    x (b, n), labels (b) -> (b, n)
    """
    said = _time_features(t, len(labels), params["time.weight"].shape[1] // 2, x) @ params["time.weight"].T
    said = said + params["class.weight"][labels]
    first, second = said.chunk(2, dim=1)
    h = F.silu(F.linear(x, params["in.weight"], params["in.bias"]) + first)
    h = F.silu(F.linear(h, params["mid.weight"], params["mid.bias"]) + second)
    return F.linear(h, params["out.weight"], params["out.bias"])


# ---- shared ------------------------------------------------------------------------------------------------------
def _time_features(t, n, frequencies, like):
    """Cosines and sines of t, in float64 until the end as in NumPy: (n, 2 frequencies)."""
    steps = torch.arange(frequencies, dtype=torch.float64, device=like.device)
    levels = torch.as_tensor(t, device=like.device).expand(n)
    angle = levels[:, None] * torch.exp(-math.log(1000) * steps / frequencies)
    return torch.cat([angle.cos(), angle.sin()], dim=1).to(like.dtype)


def _std(x):
    return x.std(dim=tuple(range(1, x.ndim)), keepdim=True, correction=0)


def _same_shape(name, one, other):
    if one.shape != other.shape:
        raise ValueError(f"{name}: two shapes that should be equal: {tuple(one.shape)} and {tuple(other.shape)}")
