"""Unembedding: what proves kb.architecture.unembedding."""

import math

import numpy as np
import pytest

import kb.architecture.unembedding as kb
import kb.torch.architecture.unembedding as kt
from figures import small_vocabulary as sv
from kb.autograd.tensor import Tensor
from tests.contract import Case, contract, gpu_contract

CASES = [
    Case(kb.unembed, x=(4,), weight=(7, 4)),
    Case(kb.unembed, x=(3, 4), weight=(7, 4)),
    Case(kb.unembed, x=(2, 3, 4), weight=(7, 4)),
    Case(kb.unembed_last, x=(3, 4), weight=(7, 4)),
    Case(kb.unembed_last, x=(2, 3, 4), weight=(7, 4)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def arrays(t=3, d=4, v=7):
    rng = np.random.default_rng(0)
    return rng.standard_normal((t, d)), rng.standard_normal((v, d))


# ---- invariants --------------------------------------------------------------------------------------------------
def test_each_score_is_a_dot_product_by_a_plain_loop():
    x, weight = arrays()
    expected = [[sum(a * b for a, b in zip(row, token, strict=True)) for token in weight] for row in x]
    np.testing.assert_allclose(kb.unembed(x, weight), expected, rtol=1e-14)


def test_the_last_position_is_the_last_row_of_all():
    x, weight = arrays()
    np.testing.assert_allclose(kb.unembed_last(x, weight), kb.unembed(x, weight)[-1], rtol=1e-14)


def test_a_token_gets_its_own_vectors_length_squared():
    """Tied weights: unembedding the embedding of token i scores token j by the dot product of the two rows."""
    _, weight = arrays()
    np.testing.assert_allclose(np.diag(kb.unembed(weight, weight)), np.sum(weight * weight, axis=1), rtol=1e-14)


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_three_tokens_by_hand():
    weight = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]])
    np.testing.assert_array_equal(kb.unembed(np.array([3.0, 0.5]), weight), [3, 0.5, -2])


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fn", [kb.unembed_last, kt.unembed_last])
def test_a_text_without_positions_is_refused(fn):
    import torch

    x, weight = np.ones((2, 0, 4)), np.ones((7, 4))
    if fn is kt.unembed_last:
        x, weight = torch.tensor(x), torch.tensor(weight)
    with pytest.raises(ValueError, match=r"x \(2, 0, 4\) has no position"):
        fn(x, weight)


def test_an_unembedding_stored_the_other_way_round_is_refused():
    """The mutation that a square matrix would hide: (d, v) instead of (v, d)."""
    x, weight = arrays()
    with pytest.raises(ValueError, match=r"weight has shape \(4, 7\), expected \(v, d\) with d = 4"):
        kb.unembed(x, weight.T)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_a_tied_matrix_gets_the_sum_of_both_gradients():
    """Looked up at the start and multiplied at the end: one gradient from each place, and they add."""
    ids, seed = np.array([2, 5, 2]), np.random.default_rng(1).standard_normal((3, 7))
    tied, first, second = (Tensor(arrays()[1]) for _ in range(3))
    np.sum(kb.unembed(np.tanh(tied[ids]), tied) * seed).backward()
    np.sum(kb.unembed(np.tanh(first[ids]), second) * seed).backward()
    np.testing.assert_allclose(tied.grad, first.grad + second.grad, rtol=1e-14)
    assert np.count_nonzero(first.grad.any(1)) == 2, "looking up reaches the tokens of the text only"
    assert np.count_nonzero(second.grad.any(1)) == 7, "scoring reaches every token"


def test_only_the_last_position_learns_from_the_last_scores():
    x, weight = (Tensor(a) for a in arrays())
    np.sum(kb.unembed_last(x, weight)).backward()
    assert x.grad.any(1).tolist() == [False, False, True]


# ---- mutation: one matrix for both ends, and nothing between them ------------------------------------------------
def test_the_counting_song_needs_two_matrices_or_a_layer_between():
    """Tied and alone the table of scores is symmetric and has no negative eigenvalue. The cost is convex in the table
    and blind to which word is called one, so the best such table has one number on the diagonal and at most that one
    beside it: at least log 3 each."""
    assert sv.song_costs("untied")[-1] < 0.001
    assert sv.song_costs("tied, with a layer between")[-1] < 0.001
    assert sv.song_costs("tied")[-1] == pytest.approx(math.log(3), rel=1e-12)


def test_the_six_tokens_of_the_page():
    """The longest wins over the best aligned."""
    z = kb.unembed(sv.FINAL, sv.WEIGHT)
    np.testing.assert_allclose(z, [2 * a + 0.8 * b for a, b in sv.WEIGHT], rtol=1e-15)
    cosines = z / np.linalg.norm(sv.WEIGHT, axis=1) / np.linalg.norm(sv.FINAL)
    assert (sv.TOKENS[z.argmax()], sv.TOKENS[cosines.argmax()]) == ("mat", "sofa")
