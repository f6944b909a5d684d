"""The residual stream: what proves kb.architecture.residual_stream."""

import numpy as np
import pytest
import torch

from kb.architecture import residual_stream as kb
from kb.architecture.attention import scaled_dot_product_attention
from kb.foundations.softmax import softmax
from kb.structure.activation_functions import sigmoid, tanh
from kb.torch.architecture import residual_stream as kt
from tests.contract import Case, contract, gpu_contract

CASES = [
    Case(kb.written, x=(2, 4), blocks={"first": tanh, "second": sigmoid}),
    Case(kb.written, x=(4,), blocks={}),
    Case(kb.stream, parts=(3, 2, 4)),
    Case(kb.stream, parts=(3, 4)),
    Case(kb.held_layer_norm, parts=(3, 2, 5, 4)),
    Case(kb.held_layer_norm, parts=(3, 2, 4), weight=(4,), bias=(4,), eps=1e-3),
    Case(kb.held_layer_norm, parts=(3, 4), weight=(4,)),
    Case(kb.direct_logit_attribution, parts=(3, 2, 4), weight=(7, 4)),
    Case(kb.logit_lens, parts=(3, 2, 4), read=softmax),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def stack(width=16, depth=6, t=5, v=11, seed=0):
    """An input and a stack of random blocks, attention and layer in turn, and an unembedding with its layer norm."""
    rng = np.random.default_rng(seed)
    blocks = {}
    for i in range(depth):
        q, k, w = rng.standard_normal((3, width, width)) / np.sqrt(width)
        if i % 2:
            blocks[f"layer {i}"] = lambda x, w=w, q=q: np.tanh(x @ q) @ w
        else:
            blocks[f"attention {i}"] = lambda x, q=q, k=k, w=w: scaled_dot_product_attention(
                x @ q, x @ k, x @ w, is_causal=True
            )
    return rng.standard_normal((t, width)), blocks, rng.standard_normal((v, width)), *rng.standard_normal((2, width))


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_stream_is_the_blocks_one_after_the_other():
    x, blocks, *_ = stack()
    states = kb.stream(kb.written(x, blocks))
    np.testing.assert_array_equal(states[0], x)
    for state, block in zip(states[1:], blocks.values(), strict=True):
        x = x + block(x)
        np.testing.assert_allclose(state, x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("with_norm", [False, True])
def test_the_shares_sum_to_the_logit(with_norm):
    """Oracle: torch's layer_norm and linear on the last vector. Round-off: a sum of seven parts and 16 products."""
    x, blocks, w_u, weight, bias = stack()
    parts = kb.written(x, blocks)
    last = torch.tensor(x)
    for block in blocks.values():
        last = last + torch.tensor(block(last.numpy()))
    if with_norm:
        last = torch.nn.functional.layer_norm(last, (16,), torch.tensor(weight), torch.tensor(bias))
        parts = kb.held_layer_norm(parts, weight, bias)
        assert len(parts) == 8
    shares = kb.direct_logit_attribution(parts, w_u)
    bound = 200 * np.finfo(float).eps * np.sum(np.abs(parts) @ np.abs(w_u).T, axis=0)
    assert np.all(np.abs(np.sum(shares, axis=0) - (last @ torch.tensor(w_u).T).numpy()) <= bound)


def test_the_last_stage_of_the_lens_is_the_models_answer():
    x, blocks, w_u, *_ = stack()
    parts = kb.written(x, blocks)
    stages = kb.logit_lens(parts, lambda x: x @ w_u.T)
    np.testing.assert_allclose(stages[-1], np.sum(kb.direct_logit_attribution(parts, w_u), axis=0), atol=1e-12)
    np.testing.assert_allclose(stages[0], x @ w_u.T)


# ---- a hand-computed example -------------------------------------------------------------------------------------
def test_two_blocks_by_hand():
    """x = (1, 2); the first block writes (2, 4), the second, reading (3, 6), writes (-3, -6) / 3."""
    parts = kb.written(np.array([1.0, 2.0]), {"double": lambda x: 2 * x, "third": lambda x: -x / 3})
    np.testing.assert_allclose(parts, [[1, 2], [2, 4], [-1, -2]])
    np.testing.assert_allclose(kb.stream(parts), [[1, 2], [3, 6], [2, 4]])
    np.testing.assert_allclose(kb.direct_logit_attribution(parts, np.array([[1.0, 1], [0, -1]])).sum(0), [6, -4])
    # the last vector (2, 4) has mean 3 and standard deviation 1: parts centred, divided by 1
    np.testing.assert_allclose(kb.held_layer_norm(parts, eps=0.0), [[-0.5, 0.5], [-1, 1], [0.5, -0.5]])


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_block_must_keep_the_shape():
    with pytest.raises(ValueError, match=r"f\(x\) has shape \(3,\), expected that of x \(4,\)"):
        kb.written(np.ones(4), {"narrow": lambda x: x[:3]})


# ---- mutation: with the scale not held the shares do not sum -----------------------------------------------------
def test_normalising_each_part_by_itself_does_not_sum_to_the_logit():
    x, blocks, w_u, *_ = stack()
    parts = kb.written(x, blocks)
    held = kb.held_layer_norm(parts)
    alone = np.stack([kb.held_layer_norm(part[None])[0] for part in parts])
    assert np.abs((held - alone).sum(0) @ w_u.T).max() > 1
