"""Reverse diffusion: what proves kb.generation.reverse_diffusion. Oracles: diffusers in float64, scipy's ODE solver."""

import functools
import itertools
import math

import numpy as np
import pytest
import scipy.integrate

import kb.generation.reverse_diffusion as kb
import kb.torch.generation.reverse_diffusion as kt
from kb.generation.denoising_objective import diffuse_mixture, mixture_epsilon, mixture_score
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from tests.contract import Case, contract, gpu_contract

BETAS = make_betas("linear", 10, 0.05, 0.3)
TABLE = alphas_cumprod(BETAS)
TYPES = ("epsilon", "sample", "v_prediction")
MEANS = np.array([[1.0, 0.5], [-1.0, 0.3], [0.2, -1.2]])
VARIANCES, WEIGHTS = np.array([0.3, 0.1, 0.2]), np.array([0.5, 0.2, 0.3])


def bent(x, t):
    """A network that answers something smooth, for NumPy and torch."""
    return x * 0.4 - x * x * x * (0.01 * (t + 1))


PAIR = {"model_output": (2, 3), "sample": (2, 3)}
CASES = [
    *[
        Case(kb.ddpm_step, **PAIR, t=4, betas=BETAS, noise=(2, 3), variance=v, prediction_type=kind, t_prev=before,
             differentiable=["model_output", "sample", "noise"])
        for kind, v, before in zip(TYPES, ("fixed_small", "fixed_large", "fixed_small"), (None, 2, -1), strict=True)
    ],
    Case(kb.ddpm_step, **PAIR, t=0, betas=BETAS, differentiable=list(PAIR)),
    Case(kb.ddpm_step, **PAIR, t=5, betas=BETAS, clip_sample=0.5, differentiable=list(PAIR)),
    *[
        Case(kb.ddim_step, **PAIR, t=7, t_prev=before, alphas_cumprod=TABLE, prediction_type=kind,
             differentiable=list(PAIR))
        for kind, before in zip(TYPES, (3, 0, -1), strict=True)
    ],
    Case(kb.ddim_step, **PAIR, t=7, t_prev=3, alphas_cumprod=TABLE, eta=0.6, noise=(2, 3), clip_sample=True,
         differentiable=["model_output", "sample", "noise"]),
    *[
        Case(kb.euler_step, **PAIR, t=7, t_prev=before, alphas_cumprod=TABLE, prediction_type=kind,
             differentiable=list(PAIR))
        for kind, before in zip(TYPES, (6, 2, -1), strict=True)
    ],
    *[
        Case(kb.heun_step, model=bent, t=7, t_prev=before, sample=(2, 3), alphas_cumprod=TABLE, prediction_type=kind,
             differentiable=["sample"])
        for kind, before in zip(TYPES, (6, 2, -1), strict=True)
    ],
    *[
        Case(kb.generate, model=bent, x=(2, 3), steps=np.array([9, 6, 3, 0]), betas=BETAS, method=method,
             rng=np.random.default_rng(0), differentiable=["x"])
        for method in ("ddpm", "ddim", "euler", "heun")
    ],
]  # fmt: skip
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def exact(x, t):
    """The best possible network for the mixture at the level t of TABLE's schedule."""
    return mixture_epsilon(x, MEANS, VARIANCES, WEIGHTS, t, TABLE)


# ---- diffusers ---------------------------------------------------------------------------------------------------
def scheduler(name, betas, **options):
    """A scheduler of diffusers with tables in float64: its own are float32, 4e-4 off where 1 - abar is small."""
    import diffusers
    import torch

    made = getattr(diffusers, name)(num_train_timesteps=len(betas), **options)
    made.betas = torch.tensor(betas)
    made.alphas = 1 - made.betas
    made.alphas_cumprod = torch.cumprod(made.alphas, 0)
    made.one = torch.tensor(1.0, dtype=torch.float64)
    if name == "DDIMScheduler":
        made.final_alpha_cumprod = made.one if made.config.set_alpha_to_one else made.alphas_cumprod[0]
    return made


@pytest.fixture
def arrays():
    return np.random.default_rng(0).standard_normal((3, 4, 2, 5, 5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
@pytest.mark.parametrize("clip", [False, 0.7])
def test_ddpm_is_that_of_diffusers(arrays, kind, variance, clip, monkeypatch):
    import torch
    from diffusers.schedulers import scheduling_ddpm

    betas, (answer, sample, noise) = make_betas(), arrays
    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *a, **k: torch.tensor(noise))
    theirs = scheduler("DDPMScheduler", betas, prediction_type=kind, variance_type=variance, clip_sample=bool(clip),
                       clip_sample_range=clip or 1.0)  # fmt: skip
    options = {"variance": variance, "prediction_type": kind, "clip_sample": clip, "noise": noise}
    for t in (999, 500, 1, 0):
        step = theirs.step(torch.tensor(answer), t, torch.tensor(sample)).prev_sample.numpy()
        np.testing.assert_allclose(kb.ddpm_step(answer, t, sample, betas, **options), step, rtol=1e-8, atol=1e-8)
    theirs.set_timesteps(20)
    for t, t_prev in ((950, 900), (50, 0), (0, -1)):
        step = theirs.step(torch.tensor(answer), t, torch.tensor(sample)).prev_sample.numpy()
        ours = kb.ddpm_step(answer, t, sample, betas, t_prev=t_prev, **options)
        np.testing.assert_allclose(ours, step, rtol=1e-8, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clip", [False, True])
def test_ddim_is_that_of_diffusers(arrays, kind, eta, clip):
    import torch

    betas, (answer, sample, noise) = make_betas(), arrays
    theirs = scheduler("DDIMScheduler", betas, prediction_type=kind, clip_sample=clip)
    theirs.set_timesteps(50)
    for t, t_prev in ((980, 960), (500, 480), (20, 0), (0, -1)):
        step = theirs.step(torch.tensor(answer), t, torch.tensor(sample), eta=eta, variance_noise=torch.tensor(noise))
        ours = kb.ddim_step(answer, t, t_prev, sample, alphas_cumprod(betas), eta=eta, noise=noise,
                            prediction_type=kind, clip_sample=clip)  # fmt: skip
        np.testing.assert_allclose(ours, step.prev_sample.numpy(), rtol=1e-8, atol=1e-8)


@pytest.mark.slow
def test_a_last_level_of_0_is_what_diffusers_calls_set_alpha_to_one_false(arrays):
    """Stable Diffusion's setting: levels 981, 961, ..., 1, and the last step ends at level 0, not at the data."""
    import torch

    betas, (answer, sample, _) = make_betas("scaled_linear", 1000, 0.00085, 0.012), arrays
    theirs = scheduler("DDIMScheduler", betas, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    theirs.set_timesteps(50)
    step = theirs.step(torch.tensor(answer), 1, torch.tensor(sample)).prev_sample.numpy()
    np.testing.assert_allclose(kb.ddim_step(answer, 1, 0, sample, alphas_cumprod(betas)), step, rtol=1e-8, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", [1, 3, 7, 20, 50, 1000])
def test_the_timesteps_are_those_of_diffusers(spacing, n):
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(timestep_spacing=spacing, steps_offset=int(spacing == "leading" and n < 1000))
    theirs.set_timesteps(n)
    offset = theirs.config.steps_offset
    ours = kb.timesteps(1000, n, spacing, offset)
    np.testing.assert_array_equal(ours, theirs.timesteps.numpy())
    np.testing.assert_array_equal(ours, kt.timesteps(1000, n, spacing, offset).numpy())


# ---- the samplers among themselves -------------------------------------------------------------------------------
def test_the_ddpm_mean_is_the_mean_of_bayes_rule():
    """x_{t-1} given x_t and x_0: the product of two Gaussians in x_{t-1}, its mean found on a grid."""
    t, x_t, x0, grid = 6, 0.7, -0.4, np.linspace(-8, 8, 200_001)
    log_p = -((x_t - math.sqrt(1 - BETAS[t]) * grid) ** 2) / (2 * BETAS[t])
    log_p = log_p - (grid - math.sqrt(TABLE[t - 1]) * x0) ** 2 / (2 * (1 - TABLE[t - 1]))
    p = np.exp(log_p - log_p.max())
    mean = (p @ grid) / p.sum()
    spread = math.sqrt(p @ (grid - mean) ** 2 / p.sum())
    args = (np.array([x0]), t, np.array([x_t]), BETAS)
    assert kb.ddpm_step(*args, prediction_type="sample")[0] == pytest.approx(mean, rel=1e-9)
    up = kb.ddpm_step(*args, prediction_type="sample", noise=np.ones(1))[0]
    assert up == pytest.approx(mean + spread, rel=1e-9)


@pytest.mark.parametrize(("t", "t_prev"), [(9, 8), (9, 3), (4, 0), (4, -1)])
def test_ddim_with_eta_1_is_ddpm(t, t_prev):
    answer, sample, noise = np.random.default_rng(0).standard_normal((3, 5))
    ddim = kb.ddim_step(answer, t, t_prev, sample, TABLE, eta=1.0, noise=noise)
    np.testing.assert_allclose(ddim, kb.ddpm_step(answer, t, sample, BETAS, noise=noise, t_prev=t_prev), rtol=1e-12)


def test_ddim_is_eulers_step_in_sigma():
    """In x / sqrt(abar) and sigma = sqrt(1 / abar - 1): x' = x + (sigma' - sigma) epsilon."""
    answer, sample = np.random.default_rng(0).standard_normal((2, 5))
    now, before = TABLE[8], TABLE[3]
    scaled = sample / math.sqrt(now) + (math.sqrt(1 / before - 1) - math.sqrt(1 / now - 1)) * answer
    np.testing.assert_allclose(kb.ddim_step(answer, 8, 3, sample, TABLE), math.sqrt(before) * scaled, rtol=1e-12)


def test_ddim_with_the_true_noise_goes_straight_to_the_data():
    rng = np.random.default_rng(0)
    x0, noise = rng.standard_normal((2, 6))
    for t, t_prev in ((9, 4), (9, -1), (0, -1)):
        x_t, x_prev = (math.sqrt(a) * x0 + math.sqrt(1 - a) * noise for a in (TABLE[t], [*TABLE, 1.0][t_prev]))
        np.testing.assert_allclose(kb.ddim_step(noise, t, t_prev, x_t, TABLE), x_prev, rtol=1e-12, atol=1e-13)


def test_generate_is_its_steps_in_a_row():
    x, steps = np.random.default_rng(0).standard_normal((4, 2)), kb.timesteps(10, 5)
    for method in ("ddpm", "ddim", "euler", "heun"):
        y, rng = x, np.random.default_rng(1)
        for t, t_prev in itertools.pairwise([8, 6, 4, 2, 0, -1]):
            if method == "ddpm":
                y = kb.ddpm_step(exact(y, t), t, y, BETAS, noise=rng.standard_normal(y.shape), t_prev=t_prev)
            elif method == "heun":
                y = kb.heun_step(exact, t, t_prev, y, TABLE)
            else:
                y = getattr(kb, method + "_step")(exact(y, t), t, t_prev, y, TABLE)
        again = kb.generate(exact, x, steps, BETAS, method, np.random.default_rng(1))
        np.testing.assert_array_equal(y, again)


@pytest.mark.parametrize("method", ["ddpm", "ddim", "euler", "heun"])
def test_every_kind_of_network_gives_the_same_samples(method):
    """The exact answer, told as noise, as data and as velocity."""
    from kb.generation.denoising_objective import to_v, to_x0

    x, steps = np.random.default_rng(0).standard_normal((4, 2)), kb.timesteps(10, 10)
    models = {
        "epsilon": exact,
        "sample": lambda x, t: to_x0(exact(x, t), x, t, TABLE),
        "v_prediction": lambda x, t: to_v(exact(x, t), x, t, TABLE),
    }
    made = [kb.generate(m, x, steps, BETAS, method, np.random.default_rng(1), kind) for kind, m in models.items()]
    np.testing.assert_allclose(made[1], made[0], rtol=1e-10)
    np.testing.assert_allclose(made[2], made[0], rtol=1e-10)


# ---- the ODE -----------------------------------------------------------------------------------------------------
START = np.array([0.8, -0.3])


@functools.cache
def solved():
    """Where the flow takes START from abar = 0.01 to 0.99, by scipy: Song et al., equation 13, over u = log abar."""

    def flow(u, x):
        level = np.array([math.exp(u)])
        return 0.5 * (x + mixture_score(x, *diffuse_mixture(MEANS, VARIANCES, 0, level), WEIGHTS))

    return scipy.integrate.solve_ivp(flow, (math.log(0.01), math.log(0.99)), START, rtol=1e-9, atol=1e-10).y[:, -1]


def error_of(method, T):
    """The distance from scipy's solution of the probability-flow ODE, between abar = 0.01 and 0.99, in T - 1 steps."""
    rate = (math.log(0.99) - math.log(0.01)) / (T - 1)
    table = np.exp(math.log(0.99) - rate * np.arange(T))  # even steps in log abar

    def model(x, t):
        return mixture_epsilon(x, MEANS, VARIANCES, WEIGHTS, t, table)

    x = START
    for t in range(T - 1, 0, -1):
        if method == "heun":
            x = kb.heun_step(model, t, t - 1, x, table)
        else:
            step = kb.ddim_step if method == "ddim" else kb.euler_step
            x = step(model(x, t), t, t - 1, x, table)
    return float(np.linalg.norm(x - solved()))


@pytest.mark.parametrize(("method", "order"), [("ddim", 1), ("euler", 1), ("heun", 2)])
def test_the_order_of_each_method(method, order):
    """Twice the steps: half the error for Euler and DDIM, a quarter for Heun; the ODE is the one of the paper."""
    coarse, fine = error_of(method, 81), error_of(method, 161)
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.1)
    assert fine < 0.04


def test_heun_asks_twice_but_once_at_the_end():
    asked = []
    kb.generate(lambda x, t: asked.append(t) or 0 * x, np.ones(2), np.array([9, 5, 1]), BETAS, "heun")
    assert asked == [9, 5, 5, 1, 1]


# ---- what the page says ------------------------------------------------------------------------------------------
def test_without_its_noise_ddpm_collapses_and_ddim_does_not():
    """One bell: all points end at its mean. With the noise, and with DDIM, the spread is that of the data."""
    betas = make_betas("linear", 200, 5e-4, 0.1)  # 200 steps to the same end
    abar, means, variances = alphas_cumprod(betas), np.array([[0.5, -1.0]]), np.array([0.16])
    start, levels = np.random.default_rng(0).standard_normal((3000, 2)), [*range(199, -1, -1), -1]

    def bell(x, t):
        return mixture_epsilon(x, means, variances, np.ones(1), t, abar)

    x = start
    for t, t_prev in itertools.pairwise(levels):
        x = kb.ddpm_step(bell(x, t), t, x, betas, t_prev=t_prev)
    assert np.all(np.std(x, axis=0) < 0.02)
    np.testing.assert_allclose(x.mean(axis=0), means[0], atol=0.01)
    for method in ("ddpm", "ddim"):
        y = kb.generate(bell, start, levels[:-1], betas, method, np.random.default_rng(1))
        np.testing.assert_allclose(y.std(axis=0), 0.4, rtol=0.08)  # 6 / sqrt(2 n), and the steps' own error


def test_the_measurements_are_what_the_code_gives():
    """The table again, for the cheapest budgets, all points; and what the page reads from it."""
    from figures.sampled_islands import MEASURED, measured
    from training import samplers

    assert MEASURED["calls"] == list(samplers.CALLS)
    for method in ("ddpm", "ddim", "heun"):
        assert samplers.measure(method, 5) == pytest.approx(measured(method, 5), abs=2e-4)
    assert [samplers.steps_for("heun", calls) for calls in (5, 99)] == [3, 50]
    assert measured("ddim", 9) < measured("heun", 9)
    assert measured("heun", 19) < measured("ddim", 19) < measured("ddpm", 19)


# ---- float32 and error messages ----------------------------------------------------------------------------------
def test_tables_in_float64_leave_float32_data_float32():
    x = np.ones((2, 3), np.float32)
    for method in ("ddpm", "ddim", "euler", "heun"):
        made = kb.generate(
            lambda x, t: x * np.float32(0.5), x, np.array([9, 5]), BETAS, method, np.random.default_rng(0)
        )
        assert made.dtype == np.float32


def test_torch_draws_from_its_own_generator_too():
    import torch

    args = (bent, torch.zeros(4), torch.tensor([9, 5]), torch.tensor(BETAS), "ddpm")
    first, again, other = (kt.generate(*args, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("module", [kb, kt])
def test_what_cannot_be_is_refused(module):
    import torch

    array = np.array if module is kb else torch.tensor
    x, betas, table = array([1.0, 2.0]), array(BETAS), array(TABLE)
    with pytest.raises(ValueError, match=r"t_prev is 4, expected -1\.\.3"):
        module.ddim_step(x, 4, 4, x, table)
    with pytest.raises(ValueError, match="t_prev is -2"):
        module.euler_step(x, 4, -2, x, table)
    with pytest.raises(ValueError, match="variance is 'learned'"):
        module.ddpm_step(x, 4, x, betas, variance="learned")
    for eta, noise in ((1.5, x), (-0.1, x), (0.5, None)):
        with pytest.raises(ValueError, match="eta is"):
            module.ddim_step(x, 4, 2, x, table, eta=eta, noise=noise)
    with pytest.raises(ValueError, match="method is 'dpm'"):
        module.generate(bent, x, array([9]), betas, "dpm")
    for n in (0, 11):
        with pytest.raises(ValueError, match=r"n is \d+, expected 1\.\.10"):
            module.timesteps(10, n)
    with pytest.raises(ValueError, match="spacing is 'even'"):
        module.timesteps(10, 5, "even")
