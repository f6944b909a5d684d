"""The Johnson-Lindenstrauss lemma: what proves kb.architecture.johnson_lindenstrauss and the record of the page."""

import itertools
import math

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sklearn.random_projection import johnson_lindenstrauss_min_dim

from kb.architecture import johnson_lindenstrauss as kb
from kb.foundations.high_dimensional_geometry import random_directions
from kb.torch.architecture import johnson_lindenstrauss as kt
from tests.contract import EPS32, Case, contract, gpu_contract
from training import johnson_lindenstrauss as training

UNIT = random_directions(np.random.default_rng(3).standard_normal((9, 4)))
CASES = [
    Case(kb.random_projection, x=(5, 7), noise=(7, 3)),
    Case(kb.random_projection, x=(2, 5, 7), noise=(7, 1)),
    Case(kb.distance_ratios, x=(5, 7), y=(5, 3)),
    Case(kb.largest_cosine, x=UNIT),
    Case(kb.spread_step, differentiable=False, x=UNIT, sharpness=5.0, lr=0.1),
    Case(kb.greedy_packing, differentiable=False, candidates=UNIT, cosine=0.6),
    Case(kb.room, d=np.array([[3.0], [100.0]]), cosine=np.array([0.1, 0.5])),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.integers(2, 10**6), st.floats(0.01, 0.99))
def test_the_dimension_is_that_of_scikit_learn(n, eps):
    """Which rounds down what must be rounded up."""
    assert kb.jl_dimension(n, eps) - johnson_lindenstrauss_min_dim(n, eps=eps) in (0, 1)


@pytest.mark.parametrize(("n", "eps"), [(2, 0.1), (1000, 0.2), (10**6, 0.5)])
def test_at_that_dimension_the_union_bound_is_below_1_and_one_below_it_is_not_promised(n, eps):
    k = kb.jl_dimension(n, eps)
    assert kb.jl_failure_bound(n, k, eps) <= 1 - 1 / n < 1
    assert kb.jl_failure_bound(n, 2 * k, eps) <= 1 / (n * n)
    assert 4 * math.log(n) / (eps**2 / 2 - eps**3 / 3) > k - 1


def test_the_bound_of_one_pair_holds_for_the_chi_square_distribution():
    """k times the ratio of one pair has the chi-square distribution with k degrees; jl_failure_bound(2, ...) is 2 p."""
    for k, eps in itertools.product((5, 50, 500), (0.1, 0.5, 0.9)):
        chi = scipy.stats.chi2(k)
        miss = chi.cdf(k * (1 - eps)) + chi.sf(k * (1 + eps))
        assert kb.jl_failure_bound(2, k, eps) >= miss


def test_a_projection_keeps_squared_distances_on_average():
    """The mean of k squares of normal numbers has the standard deviation sqrt(2 / k); 200 projections, five errors."""
    x = np.random.default_rng(0).standard_normal((2, 30))
    noise = np.random.default_rng(1).standard_normal((200, 30, 8))
    ratios = [kb.distance_ratios(x, kb.random_projection(x, part))[0] for part in noise]
    assert np.mean(ratios) == pytest.approx(1, abs=5 * math.sqrt(2 / 8 / 200))
    assert np.std(ratios) == pytest.approx(math.sqrt(2 / 8), rel=0.3)


def test_ratios_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 5)), rng.standard_normal((12, 3))
    pdist = scipy.spatial.distance.pdist
    np.testing.assert_allclose(kb.distance_ratios(x, y), (pdist(y) / pdist(x)) ** 2, rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(3, 2), (6, 3), (16, 6), (28, 7), (276, 23)])
def test_where_equiangular_lines_exist_the_welch_bound_is_their_cosine(n, d):
    """n lines with one angle between any two: 1/2, 1/sqrt 5, 1/3, 1/3, 1/5 (Lemmens and Seidel 1973)."""
    cosine = {3: 0.5, 6: 1 / math.sqrt(5), 16: 1 / 3, 28: 1 / 3, 276: 1 / 5}[n]
    assert kb.welch_bound(n, d) == pytest.approx(cosine, rel=1e-14)


def test_no_arrangement_beats_the_bounds():
    for seed, (n, d) in enumerate([(3, 2), (5, 3), (30, 4), (200, 6)]):
        x = random_directions(np.random.default_rng(seed).standard_normal((n, d)))
        for step in range(300):
            x = kb.spread_step(x, 20.0 + step, 0.1 * (1 - step / 300))
        assert kb.welch_bound(n, d) <= kb.levenshtein_bound(n, d) <= kb.largest_cosine(x) * (1 + 1e-12)


def test_the_root_mean_square_of_the_cosines_is_already_that_large():
    """The squares of all n x n dot products sum to at least n^2 / d, and to just that for a tight frame."""
    frame = np.array([[math.cos(a), math.sin(a)] for a in np.arange(7) * math.pi / 7])
    for x in (frame, UNIT):
        n, d = x.shape
        gram = x @ x.T
        rms = math.sqrt((np.sum(gram * gram) - n) / (n * (n - 1)))
        assert rms >= kb.welch_bound(n, d) * (1 - 1e-12)
    gram = frame @ frame.T
    assert math.sqrt((np.sum(gram * gram) - 7) / 42) == pytest.approx(kb.welch_bound(7, 2), rel=1e-12)


def kerdock_16():
    """144 unit vectors in 16 dimensions: nine orthonormal bases, |cos| = 1/4 between any two of different bases.

    Eight of them are sign patterns (-1)^(Q(x) + a.x) / 4 with quadratic forms whose pairwise differences do not
    degenerate, found by search; the ninth is the standard basis.
    """
    points = np.array(list(itertools.product((0, 1), repeat=4)))
    pairs = list(itertools.combinations(range(4), 2))
    forms = [np.array(bits) for bits in itertools.product((0, 1), repeat=6)]

    def values(form):
        return sum(bit * points[:, i] * points[:, j] for bit, (i, j) in zip(form, pairs, strict=True)) % 2

    def bent(form):  # its Walsh transform is flat
        signs = (-1.0) ** ((values(form)[:, None] + points @ points.T) % 2)
        return np.all(np.abs(signs.sum(0)) == 4)

    def extended(chosen):
        rest = (form for form in forms if all(bent((form + other) % 2) for other in chosen))
        return chosen if len(chosen) == 8 else next(filter(None, (extended([*chosen, form]) for form in rest)), None)

    chosen = extended([forms[0]])
    bases = [(-1.0) ** ((values(form)[:, None] + points @ points.T) % 2).T / 4 for form in chosen]
    return np.concatenate([np.eye(16), *bases])


def test_a_structured_set_attains_the_levenshtein_bound():
    x = kerdock_16()
    assert x.shape == (144, 16)
    assert kb.largest_cosine(x) == pytest.approx(0.25, rel=1e-12)
    assert kb.levenshtein_bound(144, 16) == pytest.approx(0.25, rel=1e-12)


def test_a_packing_is_one_and_nothing_more_fits():
    for d, cosine in ((3, 0.5), (8, 0.4)):
        candidates = random_directions(np.random.default_rng(d).standard_normal((2000, d)))
        kept = kb.greedy_packing(candidates, cosine)
        assert kb.largest_cosine(kept) <= cosine
        assert np.all(np.max(np.abs(candidates @ kept.T), axis=1) > cosine * (1 - 1e-12))
        np.testing.assert_array_equal(kept[0], candidates[0])


def test_there_is_at_least_the_room_that_is_promised():
    """A packing to which no further candidate can be added covers nearly all of the sphere."""
    for d in (3, 10, 20):
        candidates = random_directions(np.random.default_rng(d).standard_normal((5_000, d)))
        assert len(kb.greedy_packing(candidates, 0.5)) >= kb.room(d, 0.5)


def test_blocks_make_no_difference(monkeypatch):
    monkeypatch.setattr(kb, "BLOCK", 4)
    blocks = kb.largest_cosine(UNIT), kb.spread_step(UNIT, 5.0, 0.1)
    monkeypatch.setattr(kb, "BLOCK", 100)
    assert blocks[0] == pytest.approx(kb.largest_cosine(UNIT), rel=1e-14)
    np.testing.assert_allclose(blocks[1], kb.spread_step(UNIT, 5.0, 0.1), atol=1e-14)


def test_a_step_goes_downhill_on_the_sum_of_exponentials():
    """Along the gradient of sum e^(s cos^2), by finite differences, up to the projection on the sphere."""

    def energy(x):
        cosines = (x @ x.T)[np.triu_indices(len(x), 1)]
        return np.sum(np.exp(5 * cosines**2))

    after = kb.spread_step(UNIT, 5.0, 1e-6)
    slope = np.zeros_like(UNIT)
    for i in np.ndindex(UNIT.shape):
        nudge = np.zeros_like(UNIT)
        nudge[i] = 1e-6
        slope[i] = (energy(UNIT + nudge) - energy(UNIT - nudge)) / 2e-6
    tangent = slope - (slope * UNIT).sum(1, keepdims=True) * UNIT
    moved = after - UNIT
    cosine = -np.sum(moved * tangent) / math.sqrt(np.sum(moved**2) * np.sum(tangent**2))
    assert cosine == pytest.approx(1, abs=1e-6)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_by_hand():
    assert kb.jl_dimension(1000, 0.5) == math.ceil(4 * 6.907755278982137 / (0.125 - 0.125 / 3)) == 332
    assert kb.welch_bound(10_000, 100) == pytest.approx(math.sqrt(9900 / (100 * 9999)), rel=1e-15)
    assert f"{kb.welch_bound(10_000, 100):.4f}" == "0.0995"
    assert kb.welch_bound(5, 5) == 0
    assert kb.levenshtein_bound(10_000, 100) == pytest.approx(math.sqrt(19_800 / (102 * 9900)), rel=1e-15)
    square = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    np.testing.assert_allclose(kb.distance_ratios(square, square[:, :1]), [1, 0, 0.5])


def test_a_packing_by_hand():
    """East; northeast is too close to it; north is not; a hair off north is."""
    angles = np.radians([0, 45, 90, 92])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_array_equal(kb.greedy_packing(x, 0.5), x[[0, 2]])
    assert len(kb.greedy_packing(x, 1.0)) == 4


# ---- errors ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n", "eps"), [(1, 0.5), (10, 0.0), (10, 1.0), (10, -0.1)])
def test_no_dimension(n, eps):
    with pytest.raises(ValueError, match=f"n is {n} and eps is {eps}"):
        kb.jl_dimension(n, eps)


@pytest.mark.parametrize("bound", [kb.welch_bound, kb.levenshtein_bound])
def test_no_bound_for_one_vector(bound):
    with pytest.raises(ValueError, match="n is 1 and d is 3"):
        bound(1, 3)


# ---- what the page reports ---------------------------------------------------------------------------------------
def test_the_record_is_consistent_with_the_bounds_and_with_itself():
    record = training.read()
    n, d = record["n"], record["d"]
    assert (n, d) == (10_000, 100)
    for name in ("before", "after"):
        assert sum(record[name]["counts"]) == n * (n - 1) // 2, "an angle beyond the edges"
        assert record[name]["rms"] >= kb.welch_bound(n, d) * (1 - 64 * EPS32)
    assert record["worst"][-1] >= kb.levenshtein_bound(n, d)
    assert record["worst"][-1] == min(record["worst"])
    middle = np.abs((training.EDGES[1:] + training.EDGES[:-1]) / 2 - 90) < 1
    assert np.sum(np.array(record["after"]["counts"])[middle]) / (n * (n - 1) // 2) == pytest.approx(
        record["after"]["within"], abs=1e-4
    )
    furthest = np.flatnonzero(record["after"]["counts"])[[0, -1]]
    worst = math.degrees(math.acos(record["worst"][-1]))
    assert training.EDGES[furthest[0]] <= worst + 1e-3 or training.EDGES[furthest[1] + 1] >= 180 - worst - 1e-3


def test_a_small_run_again():
    """The same program for fewer vectors: deterministic, and it does what the record says in kind."""
    x = training.start(400, 20)
    y, worst = training.spread(x, steps=120, sharpness=(16.0, 160.0))
    again, _ = training.spread(x, steps=120, sharpness=(16.0, 160.0))
    np.testing.assert_array_equal(y, again)
    assert worst[-1] < 0.6 * worst[0]
    assert kb.levenshtein_bound(400, 20) < worst[-1]
    assert training.describe(y)["rms"] == pytest.approx(kb.welch_bound(400, 20), rel=0.03)


@pytest.mark.slow
def test_the_start_of_the_record_again():
    assert float(kb.largest_cosine(training.start())) == pytest.approx(training.read()["worst"][0], rel=1e-5)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_without_the_root_of_k_all_distances_grow():
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((10, 50)), rng.standard_normal((50, 40))
    assert np.mean(kb.distance_ratios(x, x @ noise)) == pytest.approx(40, rel=0.2)


def test_keeping_some_coordinates_is_no_projection_in_random_directions():
    """Points that differ in few coordinates: dropping coordinates loses whole distances, random mixtures do not."""
    x, rng = np.eye(200), np.random.default_rng(0)
    dropped = kb.distance_ratios(x, x[:, :100] * math.sqrt(2))
    mixed = kb.distance_ratios(x, kb.random_projection(x, rng.standard_normal((200, 100))))
    assert dropped.min() == 0
    assert mixed.min() > 0.4
