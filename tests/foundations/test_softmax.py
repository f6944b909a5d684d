import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kb.foundations.softmax as kb
import kb.torch.foundations.softmax as kt
from kb.autograd.tensor import Tensor
from tests.contract import Case, contract, gpu_contract

HIDDEN = np.array([[1.0, -np.inf, 2.0], [-np.inf, -np.inf, 0.5]])  # scores of which some are masked
CASES = [
    Case(kb.softmax, x=(5,)),
    Case(kb.softmax, x=(2, 5)),
    Case(kb.softmax, x=(2, 5), axis=0),
    Case(kb.softmax, x=(2, 3, 5), axis=1),
    Case(kb.softmax, x=HIDDEN),
    Case(kb.log_softmax, x=(2, 5)),
    Case(kb.log_softmax, x=(2, 3, 5), axis=-2),
    Case(kb.logsumexp, x=(2, 5)),
    Case(kb.logsumexp, x=(2, 5), keepdims=True),
    Case(kb.logsumexp, x=(2, 3, 5), axis=1),
    Case(kb.logsumexp, x=(2, 3, 5), axis=-1, keepdims=True),
    Case(kb.logsumexp, x=HIDDEN, axis=1),
    Case(kb.softmax_jacobian, p=(4,)),
    Case(kb.softmax_jacobian, p=(2, 4)),
    Case(kb.softmax_backward, grad=(2, 4), p=(2, 4)),
    Case(kb.softmax_backward, grad=(3, 1, 4), p=(2, 4)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

SCORES = np.array([2.0, 1.0, 0.1])
BOTH_TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def rows(limit, dtype=np.float64):
    """Tables of 1 to 6 scores a row, up to `limit` in size; few distinct ones too, so that there are ties."""
    entries = st.floats(-limit, limit, width=np.dtype(dtype).itemsize * 8) | st.sampled_from([0.0, limit, -limit])
    return hnp.arrays(dtype, st.tuples(st.integers(1, 3), st.integers(1, 6)), elements=entries)


def by_a_plain_loop(row):
    powers = [math.exp(z - max(row)) for z in row]
    return [power / math.fsum(powers) for power in powers]


# ---- invariants: any scores, at 1e300 too; a RuntimeWarning would be an error ------------------------------------
@settings(max_examples=200)
@given(rows(1e300) | rows(30.0))
def test_any_scores_give_a_distribution_in_the_same_order(x):
    p = kb.softmax(x)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-15)
    np.testing.assert_allclose(p, [by_a_plain_loop(row) for row in x.tolist()], rtol=1e-14, atol=0)
    for shares, scores in zip(p, x, strict=True):
        assert np.all(np.diff(shares[np.argsort(scores)]) >= 0)


@settings(max_examples=100)
@given(rows(1e300) | rows(30.0))
def test_the_same_as_scipy(x):
    np.testing.assert_allclose(kb.softmax(x), scipy.special.softmax(x, axis=-1), rtol=1e-14)
    np.testing.assert_allclose(kb.log_softmax(x), scipy.special.log_softmax(x, axis=-1), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(kb.logsumexp(x), scipy.special.logsumexp(x), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(kb.logsumexp(x, axis=0), scipy.special.logsumexp(x, axis=0), rtol=1e-14, atol=1e-15)


@settings(max_examples=100)
@given(rows(1e300) | rows(30.0))
def test_logsumexp_lies_between_the_maximum_and_log_n_more(x):
    largest, rounding = x.max(-1), 4 * np.finfo(float).eps * (1 + np.abs(x.max(-1)))
    out = kb.logsumexp(x, axis=-1)
    assert np.all(out >= largest)
    assert np.all(out <= largest + math.log(x.shape[-1]) + rounding)


@BOTH_TYPES
def test_the_largest_floats_there_are(dtype):
    """A gap of twice the largest float overflows to -inf, and e^-inf = 0 is right."""
    huge = np.array([np.finfo(dtype).max, np.finfo(dtype).min], dtype)
    np.testing.assert_array_equal(kb.softmax(huge), [1, 0])
    np.testing.assert_array_equal(kb.log_softmax(huge), [0, -np.inf])
    assert kb.logsumexp(huge) == huge[0]


def test_axes_may_be_several():
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    expected = scipy.special.logsumexp(x, axis=(0, 2))
    np.testing.assert_allclose(kb.logsumexp(x, axis=(0, 2)), expected, rtol=1e-15)
    assert kb.logsumexp(x, axis=(0, 2), keepdims=True).shape == (1, 3, 1)
    np.testing.assert_allclose(kb.softmax(x, axis=(0, 2)).sum((0, 2)), 1, rtol=1e-15)


def test_shifting_all_scores_changes_nothing_and_stretching_them_does():
    """The shift is a power of two times a small number, so that adding it rounds nothing away."""
    x = np.array([2.0, 1.0, 0.125])
    for shift in (-1024.0, -1.0, 4.0, 1024.0):
        np.testing.assert_array_equal(kb.softmax(x + shift), kb.softmax(x))
    assert np.abs(kb.softmax(2 * x) - kb.softmax(x)).max() > 0.1


def test_temperature():
    """T to 0 is argmax, T to infinity is uniform, and in between the largest share falls."""
    np.testing.assert_array_equal(kb.softmax(SCORES / 1e-3), [1, 0, 0])
    np.testing.assert_allclose(kb.softmax(SCORES / 1e9), 1 / 3, rtol=2e-9)
    largest = [kb.softmax(SCORES / t)[0] for t in (0.1, 0.5, 1, 2, 10)]
    assert largest == sorted(largest, reverse=True)
    np.testing.assert_allclose(kb.softmax(np.array([3.0, 3.0, 1.0]) / 1e-3), [0.5, 0.5, 0])


def test_the_logarithm_of_a_share_too_small_for_a_float():
    x = np.array([0.0, -1000.0], np.float32)
    assert kb.softmax(x)[1] == 0
    assert kb.log_softmax(x)[1] == -1000


def test_the_logarithm_of_a_share_of_huge_scores():
    """x - logsumexp(x) would give 0: next to 1e8 (float32: 1e8 +- 4) the logarithm of 2 is lost."""
    np.testing.assert_array_equal(kb.log_softmax(np.array([1e300, 1e300])), [-math.log(2)] * 2)
    np.testing.assert_allclose(kb.log_softmax(np.array([1e8, 1e8], np.float32)), [-math.log(2)] * 2, rtol=1e-7)


# ---- rows of nothing but -inf ------------------------------------------------------------------------------------
def test_a_row_of_nothing_but_minus_infinity():
    """No distribution: nan from softmax, as in torch, with NumPy's warning. The sum of no powers is 0, log 0 = -inf."""
    import torch

    x = np.array([[-np.inf, -np.inf], [0.0, -np.inf]])
    with pytest.warns(RuntimeWarning, match="invalid value"):
        p = kb.softmax(x)
    np.testing.assert_array_equal(p, torch.softmax(torch.tensor(x), -1).numpy())
    np.testing.assert_array_equal(p, [[np.nan, np.nan], [1, 0]])
    with pytest.warns(RuntimeWarning, match="invalid value"):
        log_p = kb.log_softmax(x)
    np.testing.assert_array_equal(log_p, torch.log_softmax(torch.tensor(x), -1).numpy())
    np.testing.assert_array_equal(kb.logsumexp(x, axis=-1), torch.logsumexp(torch.tensor(x), -1).numpy())
    assert kb.logsumexp(x, axis=-1).tolist() == [-np.inf, 0]


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_three_scores_by_hand():
    powers = np.exp(SCORES)
    assert [f"{power:.2f}" for power in [*powers, powers.sum()]] == ["7.39", "2.72", "1.11", "11.21"]
    assert [f"{share:.3f}" for share in kb.softmax(SCORES)] == ["0.659", "0.242", "0.099"]


def test_logarithms_by_hand():
    """e^log 1 + e^log 2 + e^log 5 = 8."""
    x = np.log([1.0, 2.0, 5.0])
    np.testing.assert_allclose(kb.softmax(x), [1 / 8, 2 / 8, 5 / 8], rtol=1e-15)
    np.testing.assert_allclose(kb.logsumexp(x), math.log(8), rtol=1e-15)
    np.testing.assert_allclose(kb.softmax_jacobian(np.array([0.25, 0.75])), [[3 / 16, -3 / 16], [-3 / 16, 3 / 16]])


# ---- the maximum, and without it ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("dtype", "printed"), [(np.float32, "88.7"), (np.float64, "709.8")])
def test_the_naive_form_overflows_beyond_the_logarithm_of_the_largest_float(dtype, printed):
    limit = math.log(np.finfo(dtype).max)
    assert f"{limit:.1f}" == printed
    below, above = (np.array([z, 0], dtype) for z in (limit - 0.01, limit + 0.01))
    assert np.isfinite(np.exp(below)).all()
    with pytest.raises(RuntimeWarning, match="overflow"):
        np.exp(above)
    np.testing.assert_array_equal(kb.softmax(above).round(6), [1, 0])


@BOTH_TYPES
def test_without_the_maximum_it_breaks_and_only_there(dtype, monkeypatch):
    """The mutation: the same shares as long as the powers fit in a float."""
    small, large = np.array([2, 1, 0.1], dtype), np.array([1000, 999, 0], dtype)
    right = kb.softmax(small)
    assert np.isfinite(kb.softmax(large)).all()
    monkeypatch.setattr(kb, "_gap", lambda x, top: x)
    np.testing.assert_allclose(kb.softmax(small), right, rtol=4 * np.finfo(dtype).eps)
    with pytest.raises(RuntimeWarning, match="overflow"):
        kb.softmax(large)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fn", [kb.softmax, kb.log_softmax, kb.logsumexp])
def test_integers_and_lists_are_refused(fn):
    with pytest.raises(ValueError, match="x must be floating-point, not uint8"):
        fn(np.array([1, 2], np.uint8))
    with pytest.raises(ValueError, match="x must be an array, not list"):
        fn([1.0, 2.0])


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_the_jacobian_is_the_slope():
    """Central differences err by h^2 / 6 times the third derivative (below 1) and eps / h: 1e-9 covers both."""
    import torch

    h, p = 1e-5, kb.softmax(SCORES)
    slopes = np.stack([(kb.softmax(SCORES + h * e) - kb.softmax(SCORES - h * e)) / (2 * h) for e in np.eye(3)], axis=-1)
    jacobian = kb.softmax_jacobian(p)
    np.testing.assert_allclose(jacobian, slopes, atol=1e-9)
    theirs = torch.autograd.functional.jacobian(lambda x: torch.softmax(x, -1), torch.tensor(SCORES))
    np.testing.assert_allclose(jacobian, theirs.numpy(), rtol=1e-14)
    np.testing.assert_allclose(jacobian.sum(0), 0, atol=1e-16)
    np.testing.assert_allclose(jacobian.sum(1), 0, atol=1e-16)


def test_the_short_backward_is_the_product_with_the_jacobian():
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 4, 5))
    p, leaf = kb.softmax(x), Tensor(x)
    kb.softmax(leaf).backward(g)
    expected = (g[:, None] @ kb.softmax_jacobian(p))[:, 0]
    np.testing.assert_allclose(kb.softmax_backward(g, p), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-13, atol=1e-15)
