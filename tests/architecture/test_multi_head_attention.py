import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.multi_head_attention as kb
import kb.torch.architecture.multi_head_attention as kt
from figures import two_heads
from kb.architecture.attention import scaled_dot_product_attention
from tests.contract import EPS32, Case, contract, gpu_contract

PADDING = np.array([True, True, False, True, False])[None]  # (1, s)
WEIGHTS = {"w_in": (24, 8), "b_in": (24,), "w_out": (8, 8), "b_out": (8,)}
CROSS = {"q": (2, 3, 8), "k": (2, 5, 8), "v": (2, 5, 8)}
CASES = [
    Case(kb.split_heads, x=(2, 5, 8), num_heads=4),
    Case(kb.split_heads, x=(5, 8), num_heads=1),
    Case(kb.merge_heads, x=(2, 4, 5, 3)),
    Case(kb.multi_head_attention, **CROSS, **WEIGHTS, num_heads=2),
    Case(kb.multi_head_attention, **CROSS, **WEIGHTS, num_heads=4, attn_mask=PADDING),
    Case(kb.multi_head_attention, **CROSS, **WEIGHTS, num_heads=2, attn_mask=(2, 2, 3, 5)),
    Case(kb.multi_head_attention, q=(5, 8), k=(5, 8), v=(5, 8), **WEIGHTS, num_heads=2, is_causal=True),
    Case(
        kb.multi_head_attention, **CROSS, w_in=(24, 8), b_in=None, w_out=(8, 8), b_out=None, num_heads=8, is_causal=True
    ),
    Case(
        kb.grouped_query_attention, x=(2, 5, 8), w_q=(12, 8), w_k=(6, 8), w_v=(6, 8), w_out=(8, 12), num_heads=4,
        is_causal=True,
    ),
    Case(
        kb.grouped_query_attention, x=(5, 8), w_q=(8, 8), w_k=(2, 8), w_v=(2, 8), w_out=(8, 8), num_heads=4,
        attn_mask=PADDING,
    ),
    Case(kb.head_patterns, q=(2, 3, 8), k=(2, 5, 8), w_in=(24, 8), b_in=(24,), num_heads=2),
    Case(kb.head_patterns, q=(5, 8), k=(5, 8), w_in=(24, 8), b_in=None, num_heads=4, is_causal=True),
    Case(kb.head_outputs, **CROSS, w_in=(24, 8), b_in=(24,), w_out=(8, 8), num_heads=2, attn_mask=PADDING),
    Case(kb.value_maps, w_v=(12, 8), w_out=(8, 12), num_heads=3),
]  # fmt: skip
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def weights(d, seed=9):
    rng = np.random.default_rng(seed)
    shapes = {"w_in": (3 * d, d), "b_in": (3 * d,), "w_out": (d, d), "b_out": (d,)}
    return {name: rng.standard_normal(shape) / np.sqrt(d) for name, shape in shapes.items()}


def torch_module(params, num_heads):
    """torch's own layer, with the same weights."""
    d = len(params["w_out"])
    module = torch.nn.MultiheadAttention(d, num_heads, batch_first=True, dtype=torch.float64)
    names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    module.load_state_dict({n: torch.tensor(p) for n, p in zip(names, params.values(), strict=True)}, strict=True)
    return module


# ---- torch's own layer -------------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.data())
def test_the_value_and_the_patterns_of_nn_multiheadattention(data):
    """Masks too: theirs says True = may NOT look, and takes padding as (b, s)."""
    b, t, s, h = (data.draw(st.integers(1, 4)) for _ in range(4))
    seed, d = data.draw(st.integers(0, 99)), h * data.draw(st.integers(1, 3))
    params, rng = weights(d, seed), np.random.default_rng(seed)
    q, k, v = rng.standard_normal((b, t, d)), rng.standard_normal((b, s, d)), rng.standard_normal((b, s, d))
    see, there = rng.random((t, s)) < 0.7, rng.random((b, s)) < 0.7
    see[:, 0] = there[:, 0] = True  # theirs gives nan where a query sees nothing
    mask = np.logical_and(see, there[:, None, None, :])
    ours = kb.multi_head_attention(q, k, v, *params.values(), h, mask)
    theirs, patterns = torch_module(params, h)(
        *map(torch.tensor, (q, k, v)), key_padding_mask=torch.tensor(~there), attn_mask=torch.tensor(~see),
        average_attn_weights=False,
    )  # fmt: skip
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-11, atol=1e-12)
    found = kb.head_patterns(q, k, params["w_in"], params["b_in"], h, mask)
    np.testing.assert_allclose(found, patterns.detach().numpy(), rtol=1e-11, atol=1e-12)


def test_causal_self_attention_of_nn_multiheadattention_in_float32():
    params = {name: p.astype(np.float32) for name, p in weights(16).items()}
    x = normal(2, 7, 16).astype(np.float32)
    module = torch_module(params, 4).float()
    mask = torch.nn.Transformer.generate_square_subsequent_mask(7)
    theirs = module(*[torch.tensor(x)] * 3, attn_mask=mask, is_causal=True, need_weights=False)[0].detach().numpy()
    for half in (kb.multi_head_attention(x, x, x, *params.values(), 4, is_causal=True),):
        np.testing.assert_allclose(half, theirs, atol=64 * EPS32)
    as_numbers = np.where(np.tri(7, dtype=bool), 0, -np.inf).astype(np.float32)
    ours = kb.multi_head_attention(x, x, x, *params.values(), 4, as_numbers)
    np.testing.assert_allclose(ours, theirs, atol=64 * EPS32)


def test_the_torch_twin_does_the_same_with_one_product_for_self_attention():
    params = {name: torch.tensor(p) for name, p in weights(8).items()}
    x = torch.tensor(normal(2, 5, 8))
    one, three = (kt.multi_head_attention(x, k, k, *params.values(), 2) for k in (x, x.clone()))
    torch.testing.assert_close(one, three, rtol=1e-13, atol=1e-13)


@pytest.mark.slow
def test_grouped_queries_are_hugging_face_s_llama_without_its_rotation():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaAttention

    torch.manual_seed(0)
    config = LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=2, head_dim=6)
    config._attn_implementation = "eager"
    module, x = LlamaAttention(config, layer_idx=0), torch.randn(2, 7, 32)
    still = torch.ones(2, 7, 6), torch.zeros(2, 7, 6)  # cos and sin of no rotation
    mask = torch.full((7, 7), -torch.inf).triu(1)[None, None]
    theirs = module(x, still, mask)[0].detach().numpy()
    w = [getattr(module, f"{name}_proj").weight.detach().numpy() for name in "qkvo"]
    np.testing.assert_allclose(kb.grouped_query_attention(x.numpy(), *w, 4, is_causal=True), theirs, atol=64 * EPS32)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_split_and_merge_undo_each_other():
    x = normal(2, 5, 12)
    np.testing.assert_array_equal(kb.merge_heads(kb.split_heads(x, 3)), x)
    np.testing.assert_array_equal(kb.split_heads(x, 3)[:, 1], x[..., 4:8])


def test_the_layer_is_a_loop_over_heads_and_the_heads_add_up():
    """Each head by itself, from its own rows of w_in and its own columns of w_out."""
    d, h, params = 12, 3, weights(12)
    q, k, v = normal(4, d), normal(6, d, seed=1), normal(6, d, seed=2)
    w, b = np.split(params["w_in"], 3), np.split(params["b_in"], 3)
    total = params["b_out"]
    each = kb.head_outputs(q, k, v, params["w_in"], params["b_in"], params["w_out"], h)
    for head in range(h):
        rows = slice(4 * head, 4 * head + 4)
        made = (x @ w[i][rows].T + b[i][rows] for i, x in enumerate((q, k, v)))
        alone = scaled_dot_product_attention(*made) @ params["w_out"][:, rows].T
        np.testing.assert_allclose(each[head], alone, rtol=1e-12, atol=1e-13)
        total = total + alone
    np.testing.assert_allclose(kb.multi_head_attention(q, k, v, *params.values(), h), total, rtol=1e-12, atol=1e-13)


def test_what_a_head_adds_is_its_pattern_times_its_value_map():
    """Without biases a head is A x W^T: A says from where, W says what."""
    x, params = normal(5, 12), weights(12)
    maps = kb.value_maps(params["w_in"][24:], params["w_out"], 3)
    patterns = kb.head_patterns(x, x, params["w_in"], None, 3)
    outputs = kb.head_outputs(x, x, x, params["w_in"], None, params["w_out"], 3)
    np.testing.assert_allclose(outputs, patterns @ x @ np.swapaxes(maps, 1, 2), rtol=1e-11, atol=1e-12)
    assert np.linalg.matrix_rank(maps).tolist() == [4, 4, 4]


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_heads_are_repeated_keys_and_values(groups):
    x, w_q, w_out = normal(2, 5, 8), normal(12, 8, seed=1), normal(8, 12, seed=2)
    w_k, w_v = normal(3 * groups, 8, seed=3), normal(3 * groups, 8, seed=4)
    repeated = [np.repeat(w.reshape(groups, 3, 8), 4 // groups, axis=0).reshape(12, 8) for w in (w_k, w_v)]
    np.testing.assert_allclose(
        kb.grouped_query_attention(x, w_q, w_k, w_v, w_out, 4, is_causal=True),
        kb.grouped_query_attention(x, w_q, *repeated, w_out, 4, is_causal=True),
        rtol=1e-12, atol=1e-12,
    )  # fmt: skip


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_two_heads_by_hand():
    """Equal scores everywhere: each head hands over the average of its half of the values."""
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    w_in = np.concatenate([np.zeros((4, 2)), np.eye(2)])
    out = kb.multi_head_attention(x, x, x, w_in, None, np.array([[0.0, 1], [1, 0]]), np.array([10.0, 20]), 2)
    np.testing.assert_allclose(out, [[14, 22], [14, 22]])


def test_the_counts_of_gpt_3():
    head = kb.attention_parameters(12_288, 1, head_size=128)
    assert head == dict.fromkeys(("query", "key", "value", "output"), 1_572_864)
    assert sum(head.values()) == 6_291_456
    assert sum(kb.attention_parameters(12_288, 96).values()) == 603_979_776
    assert sum(kb.attention_parameters(12_288, 96, num_layers=96).values()) == 57_982_058_496
    module = torch.nn.MultiheadAttention(24, 4, bias=False)
    assert sum(kb.attention_parameters(24, 4).values()) == sum(p.numel() for p in module.parameters())
    assert kb.attention_parameters(32, 4, num_kv_heads=2)["key"] == 32 * 16


# ---- errors ------------------------------------------------------------------------------------------------------
def test_heads_that_do_not_divide():
    x = normal(5, 8)
    for heads in (0, 3):
        with pytest.raises(ValueError, match=rf"{heads} heads do not divide the width of x \(5, 8\)"):
            kb.split_heads(x, heads)
    for heads, keys in ((0, 4), (3, 4), (2, 3)):
        with pytest.raises(ValueError, match=rf"w_q \(8, 8\) and w_k \({keys}, 8\) do not divide"):
            kb.grouped_query_attention(x, normal(8, 8), normal(keys, 8), normal(keys, 8), normal(8, 8), heads)


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_cutting_heads_without_moving_the_axis_mixes_positions():
    """reshape (t, d) -> (h, t, d/h) has the right shape and the wrong content."""
    x = normal(6, 8)
    wrong = np.reshape(x, (4, 6, 2))
    assert wrong.shape == kb.split_heads(x, 4).shape
    changed = x.copy()
    changed[5] = 0  # the last position
    touched = np.any(np.reshape(changed, (4, 6, 2)) != wrong, axis=-1)
    assert touched.any(0).sum() > 1  # several "positions" see the change
    assert np.any(kb.split_heads(changed, 4) != kb.split_heads(x, 4), axis=(0, 2)).tolist() == [False] * 5 + [True]


@pytest.mark.slow
def test_one_head_cannot_say_which_letter_came_first():
    """The game of the page: with equally many weights, two heads play it without a mistake."""
    one, two = two_heads.train(1), two_heads.train(2)
    assert sum(p.size for p in one.values()) == sum(p.size for p in two.values())
    assert two_heads.accuracy(2).min() > 0.99
    assert two_heads.accuracy(1).mean() < 0.8
    first, second = two_heads.patterns(2, "badcafeh")
    for table, back in ((first, 1), (second, 2)):
        assert np.diagonal(table, -back)[2 - back :].min() > 0.9
