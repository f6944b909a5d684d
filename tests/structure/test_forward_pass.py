from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import kb.torch.structure.forward_pass as kt
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.activation_functions import identity, relu, sigmoid, tanh
from kb.structure.forward_pass import forward, forward_all, forward_bytes, forward_flops, layer_names
from kb.structure.layers import linear
from tests.contract import Case, contract, gpu_contract

SIZES = 784, 16, 16, 10


def weights(*sizes, seed=0, bias=True):
    rng = np.random.default_rng(seed)
    params = {}
    for i, (n, m) in enumerate(pairwise(sizes)):
        params[f"{2 * i}.weight"] = rng.normal(size=(m, n)) / np.sqrt(n)
        params |= {f"{2 * i}.bias": rng.normal(size=m)} if bias else {}
    return params


CASES = [
    *(
        Case(fn, params=params, x=x, activation=phi, output=output)
        for fn in (forward, forward_all)
        for params in (weights(6, 5, 4, 3), weights(6, 4, bias=False))
        for x, phi, output in (((2, 6), sigmoid, None), ((6,), tanh, identity), ((2, 3, 6), relu, sigmoid))
    ),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_record_holds_every_step_of_the_formula():
    params, x = weights(6, 5, 4, 3), np.random.default_rng(1).normal(size=(2, 6))
    record = forward_all(params, x, sigmoid)
    assert list(record) == ["a0", "z1", "a1", "z2", "a2", "z3", "a3"]
    assert record["a0"] is x
    for i, name in enumerate(("0", "2", "4"), 1):
        z = record[f"a{i - 1}"] @ params[f"{name}.weight"].T + params[f"{name}.bias"]
        np.testing.assert_allclose(record[f"z{i}"], z, rtol=1e-14)
        np.testing.assert_array_equal(record[f"a{i}"], sigmoid(record[f"z{i}"]))
    np.testing.assert_array_equal(record["a3"], forward(params, x, sigmoid))


def test_layers_are_ordered_by_number_and_not_by_text_or_place():
    params = weights(*range(20, 6, -1))  # names up to "24": as text, "10" would come before "2"
    shuffled = dict(sorted(params.items()))
    assert layer_names(shuffled) == [str(2 * i) for i in range(13)]
    x = np.random.default_rng(1).normal(size=(2, 20))
    np.testing.assert_array_equal(forward(shuffled, x, sigmoid), forward(params, x, sigmoid))


def test_it_is_what_nn_sequential_computes_with_the_same_names():
    params, x = weights(*SIZES), np.random.default_rng(1).random((3, 784))
    model = nn.Sequential(
        nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 10), nn.Sigmoid()
    ).double()
    model.load_state_dict({k: torch.tensor(v) for k, v in params.items()}, strict=True)
    np.testing.assert_allclose(forward(params, x, sigmoid), model(torch.tensor(x)).detach().numpy(), rtol=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_a_network_of_one_neuron_per_layer_by_hand():
    """1 -> 2 * 1 + 0.5 = 2.5 -> 3 * 2.5 + 0.1 = 7.6."""
    params = {"0.weight": np.array([[2.0]]), "0.bias": np.array([0.5])}
    params |= {"2.weight": np.array([[3.0]]), "2.bias": np.array([0.1])}
    record = forward_all(params, np.array([1.0]), relu)
    assert record["a1"] == 2.5
    assert forward(params, np.array([1.0]), relu) == pytest.approx(7.6, rel=1e-15)


def test_flops_are_those_that_torch_counts():
    model = nn.Sequential(*(nn.Linear(n, m) for n, m in pairwise(SIZES)))
    with FlopCounterMode(display=False) as counter:
        model(torch.rand(32, 784))
    assert forward_flops(*SIZES, batch=32) == counter.get_total_flops() == 32 * 25_920


def test_bytes_are_those_of_the_arrays():
    params = {k: v.astype(np.float32) for k, v in weights(*SIZES).items()}
    x = np.zeros((32, 784), np.float32)
    activations = [v for k, v in forward_all(params, x, sigmoid).items() if k[0] == "a"]
    assert forward_bytes(*SIZES, batch=32) == sum(a.nbytes for a in [*params.values(), *activations])


@pytest.fixture(scope="module")
def held_out():
    """360 digits that the shipped network was not trained on, as rows of 784 pixels, and their labels."""
    digits = split(load_digits(28))[1]
    return digits.images.reshape(len(digits), 784), digits.labels


def test_a_real_four_goes_through_the_shipped_network_as_it_does_through_torch(held_out):
    x, labels = held_out
    model = nn.Sequential(
        nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 10), nn.Sigmoid()
    )
    model.load_state_dict({name: torch.tensor(array) for name, array in digits_mlp().items()}, strict=True)
    record, a = forward_all(digits_mlp(), x[3], sigmoid), torch.tensor(x[3])
    for i, part in enumerate(model):
        a = part(a)
        np.testing.assert_allclose(record[f"{'za'[i % 2]}{i // 2 + 1}"], a.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert labels[3] == record["a3"].argmax() == 4
    assert sum(record[k].size for k in record if k != "a0") == 84


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_the_same_numbers_handed_over_otherwise_are_not_recognised(held_out):
    x, labels = held_out
    images = x.reshape(-1, 28, 28)

    def share(images):
        return np.mean(forward(digits_mlp(), images.reshape(360, 784), sigmoid).argmax(-1) == labels)

    assert share(images) > 0.95
    assert share(images / 255) < 0.3
    assert share(images.swapaxes(1, 2)) < 0.3
    assert share(1 - images) < 0.1


def test_layers_in_the_order_of_their_names_as_text_would_not_fit_together():
    params = weights(*range(20, 6, -1))
    assert sorted(layer_names(params))[:2] == ["0", "10"]
    x = linear(np.ones(20), params["0.weight"], params["0.bias"])
    with pytest.raises(ValueError, match=r"weight has shape \(14, 15\)"):
        linear(x, params["10.weight"], params["10.bias"])


# ---- errors ------------------------------------------------------------------------------------------------------
def test_a_wrong_input_is_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"x \(2, 7\)|weight has shape \(5, 6\)"):
        forward(weights(6, 5), np.ones((2, 7)), sigmoid)
    with pytest.raises(ValueError, match="params must be a dict"):
        forward([np.ones((5, 6))], np.ones((2, 6)), sigmoid)
