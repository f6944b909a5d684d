"""The chain rule: what proves kb.learning.chain_rule."""

import itertools
import math

import numpy as np
import pytest
import torch

from kb.learning import chain_rule as kb
from kb.learning.backpropagation import finite_difference, sender_lever, squared_error_gradients
from kb.structure.activation_functions import identity, relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope
from kb.structure.forward_pass import forward_all
from kb.structure.multilayer_perceptron import init_mlp
from kb.torch.learning import chain_rule as kt
from tests.contract import Case, contract, gpu_contract

SIGMOID, TANH = (
    {"activation": sigmoid, "slope": sigmoid_slope},
    {"activation": tanh, "slope": tanh_slope},
)
CASES = [
    Case(kb.neuron_factors, sender=(), weight=(), bias=(), y=(), **SIGMOID),
    Case(kb.neuron_factors, sender=(5,), weight=(), bias=(), y=(5,), **TANH),
    Case(kb.chain_factors, x=(), weight=(4,), bias=(4,), y=(), **SIGMOID),
    Case(kb.chain_factors, x=(), weight=(1,), bias=(1,), y=(), **TANH),
    Case(kb.layer_jacobian, slope=(3,), weight=(3, 4)),
    Case(kb.layer_jacobian, slope=(5, 3), weight=(3, 4)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

X, W, B, Y = 1.0, np.array([2.0, -1.0, 3.0]), np.array([-1.0, 1.0, -1.0]), 1.0  # the page's chain


def chain_cost(params, phi=sigmoid):
    a = X
    for w, b in zip(params["weight"], params["bias"], strict=True):
        a = phi(np.asarray(w * a + b))
    return (a - Y) ** 2


def small_network(sizes=(3, 4, 2, 3), seed=0):
    rng = np.random.default_rng(seed)
    params = init_mlp(sizes, rng, "normal", "float64")
    x, y = rng.normal(size=sizes[0]), rng.random(sizes[-1])
    return params, x, y, forward_all(params, x, sigmoid)


def jacobians_of(params, record, first=1):
    """The Jacobian of each layer from `first` on."""
    names = [name for name in params if name.endswith("weight")]
    return [
        kb.layer_jacobian(sigmoid_slope(record[f"z{i}"]), params[name]) for i, name in enumerate(names, 1) if i >= first
    ]


# ---- invariants --------------------------------------------------------------------------------------------------
def test_a_chain_of_one_is_the_neuron():
    alone = kb.neuron_factors(X, W[0], B[0], Y, **SIGMOID)
    np.testing.assert_array_equal(np.ravel(kb.chain_factors(X, W[:1], B[:1], Y, **SIGMOID)), alone)


def test_the_product_of_the_factors_is_the_slope_that_nudging_finds():
    active, responsive, wrong = kb.chain_factors(X, W, B, Y, **SIGMOID)
    params = {"weight": W, "bias": B}
    for i in range(3):
        nudged = finite_difference(chain_cost, params, "weight", (i,))
        assert active[i] * responsive[i] * wrong[i] == pytest.approx(nudged, abs=1e-10)
        nudged = finite_difference(chain_cost, params, "bias", (i,))
        assert responsive[i] * wrong[i] == pytest.approx(nudged, abs=1e-10)


def test_the_paths_of_a_network_sum_to_the_slope():
    """All paths from every neuron of every layer, against torch's gradients of the activations."""
    params, x, y, record = small_network()
    leaves = [torch.tensor(x, requires_grad=True)]
    for i, name in enumerate(("0", "2", "4"), 1):
        weight, bias = torch.tensor(params[f"{name}.weight"]), torch.tensor(params[f"{name}.bias"])
        leaves.append(torch.sigmoid(torch.nn.functional.linear(leaves[-1], weight, bias)))
        leaves[i].retain_grad()
    (leaves[-1] - torch.tensor(y)).square().sum().backward()
    error = 2 * (record["a3"] - y)
    for layer, size in enumerate((3, 4, 2, 3)):
        jacobians = jacobians_of(params, record, layer + 1)
        for neuron in range(size):
            found = kb.paths(error, jacobians, neuron)
            assert sum(product for _, product in found) == pytest.approx(leaves[layer].grad[neuron].item(), rel=1e-12)


def test_multiplying_jacobians_adds_up_paths():
    params, _, y, record = small_network()
    first, second, third = jacobians_of(params, record)
    error = 2 * (record["a3"] - y)
    summed = [sum(p for _, p in kb.paths(error, [first, second, third], j)) for j in range(3)]
    np.testing.assert_allclose(error @ third @ second @ first, summed, rtol=1e-12)
    back = error
    for i, name in ((3, "4"), (2, "2"), (1, "0")):
        back = sender_lever(back, sigmoid_slope(record[f"z{i}"]), params[f"{name}.weight"])
    np.testing.assert_allclose(back, summed, rtol=1e-12)


def test_each_path_is_there_once():
    params, _, y, record = small_network()
    error = 2 * (record["a3"] - y)
    found = [path for path, _ in kb.paths(error, jacobians_of(params, record), 1)]
    assert sorted(found) == [(1, *rest) for rest in itertools.product(range(4), range(2), range(3))]
    assert len(found) == kb.count_paths(3, 4, 2, 3) == 24


def test_a_weight_of_the_series_network_has_160_paths_and_their_sum_is_its_slope():
    params, x, y, record = small_network((784, 16, 16, 10))
    record = forward_all(params, x, sigmoid)
    found = kb.paths(2 * (record["a3"] - y), jacobians_of(params, record, 2), 5)
    assert len(found) == kb.count_paths(16, 16, 10) == 160
    slope = x[40] * sigmoid_slope(record["z1"])[5] * sum(product for _, product in found)
    _, grads = squared_error_gradients(params, x[None], y[None])
    assert slope == pytest.approx(grads["0.weight"][5, 40], rel=1e-10)


# ---- a hand-computed example -------------------------------------------------------------------------------------
def test_factors_by_hand():
    """z = 2 * 0.5 + 1 = 2 with a ReLU: a = 2, y = 3; how active 1/2, how responsive 1, how wrong -2."""
    active, responsive, wrong = kb.neuron_factors(np.array(0.5), 2.0, 1.0, 3.0, relu, relu_slope)
    assert (active, responsive, wrong) == (0.5, 1.0, -2.0)
    assert active * responsive * wrong == -1.0


def test_a_chain_by_hand():
    """Three linear neurons, weights 2, 3, 5, no biases, x = 1, y = 29: a = 2, 6, 30; dC/da = 2, 10, 30 going back."""
    one = lambda z: np.ones_like(z)  # noqa: E731
    weight = np.array([2.0, 3.0, 5.0])
    active, responsive, wrong = kb.chain_factors(1.0, weight, np.zeros(3), 29.0, identity, one)
    np.testing.assert_array_equal(active, [1, 2, 6])
    np.testing.assert_array_equal(responsive, [1, 1, 1])
    np.testing.assert_array_equal(wrong, [30, 10, 2])


def test_paths_by_hand():
    """Two receivers with the steps 2 and -1, then errors 3 and 10: the paths bring 6 and -10."""
    found = kb.paths(np.array([3.0, 10.0]), [np.array([[2.0], [-1.0]])], 0)
    assert found == [((0, 0), 6.0), ((0, 1), -10.0)]
    assert kb.count_paths(7) == 1  # an output reaches the cost in one way
    assert math.log10(kb.count_paths(*[100] * 51)) == pytest.approx(100)


# ---- error messages ----------------------------------------------------------------------------------------------
def test_each_weight_has_its_bias():
    with pytest.raises(ValueError, match=r"chain_factors: bias has shape \(2,\), expected \(l\) with l = 3"):
        kb.chain_factors(X, W, B[:2], Y, **SIGMOID)


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_slopes_taken_in_the_wrong_place_are_wrong():
    """phi'(a) for phi'(z): the slope at what came out instead of what went in."""
    active, responsive, wrong = kb.neuron_factors(0.5, 2.0, 1.0, 0.0, **SIGMOID)
    z = 2.0
    elsewhere = active * sigmoid_slope(sigmoid(np.asarray(z))) * wrong
    nudged = finite_difference(lambda p: sigmoid(p["w"] * 0.5 + 1.0)[()] ** 2, {"w": np.array(2.0)}, "w", ())
    assert active * responsive * wrong == pytest.approx(nudged, abs=1e-10)
    assert abs(elsewhere - nudged) > 0.01
