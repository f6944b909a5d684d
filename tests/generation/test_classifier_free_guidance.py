"""Classifier-free guidance: what proves kb.generation.classifier_free_guidance, the shipped network and its record."""

import json

import numpy as np
import pytest

import kb.generation.classifier_free_guidance as kb
import kb.torch.generation.classifier_free_guidance as kt
from figures import guided_islands as islands
from kb.autograd.tensor import grad
from kb.checkpoints.shipped import digits_guided
from kb.generation.denoising_objective import diffuse_mixture, mixture_log_density, to_score, to_v, to_x0
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from tests.contract import Case, contract, gpu_contract
from training import classifier_free_guidance as training

PARAMS = kb.init_conditional_mlp(np.random.default_rng(0), 6, 8, 3, 4, np.float64)
TABLE = alphas_cumprod(make_betas("linear", 10, 0.05, 0.3))
CASES = [
    Case(kb.classifier_free_guidance, uncond=(2, 3), cond=(2, 3), scale=7.5),
    Case(kb.classifier_free_guidance, uncond=(4,), cond=(4,), scale=0.0),
    Case(kb.paper_guidance, uncond=(2, 3), cond=(2, 3), w=6.5),
    Case(kb.rescale_guidance, guided=(2, 3, 4), cond=(2, 3, 4), rescale=0.7),
    Case(kb.rescale_guidance, guided=(2, 5), cond=(2, 5), rescale=1.0),
    Case(kb.drop_prompts, labels=np.array([3, 1, 2]), empty=10, u=np.array([0.05, 0.5, 0.2]), p=0.1,
         differentiable=False),
    Case(kb.conditional_mlp, params=PARAMS, x=(2, 6), t=500, labels=np.array([1, 3]), differentiable=["params", "x"]),
    Case(kb.conditional_mlp, params=PARAMS, x=(2, 6), t=np.array([0, 999]), labels=np.array([1, 0]),
         differentiable=["params", "x"]),
]  # fmt: skip
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


@pytest.fixture
def pair():
    return np.random.default_rng(0).standard_normal((2, 3, 4, 5))


# ---- invariants --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("w", [-1.0, -0.5, 0.0, 0.5, 6.0, 14.0])
def test_the_two_conventions_are_one_with_s_equal_to_w_plus_1(pair, w):
    uncond, cond = pair
    ours, paper = kb.classifier_free_guidance(uncond, cond, w + 1), kb.paper_guidance(uncond, cond, w)
    np.testing.assert_allclose(ours, paper, rtol=1e-12, atol=1e-12)


def test_0_ignores_the_prompt_and_1_is_plain_conditional(pair):
    uncond, cond = pair
    np.testing.assert_array_equal(kb.classifier_free_guidance(uncond, cond, 0.0), uncond)
    np.testing.assert_allclose(kb.classifier_free_guidance(uncond, cond, 1.0), cond, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(kb.paper_guidance(uncond, cond, 0.0), cond)


@pytest.mark.parametrize("convert", [to_x0, to_v])
def test_noise_data_and_velocity_may_be_guided_alike(pair, convert):
    uncond, cond = pair
    x = np.random.default_rng(1).standard_normal(cond.shape)
    guided = kb.classifier_free_guidance(uncond, cond, 7.5)
    after = convert(guided, x, 6, TABLE)
    before = kb.classifier_free_guidance(convert(uncond, x, 6, TABLE), convert(cond, x, 6, TABLE), 7.5)
    np.testing.assert_allclose(after, before, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("t", [0, 300, 999])
def test_what_guidance_adds_is_the_gradient_of_how_likely_the_prompt_is(t):
    """The implicit classifier: score(x | c) - score(x) = gradient of log p(c | x), by Bayes, at every level."""
    x = np.random.default_rng(0).standard_normal((5, 2))

    def log_prompt(x):
        parts = [diffuse_mixture(m, v, t, islands.ABAR) for m, v, _ in (islands.ASKED, islands.ALL)]
        shares = islands.ASKED[2], islands.ALL[2]
        asked, every = (mixture_log_density(x, *p, w) for p, w in zip(parts, shares, strict=True))
        return np.sum(asked - every)

    added = to_score(islands.asked(x, t) - islands.unasked(x, t), t, islands.ABAR)
    np.testing.assert_allclose(added, grad(log_prompt)(x), rtol=1e-9, atol=1e-10)


def test_rescale_1_gives_the_conditional_spread_and_0_changes_nothing(pair):
    uncond, cond = pair
    guided = kb.classifier_free_guidance(uncond, cond, 7.5)
    np.testing.assert_array_equal(kb.rescale_guidance(guided, cond, 0.0), guided)
    back = kb.rescale_guidance(guided, cond, 1.0)
    np.testing.assert_allclose(back.std(axis=(1, 2)), cond.std(axis=(1, 2)), rtol=1e-12)
    assert np.all(guided.std(axis=(1, 2)) > 2 * cond.std(axis=(1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("rescale", [0.0, 0.3, 0.7, 1.0])
def test_rescale_is_that_of_diffusers(rescale):
    import torch
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    guided, cond = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 5))
    theirs = rescale_noise_cfg(torch.tensor(guided), torch.tensor(cond), rescale).numpy()
    np.testing.assert_allclose(kb.rescale_guidance(guided, cond, rescale), theirs, rtol=1e-12, atol=1e-12)


def bent(x, t, prompts):
    """A model that hears the prompt, for NumPy and torch."""
    return x * 0.3 + prompts[:, None] * (x * x + t)


def test_a_guided_model_asks_once_and_a_negative_prompt_takes_the_place_of_the_empty_one():
    x, calls = np.random.default_rng(0).standard_normal((3, 4)), []

    def model(x, t, prompts):
        calls.append(len(x))
        return bent(x, t, prompts)

    prompts, empty, negative = np.array([1.0, 2.0, 3.0]), np.zeros(3), np.array([4.0, 5.0, 6.0])
    for other in (empty, negative):
        expected = bent(x, 5, other) + 7.5 * (bent(x, 5, prompts) - bent(x, 5, other))
        np.testing.assert_allclose(kb.guided_model(model, prompts, other, 7.5)(x, 5), expected, rtol=1e-12)
    assert calls == [6, 6]
    rescaled = kb.guided_model(model, prompts, negative, 7.5, rescale=0.7)(x, 5)
    np.testing.assert_allclose(rescaled, kb.rescale_guidance(expected, bent(x, 5, prompts), 0.7), rtol=1e-12)


def test_the_guided_model_of_the_twin_is_the_same():
    import torch

    x, prompts, empty = np.random.default_rng(0).standard_normal((3, 4)), np.array([1.0, 2.0, 3.0]), np.zeros(3)
    for rescale in (0.0, 0.7):
        ours = kb.guided_model(bent, prompts, empty, 4.0, rescale)(x, 5)
        theirs = kt.guided_model(bent, torch.tensor(prompts), torch.tensor(empty), 4.0, rescale)(torch.tensor(x), 5)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12, atol=1e-12)


def test_a_clipped_model_keeps_the_guess_within_its_bound_and_leaves_the_rest_alone():
    import torch

    x = np.random.default_rng(0).standard_normal((30, 4))

    def model(x, t):
        return x * 0.3

    free, clipped = to_x0(model(x, 6), x, 6, TABLE), kb.clipped_model(model, TABLE)(x, 6)
    inside = np.abs(free) < 1
    assert 0 < inside.mean() < 1
    np.testing.assert_allclose(to_x0(clipped, x, 6, TABLE), np.clip(free, -1, 1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(clipped[inside], model(x, 6)[inside], rtol=1e-9, atol=1e-12)
    theirs = kt.clipped_model(model, torch.tensor(TABLE))(torch.tensor(x), 6)
    np.testing.assert_allclose(clipped, theirs.numpy(), rtol=1e-12, atol=1e-12)


def test_dropout_drops_the_share_that_it_is_told():
    u = np.random.default_rng(0).random(100_000)
    dropped = kb.drop_prompts(np.full(100_000, 3), 10, u, 0.1) == 10
    assert abs(dropped.mean() - 0.1) < 5 * np.sqrt(0.09 / 100_000)


# ---- hand-computed examples --------------------------------------------------------------------------------------
def test_by_hand():
    """From 1 to 3 is a way of 2; 7.5 times that is 15."""
    assert kb.classifier_free_guidance(np.array([1.0]), np.array([3.0]), 7.5)[0] == 16.0
    assert kb.paper_guidance(np.array([1.0]), np.array([3.0]), 6.5)[0] == 16.0
    np.testing.assert_array_equal(kb.drop_prompts(np.array([3, 4]), 10, np.array([0.05, 0.1]), 0.1), [10, 4])


# ---- error messages ----------------------------------------------------------------------------------------------
def test_errors():
    with pytest.raises(ValueError, match=r"two shapes that should be equal: \(3,\) and \(1,\)"):
        kb.classifier_free_guidance(np.zeros(3), np.zeros(1), 2.0)
    with pytest.raises(ValueError, match="paper_guidance: two shapes"):
        kb.paper_guidance(np.zeros(3), np.zeros(1), 2.0)
    with pytest.raises(ValueError, match=r"rescale is 1\.5"):
        kb.rescale_guidance(np.ones((2, 3)), np.ones((2, 3)), 1.5)
    with pytest.raises(ValueError, match="rescale_guidance: two shapes"):
        kb.rescale_guidance(np.ones((2, 3)), np.ones((2, 1)), 0.5)


# ---- where everything is known -----------------------------------------------------------------------------------
def test_plain_conditional_samples_are_those_of_the_prompt_and_guided_ones_are_not_of_the_power():
    """s = 1 reproduces the density; for s = 4 the guided cloud is not that of p(x|c)^s p(x)^(1-s)."""
    plain, exact = islands.guided_points(1.0), islands.power_points(1.0)
    noise = 5 * np.sqrt(0.5 / 2000)  # five standard errors of a share near a half, of two samples
    assert abs(islands.near_share(plain) - islands.near_share(exact)) < noise
    assert abs(islands.near_share(islands.guided_points(4.0)) - islands.near_share(islands.power_points(4.0))) > noise


def test_the_power_distribution_is_drawn_as_it_is():
    """On the grid: the mean of the drawn points is the integral."""
    weight = np.exp(islands.log_power(islands.grid(), 4.0))
    mean = (weight[:, None] * islands.grid()).sum(axis=0) / weight.sum()
    np.testing.assert_allclose(islands.power_points(4.0).mean(axis=0), mean, atol=0.1)


# ---- the shipped network and its record --------------------------------------------------------------------------
def test_the_shipped_network_is_small_and_fits():
    weights = digits_guided()
    assert training.PATH.stat().st_size <= 300_000
    assert {k: v.shape for k, v in weights.items()} == {
        k: v.shape for k, v in kb.init_conditional_mlp(np.random.default_rng(0)).items()
    }
    assert all(v.dtype == np.float32 for v in weights.values())


def test_the_record_is_what_the_shipped_network_gives():
    """The same noise for two of the scales; an image on the edge between two classes may flip on another machine."""
    got = training.sweep(digits_guided(), scales=[1.0, 4.0])
    for name, slack in (("accuracy", 0.005), ("neighbour", 0.005), ("variance", 0.02), ("apart", 0.01)):
        np.testing.assert_allclose(got[name], [training.at(name, 1.0), training.at(name, 4.0)], atol=slack)


def test_the_record_shows_what_the_page_says():
    guided = training.read()["guided"]
    accuracy, variance = dict(zip(training.SCALES, guided["accuracy"], strict=True)), guided["variance"]
    assert accuracy[0.0] < 0.2 < accuracy[1.0] < accuracy[3.0]
    assert variance[0] > variance[training.SCALES.index(1.0)] > variance[training.SCALES.index(4.0)]
    assert training.at("accuracy", 7.5) > 0.95 > 0.5 > training.at("accuracy", 7.5, "unclipped")
    assert max(training.read()["undropped"]["accuracy"]) < 0.9 < training.at("accuracy", 5.0, "short")
    assert json.loads(training.RECORD.read_text())["scales"] == training.SCALES


def test_training_is_deterministic_and_learns():
    (one, losses), (two, _) = training.fit(steps=20), training.fit(steps=20)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert losses[-5:].mean() < losses[:5].mean()


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_w_given_as_s_ignores_the_prompt(pair):
    """The "no guidance" of the paper is w = 0 there; passed as a scale it is no prompt at all."""
    uncond, cond = pair
    assert not np.allclose(kb.classifier_free_guidance(uncond, cond, 0.0), kb.paper_guidance(uncond, cond, 0.0))
