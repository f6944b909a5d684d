from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from torch import nn

import kb.torch.structure.weights_and_biases as kt
from kb.data.digits import load_digits, split
from kb.structure.multilayer_perceptron import count_parameters
from kb.structure.neuron import pre_activation
from kb.structure.weights_and_biases import (
    Count,
    count_convolution,
    count_dense,
    count_mlp,
    count_recurrent,
    count_transformer_block,
    evidence,
    favourite_input,
    for_and_against,
    pattern_detector,
)
from tests.contract import Case, contract, gpu_contract

YES = np.array([True, False, False, True, True])
CASES = [
    Case(evidence, x=(5, 4), weight=(4,)),
    Case(evidence, x=(4,), weight=(4,)),
    Case(for_and_against, x=(2, 5, 4), weight=(4,)),
    Case(for_and_against, x=(4,), weight=(4,)),
    Case(favourite_input, differentiable=False, weight=(3, 4)),
    Case(favourite_input, differentiable=False, weight=np.array([-1.0, 0.0, 2.0])),
    Case(pattern_detector, x=(5, 4), y=YES),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

small = st.integers(1, 6)


def numel(module, kind):
    """The numbers in all parameters of a torch module whose name says weight or bias."""
    return sum(p.numel() for name, p in module.named_parameters() if kind in name)


def arcs_of(module, shape):
    """The arcs of a layer without bias: the pairs (input, output) of which one depends on the other."""
    torch.manual_seed(0)
    jacobian = torch.autograd.functional.jacobian(module, torch.rand(shape))
    return int((jacobian != 0).sum())


# ---- invariants --------------------------------------------------------------------------------------------------
def test_for_and_against_and_the_bias_make_z():
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(50, 9)), rng.normal(size=9)
    pro, con = for_and_against(x, weight)
    np.testing.assert_allclose(pro + con + 0.7, pre_activation(x, weight, 0.7), rtol=1e-12)
    np.testing.assert_allclose(evidence(x, weight).sum(-1), pro + con, rtol=1e-12)
    assert (pro >= 0).all()
    assert (con <= 0).all()


def test_no_input_between_0_and_1_beats_the_favourite():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=6)
    corners = np.array(list(np.ndindex(*(2,) * 6)), dtype=float)  # z is linear: its largest value is at a corner
    np.testing.assert_array_equal(favourite_input(weight), corners[np.argmax(corners @ weight)])
    assert (rng.random((1000, 6)) @ weight <= favourite_input(weight) @ weight).all()


def test_the_detector_says_which_mean_is_closer():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 7)), rng.random(40) < 0.3
    weight, bias = pattern_detector(x, y)
    near, far = cdist(x, [x[y].mean(0), x[~y].mean(0)], "sqeuclidean").T
    np.testing.assert_allclose(pre_activation(x, weight, bias), (far - near) / 2, rtol=1e-10, atol=1e-12)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.booleans())
def test_dense_layers_have_torchs_counts(sizes, bias):
    layers = [nn.Linear(n, m, bias) for n, m in pairwise(sizes)]
    count = count_mlp(*sizes, bias=bias)
    assert count.weights == count.arcs == sum(numel(layer, "weight") for layer in layers)
    assert count.biases == sum(numel(layer, "bias") for layer in layers)
    assert count.uses == 1
    if bias:
        assert count.parameters == count_parameters(*sizes)


@given(small, small, st.integers(1, 3), st.integers(3, 6), st.booleans())
def test_a_convolution_has_torchs_counts_and_as_many_arcs_as_its_matrix_has_entries(c, m, k, size, bias):
    layer = nn.Conv2d(c, m, k, bias=bias)
    count = count_convolution(c, m, k, (size - k + 1) ** 2, bias)
    assert (count.weights, count.biases) == (numel(layer, "weight"), numel(layer, "bias"))
    assert count.arcs == arcs_of(nn.Conv2d(c, m, k, bias=False), (c, size, size))
    assert count.uses == (size - k + 1) ** 2


def test_a_layer_at_every_position_has_the_arcs_of_its_matrix():
    assert count_dense(3, 4, positions=5).arcs == arcs_of(nn.Linear(3, 4, bias=False), (5, 3))


@given(small, small)
def test_recurrent_layers_have_torchs_weights_and_half_of_its_biases(n, m):
    for gates, module in ((1, nn.RNN), (4, nn.LSTM), (3, nn.GRU)):
        layer, count = module(n, m), count_recurrent(n, m, steps=7, gates=gates)
        assert count.weights == numel(layer, "weight")
        assert 2 * count.biases == numel(layer, "bias")
    assert count_recurrent(n, m, 7).arcs == sum(1 for _ in range(7) for _ in range(m) for _ in range(n + m))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("hidden", [None, 20])
def test_a_transformer_block_has_torchs_count(bias, hidden):
    layer = nn.TransformerEncoderLayer(8, 2, hidden or 32, bias=bias)
    count = count_transformer_block(8, positions=3, hidden=hidden, bias=bias)
    assert count.parameters == sum(p.numel() for p in layer.parameters())
    assert count.biases == numel(layer, "bias")
    assert count.uses == 3


def test_a_gated_block_has_a_third_feed_forward_matrix():
    plain, gated = (count_transformer_block(8, 3, 20, gated=gated, bias=False) for gated in (False, True))
    assert gated.weights - plain.weights == numel(nn.Linear(8, 20, bias=False), "weight")


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_evidence_by_hand():
    x, weight = np.array([1.0, 0.5, 0.0]), np.array([2.0, -3.0, 5.0])
    np.testing.assert_array_equal(evidence(x, weight), [2, -1.5, 0])
    assert for_and_against(x, weight) == (2, -1.5)
    np.testing.assert_array_equal(favourite_input(weight), [1, 0, 1])


def test_a_detector_by_hand():
    """Means (2, 0) and (0, 2): the weights are (2, -2), and the diagonal is halfway between."""
    x = np.array([[1.0, 0], [3, 0], [0, 1], [0, 3]])
    weight, bias = pattern_detector(x, np.array([True, True, False, False]))
    np.testing.assert_array_equal(weight, [2, -2])
    assert bias == 0
    shifted, bias = pattern_detector(x + 1, np.array([True, True, False, False]))
    np.testing.assert_array_equal(shifted, [2, -2])
    assert bias == 0
    assert pattern_detector(x[:3], np.array([True, True, False]))[1] == -((2 * 2 + 0) - (0 + 1 * 1)) / 2


def test_counts_by_hand():
    assert count_mlp(784, 16, 16, 10) == Count(arcs=12_960, weights=12_960, biases=42)
    assert count_convolution(1, 8, 3, 28 * 28) == Count(arcs=56_448, weights=72, biases=8)
    assert count_recurrent(8, 16, 100) == Count(arcs=38_400, weights=384, biases=16)
    assert count_transformer_block(768, 1024).parameters == 7_087_872  # a block of GPT-2 small
    assert count_transformer_block(4096, 1, 11_008, gated=True, bias=False).parameters == 202_383_360  # of LLaMA 7B


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("y", [np.array([1, 0]), np.array([True, True]), np.array([False, False])])
def test_a_detector_needs_both_groups(y):
    for module, x, labels in ((pattern_detector, np.ones((2, 3)), y), (kt.pattern_detector, torch.ones(2, 3), None)):
        labels = torch.tensor(y) if labels is None else labels
        with pytest.raises(ValueError, match=f"y holds .* {int(y.sum())} of 2: it needs True and False, both"):
            module(x, labels)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_without_its_negative_weights_the_detector_takes_ink_for_zeros():
    train, held_out = split(load_digits(28))
    x, unseen = train.images.reshape(-1, 784), held_out.images.reshape(-1, 784)
    is_zero, weight, bias = held_out.labels == 0, *pattern_detector(x, train.labels == 0)
    fires = pre_activation(unseen, weight, bias) > 0
    assert fires[is_zero].mean() > 0.95
    assert fires[~is_zero].mean() < 0.02
    no_negative = np.maximum(weight, 0)
    middle = (x[train.labels == 0].mean(0) + x[train.labels != 0].mean(0)) / 2
    fires = pre_activation(unseen, no_negative, -middle @ no_negative) > 0
    assert fires[~is_zero].mean() > 0.1
