"""Fine-tuning and LoRA: what proves the update, its gradients and what was measured."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import kb.torch.architecture.fine_tuning as kt
from kb.architecture import fine_tuning as kb
from kb.architecture.transformer import GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.learning.cost_function import cost
from kb.structure.layers import linear
from tests.contract import Case, contract, gpu_contract
from training import fine_tuning as recorded

A, B, W = (2, 5), (4, 2), (4, 5)
PARAMS = {"w": W, "u": (3, 4), "bias": (4,)}
LORA = {"w.lora_A": A, "w.lora_B": B}
CASES = [
    Case(kb.lora_update, lora_a=A, lora_b=B),
    Case(kb.lora_update, lora_a=A, lora_b=B, alpha=8),
    Case(kb.lora_linear, x=(3, 5), weight=W, lora_a=A, lora_b=B),
    Case(kb.lora_linear, x=(2, 3, 5), weight=W, lora_a=A, lora_b=B, bias=(4,), alpha=16.0),
    Case(kb.lora_backward, grad=W, lora_a=A, lora_b=B, alpha=3.0),
    Case(kb.merge, params=PARAMS, lora=LORA),
    Case(kb.merge, params=PARAMS, lora={**LORA, "u.lora_A": (1, 4), "u.lora_B": (3, 1)}, alpha=4.0),
    Case(kb.low_rank_share, differentiable=False, update=(6, 4), rank=2),
    Case(kb.low_rank_share, differentiable=False, update=(3, 7), rank=1),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

CONFIG = GPTConfig(vocab_size=11, n_positions=6, n_embd=8, n_layer=2, n_head=2)
MATRICES = [f"h.{i}.attn.c_attn.weight" for i in range(2)]
sizes = st.tuples(st.integers(1, 4), st.integers(4, 8), st.integers(4, 8))


def factors(rank, m, n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rank, n)), rng.standard_normal((m, rank))


def random_lora(params, rank=2):
    """Updates that do something: B is not 0."""
    rng = np.random.default_rng(1)
    return {n: rng.standard_normal(v.shape) for n, v in kb.init_lora(params, MATRICES, rank, rng).items()}


# ---- invariants --------------------------------------------------------------------------------------------------
@given(sizes)
def test_the_rank_of_the_update_is_at_most_r(size):
    rank, m, n = size
    update = kb.lora_update(*factors(rank, m, n), alpha=7.0)
    assert np.linalg.matrix_rank(update) == rank
    assert kb.low_rank_share(update, rank) == pytest.approx(1, abs=1e-12)


@settings(max_examples=30)
@given(sizes, st.sampled_from([None, 1.0, 16.0]))
def test_beside_the_weight_or_merged_into_it_is_the_same(size, alpha):
    a, b = factors(*size)
    x, weight = factors(3, size[1], size[2], seed=2)[0], factors(size[2], size[1], 1, seed=3)[1]
    beside = kb.lora_linear(x, weight, a, b, alpha=alpha)
    merged = kb.merge({"w": weight}, {"w.lora_A": a, "w.lora_B": b}, alpha)["w"]
    np.testing.assert_allclose(beside, linear(x, merged), rtol=1e-10, atol=1e-11)


def test_a_whole_gpt_merged_gives_the_output_of_one_with_the_updates_beside():
    """The reference puts them in by a hook on torch's modules, the way adapters work."""
    from kb.torch.architecture.transformer import GPT2

    params = init_gpt(CONFIG, np.random.default_rng(0), "float64")
    lora, ids = random_lora(params), np.array([[1, 5, 2, 7]])
    model = GPT2(CONFIG).double()
    model.load_state_dict({name: torch.from_numpy(p) for name, p in params.items()})
    for i, block in enumerate(model.h):
        a, b = (torch.from_numpy(lora[f"{MATRICES[i]}.lora_{part}"]) for part in "AB")
        block.attn.c_attn.register_forward_hook(lambda _, x, out, a=a, b=b: out + 3 / 2 * (x[0] @ b) @ a)
    with torch.no_grad():
        beside = model(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(gpt(kb.merge(params, lora, alpha=3.0), ids, CONFIG), beside, rtol=1e-10, atol=1e-12)
    assert np.abs(beside - gpt(params, ids, CONFIG)).max() > 0.1


def test_at_the_start_nothing_is_changed():
    params = init_gpt(CONFIG, np.random.default_rng(0))
    merged = kb.merge(params, kb.init_lora(params, MATRICES, 2, np.random.default_rng(1)))
    for name, p in params.items():
        np.testing.assert_array_equal(merged[name], p)


@given(st.integers(1, 6))
def test_the_share_is_that_of_the_best_approximation(rank):
    """Eckart and Young, with the approximation built: the share is what its error leaves."""
    update = np.random.default_rng(0).standard_normal((6, 8))
    u, s, v = np.linalg.svd(update, full_matrices=False)
    best = (u[:, :rank] * s[:rank]) @ v[:rank]
    kept = 1 - np.sum((update - best) ** 2) / np.sum(update**2)
    assert kb.low_rank_share(update, rank) == pytest.approx(kept, abs=1e-12)


def test_init_draws_what_it_says():
    params = {"w": np.zeros((300, 400), np.float32), "bias": np.zeros(3)}
    lora = kb.init_lora(params, ["w"], 50, np.random.default_rng(0))
    a, b = lora["w.lora_A"], lora["w.lora_B"]
    assert (a.shape, b.shape, a.dtype, b.dtype) == ((50, 400), (300, 50), np.float32, np.float32)
    assert not b.any()
    scatter = 5 / math.sqrt(2 * a.size)  # of the standard deviation of normal noise, five times
    assert a.std() * math.sqrt(400) == pytest.approx(1, abs=scatter)
    twin = kt.init_lora({"w": torch.zeros(300, 400)}, ["w"], 50, np.random.default_rng(0))
    np.testing.assert_array_equal(twin["w.lora_A"].numpy(), a)


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_a_small_update_by_hand():
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0], [-1.0]])
    assert kb.lora_update(a, b).tolist() == [[3, 6], [-1, -2]]
    assert kb.lora_update(a, b, alpha=2).tolist() == [[6, 12], [-2, -4]]
    assert kb.lora_linear(np.array([1.0, 1.0]), np.eye(2), a, b).tolist() == [10, -2]


def test_counts_as_in_the_paper():
    """Table 4 and section 5: GPT-3 with W_q and W_v, rank 1 and 8; GPT-2 small as the peft library counts it."""
    gpt_3 = [(12288, 12288)] * (2 * 96)
    assert kb.count_lora(gpt_3, 1) == 4_718_592  # 4.7M
    assert kb.count_lora(gpt_3, 8) == 37_748_736  # 37.7M
    assert kb.count_lora([(768, 3 * 768)] * 12, 8) == 294_912
    params = {n: np.empty(s) for n, s in CONFIG.shapes().items()}
    lora = kb.init_lora(params, MATRICES, 3, np.random.default_rng(0))
    assert sum(p.size for p in lora.values()) == kb.count_lora([params[n].shape for n in MATRICES], 3)


# ---- gradients ---------------------------------------------------------------------------------------------------
def test_the_slopes_by_hand_are_those_of_the_graph_and_of_torch():
    (a, b), rng = factors(2, 4, 5), np.random.default_rng(3)
    x, y, weight = (rng.standard_normal(shape) for shape in ((7, 5), (7, 4), (4, 5)))

    def of(lora):
        return cost(linear(x, kb.merge({"w": weight}, lora, 6.0)["w"]), y)

    _, grads = value_and_grad(of)({"w.lora_A": a, "w.lora_B": b})
    whole = 2 / 7 * (linear(x, weight + kb.lora_update(a, b, 6.0)) - y).T @ x
    for got, name in zip(kb.lora_backward(whole, a, b, 6.0), ("w.lora_A", "w.lora_B"), strict=True):
        np.testing.assert_allclose(got, grads[name], rtol=1e-11)
    leaves = [torch.tensor(p, requires_grad=True) for p in (a, b)]
    out = kt.lora_linear(torch.tensor(x), torch.tensor(weight), *leaves, alpha=6.0)
    ((out - torch.tensor(y)).square().sum() / 7).backward()
    for leaf, name in zip(leaves, ("w.lora_A", "w.lora_B"), strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), grads[name], rtol=1e-10)


def test_b_moves_first_and_with_both_at_zero_nothing_ever_moves():
    grad, (a, b) = np.random.default_rng(0).standard_normal((4, 5)), factors(2, 4, 5)
    to_a, to_b = kb.lora_backward(grad, a, np.zeros_like(b))
    assert not to_a.any()
    assert np.all(to_b != 0)
    assert not any(part.any() for part in kb.lora_backward(grad, np.zeros_like(a), np.zeros_like(b)))


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors():
    params = {"w": np.ones((4, 5)), "bias": np.ones(4)}
    rng = np.random.default_rng(0)
    for twin, weights in ((kb, params), (kt, {n: torch.tensor(p) for n, p in params.items()})):
        for rank in (0, 5):
            with pytest.raises(ValueError, match=rf"rank is {rank}, expected 1 up to the smaller side of w \(4, 5\)"):
                twin.init_lora(weights, ["w"], rank, rng)
        with pytest.raises(ValueError, match=r"smaller side of bias \(4,\)"):
            twin.init_lora(weights, ["bias"], 1, rng)
        with pytest.raises(ValueError, match=r"smaller side of v \(\)"):
            twin.init_lora(weights, ["v"], 1, rng)
        a, b = (p if twin is kb else torch.tensor(p) for p in factors(2, 5, 4))
        with pytest.raises(ValueError, match=r"the update of w has shape \(5, 4\), the weight \(4, 5\)"):
            twin.merge(weights, {"w.lora_A": a, "w.lora_B": b})
        with pytest.raises(ValueError, match=r"the update of v has shape \(5, 4\), the weight None"):
            twin.merge(weights, {"v.lora_A": a, "v.lora_B": b})


# ---- what was recorded -------------------------------------------------------------------------------------------
def test_a_tilted_digit():
    """As scipy turns it, in one of the two directions; what comes in from outside is empty."""
    images = recorded.digits(True)[0][:20].astype(np.float64)
    ways = [ndimage.rotate(images, a, axes=(1, 2), reshape=False, order=1, mode="grid-constant") for a in (30, -30)]
    assert min(np.abs(recorded.tilted(images) - way).max() for way in ways) < 1e-6


def test_nothing_is_used_twice():
    (x, _), (chosen_by, _) = recorded.draw(0)
    assert (len(x), len(chosen_by)) == (recorded.TRAINING, recorded.VALIDATION)
    rows = np.concatenate([x, chosen_by, recorded.held_out()[0]])
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("way", ["full", 2])
def test_a_short_run_learns_repeats_itself_and_begins_where_the_record_does(way):
    (weights, curve), (again, _) = (recorded.fit(way, 1e-2, steps=30) for _ in range(2))
    assert curve[-1][1] > curve[0][1] + 0.1
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
    np.testing.assert_allclose(curve[0], recorded.curve(way)[0], atol=2e-3)  # half a digit of 360


def test_the_record_is_what_the_code_gives():
    """One draw with all weights, at the rate that was chosen for it."""
    _, curve = recorded.fit("full", recorded.read()["rate"]["full"][0], seed=0)
    np.testing.assert_allclose(curve[-1][1:], recorded.ends("full")[0], atol=0.02)  # other machines round differently


def test_the_record_says_what_the_page_says():
    tilted = [recorded.reached(way) for way in (*recorded.RANKS, "full")]
    assert tilted == sorted(tilted), "more numbers learn more"
    assert recorded.reached("nothing") < recorded.reached("full") - 0.03, "a head start"
    for way in ("full", "slow", *recorded.RANKS):
        assert recorded.reached("base") + 0.2 < recorded.reached(way), "it learns"
        assert recorded.reached(way, upright=True) < recorded.reached("base", upright=True) - 0.2, "and forgets"
        np.testing.assert_allclose(recorded.ends(way).mean(axis=0), recorded.curve(way)[-1, 1:], atol=1e-4)
    sizes = [recorded.trainable(way) for way in ("full", *recorded.RANKS)]
    assert sizes[0] == 3760 > sizes[-1] == 8 * sizes[1] == 8 * (50 + 64 + 10 + 50)
    shares = [recorded.share(rank) for rank in range(1, 51)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1, abs=1e-4)


def test_two_points_are_within_the_scatter():
    """Rank 8 against all weights with a smaller rate: the mean difference is below two of its standard errors."""
    difference = recorded.ends(8) - recorded.ends("slow")
    error = difference.std(axis=0, ddof=1) / math.sqrt(recorded.DRAWS)
    assert np.all(np.abs(difference.mean(axis=0)) < 2 * error)
