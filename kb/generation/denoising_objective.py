"""The denoising objective: a network learns to say which noise was mixed into the data, and so learns their score.

Noise, data and velocity are one another rearranged, once x_t is known. For a mixture of Gaussians the best possible
answer is known in closed form: it is here as the reference that any trained network can be measured against.

Source: Ho et al. 2020, equation 14, https://arxiv.org/abs/2006.11239; Salimans & Ho 2022, section 4 (v-prediction),
https://arxiv.org/abs/2202.00512; Vincent 2011 (noise and score), https://doi.org/10.1162/NECO_a_00142
"""

import math

import numpy as np

from kb.foundations.softmax import logsumexp, softmax
from kb.generation.forward_diffusion import add_noise, alpha_bar, signal_and_noise
from kb.learning.cost_function import mse_loss
from kb.shapes import checked


# ---- what the network answers, in three ways ---------------------------------------------------------------------
@checked
def to_epsilon(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The noise in x_t (`sample`) that the network's answer stands for.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)

    `prediction_type` says what the network answers: "epsilon" (the noise), "sample" (the data x_0) or "v_prediction"
    (v = sqrt(abar_t) noise - sqrt(1 - abar_t) x_0). Raises ValueError for another.
    """
    signal, noise = _weights("to_epsilon", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return model_output
    if prediction_type == "sample":
        return (sample - signal * model_output) / noise
    return signal * model_output + noise * sample


@checked
def to_x0(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The clean data that the network's answer stands for: what is left when its noise is taken out of x_t (`sample`).

    model_output (...), sample (...), alphas_cumprod (i) -> (...)

    `prediction_type` and errors as in to_epsilon.
    """
    signal, noise = _weights("to_x0", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return (sample - noise * model_output) / signal
    if prediction_type == "sample":
        return model_output
    return signal * sample - noise * model_output


@checked
def to_v(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The velocity that the network's answer stands for: how x_t turns when data become noise on a quarter circle.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)

    `prediction_type` and errors as in to_epsilon.
    """
    signal, noise = _weights("to_v", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return (model_output - noise * sample) / signal
    if prediction_type == "sample":
        return (signal * sample - model_output) / noise
    return model_output


@checked
def to_score(epsilon, t, alphas_cumprod):
    """The score that a noise prediction stands for: the direction in which noisy data get more likely fastest.

    epsilon (...), alphas_cumprod (i) -> (...)

    -epsilon / sqrt(1 - abar_t), the gradient of log p_t(x_t) with respect to x_t.
    """
    return -epsilon / signal_and_noise(t, alphas_cumprod, epsilon)[1]


# ---- the loss ----------------------------------------------------------------------------------------------------
@checked
def training_target(x0, noise, t, alphas_cumprod, prediction_type="epsilon"):
    """What the network should answer: the noise, the data, or the velocity between them.

    x0 (...), noise (...), alphas_cumprod (i) -> (...)
    """
    signal, rest = _weights("training_target", noise, x0, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return noise
    return x0 if prediction_type == "sample" else signal * noise - rest * x0


@checked
def denoising_loss(model, x0, noise, t, alphas_cumprod, prediction_type="epsilon"):
    """How badly the network names what was mixed in: the mean squared error of its answer to (x_t, t).

    x0 (...), noise (...), alphas_cumprod (i) -> ()

    model: (x_t, t) -> an array of x_t's shape. x0 (b, ...) with t (b) trains on many levels at once. 0 is out of
    reach: several data points can lead to the same x_t, and the best answer is the mean of what they call for.
    """
    answer = model(add_noise(x0, noise, t, alphas_cumprod), t)
    return mse_loss(answer, training_target(x0, noise, t, alphas_cumprod, prediction_type))


# ---- the reference: a mixture of Gaussians, where everything is known --------------------------------------------
@checked
def mixture_log_density(x, means, variances, weights):
    """How likely x is under a mixture of k round Gaussians: the natural logarithm of its density.

    x (..., d), means (k, d), variances (k), weights (k) -> (...)

    Each Gaussian has its variance in every direction; weights are its shares of the data and sum to 1.
    """
    return logsumexp(_log_parts(x, means, variances, weights), axis=-1)


@checked
def mixture_score(x, means, variances, weights):
    """The score of the mixture, the gradient of its log-density: a pull towards each centre, by how likely x is its.

    x (..., d), means (k, d), variances (k), weights (k) -> (..., d)
    """
    share = softmax(_log_parts(x, means, variances, weights), axis=-1)
    pull = (means - np.expand_dims(x, -2)) / np.expand_dims(variances, -1)  # (..., k, d)
    return np.sum(np.expand_dims(share, -1) * pull, axis=-2)


@checked
def diffuse_mixture(means, variances, t, alphas_cumprod):
    """The mixture at level t, which is a mixture again: centres move to 0, all widths tend to 1, the weights stay.

    means (k, d), variances (k), alphas_cumprod (i) -> (k, d), (k)
    """
    level = float(alpha_bar(t, alphas_cumprod))
    return math.sqrt(level) * means, level * variances + (1 - level)


@checked
def mixture_epsilon(x, means, variances, weights, t, alphas_cumprod):
    """The best answer that a network can give: the mean of all noises that could have led to x at level t.

    x (..., d), means (k, d), variances (k), weights (k), alphas_cumprod (i) -> (..., d)

    It is -sqrt(1 - abar_t) times the exact score of the diffused mixture.
    """
    score = mixture_score(x, *diffuse_mixture(means, variances, t, alphas_cumprod), weights)
    return -math.sqrt(1 - float(alpha_bar(t, alphas_cumprod))) * score


@checked
def posterior_mean(x, means, variances, weights, t, alphas_cumprod):
    """The mean of all clean data that could have led to x at level t, by Bayes' rule for each Gaussian.

    x (..., d), means (k, d), variances (k), weights (k), alphas_cumprod (i) -> (..., d)
    """
    centres, widths = diffuse_mixture(means, variances, t, alphas_cumprod)
    share = softmax(_log_parts(x, centres, widths, weights), axis=-1)
    gain = math.sqrt(float(alpha_bar(t, alphas_cumprod))) * variances / widths  # how far x is trusted against the mean
    guess = means + np.expand_dims(gain, -1) * (np.expand_dims(x, -2) - centres)  # (..., k, d)
    return np.sum(np.expand_dims(share, -1) * guess, axis=-2)


# ---- shared ------------------------------------------------------------------------------------------------------
def _log_parts(x, means, variances, weights):
    """log(weight) + log of each Gaussian's density: (..., k)."""
    gap = np.expand_dims(x, -2) - means
    scale = np.log(weights) - (0.5 * x.shape[-1]) * np.log(2 * math.pi * variances)
    return scale - np.sum(gap * gap, axis=-1) / (2 * variances)


def _weights(name, output, sample, t, alphas_cumprod, prediction_type):
    if prediction_type not in ("epsilon", "sample", "v_prediction"):
        raise ValueError(
            f"{name}: prediction_type is {prediction_type!r}, expected 'epsilon', 'sample' or 'v_prediction'"
        )
    if output.shape != sample.shape:
        raise ValueError(f"{name}: two shapes that should be equal: {output.shape} and {sample.shape}")
    return signal_and_noise(t, alphas_cumprod, sample)
