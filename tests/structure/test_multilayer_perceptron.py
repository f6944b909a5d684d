import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import kb.torch.structure.multilayer_perceptron as kt
from kb.structure.activation_functions import sigmoid
from kb.structure.multilayer_perceptron import (
    biases_per_layer,
    count_parameters,
    expected_calibration_error,
    init_mlp,
    mlp,
    mlp_logits,
    predict,
    reliability_diagram,
    weights_per_layer,
)
from tests.contract import Case, contract, gpu_contract

SIZES = 784, 16, 16, 10
SMALL = init_mlp((6, 5, 4, 3), np.random.default_rng(0), "normal", "float64")
CONFIDENCE = np.array([0.05, 0.31, 0.33, 0.5, 0.87, 0.98, 1.0, 0.0])
CORRECT = np.array([False, True, False, True, True, True, False, False])
CASES = [
    Case(mlp, params=SMALL, x=(2, 6)),
    Case(mlp, params=SMALL, x=(6,)),
    Case(mlp_logits, params=SMALL, x=(2, 3, 6)),
    Case(predict, differentiable=False, params=SMALL, x=(7, 6)),
    Case(reliability_diagram, differentiable=False, confidence=CONFIDENCE, correct=CORRECT),
    Case(reliability_diagram, differentiable=False, confidence=CONFIDENCE, correct=CORRECT, bins=3),
    Case(expected_calibration_error, differentiable=False, confidence=CONFIDENCE, correct=CORRECT),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_the_count_is_that_of_torchs_network_and_of_our_own_weights(sizes):
    ours = init_mlp(sizes, np.random.default_rng(0))
    theirs = dict(kt.MLP(*sizes).named_parameters())
    assert {k: v.shape for k, v in ours.items()} == {k: tuple(v.shape) for k, v in theirs.items()}
    assert count_parameters(*sizes) == sum(p.numel() for p in theirs.values()) == sum(p.size for p in ours.values())


@pytest.mark.parametrize(
    ("scheme", "torchs"),
    [
        ("xavier", nn.init.xavier_normal_),
        ("he", lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        ("lecun", lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear")),
        ("normal", nn.init.normal_),
    ],
)
def test_the_spread_is_that_of_torchs_initialisers(scheme, torchs):
    """Two samples of N = 120,000 numbers: each standard deviation is known to 1 / sqrt(2 N), 0.2 %; five times that."""
    weight = init_mlp((400, 300), np.random.default_rng(0), scheme, "float64")["0.weight"]
    torch.manual_seed(0)
    theirs = torchs(torch.empty(300, 400, dtype=torch.float64))
    assert weight.std() == pytest.approx(theirs.std().item(), rel=5 * 2 / math.sqrt(2 * weight.size))
    assert abs(weight.mean()) < 5 * weight.std() / math.sqrt(weight.size)


def test_the_same_seed_gives_the_same_weights_in_both_precisions_and_in_torch():
    single, double = (init_mlp(SIZES, np.random.default_rng(7), dtype=dtype) for dtype in ("float32", "float64"))
    for name, value in single.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, double[name].astype(np.float32))
    for name, value in kt.init_mlp(SIZES, np.random.default_rng(7)).items():
        np.testing.assert_array_equal(value.numpy(), single[name])


def test_zeros_keep_all_neurons_of_a_layer_equal():
    a = mlp(init_mlp((6, 5, 3), np.random.default_rng(0), "zeros"), np.ones(6, np.float32))
    np.testing.assert_array_equal(a, 0.5)


def test_the_network_is_torchs_with_the_same_weights():
    params, x = init_mlp(SIZES, np.random.default_rng(0)), np.random.default_rng(1).random((20, 784), dtype=np.float32)
    model = kt.MLP(*SIZES)
    model.load_state_dict({name: torch.tensor(value) for name, value in params.items()}, strict=True)
    with torch.no_grad():
        theirs = model(torch.tensor(x)).numpy()
    np.testing.assert_allclose(mlp(params, x), theirs, rtol=1e-5)
    np.testing.assert_array_equal(predict(params, x), theirs.argmax(-1))
    np.testing.assert_array_equal(mlp(params, x), sigmoid(mlp_logits(params, x)))


def test_the_calibration_error_of_a_calibrated_network_is_small():
    """Each of 10 bins has about 10,000 answers: its accuracy is known to 0.005, and the mean gap lies below that."""
    rng = np.random.default_rng(0)
    confidence = rng.random(100_000)
    correct = rng.random(100_000) < confidence
    assert expected_calibration_error(confidence, correct) < 0.005
    assert expected_calibration_error(confidence, rng.random(100_000) < confidence - 0.2) > 0.15


def test_reliability_is_what_a_loop_finds():
    rng = np.random.default_rng(1)
    confidence, correct = rng.random(500), rng.random(500) < 0.6
    means, accuracy, count = reliability_diagram(confidence, correct, bins=7)
    gap = 0.0
    for i in range(7):
        inside = [j for j in range(500) if i / 7 < confidence[j] <= (i + 1) / 7]
        assert count[i] == len(inside)
        assert means[i] == pytest.approx(np.mean(confidence[inside]))
        assert accuracy[i] == pytest.approx(np.mean(correct[inside]))
        gap += len(inside) / 500 * abs(np.mean(confidence[inside]) - np.mean(correct[inside]))
    assert expected_calibration_error(confidence, correct, bins=7) == pytest.approx(gap)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_the_series_network_has_13002_parameters():
    assert weights_per_layer(*SIZES) == [12_544, 256, 160]
    assert biases_per_layer(*SIZES) == [16, 16, 10]
    assert sum(biases_per_layer(*SIZES)) == 42
    assert count_parameters(*SIZES) == 13_002


def test_names_are_those_of_nn_sequential():
    assert list(init_mlp(SIZES, np.random.default_rng(0))) == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
        "4.weight",
        "4.bias",
    ]


def test_calibration_by_hand():
    """Bins 0..0.5 and 0.5..1: two answers at 0.2 and 0.4, one right; two at 0.9 and 0.7, both right."""
    confidence, correct = np.array([0.2, 0.9, 0.4, 0.7]), np.array([True, True, False, True])
    means, accuracy, count = reliability_diagram(confidence, correct, bins=2)
    np.testing.assert_allclose(means, [0.3, 0.8])
    np.testing.assert_array_equal(accuracy, [0.5, 1])
    np.testing.assert_array_equal(count, [2, 2])
    assert expected_calibration_error(confidence, correct, bins=2) == pytest.approx(0.2)  # (0.2 + 0.2) / 2


def test_an_empty_bin_counts_for_nothing():
    means, accuracy, count = reliability_diagram(np.array([0.9]), np.array([True]), bins=2)
    assert (means[0], accuracy[0], count[0]) == (0, 0, 0)
    assert expected_calibration_error(np.array([0.9]), np.array([True]), bins=2) == pytest.approx(0.1)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors():
    with pytest.raises(ValueError, match="scheme is 'Xavier', expected one of xavier, he"):
        init_mlp(SIZES, np.random.default_rng(0), "Xavier")
    with pytest.raises(ValueError, match="sizes is \\(784,\\)"):
        init_mlp((784,), np.random.default_rng(0))
    for confidence in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"confidence must lie in 0\.\.1"):
            reliability_diagram(np.array([0.5, confidence]), np.array([True, True]))
