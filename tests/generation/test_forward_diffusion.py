"""Forward diffusion: what proves kb.generation.forward_diffusion. The oracle of the schedules is diffusers' code."""

import math

import numpy as np
import pytest
import scipy.stats

import kb.generation.forward_diffusion as kb
import kb.torch.generation.forward_diffusion as kt
from tests.contract import Case, contract, gpu_contract

BETAS = kb.make_betas("linear", 10, 0.05, 0.3)
TABLE = kb.alphas_cumprod(BETAS)
CASES = [
    Case(kb.alphas_cumprod, betas=BETAS, differentiable=False),
    Case(kb.snr, alphas_cumprod=TABLE),
    Case(kb.forward_step, x=(2, 3), noise=(2, 3), t=4, betas=BETAS, differentiable=["x", "noise"]),
    Case(kb.add_noise, x0=(5,), noise=(5,), t=0, alphas_cumprod=TABLE, differentiable=["x0", "noise"]),
    Case(kb.add_noise, x0=(2, 3), noise=(2, 3), t=9, alphas_cumprod=TABLE, differentiable=["x0", "noise"]),
    Case(kb.add_noise, x0=(2, 3), noise=(2, 3), t=-1, alphas_cumprod=TABLE, differentiable=["x0", "noise"]),
    Case(
        kb.add_noise,
        x0=(3, 1, 4, 4),
        noise=(3, 1, 4, 4),
        t=np.array([0, 9, -1]),
        alphas_cumprod=TABLE,
        differentiable=["x0", "noise"],
    ),
    Case(kb.rescale_zero_terminal_snr, betas=BETAS, differentiable=False),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

SCHEDULES = [
    ("linear", "linear", {}),
    ("scaled_linear", "scaled_linear", {"beta_start": 0.00085, "beta_end": 0.012}),
    ("cosine", "squaredcos_cap_v2", {}),
]


# ---- the schedules -----------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs", "ends"), SCHEDULES)
def test_the_schedules_are_those_of_diffusers(ours, theirs, ends):
    """Its tables are float32: betas to a rounding of the largest, abar to T roundings of a product of T factors."""
    from diffusers import DDPMScheduler

    table = DDPMScheduler(beta_schedule=theirs, **ends)
    betas = kb.make_betas(ours, **ends)
    np.testing.assert_allclose(betas, table.betas.numpy(), rtol=2e-6, atol=2**-24)
    np.testing.assert_allclose(kb.alphas_cumprod(betas), table.alphas_cumprod.numpy(), rtol=1000 * 2**-23, atol=1e-9)


@pytest.mark.parametrize(("ours", "theirs", "ends"), SCHEDULES)
def test_the_twin_makes_the_same_schedules(ours, theirs, ends):
    for T in (1, 2, 1000):
        a, b = kb.make_betas(ours, T, **ends), kt.make_betas(ours, T, **ends).numpy()
        assert a.dtype == b.dtype == np.float64
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_zero_terminal_snr_is_that_of_diffusers():
    from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr

    betas = kb.make_betas("scaled_linear", 1000, 0.00085, 0.012)
    ours = kb.rescale_zero_terminal_snr(betas)
    import torch

    np.testing.assert_allclose(ours, rescale_zero_terminal_snr(torch.tensor(betas)).numpy(), rtol=1e-10, atol=1e-13)
    before, after = (np.sqrt(kb.alphas_cumprod(b)) for b in (betas, ours))
    assert after[-1] == 0
    assert after[0] == pytest.approx(before[0], rel=1e-14)
    np.testing.assert_allclose(np.diff(after) / np.diff(before), before[0] / (before[0] - before[-1]), rtol=1e-6)


def test_the_numbers_of_the_papers():
    linear = kb.alphas_cumprod(kb.make_betas())
    stable = kb.alphas_cumprod(kb.make_betas("scaled_linear", 1000, 0.00085, 0.012))
    by_hand = math.exp(math.fsum(math.log1p(-(1e-4 + k * (0.02 - 1e-4) / 999)) for k in range(1000)))
    assert linear[-1] == pytest.approx(by_hand, rel=1e-12)
    assert f"{linear[-1]:.3g} {math.sqrt(linear[-1]):.2g} {math.sqrt(stable[-1]):.2g}" == "4.04e-05 0.0064 0.068"


def test_cosine_is_the_squared_cosine_of_the_paper():
    """The product of the betas telescopes to f(t) / f(0), up to the last, which is capped."""
    f = [math.cos((k / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for k in range(1001)]
    abar = kb.alphas_cumprod(kb.make_betas("cosine"))
    np.testing.assert_allclose(abar[:-1], np.array(f[1:-1]) / f[0], rtol=1e-9)
    assert abar[-1] / abar[-2] == pytest.approx(0.001, rel=1e-12)


def test_snr_falls_and_crosses_1_where_half_is_left():
    for schedule, _, ends in SCHEDULES:
        abar = kb.alphas_cumprod(kb.make_betas(schedule, **ends))
        assert np.all(np.diff(kb.snr(abar)) < 0)
        np.testing.assert_array_equal(kb.snr(abar) > 1, abar > 0.5)


# ---- the shortcut ------------------------------------------------------------------------------------------------
def test_the_shortcut_has_the_mean_and_variance_of_the_chain():
    """Exactly: push a mean and a variance through every step, x -> a x + b noise: m -> a m, v -> a^2 v + b^2."""
    for schedule, _, ends in SCHEDULES:
        betas = kb.make_betas(schedule, **ends)
        abar, mean, variance = kb.alphas_cumprod(betas), 1.0, 0.0
        for t, beta in enumerate(betas):
            mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
            assert mean == pytest.approx(math.sqrt(abar[t]), rel=1e-10)
            assert variance == pytest.approx(1 - abar[t], rel=1e-10)


@pytest.mark.parametrize("t", [9, 299])
def test_the_shortcut_equals_the_chain_in_distribution(t):
    """Samples of the chain and of the shortcut from the same two-valued data, each with noise of its own.

    Dvoretzky-Kiefer-Wolfowitz with Massart's constant: an empirical distribution function of n draws is further than
    c from the true one with probability at most 2 exp(-2 n c^2). Two of them within 2 c of one another, but for a
    chance of 1e-9, for c = sqrt(log(4e9) / (2 n)).
    """
    n, rng, betas = 20_000, np.random.default_rng(0), kb.make_betas()
    abar, bound = kb.alphas_cumprod(betas), 2 * math.sqrt(math.log(4e9) / (2 * n))
    x0 = np.where(rng.random(n) < 0.3, -1.0, 0.5)
    x = x0
    for step in range(t + 1):
        x = kb.forward_step(x, rng.standard_normal(n), step, betas)
    other = np.where(rng.random(n) < 0.3, -1.0, 0.5)
    jumped = kb.add_noise(other, rng.standard_normal(n), t, abar)
    assert scipy.stats.ks_2samp(x, jumped).statistic < bound < 0.05
    wrong = abar[t] * other + (1 - abar[t]) * rng.standard_normal(n)  # the square roots forgotten
    assert scipy.stats.ks_2samp(x, wrong).statistic > bound, "the test can tell a wrong formula"


def test_one_step_of_the_chain_is_the_shortcut_to_the_first_level():
    rng = np.random.default_rng(0)
    x0, noise, betas = rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), kb.make_betas()
    a, b = kb.forward_step(x0, noise, 0, betas), kb.add_noise(x0, noise, 0, kb.alphas_cumprod(betas))
    np.testing.assert_allclose(a, b, atol=1e-14)  # 1 - (1 - 1e-4) loses four digits, and its root counts 0.01
    np.testing.assert_array_equal(kb.add_noise(x0, noise, -1, TABLE), x0)


@pytest.mark.slow
def test_add_noise_by_a_plain_loop_and_by_diffusers():
    import torch
    from diffusers import DDPMScheduler

    rng = np.random.default_rng(0)
    x0, noise, t = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 2, 4)), np.array([0, 500, 999])
    abar = kb.alphas_cumprod(kb.make_betas())
    loop = [[[math.sqrt(abar[t[i]]) * x0[i, j, k] + math.sqrt(1 - abar[t[i]]) * noise[i, j, k]
              for k in range(4)] for j in range(2)] for i in range(3)]  # fmt: skip
    np.testing.assert_allclose(kb.add_noise(x0, noise, t, abar), loop, rtol=1e-13)
    scheduler = DDPMScheduler()
    scheduler.alphas_cumprod = torch.tensor(abar)  # its own table is float32
    theirs = scheduler.add_noise(torch.tensor(x0), torch.tensor(noise), torch.tensor(t)).numpy()
    np.testing.assert_allclose(kb.add_noise(x0, noise, t, abar), theirs, rtol=1e-13)


def test_a_table_in_float64_leaves_float32_data_float32():
    import torch

    x0, t = np.ones((2, 3), np.float32), np.array([1, 8])
    assert kb.add_noise(x0, x0, t, TABLE).dtype == np.float32
    assert kb.forward_step(x0, x0, 1, BETAS).dtype == np.float32
    twin = kt.add_noise(torch.tensor(x0), torch.tensor(x0), torch.tensor(t), torch.tensor(TABLE))
    assert twin.dtype == torch.float32


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", [kb, kt])
def test_what_cannot_be_is_refused(module):
    import torch

    array = np.array if module is kb else torch.tensor
    table, x = array(TABLE), array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with pytest.raises(ValueError, match="schedule is 'quadratic'"):
        module.make_betas("quadratic")
    with pytest.raises(ValueError, match="T is 0"):
        module.make_betas(T=0)
    for t in (-2, 10):
        with pytest.raises(ValueError, match=r"alpha_bar: t lies in .*, expected -1\.\.9"):
            module.add_noise(x, x, t, table)
    for t in (-1, 10):
        with pytest.raises(ValueError, match=r"forward_step: t is .*, expected 0\.\.9"):
            module.forward_step(x, x, t, array(BETAS))
    with pytest.raises(ValueError, match=r"t holds .*float.*, expected integers"):
        module.add_noise(x, x, 0.5, table)
    with pytest.raises(ValueError, match=r"t has shape \(2,\), expected the first axes of x \(3, 2\)"):
        module.add_noise(x, x, array([1, 2]), table)
    with pytest.raises(ValueError, match=r"noise has shape \(2,\), expected that of x0 \(3, 2\)"):
        module.add_noise(x, x[0], 1, table)
