"""The large language model: what proves kb.architecture.large_language_model."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.large_language_model as kb
import kb.torch.architecture.large_language_model as kt
from kb.architecture.sampling import greedy, sample
from kb.foundations.softmax import softmax
from kb.learning.cost_function import cross_entropy, perplexity
from tests.contract import Case, contract, gpu_contract

TARGETS = np.array([[0, 3, 1], [2, 2, 0]])
POSITIVE = np.array([1.0, 3.0, 9.0, 20.0])
CASES = [
    Case(kb.surprise, logits=(2, 3, 4), targets=TARGETS),
    Case(kb.surprise, logits=(3, 4), targets=TARGETS[0]),
    Case(kb.text_perplexity, surprises=(2, 3)),
    Case(kb.bits_per_byte, surprises=(2, 3), num_bytes=17),
    Case(kb.training_flops, n=np.float64(3e5), d=np.float64(2e6)),
    Case(kb.chinchilla_loss, n=np.float64(3e5), d=np.float64(2e6)),
    Case(kb.power_law, x=POSITIVE, y=np.sqrt(POSITIVE) + 0.1),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

TABLE = np.random.default_rng(0).standard_normal((5, 5)) * 2


def bigram(ids):
    """A language model that looks at one token only: (..., t) -> (..., t, 5)."""
    return TABLE[ids]


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_chances_of_all_texts_of_a_length_sum_to_one():
    """The product rule: one function of what came before is a distribution over whole texts."""
    texts = np.indices((5,) * 3).reshape(3, -1).T
    texts = np.concatenate([np.zeros((len(texts), 1), int), texts], axis=1)
    log_p = -kb.surprise(bigram(texts[:, :-1]), texts[:, 1:]).sum(axis=1)
    assert math.isclose(np.exp(log_p).sum(), 1, rel_tol=1e-12)


def test_next_token_is_a_distribution():
    p = kb.next_token(bigram, np.array([[1, 2], [0, 4]]))
    assert p.shape == (2, 5)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(p[1], softmax(TABLE[4]))


def test_the_mean_surprise_is_the_cross_entropy():
    rng = np.random.default_rng(1)
    logits, targets = rng.standard_normal((6, 9)), rng.integers(0, 9, 6)
    surprises = kb.surprise(logits, targets)
    assert math.isclose(surprises.mean(), cross_entropy(logits, targets), rel_tol=1e-12)
    assert math.isclose(kb.text_perplexity(surprises), perplexity(logits, targets), rel_tol=1e-12)


def test_written_greedily_it_is_a_chain_of_argmaxes():
    ids = kb.write(bigram, np.array([2]), 6, greedy)
    expected = [2]
    for _ in range(6):
        expected.append(int(TABLE[expected[-1]].argmax()))
    assert ids.tolist() == expected


def test_no_more_context_than_the_model_can_take():
    lengths = []

    def model(ids):
        lengths.append(ids.shape[-1])
        return bigram(ids)

    kb.write(model, np.array([0, 1]), 5, greedy, context=4)
    assert lengths == [2, 3, 4, 4, 4]
    lengths.clear()
    kb.write(model, np.array([0, 1]), 3, greedy)
    assert lengths == [2, 3, 4]


def test_what_is_written_has_the_frequencies_of_the_model():
    rng = np.random.default_rng(0)
    ids = kb.write(bigram, np.zeros((20_000, 1), int), 1, lambda logits: sample(logits, rng))
    counts = np.bincount(ids[:, 1], minlength=5)
    assert scipy.stats.chisquare(counts, 20_000 * softmax(TABLE[0])).pvalue > 1e-4


@settings(max_examples=30)
@given(st.floats(1e-3, 1e3), st.floats(-2, 2))
def test_an_exact_power_law_is_found(a, k):
    x = np.array([0.5, 1.0, 7.0, 300.0])
    np.testing.assert_allclose(kb.power_law(x, a * x**k), (a, k), rtol=1e-9, atol=1e-9)


def test_power_law_is_the_regression_of_the_logarithms():
    rng = np.random.default_rng(0)
    x, y = np.exp(rng.standard_normal(9)), np.exp(rng.standard_normal(9))
    line = scipy.stats.linregress(np.log(x), np.log(y))
    np.testing.assert_allclose(kb.power_law(x, y), (math.exp(line.intercept), line.slope), rtol=1e-10)


@pytest.mark.parametrize("flops", [1e18, 1e21, 5.76e23])
def test_compute_optimal_is_the_minimum_along_the_budget(flops):
    n, d = kb.compute_optimal(flops)
    assert math.isclose(kb.training_flops(n, d), flops, rel_tol=1e-12)

    def loss(log_n):
        return kb.chinchilla_loss(math.exp(log_n), flops / 6 / math.exp(log_n))

    found = scipy.optimize.minimize_scalar(loss, bounds=(math.log(n) - 3, math.log(n) + 3), method="bounded")
    assert math.isclose(found.x, math.log(n), abs_tol=1e-3)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_by_hand():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    surprises = kb.surprise(logits, np.array([1, 2]))
    np.testing.assert_allclose(surprises, [math.log(4), math.log(1.25)], rtol=1e-12)
    assert math.isclose(kb.text_perplexity(surprises), math.sqrt(5), rel_tol=1e-12)
    assert math.isclose(kb.bits_per_byte(surprises, 4), math.log2(5) / 4, rel_tol=1e-12)


def test_the_published_fit():
    """Chinchilla: 70 billion weights, 1.4 trillion tokens. 406.4 / 70e9^0.34 and 410.7 / 1.4e12^0.28 by logarithms."""
    expected = 1.69 + 10 ** (math.log10(406.4) - 0.34 * math.log10(70e9))
    expected += 10 ** (math.log10(410.7) - 0.28 * math.log10(1.4e12))
    assert math.isclose(kb.chinchilla_loss(70e9, 1.4e12), expected, rel_tol=1e-12)
    assert math.isclose(kb.training_flops(70e9, 1.4e12), 5.88e23, rel_tol=1e-12)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bad", [np.array([0, 4]), np.array([-1, 0]), np.array([0.0, 1.0])])
def test_targets_that_are_no_tokens(bad):
    with pytest.raises(ValueError, match="whole numbers from 0 to 3"):
        kb.surprise(np.zeros((2, 4)), bad)


def test_one_point_makes_no_line():
    with pytest.raises(ValueError, match="at least two points"):
        kb.power_law(np.ones(1), np.ones(1))


# ---- torch -------------------------------------------------------------------------------------------------------
def test_the_twins_that_take_a_model():
    import torch

    table = torch.tensor(TABLE)
    ids = np.array([[1, 2], [0, 4]])
    np.testing.assert_allclose(kt.next_token(lambda i: table[i], torch.tensor(ids)), kb.next_token(bigram, ids))
    written = kt.write(lambda i: table[i], torch.tensor(ids), 5, lambda z: z.argmax(-1), context=3)
    np.testing.assert_array_equal(written, kb.write(bigram, ids, 5, greedy, context=3))


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_perplexity_depends_on_the_tokens_and_bits_per_byte_does_not():
    """The same text, the same model of its bytes, cut into pieces of two bytes: the surprise adds up."""
    singles = np.array([1.0, 0.5, 2.0, 0.5])
    pairs = singles.reshape(2, 2).sum(axis=1)
    assert math.isclose(kb.bits_per_byte(singles, 4), kb.bits_per_byte(pairs, 4))
    assert kb.text_perplexity(pairs) > 2 * kb.text_perplexity(singles)
