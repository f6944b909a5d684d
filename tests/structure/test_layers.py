import numpy as np
import pytest

import kb.torch.structure.layers as kt
from figures.display_digits import activations, count_right, images, network
from kb.structure.activation_functions import relu, sigmoid
from kb.structure.layers import layer, linear
from kb.structure.neuron import neuron, pre_activation
from tests.contract import Case, contract, gpu_contract

CASES = [
    Case(linear, x=(5, 4), weight=(3, 4), bias=(3,)),
    Case(linear, x=(2, 5, 4), weight=(3, 4)),
    Case(linear, x=(4,), weight=(3, 4), bias=(3,)),
    Case(layer, x=(5, 4), weight=(3, 4), bias=(3,), activation=sigmoid),
    Case(layer, x=(4,), weight=(3, 4), bias=None, activation=relu),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_a_layer_is_its_neurons_side_by_side():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(6, 4)), rng.normal(size=(3, 4)), rng.normal(size=3)
    for i in range(3):
        np.testing.assert_allclose(linear(x, weight, bias)[:, i], pre_activation(x, weight[i], bias[i]), rtol=1e-13)
        np.testing.assert_allclose(
            layer(x, weight, bias, sigmoid)[:, i], neuron(x, weight[i], bias[i], sigmoid), rtol=1e-13
        )


def test_a_batch_is_its_examples_one_by_one():
    rng = np.random.default_rng(1)
    x, weight, bias = rng.normal(size=(2, 3, 4)), rng.normal(size=(5, 4)), rng.normal(size=5)
    single = [[linear(example, weight, bias) for example in row] for row in x]
    np.testing.assert_allclose(linear(x, weight, bias), single, rtol=1e-13, atol=1e-14)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_two_neurons_by_hand():
    x, weight, bias = np.array([2.0, 3.0]), np.array([[0.5, 0.2], [1.0, -1.0]]), np.array([1.0, 0.5])
    np.testing.assert_allclose(linear(x, weight, bias), [2.6, -0.5], rtol=1e-15)
    np.testing.assert_allclose(layer(x, weight, bias, relu), [2.6, 0], rtol=1e-15)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_a_column_of_biases_is_not_broadcast():
    with pytest.raises(ValueError, match=r"bias has shape \(3, 1\)"):
        linear(np.ones((5, 4)), np.ones((3, 4)), np.ones((3, 1)))


# ---- the hope, wired by hand -------------------------------------------------------------------------------------
def test_edges_make_shapes_and_shapes_make_digits_where_the_display_draws_them():
    """Every digit lights its own output and no other; moved by one pixel, none does."""
    np.testing.assert_array_equal(activations(images())[-1], np.eye(10))
    assert count_right() == 10
    assert [count_right(*way) for way in ((1, 0), (-1, 0), (0, 1), (0, -1))] == [0, 0, 0, 0]


@pytest.mark.parametrize("taken", range(3))
def test_without_one_of_its_layers_the_hope_fails(taken):
    """Each layer is needed: with its biases at 0 some digits light outputs that are not theirs."""
    parts = network()
    parts[taken] = parts[taken][0], np.zeros_like(parts[taken][1])
    a = images()
    for weight, bias in parts:
        a = layer(a, weight, bias, relu)
    assert not np.array_equal(a, np.eye(10))


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_neurons_with_the_same_weights_see_no_more_than_one_neuron():
    one, other = np.array([2.0, 3.0]), np.array([4.0, -2.0])  # 0.5 and 0.2 give both 1.6
    same = np.tile([0.5, 0.2], (16, 1))
    np.testing.assert_allclose(linear(one, same), linear(other, same), rtol=1e-15)
    different = np.random.default_rng(0).normal(size=(16, 2))
    assert abs(linear(one, different) - linear(other, different)).max() > 1
