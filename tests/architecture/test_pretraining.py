"""Pretraining: what proves kb.architecture.pretraining."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.pretraining as kb
import kb.torch.architecture.pretraining as kt
from kb.architecture.transformer import GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.learning.optimizers import AdamW
from tests.contract import Case, contract, gpu_contract

TINY = GPTConfig(vocab_size=13, n_positions=9, n_embd=8, n_layer=2, n_head=2)
IDS = np.array([[3, 0, 12, 5, 5], [1, 2, 3, 4, 0]])
WEIGHTS = {name: 5 * w for name, w in init_gpt(TINY, np.random.default_rng(0), "float64").items()}
CASES = [
    Case(kb.windows, ids=np.arange(10), starts=np.array([0, 7, 2]), length=2),
    Case(kb.shifted, ids=IDS),
    Case(kb.shifted, ids=IDS[0]),
    Case(kb.next_token_loss, logits=(2, 4, 13), targets=IDS[:, 1:]),
    Case(kb.next_token_loss, logits=(4, 13), targets=IDS[0, 1:]),
    Case(kb.pretraining_loss, params=WEIGHTS, ids=IDS, config=TINY),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_every_position_is_an_example():
    one_at_a_time = []
    for row in IDS:
        for t in range(1, len(row)):
            z = gpt(WEIGHTS, row[:t], TINY)[-1]
            one_at_a_time.append(math.log(np.exp(z - z[row[t]]).sum()))
    assert math.isclose(kb.pretraining_loss(WEIGHTS, IDS, TINY), np.mean(one_at_a_time), rel_tol=1e-12)


def test_untrained_it_guesses():
    """A fresh model gives every token nearly the same chance: the loss is ln v to 0.02."""
    config = GPTConfig(vocab_size=768, n_positions=64, n_embd=80, n_layer=3, n_head=4)
    params = init_gpt(config, np.random.default_rng(0))
    ids = np.random.default_rng(1).integers(0, 768, (8, 65))
    assert abs(kb.pretraining_loss(params, ids, config) - math.log(768)) < 0.05


texts = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=8), min_size=1, max_size=12)


@settings(max_examples=20)
@given(texts, st.integers(1, 12), st.integers(1, 4), st.integers(0, 99))
def test_each_window_begins_where_a_text_begins(found, length, batch_size, seed):
    if len(found) < batch_size or sum(map(len, found)) + len(found) < length + 1:
        return
    batches = kb.epoch(found, 0, batch_size, length, np.random.default_rng(seed))
    assert len(batches) == len(found) // batch_size
    rows = np.concatenate(batches)
    assert rows.shape[1] == length + 1
    for row in rows.tolist():
        assert row[0] == 0
        *whole, last = [list(map(int, piece)) for piece in "".join(map(str, row))[1:].split("0")]
        assert all(piece in found for piece in whole)
        assert any(text[: len(last)] == last for text in found)


def test_a_pass_uses_each_text_once_and_another_order_each_time():
    found = [[i] * 3 for i in range(1, 9)]
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(kb.epoch(found, 0, 4, 5, rng)) for _ in range(2))
    assert sorted(first[:, 1]) == sorted(second[:, 1]) == list(range(1, 9))
    assert (first[:, 1] != second[:, 1]).any()
    np.testing.assert_array_equal(first[1:, 1], first[:-1, 5])  # a window goes on with the text of the next one


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_pack_and_shift_by_hand():
    ids = kb.pack([[5, 6], [7]], 0)
    assert ids.tolist() == [0, 5, 6, 0, 7]
    inputs, targets = kb.shifted(ids)
    assert inputs.tolist() == [0, 5, 6, 0]
    assert targets.tolist() == [5, 6, 0, 7]
    assert kb.windows(ids, np.array([0, 1]), 3).tolist() == [[0, 5, 6, 0], [5, 6, 0, 7]]


def test_loss_by_hand():
    logits = np.log(np.array([[0.5, 0.5], [0.2, 0.8]]))
    assert math.isclose(kb.next_token_loss(logits, np.array([0, 0])), (math.log(2) + math.log(5)) / 2, rel_tol=1e-12)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("twin", [kb, kt])
def test_errors(twin):
    import torch

    make = np.array if twin is kb else torch.tensor
    with pytest.raises(ValueError, match="at least two tokens"):
        twin.shifted(make([[1], [2]]))
    with pytest.raises(ValueError, match=r"starts lie in 0..8, expected 0..7"):
        twin.windows(make(list(range(10))), make([0, 8]), 2)
    with pytest.raises(ValueError, match=r"starts lie in -1..0"):
        twin.windows(make(list(range(10))), make([-1, 0]), 2)


# ---- mutation: targets that are not shifted ----------------------------------------------------------------------
def test_without_the_shift_the_model_learns_to_copy():
    """Asked for the token that it sees, its loss goes to 0; asked for the next of a random text, it cannot."""
    rng = np.random.default_rng(0)
    losses = {}
    for shift in (0, 1):
        params = init_gpt(TINY, np.random.default_rng(0), "float64")

        def loss(params, ids, shift=shift):
            return kb.next_token_loss(gpt(params, ids[:, :-1], TINY), ids[:, shift : ids.shape[1] - 1 + shift])

        optimizer = AdamW(params, lr=0.01)
        for _ in range(60):
            value, grads = value_and_grad(loss)(params, rng.integers(0, 13, (16, 9)))
            params = optimizer.step(grads)
        losses[shift] = value
    assert losses[0] < 0.3
    assert losses[1] > 0.9 * math.log(13)
