"""Vanishing and exploding gradients: what proves kb.learning.vanishing_gradients and the page's measurement."""

import math

import numpy as np
import pytest

from figures.deep_digits import LAYERS, SCALES, digits, measured, weights
from kb.learning import vanishing_gradients as kb
from kb.learning.backpropagation import sender_lever
from kb.structure.activation_functions import relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope
from kb.structure.multilayer_perceptron import init_mlp
from kb.torch.learning import vanishing_gradients as kt
from tests.contract import Case, contract, gpu_contract

PARAMS = init_mlp((6, 5, 4, 3), np.random.default_rng(0), "lecun", "float64")
NO_BIAS = {name: value for name, value in PARAMS.items() if name.endswith("weight")}
TARGET = np.array([0, 2, 1, 1, 0, 2, 2])
PAIRS = [(sigmoid, sigmoid_slope), (tanh, tanh_slope), (relu, relu_slope)]
CASES = [
    Case(kb.gain, slope=(4,), weight=(4, 3)),
    Case(kb.gain, slope=(2, 5, 4), weight=(4, 3)),
    *(
        Case(kb.gradient_norms, False, params=p, x=(7, 6), target=TARGET, activation=phi, slope=slope)
        for p in (PARAMS, NO_BIAS)
        for phi, slope in PAIRS
    ),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_gain_is_the_average_over_all_directions():
    """Over an orthonormal basis exactly; over random directions up to their scatter."""
    rng = np.random.default_rng(1)
    slope, weight = rng.random(8), rng.normal(size=(8, 6))
    squares = [np.sum(sender_lever(e, slope, weight) ** 2) for e in np.eye(8)]
    assert kb.gain(slope, weight) == pytest.approx(math.sqrt(np.mean(squares)), rel=1e-13)
    errors = rng.normal(size=(40_000, 8))
    errors /= np.linalg.norm(errors, axis=1, keepdims=True)
    measured_gain = math.sqrt(np.mean(np.sum(sender_lever(errors, slope, weight) ** 2, axis=1)))
    assert measured_gain == pytest.approx(kb.gain(slope, weight), rel=0.02)


def test_the_gain_of_random_weights_is_their_spread_times_the_slopes():
    """s sqrt(n) sqrt(mean slope^2), to a few times 1 / sqrt(2 n m) for the scatter of n m squared weights."""
    rng = np.random.default_rng(2)
    slope, weight = sigmoid_slope(rng.normal(size=300)), 0.3 * rng.normal(size=(300, 200))
    expected = 0.3 * math.sqrt(200) * math.sqrt(np.mean(slope**2))
    assert kb.gain(slope, weight) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("phi", "slope", "scheme"), [(tanh, tanh_slope, "xavier"), (relu, relu_slope, "he")])
def test_well_chosen_weights_have_a_gain_near_1(phi, slope, scheme):
    params = init_mlp((500, 500), np.random.default_rng(3), scheme, "float64")
    z = 0.1 * np.random.default_rng(4).normal(size=500)  # near 0, where tanh has slope 1
    assert kb.gain(slope(z), params["0.weight"]) == pytest.approx(1, abs=0.05)


def test_no_sigmoid_layer_of_xavier_reaches_a_gain_above_a_quarter():
    params = init_mlp((500, 500), np.random.default_rng(3), "xavier", "float64")
    z = np.linspace(-3, 3, 500)
    assert kb.gain(sigmoid_slope(z), params["0.weight"]) < 0.25
    assert kb.gain(sigmoid_slope(0 * z), params["0.weight"]) == pytest.approx(0.25, rel=0.01)


# ---- a hand-computed example -------------------------------------------------------------------------------------
def test_gain_by_hand():
    """Rows (3, 4) and (0, 5), slopes 1 and 0: squares 25 and 0, their average 12.5."""
    assert kb.gain(np.array([1.0, 0.0]), np.array([[3.0, 4.0], [0.0, 5.0]])) == pytest.approx(math.sqrt(12.5))


def test_norms_by_hand():
    """One layer, one example with logits (0, 0) and target 0: blame (-1/2, 1/2), W = ((1, 1), (3, -3)), a = (3, 1)."""
    params = {"0.weight": np.array([[1.0, -3.0], [-1.0, 3.0]])}
    errors, weights = kb.gradient_norms(params, np.array([[3.0, 1.0]]), np.array([0]), tanh, tanh_slope)
    np.testing.assert_allclose(errors, [math.hypot(-1, 3)])
    np.testing.assert_allclose(weights, [math.sqrt(0.5 * 10)])


def test_layers_until():
    assert kb.layers_until(0.001, 0.9) == 66  # 0.9^65 = 0.00106
    assert kb.layers_until(1000, 1.1) == 73  # 1.1^72 = 956
    assert kb.layers_until(0.25, 0.5) == 2


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_gain_on_the_wrong_side_of_1():
    for factor, gain in ((0.1, 1.1), (10, 0.5), (0.1, 1)):
        with pytest.raises(ValueError, match=f"a gain of {gain} never gives the factor {factor}"):
            kb.layers_until(factor, gain)


# ---- the measurement of the page ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("factor", [0.5, 1, 2])
def test_the_recorded_errors_of_a_plain_stack_are_those_by_hand(name, factor):
    """The engine's errors, which the figure shows, against the layer-by-layer formula."""
    phi, slope = {"sigmoid": PAIRS[0], "tanh": PAIRS[1], "relu": PAIRS[2]}[name]
    hidden, last = weights(factor * SCALES[name])
    params = {f"{2 * i}.weight": w for i, w in enumerate([*hidden, last])}
    errors, _ = kb.gradient_norms(params, *digits(), phi, slope)
    assert len(errors) == LAYERS + 1
    np.testing.assert_allclose(measured(name, factor), errors / errors[-1], rtol=1e-9)


def test_what_the_page_says_of_the_six_panels():
    first = {
        (name, how): measured(name, *how)[0]
        for name in SCALES
        for how in ((0.5,), (1,), (2,), (1, True), (1, False, True), (1, True, True))
    }
    assert all(first[name, (0.5,)] < 1e-8 for name in SCALES)
    assert first["sigmoid", (1,)] < 1e-15
    assert first["sigmoid", (2,)] < 1e-8  # larger weights do not save it
    assert 0.05 < first["tanh", (1,)] < 1
    assert 0.3 < first["relu", (1,)] < 3
    assert first["relu", (2,)] > 1e8
    assert first["relu", (1, False, True)] > 1e5  # a residual connection alone does not stop an explosion
    assert all(0.1 < first[name, (1, True)] < 1000 for name in SCALES)
    assert all(1 < first[name, (1, True, True)] < 20 for name in SCALES)


def test_small_weights_leave_all_layers_of_a_tanh_network_the_same_tiny_gradient():
    """Errors shrink going back, activations going forward; in a sigmoid network activations stay near one half."""
    hidden, last = weights(0.5)
    params = {f"{2 * i}.weight": w for i, w in enumerate([*hidden, last])}
    _, by_weight = kb.gradient_norms(params, *digits(), tanh, tanh_slope)
    assert by_weight[:-1].max() / by_weight[:-1].min() < 5
    assert by_weight[:-1].max() < 1e-7
    _, by_weight = kb.gradient_norms(params, *digits(), sigmoid, sigmoid_slope)
    assert by_weight[0] / by_weight[-2] < 1e-20
