from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import kb.torch.learning.backpropagation as kt
from kb.autograd.tensor import value_and_grad
from kb.learning.backpropagation import (
    backward,
    backward_flops,
    bias_lever,
    cross_entropy_gradients,
    finite_difference,
    finite_difference_gradient,
    sender_lever,
    sender_paths,
    squared_error_gradients,
    weight_lever,
)
from kb.learning.cost_function import cost, cross_entropy
from kb.structure.activation_functions import sigmoid, sigmoid_slope
from kb.structure.forward_pass import forward_all, forward_flops
from kb.structure.multilayer_perceptron import init_mlp, mlp, mlp_logits
from kb.structure.neuron import neuron_backward
from kb.torch.structure.multilayer_perceptron import MLP
from tests.contract import Case, contract, gpu_contract

SIZES = 784, 16, 16, 10
SMALL = init_mlp((6, 5, 4, 3), np.random.default_rng(0), "normal", "float64")
NO_BIAS = {name: value for name, value in SMALL.items() if name.endswith("weight")}
X = np.random.default_rng(1).normal(size=(7, 6))
TARGET = np.array([0, 2, 1, 1, 0, 2, 2])
CASES = [
    Case(bias_lever, error=(5, 3), slope=(5, 3)),
    Case(weight_lever, error=(5, 3), slope=(5, 3), sender=(5, 4)),
    Case(weight_lever, error=(3,), slope=(3,), sender=(4,)),
    Case(sender_paths, error=(5, 3), slope=(5, 3), weight=(3, 4)),
    Case(sender_lever, error=(5, 3), slope=(5, 3), weight=(3, 4)),
    Case(sender_lever, error=(3,), slope=(3,), weight=(3, 4)),
    *(Case(backward, params=p, record=forward_all(p, X, sigmoid), blame=(7, 3)) for p in (SMALL, NO_BIAS)),
    Case(squared_error_gradients, differentiable=False, params=SMALL, x=X, y=(7, 3)),
    Case(cross_entropy_gradients, differentiable=False, params=SMALL, x=X, target=TARGET),
    Case(squared_error_gradients, differentiable=False, params=NO_BIAS, x=X, y=(7, 3)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def network(batch=20, dtype="float64"):
    """The series' network with noise for images and right answers, as numbers and as wanted activations."""
    rng = np.random.default_rng(0)
    params = init_mlp(SIZES, rng, dtype=dtype)
    params = {name: value + (0.1 * rng.standard_normal(value.shape)).astype(dtype) for name, value in params.items()}
    x, target = rng.random((batch, 784)).astype(dtype), rng.integers(0, 10, batch)
    return params, x, target, np.eye(10, dtype=dtype)[target]


def torch_gradients(params, x, loss, head=slice(None)):
    model = MLP(*SIZES).double()
    model.load_state_dict({name: torch.tensor(value) for name, value in params.items()}, strict=True)
    value = loss(model[head](torch.tensor(x)))
    value.backward()
    return value.item(), {name: p.grad.numpy() for name, p in model.named_parameters()}


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_levers_of_a_layer_are_those_of_its_neurons():
    rng = np.random.default_rng(2)
    error, slope, sender, weight = rng.normal(size=3), rng.normal(size=3), rng.normal(size=4), rng.normal(size=(3, 4))
    back = 0
    for i in range(3):
        by_sender, by_weight, by_bias = neuron_backward(error[i], sender, weight[i], slope[i])
        np.testing.assert_allclose(bias_lever(error, slope)[i], by_bias, rtol=1e-14)
        np.testing.assert_allclose(weight_lever(error, slope, sender)[i], by_weight, rtol=1e-14)
        np.testing.assert_allclose(sender_paths(error, slope, weight)[i], by_sender, rtol=1e-14)
        back = back + by_sender
    np.testing.assert_allclose(sender_lever(error, slope, weight), back, rtol=1e-13)


def test_the_levers_pulled_layer_by_layer_are_the_backward_pass():
    """Batch of one, no matrix product shared with `backward` but the levers' own."""
    params, x = SMALL, X[0]
    y = np.array([0.0, 1.0, 0.0])
    record = forward_all(params, x, sigmoid)
    _, grads = squared_error_gradients(params, X[:1], y[None])
    error = 2 * (record["a3"] - y)
    for i, name in ((3, "4"), (2, "2"), (1, "0")):
        slope = sigmoid_slope(record[f"z{i}"])
        np.testing.assert_allclose(bias_lever(error, slope), grads[f"{name}.bias"], rtol=1e-12)
        weights = weight_lever(error, slope, record[f"a{i - 1}"])
        np.testing.assert_allclose(weights, grads[f"{name}.weight"], rtol=1e-12)
        error = sender_lever(error, slope, params[f"{name}.weight"])


def test_the_gradient_of_a_batch_is_the_average_over_its_examples():
    params, x, _, y = network(batch=6)
    value, grads = squared_error_gradients(params, x, y)
    single = [squared_error_gradients(params, x[k : k + 1], y[k : k + 1]) for k in range(6)]
    assert value == pytest.approx(np.mean([v for v, _ in single]), rel=1e-13)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, np.mean([g[name] for _, g in single], axis=0), rtol=1e-11, atol=1e-15)


def test_blame_at_one_output_neuron_follows_every_path():
    """One hidden layer of two neurons: the gradient of the input weight is the sum over both paths, as numbers."""
    params = {"0.weight": np.array([[0.5], [-1.0]]), "2.weight": np.array([[2.0, 3.0]])}
    x, y = np.array([[1.5]]), np.array([[1.0]])
    record = forward_all(params, x, sigmoid)
    a = record["a2"].item()
    blame = 2 * (a - 1) * a * (1 - a)
    _, grads = squared_error_gradients(params, x, y)
    for j, weight in enumerate((2.0, 3.0)):
        hidden = record["a1"][0, j]
        assert grads["2.weight"][0, j] == pytest.approx(blame * hidden, rel=1e-13)
        assert grads["0.weight"][j, 0] == pytest.approx(blame * weight * hidden * (1 - hidden) * 1.5, rel=1e-13)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_levers_by_hand():
    """One output neuron, error -2 and slope 1/4: blame -1/2; senders 0 and 0.8; weights 3 and -1."""
    error, slope = np.array([-2.0]), np.array([0.25])
    np.testing.assert_array_equal(bias_lever(error, slope), [-0.5])
    np.testing.assert_array_equal(weight_lever(error, slope, np.array([0.0, 0.8])), [[0, -0.4]])
    np.testing.assert_array_equal(sender_lever(error, slope, np.array([[3.0, -1.0]])), [-1.5, 0.5])


def test_flops_are_those_that_torch_counts():
    """Without a gradient of the pixels, as in training: 1.03 times the forward pass here, 2 - 1/5 with equal widths."""
    for sizes in (SIZES, (64,) * 6):
        model = nn.Sequential(*(nn.Linear(n, m) for n, m in pairwise(sizes)))
        with FlopCounterMode(display=False) as counter:
            model(torch.rand(32, sizes[0])).sum().backward()
        forward, back = forward_flops(*sizes, batch=32), backward_flops(*sizes, batch=32)
        assert counter.get_total_flops() == forward + back
    assert backward_flops(*SIZES) / forward_flops(*SIZES) == pytest.approx(1.032, abs=5e-4)
    assert back / forward == pytest.approx(1.8, rel=1e-15)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_answers_must_have_the_shape_of_the_output():
    params, x, target, y = network(batch=4)
    with pytest.raises(ValueError, match=r"a has shape \(4, 10\), expected that of y \(4, 1\)|y has shape \(4, 1\)"):
        squared_error_gradients(params, x, y[:, :1])
    with pytest.raises(ValueError, match=r"target has shape \(4, 10\), expected \(b\)"):
        cross_entropy_gradients(params, x, y)
    with pytest.raises(ValueError, match=r"target lies in"):
        cross_entropy_gradients(params, x, target + 5)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_all_13002_gradients_of_squared_error_are_those_of_graph_and_torch():
    params, x, _, y = network()
    value, grads = squared_error_gradients(params, x, y)
    by_graph = value_and_grad(lambda params: cost(mlp(params, x), y))(params)
    by_torch = torch_gradients(params, x, lambda a: (a - torch.tensor(y)).square().sum(-1).mean())
    same_gradients(value, grads, by_graph)
    same_gradients(value, grads, by_torch)
    assert sum(grad.size for grad in grads.values()) == 13_002


def test_all_13002_gradients_of_cross_entropy_are_those_of_graph_and_torch():
    params, x, target, _ = network()
    value, grads = cross_entropy_gradients(params, x, target)
    by_graph = value_and_grad(lambda params: cross_entropy(mlp_logits(params, x), target))(params)
    by_torch = torch_gradients(params, x, lambda z: F.cross_entropy(z, torch.tensor(target)), slice(0, -1))
    same_gradients(value, grads, by_graph)
    same_gradients(value, grads, by_torch)


def same_gradients(value, grads, expected):
    """Within 1e-10, relative to the largest entry of each array."""
    assert value == pytest.approx(float(expected[0]), rel=1e-12)
    assert grads.keys() == expected[1].keys()
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, expected[1][name], rtol=1e-10, atol=1e-10 * abs(grad).max())


@pytest.mark.parametrize("head", ["squared error", "cross-entropy"])
def test_a_sample_of_gradients_is_the_finite_difference(head):
    """Error of the differences: h^2 / 6 times the third derivative, and rounding of a cost near 1, 2e-16 / h."""
    params, x, target, y = network()
    if head == "squared error":
        grads, f = squared_error_gradients(params, x, y)[1], lambda params: cost(mlp(params, x), y)
    else:
        grads = cross_entropy_gradients(params, x, target)[1]
        f = lambda params: cross_entropy(mlp_logits(params, x), target)  # noqa: E731
    rng = np.random.default_rng(3)
    for name, grad in grads.items():
        for _ in range(5):
            index = tuple(rng.integers(0, n) for n in grad.shape)
            assert grad[index] == pytest.approx(finite_difference(f, params, name, index), abs=2e-10), (name, index)


def test_finite_differences_give_the_whole_gradient_with_two_forward_passes_per_number():
    calls, y = [], np.eye(3)[TARGET]

    def f(params):
        calls.append(1)
        return cost(mlp(params, X), y)

    slopes = finite_difference_gradient(f, SMALL)
    _, grads = squared_error_gradients(SMALL, X, y)
    assert len(calls) == 2 * sum(value.size for value in SMALL.values())
    for name, grad in grads.items():
        np.testing.assert_allclose(slopes[name], grad, atol=2e-10)


def test_in_float32_the_gradient_is_that_of_float64_but_for_rounding():
    params, x, _, y = network()
    _, exact = squared_error_gradients(params, x, y)
    single = {name: value.astype(np.float32) for name, value in params.items()}
    _, rounded = squared_error_gradients(single, x.astype(np.float32), y.astype(np.float32))
    for name, grad in exact.items():
        assert rounded[name].dtype == np.float32
        np.testing.assert_allclose(rounded[name], grad, atol=1e-4 * abs(grad).max())
