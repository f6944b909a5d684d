import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import kb.foundations.high_dimensional_geometry as kb
import kb.torch.foundations.high_dimensional_geometry as kt
from kb.autograd.check import check_gradient
from tests.contract import Case, contract, gpu_contract

DIMENSIONS = np.array([[1.0], [3.0], [13002.0]])
THIN = np.array([0.0, 0.001, 0.1, 0.75])
COSINES = np.array([-0.9, -0.1, 0.0, 0.3, 0.99])
CASES = [
    Case(kb.shell_fraction, n=DIMENSIONS, thickness=THIN),
    Case(kb.shell_fraction, n=DIMENSIONS[:, 0], thickness=np.array(0.01)),
    Case(kb.random_directions, noise=(7,)),
    Case(kb.random_directions, noise=(2, 3, 7)),
    Case(kb.cosine_statistics, a=(9, 7), b=(9, 7)),
    Case(kb.cosine_statistics, a=(9, 1, 7), b=(4, 7)),
    Case(kb.cosine_density, cosine=COSINES, n=2),
    Case(kb.cosine_density, cosine=COSINES, n=40),
    Case(kb.cosine_tail_bound, n=DIMENSIONS, cosine=COSINES),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

# pi^(n // 2) times these: from 2, pi and V_n = 2 pi / n V_(n - 2)
VOLUMES = [1, 2, 1, Fraction(4, 3), Fraction(1, 2), Fraction(8, 15), Fraction(1, 6), Fraction(16, 105), Fraction(1, 24)]


# ---- invariants --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 100, 300, 340])
def test_the_volume_is_the_formula_with_the_gamma_function(n):
    """exp turns an error of eps |log V| (here at most 600) into a relative one of the volume."""
    expected = math.pi ** (n / 2) / math.gamma(n / 2 + 1)
    assert kb.ball_volume(n) == pytest.approx(expected, rel=1e-12)
    assert kb.log_ball_volume(n) == pytest.approx(math.log(expected), rel=1e-13, abs=1e-14)


def test_the_logarithm_where_the_volume_is_no_float():
    expected = 6501 * math.log(math.pi) - float(scipy.special.gammaln(6502))
    assert kb.log_ball_volume(13002) == pytest.approx(expected, rel=1e-13)
    assert kb.ball_volume(13002) == 0
    assert kb.ball_volume(452) > 0
    assert kb.ball_volume(453) == 0


@given(st.integers(2, 20_000), st.floats(0.01, 100))
def test_two_more_dimensions_multiply_the_volume_by_2_pi_over_n(n, radius):
    step = math.log(2 * math.pi / n) + 2 * math.log(radius)
    size = abs(kb.log_ball_volume(n, radius)) + abs(math.lgamma(n / 2 + 1)) + 1
    assert kb.log_ball_volume(n, radius) - kb.log_ball_volume(n - 2, radius) == pytest.approx(step, abs=8e-16 * size)


def test_the_volume_peaks_at_five_dimensions():
    volumes = [kb.ball_volume(n) for n in range(100)]
    assert np.argmax(volumes) == 5
    assert np.all(np.diff(volumes[:6]) > 0)
    assert np.all(np.diff(volumes[5:]) < 0)
    assert volumes[-1] < 1e-38


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_volume_is_the_share_of_random_points_of_the_cube_that_lie_inside(n):
    """A share p of N points has the standard deviation sqrt(p (1 - p) / N): five of them are allowed."""
    points = np.random.default_rng(n).uniform(-1, 1, (200_000, n))
    share, expected = np.mean((points * points).sum(-1) <= 1), kb.ball_volume(n) / 2**n
    assert share == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 200_000))


@given(st.integers(1, 100), st.floats(0, 1))
def test_the_peel_is_what_the_core_leaves(n, thickness):
    """Exact in rational numbers, and a thin peel is exact to its own size, not to that of the ball."""
    exact = float(1 - (1 - Fraction(thickness)) ** n)
    assert kb.shell_fraction(n, thickness) == pytest.approx(exact, rel=1e-13)


def test_the_peel_is_a_difference_of_two_balls():
    for n, thickness in ((2, 0.5), (5, 0.1), (40, 0.01)):
        core = kb.ball_volume(n, 1 - thickness) / kb.ball_volume(n)
        assert kb.shell_fraction(n, thickness) == pytest.approx(1 - core, rel=1e-12)


def test_directions_have_length_1_and_favour_none():
    """Each coordinate of a random direction has mean 0 and mean square 1/n; tolerances are five standard errors."""
    n, count = 7, 40_000
    directions = kb.random_directions(np.random.default_rng(0).standard_normal((count, n)))
    np.testing.assert_allclose((directions * directions).sum(-1), 1, rtol=1e-14)
    np.testing.assert_allclose(directions.mean(0), 0, atol=5 / math.sqrt(n * count))
    np.testing.assert_allclose((directions * directions).mean(0), 1 / n, atol=5 * math.sqrt(2 / n**2 / count))


@pytest.mark.parametrize("n", [2, 3, 30, 1000])
def test_cosines_have_mean_0_and_standard_deviation_one_over_root_n(n):
    count = 5000
    a, b = np.random.default_rng(n).standard_normal((2, count, n))
    mean, deviation = kb.cosine_statistics(a, b)
    assert mean == pytest.approx(0, abs=5 / math.sqrt(n * count))
    assert deviation == pytest.approx(1 / math.sqrt(n), rel=5 / math.sqrt(2 * count))


@pytest.mark.parametrize("n", [2, 3, 4, 30, 1000, 13002])
def test_the_density_is_that_of_a_beta_distribution(n):
    """(1 + cos) / 2 of two random directions has the beta distribution with both parameters (n - 1) / 2."""
    c = np.linspace(-0.99, 0.99, 101) if n < 100 else np.linspace(-5, 5, 101) / math.sqrt(n)
    expected = scipy.stats.beta.pdf((1 + c) / 2, (n - 1) / 2, (n - 1) / 2) / 2
    np.testing.assert_allclose(kb.cosine_density(c, n), expected, rtol=1e-9)


@pytest.mark.parametrize("n", [3, 4, 5, 30, 1000])
def test_the_density_has_area_1_and_variance_one_over_n(n):
    inside = np.nextafter(1, 0)
    area, _ = scipy.integrate.quad(lambda c: kb.cosine_density(c, n), -inside, inside, points=[0.0])
    variance, _ = scipy.integrate.quad(lambda c: c * c * kb.cosine_density(c, n), -inside, inside, points=[0.0])
    assert area == pytest.approx(1, rel=1e-7)
    assert variance == pytest.approx(1 / n, rel=1e-7)


def test_measured_cosines_follow_the_density():
    """Kolmogorov and Smirnov's largest gap between 20,000 cosines and the beta distribution: p > 0.001."""
    for n in (2, 3, 30):
        a, b = np.random.default_rng(n).standard_normal((2, 20_000, n))
        cosine = (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
        beta = scipy.stats.beta((n - 1) / 2, (n - 1) / 2)
        assert scipy.stats.kstest((1 + cosine) / 2, beta.cdf).pvalue > 0.001


@pytest.mark.parametrize("n", [2, 3, 10, 100, 13002])
def test_the_tail_bound_holds(n):
    cosine = np.linspace(0, 1, 51)
    exact = 2 * scipy.stats.beta.sf((1 + cosine) / 2, (n - 1) / 2, (n - 1) / 2)
    assert np.all(kb.cosine_tail_bound(n, cosine) >= exact - 1e-15)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_volumes_by_hand():
    for n, share in enumerate(VOLUMES):
        assert kb.ball_volume(n) == pytest.approx(float(share) * math.pi ** (n // 2), rel=1e-14)
    assert f"{kb.ball_volume(5):.4f}" == "5.2638"
    assert kb.ball_volume(3, radius=2) == pytest.approx(32 / 3 * math.pi, rel=1e-14)


def test_an_orange_by_hand():
    """A peel of a tenth of the radius: 1 - 0.729 = 0.271 in three dimensions, and half the radius 7/8."""
    assert kb.shell_fraction(3, 0.1) == pytest.approx(0.271, rel=1e-14)
    assert kb.shell_fraction(3, 0.5) == pytest.approx(7 / 8, rel=1e-15)
    assert kb.shell_fraction(3, 0.0) == 0
    assert kb.shell_fraction(3, 1.0) == 1
    assert f"{math.log1p(-kb.shell_fraction(13002, 0.001)):.2f}" == "-13.01"


def test_in_three_dimensions_all_cosines_are_alike():
    """Archimedes: slices of a sphere of equal height have equal areas."""
    np.testing.assert_allclose(kb.cosine_density(COSINES, 3), 0.5, rtol=1e-15)


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_uniform_noise_prefers_the_corners():
    """In the plane half of all directions lie within 22.5 degrees of one of the axes.

    Uniform noise brought to length 1 puts tan(22.5 degrees) = 0.414 of them there.
    """
    rng = np.random.default_rng(0)
    for noise, expected in ((rng.standard_normal((100_000, 2)), 0.5), (rng.uniform(-1, 1, (100_000, 2)), 0.4142)):
        directions = np.abs(kb.random_directions(noise))
        near_axis = np.mean(directions.min(-1) < math.sin(math.pi / 8))
        assert near_axis == pytest.approx(expected, abs=5 * math.sqrt(0.25 / 100_000))


def test_a_thin_peel_without_log1p_is_rounded_to_nothing():
    assert 1 - (1 - 1e-17) ** 1000 == 0
    assert kb.shell_fraction(1000, 1e-17) == pytest.approx(1e-14, rel=1e-12)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n", "radius"), [(-1, 1.0), (3, 0.0), (3, -2.0)])
def test_no_ball(n, radius):
    with pytest.raises(ValueError, match=f"n is {n} and radius is {radius}"):
        kb.ball_volume(n, radius)


@pytest.mark.parametrize(("n", "thickness"), [(3, -0.1), (3, 1.1), (0, 0.5)])
def test_no_peel(n, thickness):
    with pytest.raises(ValueError, match=r"must lie in 0\.\.1"):
        kb.shell_fraction(n, thickness)


@pytest.mark.parametrize(("cosine", "n"), [(1.0, 3), (-1.0, 3), (2.0, 3), (0.5, 1)])
def test_no_density(cosine, n):
    with pytest.raises(ValueError, match=r"strictly in -1\.\.1"):
        kb.cosine_density(np.array([0.0, cosine]), n)


def test_a_volume_beyond_all_floats():
    with pytest.raises(OverflowError):
        kb.ball_volume(100, radius=1e10)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_gradients_by_finite_differences():
    check_gradient(lambda t: kb.shell_fraction(5, t), np.array([0.1, 0.5]))
    check_gradient(lambda c: kb.cosine_density(c, 7), np.array([-0.5, 0.1]))
    check_gradient(kb.random_directions, np.random.default_rng(0).standard_normal((2, 4)))
