"""Logits: what proves kb.architecture.logits."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kb.architecture.logits as kb
import kb.torch.architecture.logits as kt
from kb.autograd.tensor import grad
from kb.foundations.softmax import softmax
from kb.learning.cost_function import cross_entropy
from tests.contract import Case, contract, gpu_contract

CASES = [
    Case(kb.log_odds, logits=(5,)),
    Case(kb.log_odds, logits=(2, 5)),
    Case(kb.log_odds, logits=(2, 3, 2)),
    Case(kb.centre, logits=(5,)),
    Case(kb.centre, logits=(2, 5)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

rows = hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(2, 6)), elements=st.floats(-300, 300))


def by_a_plain_loop(row):
    """z_i minus the log-sum-exp of the others, each sum exact (fsum)."""
    out = []
    for i, z in enumerate(row):
        others = [other for j, other in enumerate(row) if j != i]
        top = max(others)
        out.append(z - top - math.log(math.fsum(math.exp(other - top) for other in others)))
    return out


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=100)
@given(rows)
def test_log_odds_are_those_of_a_plain_loop(z):
    """The numbers pass through log_softmax, of size up to 600: a rounding there is 600 eps."""
    np.testing.assert_allclose(kb.log_odds(z), [by_a_plain_loop(row) for row in z.tolist()], rtol=1e-13, atol=3e-13)


@settings(max_examples=50)
@given(rows)
def test_the_sigmoid_of_the_log_odds_is_the_probability(z):
    np.testing.assert_allclose(scipy.special.expit(kb.log_odds(z)), softmax(z), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_odds_where_the_probability_rounds_to_one(dtype):
    """The naive form log p - log(1 - p) has lost everything there: p is 1, and log 0 is -inf."""
    z = np.array([50.0, 0.0, 0.0], dtype)
    assert softmax(z)[0] == 1
    np.testing.assert_allclose(kb.log_odds(z), [50 - math.log(2), -50, -50], rtol=4 * np.finfo(dtype).eps)


def test_two_tokens_differ_by_their_log_odds():
    z = np.array([1.5, -0.25])
    np.testing.assert_allclose(kb.log_odds(z), [1.75, -1.75], rtol=1e-15)


@settings(max_examples=50)
@given(rows, st.floats(-100, 100))
def test_a_constant_changes_neither(z, constant):
    np.testing.assert_allclose(kb.log_odds(z + constant), kb.log_odds(z), rtol=0, atol=1e-11)
    np.testing.assert_allclose(kb.centre(z + constant), kb.centre(z), rtol=0, atol=1e-12)
    np.testing.assert_allclose(softmax(kb.centre(z)), softmax(z), rtol=1e-11, atol=1e-300)


def test_a_second_softmax_cannot_give_more_than_e_to_1():
    """Shares lie in 0..1, so after a second softmax the largest ratio is e; also for a model that is certain."""
    certain = np.where(np.arange(50_257) == 3, 100.0, 0.0)
    once, twice = softmax(certain), softmax(softmax(certain))
    assert once[3] == 1
    np.testing.assert_allclose(twice[3], math.e / (math.e + 50_256), rtol=1e-12)
    np.testing.assert_allclose(twice.max() / twice.min(), math.e, rtol=1e-12)


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_three_tokens_by_hand():
    """Powers 1, 2, 5: odds 1 to 7, 2 to 6, 5 to 3."""
    np.testing.assert_allclose(kb.log_odds(np.log([1.0, 2.0, 5.0])), np.log([1 / 7, 2 / 6, 5 / 3]), rtol=1e-14)
    np.testing.assert_array_equal(kb.centre(np.array([1.0, 2.0, 6.0])), [-2, -1, 3])


def test_masked_tokens_and_ties():
    out = kb.log_odds(np.array([[0.0, -np.inf, 0.0], [2.0, -np.inf, -np.inf], [1.0, 1.0, 1.0]]))
    np.testing.assert_allclose(out[0], [0, -np.inf, 0], atol=1e-15)
    assert out[1].tolist() == [np.inf, -np.inf, -np.inf]
    np.testing.assert_allclose(out[2], [-math.log(2)] * 3, rtol=1e-15)


# ---- error messages ----------------------------------------------------------------------------------------------
def test_integers_are_refused():
    with pytest.raises(ValueError, match="x must be floating-point, not int64"):
        kb.log_odds(np.array([1, 2]))


# ---- mutation: softmax twice -------------------------------------------------------------------------------------
def test_softmax_twice_trains_a_thousand_times_more_slowly():
    """One softmax: the slope at the right of v equal scores is 1/v - 1. Two: that of the second, 1/v - 1, goes back
    through the Jacobian of the first, diag(p) - p p^T with p = 1/v, and comes out as (1/v - 1) / v."""
    v, right = 1000, np.array([0])
    once = grad(lambda z: cross_entropy(z, right))(np.zeros((1, v)))[0, 0]
    twice = grad(lambda z: cross_entropy(softmax(z), right))(np.zeros((1, v)))[0, 0]
    assert once == pytest.approx(1 / v - 1, rel=1e-12)
    assert twice == pytest.approx((1 / v - 1) / v, rel=1e-12)
