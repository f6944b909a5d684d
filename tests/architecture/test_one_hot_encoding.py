import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.one_hot_encoding as kb
import kb.torch.architecture.one_hot_encoding as kt
from kb.foundations.vectors_and_dot_products import euclidean_distance
from tests.contract import Case, contract, gpu_contract

IDS = np.array([2, 0, 3, 2])
CASES = [
    Case(kb.one_hot, indices=IDS),
    Case(kb.one_hot, indices=IDS.reshape(2, 2), num_classes=6),
    Case(kb.one_hot, indices=np.array(1), num_classes=3),
    Case(kb.one_hot, indices=np.zeros((0, 2), int), num_classes=3),
    Case(kb.one_hot_product, indices=IDS, weight=(4, 3)),
    Case(kb.one_hot_product, indices=IDS.reshape(2, 2), weight=(5, 3)),
    Case(kb.one_hot_product, indices=np.array(1), weight=(5, 3)),
    Case(kb.category, vectors=(3, 4), differentiable=False),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.integers(9, 12))
def test_it_is_a_loop_over_places_and_can_be_read_back(ids, v):
    vectors = kb.one_hot(np.array(ids), v)
    assert vectors.tolist() == [[int(place == i) for place in range(v)] for i in ids]
    assert kb.category(vectors).tolist() == ids


@pytest.mark.parametrize("v", [2, 5, 200])
def test_every_two_are_perpendicular_and_the_root_of_2_apart(v):
    vectors = kb.one_hot(np.arange(v), v, dtype=np.float64)
    np.testing.assert_array_equal(vectors @ vectors.T, np.eye(v))
    distances = euclidean_distance(vectors[:, None], vectors[None])
    np.testing.assert_array_equal(distances, np.sqrt(2) * (1 - np.eye(v)))


def test_the_product_is_the_row_to_the_last_bit():
    """1 x w + 0 x anything finite is w exactly, in whatever order the sum is made."""
    weight = np.random.default_rng(0).standard_normal((50, 7)).astype(np.float32)
    ids = np.random.default_rng(1).integers(0, 50, (3, 20))
    np.testing.assert_array_equal(kb.one_hot_product(ids, weight), weight[ids])


def test_dtype():
    assert kb.one_hot(IDS).dtype == np.int64
    assert kb.one_hot(IDS, dtype=np.float32).dtype == np.float32
    assert kt.one_hot(torch.tensor(IDS), dtype=torch.float16).dtype == torch.float16


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_any_whole_numbers(dtype):
    np.testing.assert_array_equal(kb.one_hot(IDS.astype(dtype), 4), np.eye(4, dtype=int)[IDS])


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_by_hand():
    assert kb.one_hot(np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert kb.one_hot_product(np.array([1]), np.array([[1.0, 2], [3, 4]])).tolist() == [[3, 4]]


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("ids", "wrong"), [([0, 3], 3), ([-1, 0], -1)])
def test_an_index_outside_is_refused(ids, wrong):
    for call in (lambda: kb.one_hot(np.array(ids), 3), lambda: kb.one_hot_product(np.array(ids), np.ones((3, 2)))):
        with pytest.raises(ValueError, match=rf"one_hot: indices has {wrong}, expected 0 to 2"):
            call()
    with pytest.raises(ValueError, match=rf"lookup: indices has {wrong}, expected 0 to 2"):
        kt.refuse_outside("lookup", torch.tensor(ids), 3)


@pytest.mark.parametrize("bad", [np.array([1.0]), np.array([True])])
def test_what_is_not_whole_is_refused(bad):
    with pytest.raises(ValueError, match=f"one_hot: indices holds {bad.dtype}"):
        kb.one_hot(bad)
    with pytest.raises(ValueError, match="lookup: indices holds torch"):
        kt.refuse_outside("lookup", torch.tensor(bad), 3)


def test_nothing_without_a_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="indices is empty"):
        kb.one_hot(np.zeros(0, int))
    with pytest.raises(ValueError, match="indices has -1"):
        kb.one_hot(np.array([-1]))


# ---- mutation: numbers instead of one-hot vectors ----------------------------------------------------------------
def test_numbers_force_an_order_that_one_hot_vectors_do_not():
    """Least squares on the category's number draws a line through the middle; on one-hot vectors it fits any values."""
    ids, y = np.array([0, 1, 2]), np.array([1.0, 5.0, 1.0])
    for inputs, left in ((np.stack([ids, np.ones(3)], axis=1), 32 / 3), (kb.one_hot(ids).astype(float), 0)):
        fit = np.linalg.lstsq(inputs, y, rcond=None)[0]
        assert np.sum((inputs @ fit - y) ** 2) == pytest.approx(left, abs=1e-12)
