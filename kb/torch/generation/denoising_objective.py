"""Torch twin of `kb.generation.denoising_objective`: the same names and arguments; runs where its tensors live."""

import math

from kb.shapes import checked
from kb.torch.generation.forward_diffusion import add_noise, alpha_bar, signal_and_noise
from kb.torch.learning.cost_function import mse_loss


# ---- what the network answers, in three ways ---------------------------------------------------------------------
@checked
def to_epsilon(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The noise in x_t (`sample`) that the network's answer stands for.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)
    """
    signal, noise = _weights("to_epsilon", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return model_output
    if prediction_type == "sample":
        return (sample - signal * model_output) / noise
    return signal * model_output + noise * sample


@checked
def to_x0(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The clean data that the network's answer stands for.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)
    """
    signal, noise = _weights("to_x0", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return (sample - noise * model_output) / signal
    if prediction_type == "sample":
        return model_output
    return signal * sample - noise * model_output


@checked
def to_v(model_output, sample, t, alphas_cumprod, prediction_type="epsilon"):
    """The velocity that the network's answer stands for.

    model_output (...), sample (...), alphas_cumprod (i) -> (...)
    """
    signal, noise = _weights("to_v", model_output, sample, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return (model_output - noise * sample) / signal
    if prediction_type == "sample":
        return (signal * sample - model_output) / noise
    return model_output


@checked
def to_score(epsilon, t, alphas_cumprod):
    """The score that a noise prediction stands for.

    epsilon (...), alphas_cumprod (i) -> (...)
    """
    return -epsilon / signal_and_noise(t, alphas_cumprod, epsilon)[1]


# ---- the loss ----------------------------------------------------------------------------------------------------
@checked
def training_target(x0, noise, t, alphas_cumprod, prediction_type="epsilon"):
    """What the network should answer.

    x0 (...), noise (...), alphas_cumprod (i) -> (...)
    """
    signal, rest = _weights("training_target", noise, x0, t, alphas_cumprod, prediction_type)
    if prediction_type == "epsilon":
        return noise
    return x0 if prediction_type == "sample" else signal * noise - rest * x0


@checked
def denoising_loss(model, x0, noise, t, alphas_cumprod, prediction_type="epsilon"):
    """How badly the network names what was mixed in.

    x0 (...), noise (...), alphas_cumprod (i) -> ()
    """
    answer = model(add_noise(x0, noise, t, alphas_cumprod), t)
    return mse_loss(answer, training_target(x0, noise, t, alphas_cumprod, prediction_type))


# ---- the reference: a mixture of Gaussians, where everything is known --------------------------------------------
@checked
def mixture_log_density(x, means, variances, weights):
    """How likely x is under a mixture of k round Gaussians.

    x (..., d), means (k, d), variances (k), weights (k) -> (...)
    """
    return _log_parts(x, means, variances, weights).logsumexp(-1)


@checked
def mixture_score(x, means, variances, weights):
    """The score of the mixture, the gradient of its log-density.

    x (..., d), means (k, d), variances (k), weights (k) -> (..., d)
    """
    share = _log_parts(x, means, variances, weights).softmax(-1)
    pull = (means - x.unsqueeze(-2)) / variances.unsqueeze(-1)  # (..., k, d)
    return (share.unsqueeze(-1) * pull).sum(-2)


@checked
def diffuse_mixture(means, variances, t, alphas_cumprod):
    """The mixture at level t, which is a mixture again.

    means (k, d), variances (k), alphas_cumprod (i) -> (k, d), (k)
    """
    level = float(alpha_bar(t, alphas_cumprod))
    return math.sqrt(level) * means, level * variances + (1 - level)


@checked
def mixture_epsilon(x, means, variances, weights, t, alphas_cumprod):
    """The best answer that a network can give.

    x (..., d), means (k, d), variances (k), weights (k), alphas_cumprod (i) -> (..., d)
    """
    score = mixture_score(x, *diffuse_mixture(means, variances, t, alphas_cumprod), weights)
    return -math.sqrt(1 - float(alpha_bar(t, alphas_cumprod))) * score


@checked
def posterior_mean(x, means, variances, weights, t, alphas_cumprod):
    """The mean of all clean data that could have led to x at level t, by Bayes' rule for each Gaussian.

    x (..., d), means (k, d), variances (k), weights (k), alphas_cumprod (i) -> (..., d)
    """
    centres, widths = diffuse_mixture(means, variances, t, alphas_cumprod)
    share = _log_parts(x, centres, widths, weights).softmax(-1)
    gain = math.sqrt(float(alpha_bar(t, alphas_cumprod))) * variances / widths  # how far x is trusted against the mean
    guess = means + gain.unsqueeze(-1) * (x.unsqueeze(-2) - centres)  # (..., k, d)
    return (share.unsqueeze(-1) * guess).sum(-2)


# ---- shared ------------------------------------------------------------------------------------------------------
def _log_parts(x, means, variances, weights):
    """log(weight) + log of each Gaussian's density."""
    gap = x.unsqueeze(-2) - means
    scale = weights.log() - (0.5 * x.shape[-1]) * (2 * math.pi * variances).log()
    return scale - (gap * gap).sum(-1) / (2 * variances)


def _weights(name, output, sample, t, alphas_cumprod, prediction_type):
    if prediction_type not in ("epsilon", "sample", "v_prediction"):
        raise ValueError(
            f"{name}: prediction_type is {prediction_type!r}, expected 'epsilon', 'sample' or 'v_prediction'"
        )
    if output.shape != sample.shape:
        raise ValueError(f"{name}: two shapes that should be equal: {tuple(output.shape)} and {tuple(sample.shape)}")
    return signal_and_noise(t, alphas_cumprod, sample)
