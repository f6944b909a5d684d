import math

import numpy as np
import pytest
import scipy.spatial.distance
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.neighbors import NearestNeighbors

import kb.foundations.vectors_and_dot_products as kb
import kb.torch.foundations.vectors_and_dot_products as kt
from kb.autograd.check import check_gradient
from kb.autograd.tensor import Tensor, grad
from kb.data.digits import load_digits, split
from tests.contract import Case, contract, gpu_contract

SHORT = np.array([[3e-9, -4e-9, 0.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]])  # shorter than eps, zero, ordinary
CASES = [
    Case(kb.dot, a=(4,), b=(4,)),
    Case(kb.dot, a=(5, 1, 4), b=(3, 4)),
    Case(kb.norm, a=(4,)),
    Case(kb.norm, a=(3, 4), axis=0, keepdims=True),
    Case(kb.normalize, x=(3, 4)),
    Case(kb.normalize, x=(3, 4), axis=0),
    Case(kb.normalize, differentiable=False, x=SHORT, eps=1e-8),
    Case(kb.cosine_similarity, a=(4,), b=(4,)),
    Case(kb.cosine_similarity, a=(5, 1, 4), b=(3, 4)),
    Case(kb.cosine_similarity, differentiable=False, a=(3, 4), b=(3, 4), eps=1.5),
    Case(kb.cosine_similarity, differentiable=False, a=SHORT, b=(3, 3)),
    Case(kb.euclidean_distance, a=(4,), b=(4,)),
    Case(kb.euclidean_distance, a=(5, 1, 4), b=(3, 4)),
    Case(kb.projection, a=(4,), b=(4,)),
    Case(kb.projection, a=(5, 1, 4), b=(3, 4)),
    Case(kb.nearest_neighbours, differentiable=False, query=(4,), vectors=(6, 4)),
    Case(kb.nearest_neighbours, differentiable=False, query=(2, 5, 4), vectors=(6, 4), k=3),
    Case(kb.nearest_neighbours, differentiable=False, query=(5, 4), vectors=(6, 4), k=6),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

EPS = np.finfo(float).eps
entries = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))  # no entry so small that its square is lost
pairs = st.integers(1, 8).flatmap(lambda d: st.tuples(*[hnp.arrays(np.float64, d, elements=entries)] * 2))
exhaustive = settings(max_examples=200)


# ---- invariants --------------------------------------------------------------------------------------------------
@exhaustive
@given(pairs)
def test_the_sum_of_a_plain_loop(pair):
    """Each of the d products and sums rounds once; fsum rounds once in all."""
    a, b = pair
    exact = math.fsum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    bound = (len(a) + 1) * EPS * math.fsum(abs(a * b).tolist())
    assert abs(kb.dot(a, b) - exact) <= bound
    assert kb.norm(a) == pytest.approx(math.hypot(*a), rel=(len(a) + 2) * EPS)
    assert kb.euclidean_distance(a, b) == pytest.approx(math.dist(a, b), rel=(len(a) + 2) * EPS)


@exhaustive
@given(pairs, st.floats(0.1, 10), st.floats(0.1, 10))
def test_lengths_change_the_dot_product_and_not_the_cosine(pair, s, t):
    a, b = pair
    size = math.hypot(*a) * math.hypot(*b) * s * t
    assert kb.dot(s * a, t * b) == pytest.approx(s * t * kb.dot(a, b), abs=20 * EPS * size)
    assert kb.cosine_similarity(s * a, t * b) == pytest.approx(kb.cosine_similarity(a, b), abs=40 * EPS)


@exhaustive
@given(pairs)
def test_a_cosine_lies_between_minus_1_and_1(pair):
    """Cauchy and Schwarz; and a vector is entirely similar to itself, and to itself reversed entirely not."""
    a, b = pair
    assert abs(kb.cosine_similarity(a, b)) <= 1 + 20 * EPS
    if np.any(a):
        np.testing.assert_allclose(kb.cosine_similarity(a, np.stack([a, -a])), [1, -1], rtol=20 * EPS)


@exhaustive
@given(pairs)
def test_distance_and_dot_product_hold_the_same_information(pair):
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a.b, and for unit vectors 2 - 2 cos."""
    a, b = pair
    size = math.hypot(*a) ** 2 + math.hypot(*b) ** 2
    expected = kb.dot(a, a) + kb.dot(b, b) - 2 * kb.dot(a, b)
    assert kb.euclidean_distance(a, b) ** 2 == pytest.approx(expected, abs=40 * EPS * size)
    if np.any(a) and np.any(b):
        distance = kb.euclidean_distance(kb.normalize(a), kb.normalize(b))
        assert distance**2 == pytest.approx(2 - 2 * kb.cosine_similarity(a, b), abs=100 * EPS)


@exhaustive
@given(pairs)
def test_what_a_projection_leaves_is_perpendicular(pair):
    a, b = pair
    if np.any(b):
        shadow = kb.projection(a, b)
        assert kb.dot(a - shadow, b) == pytest.approx(0, abs=40 * EPS * math.hypot(*a) * math.hypot(*b))
        np.testing.assert_allclose(kb.projection(shadow, b), shadow, rtol=0, atol=40 * EPS * math.hypot(*a))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_a_cosine_along_any_axis_is_that_of_torch(axis):
    a, b = np.random.default_rng(0).standard_normal((2, 3, 3, 3))
    expected = torch.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=axis)
    np.testing.assert_allclose(kb.cosine_similarity(a, b, axis), expected, rtol=1e-13, atol=1e-15)


def test_an_axis_from_the_front_is_that_of_the_result_of_broadcasting():
    a, b = np.random.default_rng(0).standard_normal((4, 3, 2)), np.random.default_rng(1).standard_normal((3, 2))
    expected = torch.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=1)
    np.testing.assert_allclose(kb.cosine_similarity(a, b, axis=1), expected, rtol=1e-13)
    np.testing.assert_allclose(kb.cosine_similarity(b, a, axis=1), expected, rtol=1e-13)


def test_a_length_over_several_axes():
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    np.testing.assert_allclose(kb.norm(a, axis=(0, 2)), [np.linalg.norm(a[:, i]) for i in range(3)], rtol=1e-14)


def test_the_same_as_scipy():
    a, b = np.random.default_rng(0).standard_normal((2, 7, 5))
    for i in range(7):
        assert 1 - kb.cosine_similarity(a, b)[i] == pytest.approx(scipy.spatial.distance.cosine(a[i], b[i]), rel=1e-13)
        assert kb.euclidean_distance(a, b)[i] == pytest.approx(scipy.spatial.distance.euclidean(a[i], b[i]), rel=1e-14)


def test_a_matrix_times_a_vector_is_a_batch_of_dot_products():
    weight, x = np.random.default_rng(0).standard_normal((6, 4)), np.random.default_rng(1).standard_normal(4)
    np.testing.assert_allclose(weight @ x, kb.dot(weight, x), rtol=1e-13)
    queries, keys = np.random.default_rng(2).standard_normal((2, 5, 4))
    np.testing.assert_allclose(queries @ keys.T, kb.dot(queries[:, None], keys), rtol=1e-13)


# ---- nearest neighbours ------------------------------------------------------------------------------------------
@exhaustive
@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 1000), st.data())
def test_neighbours_are_those_of_a_plain_loop(n, d, seed, data):
    """Sort all n cosines of each query and keep the first k. Random cosines do not tie."""
    k = data.draw(st.integers(1, n))
    rng = np.random.default_rng(seed)
    queries, vectors = rng.standard_normal((3, max(d, 2))), rng.standard_normal((n, max(d, 2)))
    cosine, place = kb.nearest_neighbours(queries, vectors, k)
    for i, query in enumerate(queries):
        all_of_them = [float(kb.cosine_similarity(query, vector)) for vector in vectors]
        expected = sorted(range(n), key=lambda j: -all_of_them[j])[:k]
        assert place[i].tolist() == expected
        np.testing.assert_allclose(cosine[i], [all_of_them[j] for j in expected], rtol=1e-12, atol=1e-15)


def test_neighbours_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    queries, vectors = rng.standard_normal((40, 16)), rng.standard_normal((500, 16))
    theirs = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(vectors)
    distance, expected = theirs.kneighbors(queries)
    cosine, place = kb.nearest_neighbours(queries, vectors, 7)
    np.testing.assert_array_equal(place, expected)
    np.testing.assert_allclose(1 - cosine, distance, rtol=1e-12)


def test_equal_neighbours_come_in_the_order_of_their_places():
    vectors = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    cosine, place = kb.nearest_neighbours(np.array([2.0, 0.0]), vectors, 4)
    assert place.tolist() == [1, 2, 4, 0]
    assert cosine.tolist() == [1, 1, 1, 0]


def test_the_slope_of_a_neighbours_cosine_is_that_of_the_cosine():
    rng = np.random.default_rng(0)
    query, vectors = rng.standard_normal(4), rng.standard_normal((6, 4))
    best = kb.nearest_neighbours(query, vectors)[1][0]
    found = grad(lambda q: np.sum(kb.nearest_neighbours(q, vectors)[0]))(query)
    np.testing.assert_allclose(found, grad(lambda q: kb.cosine_similarity(q, vectors[best]))(query), rtol=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_films_by_hand():
    taste = np.array([2.0, 1.0])
    films = np.array([[1.0, 2.0], [-1.0, 2.0], [-3.0, 2.0], [2.0, 4.0], [1.0, 0.5]])
    assert kb.dot(taste, films).tolist() == [4, 0, -4, 8, 2.5]
    np.testing.assert_allclose(
        kb.cosine_similarity(taste, films), [0.8, 0, -4 / math.sqrt(65), 0.8, 1], rtol=1e-15, atol=1e-16
    )


def test_a_right_angled_triangle_by_hand():
    a, b = np.array([3.0, 4.0]), np.array([5.0, 0.0])
    assert kb.norm(a) == 5
    assert kb.normalize(a).tolist() == [0.6, 0.8]
    assert kb.dot(a, b) == 15
    assert kb.cosine_similarity(a, b) == pytest.approx(0.6, rel=1e-15)
    assert kb.projection(a, b).tolist() == [3, 0]
    assert kb.euclidean_distance(a, b) == pytest.approx(math.sqrt(20), rel=1e-15)


def test_zeros_are_similar_to_nothing():
    zeros, b = np.zeros(3), np.ones(3)
    assert kb.cosine_similarity(zeros, b) == kb.cosine_similarity(b, zeros) == kb.cosine_similarity(zeros, zeros) == 0
    assert kb.normalize(zeros).tolist() == [0, 0, 0]
    np.testing.assert_array_equal(grad(lambda x: np.sum(kb.normalize(x, eps=0.5)))(zeros), [2, 2, 2])  # x / eps


# ---- mutation: without the lengths ---------------------------------------------------------------------------------
def test_without_the_lengths_the_brightest_images_win():
    """The nearest digit reads 98 % of the held-out ones by cosine; by plain dot product one in three is wrong."""
    train, held_out = split(load_digits())
    vectors, queries = (part.images.reshape(len(part), -1) for part in (train, held_out))
    by_cosine = kb.nearest_neighbours(queries, vectors)[1][:, 0]
    by_dot = (queries @ vectors.T).argmax(-1)
    assert np.mean(train.labels[by_cosine] == held_out.labels) > 0.97
    assert np.mean(train.labels[by_dot] == held_out.labels) < 0.75
    assert kb.norm(vectors)[by_dot].mean() > np.quantile(kb.norm(vectors), 0.95)
    assert kb.norm(vectors)[by_cosine].mean() < np.quantile(kb.norm(vectors), 0.6)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_integers_are_refused(dtype):
    whole, real = np.ones(3, dtype), np.ones(3)
    for call in (
        lambda: kb.dot(whole, real),
        lambda: kb.dot(real, whole),
        lambda: kb.norm(whole),
        lambda: kb.normalize(whole),
        lambda: kb.cosine_similarity(real, whole),
        lambda: kb.euclidean_distance(whole, real),
        lambda: kb.euclidean_distance(real, whole),
        lambda: kb.nearest_neighbours(real, whole[None]),
    ):
        with pytest.raises(ValueError, match=f"holds {np.dtype(dtype)}, expected floating-point"):
            call()


def test_a_uint8_dot_product_would_have_been_wrong():
    a, b = np.array([200], np.uint8), np.array([2], np.uint8)
    assert np.sum(a * b) == 144


@pytest.mark.parametrize("k", [0, -1, 7])
def test_as_many_neighbours_as_there_are(k):
    with pytest.raises(ValueError, match=f"k is {k}, expected 1 to 6"):
        kb.nearest_neighbours(np.ones(4), np.ones((6, 4)), k)


def test_lengths_that_differ_along_another_axis_are_refused():
    for b in (np.ones((1, 2)), np.ones(2)):
        with pytest.raises(ValueError, match=r"a \(3, 2\) and b .* differ along axis -2"):
            kb.cosine_similarity(np.ones((3, 2)), b, axis=0)


def test_zeros_have_no_line():
    with pytest.raises(ValueError, match="b is a vector of zeros"):
        kb.projection(np.ones((2, 3)), np.array([[1.0, 0, 0], [0, 0, 0]]))


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_gradients_by_finite_differences():
    a, b = np.random.default_rng(0).standard_normal((2, 3, 4))
    for f in (kb.dot, kb.cosine_similarity, kb.euclidean_distance, kb.projection):
        check_gradient(f, a, b)
    check_gradient(kb.normalize, a)


def test_below_eps_the_gradient_is_the_slope_of_what_is_computed():
    """Below eps a vector is divided by a constant. torch clamps outside of its graph and keeps the length's slope."""
    a, b = np.array([0.3, 0.4]), np.array([1.0, 0.0])
    check_gradient(lambda x: kb.cosine_similarity(x, b, eps=1.0), a)
    leaf = torch.tensor(a, requires_grad=True)
    torch.cosine_similarity(leaf, torch.tensor(b), dim=0, eps=1.0).backward()
    np.testing.assert_allclose(grad(lambda x: kb.cosine_similarity(x, b, eps=1.0))(a), [1, 0], rtol=1e-15)
    assert abs(leaf.grad.numpy() - [1, 0]).max() > 0.1


def test_a_cosine_has_no_slope_along_its_own_vector():
    """Longer or shorter changes nothing, so the gradient is perpendicular to the vector."""
    a, b = np.random.default_rng(0).standard_normal((2, 5))
    leaf = Tensor(a)
    kb.cosine_similarity(leaf, b).backward()
    assert kb.dot(leaf.grad, a) == pytest.approx(0, abs=1e-15)
