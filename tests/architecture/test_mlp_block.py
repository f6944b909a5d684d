"""The MLP block: what proves kb.architecture.mlp_block."""

import itertools

import numpy as np
import pytest
import torch

from kb.architecture import mlp_block as kb
from kb.structure.activation_functions import gelu, relu, tanh
from kb.torch.architecture import mlp_block as kt
from tests.contract import Case, contract, gpu_contract

BLOCK = {"w_up": (7, 3), "b_up": (7,), "w_down": (3, 7), "b_down": (3,)}
CASES = [
    Case(kb.mlp_block, x=(2, 5, 3), **BLOCK),
    Case(kb.mlp_block, x=(3,), **BLOCK, activation=relu),
    Case(kb.mlp_block, x=(2, 3), **BLOCK, activation=gelu),
    Case(kb.mlp_neurons, x=(2, 3), w_up=(7, 3), b_up=(7,)),
    Case(kb.mlp_neurons, x=(3,), w_up=(7, 3), b_up=(7,), activation=tanh),
    Case(kb.written_by_neurons, active=(2, 7), w_down=(3, 7)),
    Case(kb.store_facts, differentiable=False, keys=(4, 2, 3), values=(4, 3)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def weights(d=6, m=24, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in zip(BLOCK, ((m, d), m, (d, m), d), strict=True)}


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_block_is_torchs_two_linear_layers_with_gelu_between():
    """The modules of Hugging Face's GPT-2 in torch's words, with default activation."""
    x, w = np.random.default_rng(1).standard_normal((2, 5, 6)), weights()
    net = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.GELU("tanh"), torch.nn.Linear(24, 6)).double()
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    net.load_state_dict({n: torch.tensor(a) for n, a in zip(names, w.values(), strict=True)})
    np.testing.assert_allclose(kb.mlp_block(x, **w), net(torch.tensor(x)).detach(), rtol=1e-12, atol=1e-12)


def test_the_block_is_the_sum_of_what_its_neurons_write():
    x, w = np.random.default_rng(1).standard_normal((5, 6)), weights()
    each = kb.written_by_neurons(kb.mlp_neurons(x, w["w_up"], w["b_up"]), w["w_down"])
    np.testing.assert_allclose(each.sum(-2) + w["b_down"], kb.mlp_block(x, **w), rtol=1e-12, atol=1e-12)


def test_each_position_is_worked_on_alone():
    x, w = np.random.default_rng(1).standard_normal((5, 6)), weights()
    changed = x.copy()
    changed[2] = 9.0
    same = np.isclose(kb.mlp_block(x, **w), kb.mlp_block(changed, **w), rtol=1e-12).all(axis=-1)
    assert same.tolist() == [True, True, False, True, True]


# ---- a hand-computed example -------------------------------------------------------------------------------------
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_fact_is_an_and_of_its_keys(k):
    """All subsets of 5 perpendicular directions: the value is written where every key of the fact is there, only."""
    directions = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))[0]
    value = np.random.default_rng(3).standard_normal(8)
    w_up, b_up, w_down = kb.store_facts(directions[None, :k], value[None])
    assert b_up == 1 - k
    for there in itertools.product([0, 1], repeat=5):
        x = np.array(there) @ directions[:5]
        out = kb.mlp_block(x, w_up, b_up, w_down, np.zeros(8), relu)
        np.testing.assert_allclose(out, value * all(there[:k]), atol=1e-12)


def test_gpt_3s_blocks_are_two_thirds_of_it():
    assert kb.count_parameters(12_288, 4 * 12_288) == 1_208_020_992
    net = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.Linear(24, 6))
    assert kb.count_parameters(6, 24) == sum(p.numel() for p in net.parameters())


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_without_the_bias_half_of_the_fact_is_enough():
    first, second, value = np.eye(3)
    w_up, b_up, w_down = kb.store_facts(np.array([[first, second]]), value[None])
    half = [kb.mlp_block(first, w_up, b, w_down, np.zeros(3), relu) for b in (b_up, 0 * b_up)]
    np.testing.assert_array_equal(half, [0 * value, value])


def test_without_the_activation_the_and_becomes_a_sum():
    first, second, value = np.eye(3)
    w_up, b_up, w_down = kb.store_facts(np.array([[first, second]]), value[None])
    out = kb.mlp_block(np.zeros(3), w_up, b_up, w_down, np.zeros(3), lambda z: z)
    np.testing.assert_array_equal(out, -value)  # nothing said, and yet something is taken away


def test_with_gelu_it_leaks():
    """GELU(-1) = -0.159, GELU(0) = 0, GELU(1) = 0.841: a fact that nobody asked for is pushed away a little."""
    first, second, value = np.eye(3)
    w_up, b_up, w_down = kb.store_facts(np.array([[first, second]]), value[None])
    x = np.array([first * 0, first, first + second])
    out = kb.mlp_block(x, w_up, b_up, w_down, np.zeros(3), gelu) @ value
    np.testing.assert_allclose(out, [-0.15865525, 0.0, 0.84134475], atol=1e-8)
