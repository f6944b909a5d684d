"""The denoising objective: what proves kb.generation.denoising_objective. Oracles: scipy, diffusers, Bayes' rule."""

import math

import numpy as np
import pytest
import scipy.stats

import kb.generation.denoising_objective as kb
import kb.torch.generation.denoising_objective as kt
from kb.autograd.check import numerical_gradient
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas
from tests.contract import Case, contract, gpu_contract

TABLE = alphas_cumprod(make_betas("linear", 10, 0.05, 0.3))
MEANS = np.array([[1.0, 0.5], [-1.0, 0.3], [0.2, -1.2]])
VARIANCES, WEIGHTS = np.array([0.3, 0.1, 0.2]), np.array([0.5, 0.2, 0.3])
MIXTURE = {"means": MEANS, "variances": VARIANCES, "weights": WEIGHTS}
TYPES = ("epsilon", "sample", "v_prediction")
PAIR = ["model_output", "sample"]


def halved(x, t):
    """A network that answers half of what it sees, for NumPy and torch."""
    return x * 0.5


CASES = [
    *[
        Case(
            fn, model_output=(2, 3), sample=(2, 3), t=4, alphas_cumprod=TABLE, prediction_type=kind, differentiable=PAIR
        )
        for fn in (kb.to_epsilon, kb.to_x0, kb.to_v)
        for kind in TYPES
    ],
    Case(kb.to_x0, model_output=(2, 3), sample=(2, 3), t=np.array([0, 9]), alphas_cumprod=TABLE, differentiable=PAIR),
    Case(kb.to_score, epsilon=(2, 3), t=4, alphas_cumprod=TABLE, differentiable=["epsilon"]),
    *[
        Case(
            fn,
            x0=(3, 2),
            noise=(3, 2),
            t=np.array([0, 5, 9]),
            alphas_cumprod=TABLE,
            prediction_type=kind,
            differentiable=["x0", "noise"],
            **model,
        )
        for fn, model in ((kb.training_target, {}), (kb.denoising_loss, {"model": halved}))
        for kind in TYPES
    ],
    Case(kb.mixture_log_density, x=(2,), **MIXTURE),
    Case(kb.mixture_log_density, x=(4, 3, 2), **MIXTURE),
    Case(kb.mixture_score, x=(2,), **MIXTURE),
    Case(kb.mixture_score, x=(4, 3, 2), **MIXTURE),
    Case(
        kb.diffuse_mixture,
        means=MEANS,
        variances=VARIANCES,
        t=3,
        alphas_cumprod=TABLE,
        differentiable=["means", "variances"],
    ),
    *[
        Case(fn, x=(4, 2), **MIXTURE, t=6, alphas_cumprod=TABLE, differentiable=["x", *MIXTURE])
        for fn in (kb.mixture_epsilon, kb.posterior_mean)
    ],
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def drawn(n, rng):
    """n exact samples of the mixture."""
    part = rng.choice(3, n, p=WEIGHTS)
    return MEANS[part] + np.sqrt(VARIANCES[part])[:, None] * rng.standard_normal((n, 2))


# ---- one another rearranged --------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("t", [0, 5, np.array([0, 4, 9])])
def test_every_kind_of_answer_gives_back_all_three(kind, t):
    rng = np.random.default_rng(0)
    x0, noise = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    x_t = add_noise(x0, noise, t, TABLE)
    answer = kb.training_target(x0, noise, t, TABLE, kind)
    for back, truth in ((kb.to_epsilon, "epsilon"), (kb.to_x0, "sample"), (kb.to_v, "v_prediction")):
        target = kb.training_target(x0, noise, t, TABLE, truth)
        np.testing.assert_allclose(back(answer, x_t, t, TABLE, kind), target, rtol=1e-12, atol=1e-13)


def test_velocity_is_the_slope_on_the_quarter_circle():
    """With sqrt(abar) = cos(phi) and sqrt(1 - abar) = sin(phi), v is the derivative of x_t by phi (Salimans & Ho)."""
    rng = np.random.default_rng(0)
    x0, noise, h = rng.standard_normal(4), rng.standard_normal(4), 1e-5
    phi = math.acos(math.sqrt(TABLE[6]))
    slope = (math.cos(phi + h) - math.cos(phi - h)) * x0 + (math.sin(phi + h) - math.sin(phi - h)) * noise
    v = kb.training_target(x0, noise, 6, TABLE, "v_prediction")
    np.testing.assert_allclose(v, slope / (2 * h), rtol=1e-8)


def test_the_three_losses_differ_by_the_signal_to_noise_ratio():
    """|eps - eps'|^2 = SNR |x0 - x0'|^2, and |v - v'|^2 = (SNR + 1) |x0 - x0'|^2, for one and the same answer."""
    rng = np.random.default_rng(0)
    x0, noise, wrong = rng.standard_normal((3, 20))
    for t in (0, 5, 9):
        x_t, ratio = add_noise(x0, noise, t, TABLE), TABLE[t] / (1 - TABLE[t])
        error = dict.fromkeys(TYPES, 0.0)
        for kind, back in zip(TYPES, (kb.to_epsilon, kb.to_x0, kb.to_v), strict=True):
            gap = back(wrong, x_t, t, TABLE) - kb.training_target(x0, noise, t, TABLE, kind)
            error[kind] = float(np.sum(gap * gap))
        assert error["epsilon"] == pytest.approx(ratio * error["sample"], rel=1e-10)
        assert error["v_prediction"] == pytest.approx((ratio + 1) * error["sample"], rel=1e-10)


@pytest.mark.slow
def test_velocity_is_that_of_diffusers():
    import torch
    from diffusers import DDPMScheduler

    rng, t = np.random.default_rng(0), np.array([0, 500, 999])
    x0, noise, abar = rng.standard_normal((3, 4)), rng.standard_normal((3, 4)), alphas_cumprod(make_betas())
    scheduler = DDPMScheduler()
    scheduler.alphas_cumprod = torch.tensor(abar)  # its own table is float32
    theirs = scheduler.get_velocity(torch.tensor(x0), torch.tensor(noise), torch.tensor(t)).numpy()
    np.testing.assert_allclose(kb.training_target(x0, noise, t, abar, "v_prediction"), theirs, rtol=1e-12)


# ---- the loss ----------------------------------------------------------------------------------------------------
def test_the_loss_is_0_for_the_true_noise_and_1_for_no_answer():
    rng = np.random.default_rng(0)
    x0, noise, t = rng.standard_normal((400, 50)), rng.standard_normal((400, 50)), rng.integers(0, 10, 400)
    assert kb.denoising_loss(lambda x, t: noise, x0, noise, t, TABLE) == 0
    nothing = kb.denoising_loss(lambda x, t: 0 * x, x0, noise, t, TABLE)
    assert nothing == pytest.approx(float(np.mean(noise**2)), rel=1e-12)
    assert abs(nothing - 1) < 6 * math.sqrt(2 / 20_000)  # the mean of 20,000 squares, each of variance 2


def test_no_answer_beats_the_exact_one_and_its_loss_is_not_0():
    """On 50,000 points: the exact noise beats itself scaled by 0.9 and 1.1, itself shifted, and the answer 0."""
    rng = np.random.default_rng(0)
    x0, noise = drawn(50_000, rng), rng.standard_normal((50_000, 2))

    def exact(x, t):
        return kb.mixture_epsilon(x, **MIXTURE, t=t, alphas_cumprod=TABLE)

    best = kb.denoising_loss(exact, x0, noise, 4, TABLE)
    assert 0.05 < best < 0.95
    others = (lambda x, t: 0.9 * exact(x, t), lambda x, t: 1.1 * exact(x, t), lambda x, t: exact(x, t) + 0.1)
    for model in (*others, lambda x, t: 0 * x):
        assert kb.denoising_loss(model, x0, noise, 4, TABLE) > best + 0.002


# ---- the mixture -------------------------------------------------------------------------------------------------
def test_the_density_is_that_of_scipy():
    x = np.random.default_rng(0).standard_normal((20, 2)) * 2
    parts = [scipy.stats.multivariate_normal(m, v * np.eye(2)).pdf(x) for m, v in zip(MEANS, VARIANCES, strict=True)]
    np.testing.assert_allclose(np.exp(kb.mixture_log_density(x, **MIXTURE)), WEIGHTS @ np.array(parts), rtol=1e-12)


def test_the_score_is_the_slope_of_the_log_density():
    for x in np.random.default_rng(0).standard_normal((5, 2)):
        slope = numerical_gradient(lambda z: kb.mixture_log_density(z, **MIXTURE), x)
        np.testing.assert_allclose(kb.mixture_score(x, **MIXTURE), slope, rtol=1e-6, atol=1e-8)


def test_far_away_nothing_overflows():
    score = kb.mixture_score(np.array([1e3, -1e3]), **MIXTURE)
    np.testing.assert_allclose(score, (MEANS[0] - [1e3, -1e3]) / VARIANCES[0], rtol=1e-12)
    one = np.array([2.0, -1.0])
    np.testing.assert_allclose(kb.mixture_score(one, MEANS[:1], np.array([0.5]), np.ones(1)), (MEANS[0] - one) / 0.5)


@pytest.mark.parametrize("t", [0, 4, 9])
def test_the_diffused_mixture_is_the_law_of_noisy_samples(t):
    """The density at level t by Bayes' integral over x_0, one component and axis at a time, with scipy."""
    x = np.random.default_rng(1).standard_normal((6, 2))
    a, rest = math.sqrt(TABLE[t]), 1 - TABLE[t]
    means, variances = kb.diffuse_mixture(MEANS, VARIANCES, t, TABLE)
    grid = np.linspace(-6, 6, 4001)
    for point in x:
        total = 0.0
        for m, v, w in zip(MEANS, VARIANCES, WEIGHTS, strict=True):
            prior = [scipy.stats.norm(m[i], math.sqrt(v)).pdf(grid) for i in range(2)]
            noisy = [scipy.stats.norm(a * grid, math.sqrt(rest)).pdf(point[i]) for i in range(2)]
            total += w * math.prod(np.trapezoid(prior[i] * noisy[i], grid) for i in range(2))
        density = np.exp(kb.mixture_log_density(point, means, variances, WEIGHTS))
        assert density == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize("t", [0, 4, 9])
def test_score_noise_and_posterior_mean_are_one_knowledge(t):
    """Tweedie: E[x0 | x] = (x + (1 - abar) score) / sqrt(abar); the noise is what remains of x; -sigma score."""
    x = np.random.default_rng(0).standard_normal((10, 2)) * 2
    clean = kb.posterior_mean(x, **MIXTURE, t=t, alphas_cumprod=TABLE)
    noise = kb.mixture_epsilon(x, **MIXTURE, t=t, alphas_cumprod=TABLE)
    score = kb.mixture_score(x, *kb.diffuse_mixture(MEANS, VARIANCES, t, TABLE), WEIGHTS)
    np.testing.assert_allclose(clean, (x + (1 - TABLE[t]) * score) / math.sqrt(TABLE[t]), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(kb.to_x0(noise, x, t, TABLE), clean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(kb.to_score(noise, t, TABLE), score, rtol=1e-12)


def test_the_posterior_mean_is_the_mean_of_what_could_have_been():
    """By brute force: of 400,000 clean points, each weighted by how likely its noise is to lead to x.

    The tolerance is 6 standard errors of the weighted mean, from the sample itself.
    """
    x0, x, t = drawn(400_000, np.random.default_rng(0)), np.array([0.3, -0.2]), 5
    gap = x - math.sqrt(TABLE[t]) * x0
    weight = np.exp(-np.sum(gap * gap, axis=-1) / (2 * (1 - TABLE[t])))
    mean = weight @ x0 / weight.sum()
    error = np.sqrt(weight**2 @ (x0 - mean) ** 2) / weight.sum()
    exact = kb.posterior_mean(x, **MIXTURE, t=t, alphas_cumprod=TABLE)
    assert np.all(np.abs(exact - mean) < 6 * error)
    assert np.all(error < 0.005)


# ---- float32 and error messages ----------------------------------------------------------------------------------
def test_a_table_in_float64_leaves_float32_data_float32():
    x = np.ones((2, 3), np.float32)
    for fn in (kb.to_epsilon, kb.to_x0, kb.to_v, kb.training_target):
        for kind in TYPES:
            assert fn(x, x, np.array([1, 8]), TABLE, kind).dtype == np.float32
    single = [value.astype(np.float32) for value in MIXTURE.values()]
    assert kb.mixture_epsilon(np.ones((3, 2), np.float32), *single, 3, TABLE).dtype == np.float32


@pytest.mark.parametrize("module", [kb, kt])
def test_what_cannot_be_is_refused(module):
    import torch

    array = np.array if module is kb else torch.tensor
    table, x = array(TABLE), array([[1.0, 2.0], [3.0, 4.0]])
    for fn in (module.to_epsilon, module.to_x0, module.to_v, module.training_target):
        with pytest.raises(ValueError, match=rf"{fn.__name__}: prediction_type is 'noise', expected 'epsilon'"):
            fn(x, x, 3, table, "noise")
        with pytest.raises(ValueError, match=r"should be equal: \(2,\) and \(2, 2\)|\(2, 2\) and \(2,\)"):
            fn(x[0], x, 3, table)


# ---- the trained network of the page -----------------------------------------------------------------------------
def test_the_shipped_network_is_what_its_training_gives():
    """The first steps again: step 50's loss as it was written down, to roundings; the facts from the weights."""
    from figures.small_denoiser import learned
    from figures.three_islands import exact as best
    from kb.checkpoints.safetensors import read_header
    from training import denoiser

    facts = read_header(denoiser.PATH).metadata
    found = denoiser.fit(steps=51)[1]
    assert found[50] == pytest.approx(float(facts["at_step_50"]), rel=2e-3)
    assert np.mean(found[40:]) < 0.5 * np.mean(found[:3])
    ours, truth = denoiser.losses(learned, 1000), denoiser.losses(best, 1000)
    assert f"{denoiser.losses(best):.4f}" == facts["exact"]
    assert truth < ours < 1.06 * truth


def test_the_islands_are_what_they_say():
    from figures import three_islands as ti

    x = ti.islands(100_000)
    assert np.all(np.abs(ti.shares(x) - ti.WEIGHTS) < 6 * np.sqrt(ti.WEIGHTS * (1 - ti.WEIGHTS) / 100_000))
    assert ti.distance(x) < 0.01 < ti.distance(x + 0.05)
    angles, moved = np.arange(16) * np.pi / 16, np.array([3.0, 4.0])
    seen = np.abs(np.cos(angles) * moved[0] + np.sin(angles) * moved[1])  # what each direction sees of the move
    assert ti.distance(x + moved) == pytest.approx(seen.mean(), abs=0.01)
