"""Training on many machines: what proves the arithmetic. The processes themselves: tests/architecture/test_train.py."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.torch.architecture.data_parallel_training as kt
from kb.architecture import data_parallel_training as kb
from kb.autograd.tensor import Tensor
from kb.learning.backpropagation import squared_error_gradients
from kb.structure.activation_functions import gelu, relu, sigmoid
from kb.structure.multilayer_perceptron import init_mlp
from tests.contract import Case, contract, gpu_contract

NET = {"0.weight": (4, 5), "0.bias": (4,), "2.weight": (3, 4), "2.bias": (3,)}
BATCH = {"gradients": squared_error_gradients, "params": NET, "x": (7, 5), "y": (7, 3)}
CASES = [
    Case(kb.parallel_gradients, differentiable=False, **BATCH, workers=1),
    Case(kb.parallel_gradients, differentiable=False, **BATCH, workers=3),
    Case(kb.ring_all_reduce, differentiable=False, x=(4, 12)),
    Case(kb.ring_all_reduce, differentiable=False, x=(3, 7)),
    Case(kb.ring_all_reduce, differentiable=False, x=(5, 3)),
    Case(kb.ring_all_reduce, differentiable=False, x=(1, 6)),
    Case(kb.tensor_parallel_mlp, x=(2, 3), w_up=(8, 3), w_down=(4, 8), activation=gelu, workers=4),
    Case(kb.tensor_parallel_mlp, x=(5, 2, 3), w_up=(7, 3), w_down=(4, 7), activation=relu, workers=3),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

GPT_3 = 175_181_291_520


def batch(n=12, seed=0):
    rng = np.random.default_rng(seed)
    return init_mlp((5, 4, 3), rng, dtype="float64"), rng.standard_normal((n, 5)), rng.random((n, 3))


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.integers(1, 12), st.integers(1, 12))
def test_every_example_has_one_worker_and_nobody_is_idle(n, workers):
    if workers > n:
        with pytest.raises(ValueError, match=f"workers is {workers}, expected 1 up to the {n}"):
            kb.shards(n, workers)
        return
    parts = [np.arange(n)[part] for part in kb.shards(n, workers)]
    assert np.concatenate(parts).tolist() == list(range(n))
    sizes = [len(part) for part in parts]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 12))
def test_workers_together_have_the_gradient_of_the_whole_batch(workers):
    """Also where the parts are not equally long; the sum runs in another order, so a few roundings apart."""
    params, x, y = batch()
    whole_cost, whole = squared_error_gradients(params, x, y)
    cost, grads = kb.parallel_gradients(squared_error_gradients, params, x, y, workers)
    assert cost == pytest.approx(whole_cost, rel=1e-13)
    for name, g in whole.items():
        np.testing.assert_allclose(grads[name], g, rtol=1e-12, atol=1e-14)


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 99))
def test_the_ring_adds_sends_what_the_formula_says_and_leaves_all_workers_equal(workers, d, seed):
    x = np.random.default_rng(seed).standard_normal((workers, d))
    before = x.copy()
    sums, sent = kb.ring_all_reduce(x)
    np.testing.assert_allclose(sums, np.broadcast_to(x.sum(0), x.shape), rtol=1e-12, atol=1e-13)
    assert np.all(sums == sums[0]), "workers that differ in the last bit drift apart"
    np.testing.assert_array_equal(x, before)
    assert sent.sum() == pytest.approx(workers * kb.ring_traffic(d, workers)), "the average worker"
    assert sent.max() - sent.min() <= 2, "chunks differ by at most one number"
    assert sent.max() <= 2 * d


def test_the_ring_can_be_differentiated():
    """As torch.distributed.nn has it: what reaches any worker's sum reaches every worker's row."""
    leaf, seed = Tensor(batch()[1][:3]), np.random.default_rng(1).standard_normal((3, 5))
    kb.ring_all_reduce(leaf)[0].backward(seed)
    np.testing.assert_allclose(leaf.grad, np.broadcast_to(seed.sum(0), (3, 5)), rtol=1e-13)


def test_workers_that_step_by_the_average_stay_equal_and_walk_the_path_of_one():
    """Five workers, each with its own copy of the weights, the ring between them; one that sees everything beside."""
    params, x, y = batch(15)
    names, shapes = list(params), [p.shape for p in params.values()]
    copies = [dict(params) for _ in range(5)]
    for _ in range(20):
        flat = np.stack(
            [
                np.concatenate([g.ravel() for g in squared_error_gradients(copy, x[part], y[part])[1].values()])
                for copy, part in zip(copies, kb.shards(15, 5), strict=True)
            ]
        )
        sums, _ = kb.ring_all_reduce(flat)
        for copy, total in zip(copies, sums, strict=True):
            pieces = np.split(total / 5, np.cumsum([np.prod(s) for s in shapes])[:-1])
            for name, shape, piece in zip(names, shapes, pieces, strict=True):
                copy[name] = copy[name] - 0.5 * piece.reshape(shape)
        params = {n: p - 0.5 * squared_error_gradients(params, x, y)[1][n] for n, p in params.items()}
    for name in names:
        assert all(np.array_equal(copy[name], copies[0][name]) for copy in copies)
        np.testing.assert_allclose(copies[0][name], params[name], rtol=1e-11, atol=1e-13)


@given(st.integers(1, 8))
def test_an_mlp_block_in_slices_is_the_block(workers):
    rng = np.random.default_rng(0)
    x, up, down = (rng.standard_normal(shape) for shape in ((6, 3), (8, 3), (3, 8)))
    for activation in (gelu, sigmoid):
        whole = activation(x @ up.T) @ down.T
        np.testing.assert_allclose(kb.tensor_parallel_mlp(x, up, down, activation, workers), whole, rtol=1e-12)


@given(st.integers(1, 9), st.integers(1, 20))
def test_a_pipeline_does_everything_once_in_order_and_waits_as_long_as_the_formula_says(stages, micro_batches):
    table = kb.pipeline_schedule(stages, micro_batches)
    when = {(s, m): np.flatnonzero(table[s] == m) for s in range(stages) for m in range(micro_batches)}
    assert all(len(ticks) == 1 for ticks in when.values())
    assert all(when[s, m] > when[s - 1, m] for s, m in when if s)
    assert np.mean(table == -1) == pytest.approx(kb.bubble(stages, micro_batches), abs=1e-15)


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_two_workers_by_hand():
    """Exchange one half each way, add, exchange the other: each sends 2 of 2 numbers."""
    sums, sent = kb.ring_all_reduce(np.array([[1.0, 2.0], [10.0, 20.0]]))
    assert sums.tolist() == [[11.0, 22.0], [11.0, 22.0]]
    assert sent.tolist() == [2, 2]


def test_three_workers_round_by_round():
    """Letters instead of numbers: who has which sum after each of the four rounds."""
    held = [["a0", "a1", "a2"], ["b0", "b1", "b2"], ["c0", "c1", "c2"]]
    held = kb.ring_round(held, 0)
    assert held == [["a0", "a1", "a2c2"], ["b0a0", "b1", "b2"], ["c0", "c1b1", "c2"]]
    held = kb.ring_round(held, 1)
    assert [held[0][1], held[1][2], held[2][0]] == ["a1c1b1", "b2a2c2", "c0b0a0"]
    held = kb.ring_round(kb.ring_round(held, 2), 3)
    assert held == [["c0b0a0", "a1c1b1", "b2a2c2"]] * 3


def test_traffic():
    assert kb.ring_traffic(1000, 1) == 0
    assert kb.ring_traffic(1000, 4) == 1500
    assert kb.server_traffic(1000, 4) == 6000
    assert kb.ring_traffic(1000, 1000) < 2000


def test_a_pipeline_by_hand():
    assert kb.pipeline_schedule(3, 2).tolist() == [[0, 1, -1, -1], [-1, 0, 1, -1], [-1, -1, 0, 1]]
    assert kb.bubble(3, 2) == 0.5
    assert kb.bubble(1, 7) == 0


def test_bytes_as_in_the_figure_of_the_zero_paper():
    """Figure 1 of the paper: 7.5 billion parameters on 64 devices, in GB."""
    found = [kb.bytes_per_device(7.5e9, 64, stage) / 1e9 for stage in range(4)]
    assert np.round(found, 1).tolist() == [120.0, 31.4, 16.6, 1.9]
    assert kb.bytes_per_device(GPT_3) == 16 * GPT_3


def test_bytes_are_what_torch_keeps():
    """Adam's 12: a float32 copy and two averages. Counted in a model of bfloat16 with a float32 copy of its weights."""
    model = torch.nn.Linear(30, 20, dtype=torch.bfloat16)
    copies = [p.detach().float() for p in model.parameters()]
    optimizer = torch.optim.Adam(copies)
    model(torch.ones(1, 30, dtype=torch.bfloat16)).sum().backward()
    for copy, p in zip(copies, model.parameters(), strict=True):
        copy.grad = p.grad.float()
    optimizer.step()
    moments = [m for s in optimizer.state.values() for m in (s["exp_avg"], s["exp_avg_sq"])]
    kept = [*model.parameters(), *(p.grad for p in model.parameters()), *copies, *moments]
    assert sum(t.numel() * t.element_size() for t in kept) == kb.bytes_per_device(620)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors():
    params, x, y = batch(3)
    for twin, arrays in ((kb, (x, y)), (kt, (torch.tensor(x), torch.tensor(y)))):
        with pytest.raises(ValueError, match="workers is 4, expected 1 up to the 3 examples"):
            twin.parallel_gradients(squared_error_gradients, params, *arrays, workers=4)
    with pytest.raises(ValueError, match="workers is 0"):
        kb.tensor_parallel_mlp(x, np.ones((4, 5)), np.ones((2, 4)), relu, 0)
    with pytest.raises(ValueError, match="stage is 4"):
        kb.bytes_per_device(10, 2, 4)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_a_plain_average_of_unequal_parts_is_wrong():
    params, x, y = batch(7)
    whole = squared_error_gradients(params, x, y)[1]
    parts = [squared_error_gradients(params, x[part], y[part])[1] for part in kb.shards(7, 3)]
    plain = {name: sum(g[name] for g in parts) / 3 for name in whole}
    right = kb.parallel_gradients(squared_error_gradients, params, x, y, 3)[1]
    error = {n: np.abs(plain[n] - whole[n]).max() / np.abs(whole[n]).max() for n in whole}
    assert min(error.values()) > 0.01
    assert max(np.abs(right[n] - whole[n]).max() for n in whole) < 1e-14


def test_a_normalisation_between_the_slices_would_break_them():
    """An activation that looks at all hidden neurons, as softmax does, cannot be computed slice by slice."""
    rng = np.random.default_rng(0)
    x, up, down = (rng.standard_normal(shape) for shape in ((6, 3), (8, 3), (3, 8)))

    def centred(z):
        return z - z.mean(-1, keepdims=True)

    whole = centred(x @ up.T) @ down.T
    assert not np.allclose(kb.tensor_parallel_mlp(x, up, down, centred, 2), whole, rtol=0.1)
