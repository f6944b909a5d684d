import numpy as np
import pytest
import torch

import kb.architecture.self_attention_vs_cross_attention as kb
import kb.torch.architecture.self_attention_vs_cross_attention as kt
from figures import painter
from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.multi_head_attention import multi_head_attention
from tests.contract import Case, contract, gpu_contract

PADDING = np.array([True, True, False])[None]  # (1, s)
CROSS = {"x": (2, 4, 6), "context": (2, 3, 10), "w_q": (8, 6), "w_k": (8, 10), "w_v": (8, 10)}
CASES = [
    Case(kb.self_attention, x=(2, 5, 8), w_in=(24, 8), b_in=(24,), w_out=(8, 8), b_out=(8,), num_heads=2),
    Case(
        kb.self_attention, x=(5, 8), w_in=(24, 8), b_in=None, w_out=(8, 8), b_out=None, num_heads=4, is_causal=True
    ),
    Case(kb.cross_attention, **CROSS, w_out=(6, 8), b_out=(6,), num_heads=2),
    Case(kb.cross_attention, **CROSS, w_out=(6, 8), b_out=(6,), num_heads=4, attn_mask=PADDING),
    Case(kb.cross_attention, **{**CROSS, "context": (3, 10)}, w_out=(6, 8), b_out=(6,), num_heads=1),
    Case(kb.cross_attention_maps, x=(2, 4, 6), context=(2, 3, 10), w_q=(8, 6), w_k=(8, 10), num_heads=2),
    Case(kb.cross_attention_maps, x=(4, 6), context=(3, 10), w_q=(8, 6), w_k=(8, 10), num_heads=1, attn_mask=PADDING),
]  # fmt: skip
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def cross_weights(d=6, c=10, e=8, seed=5):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) / 3 for shape in ((e, d), (e, c), (e, c), (d, e), (d,))]


# ---- where Q, K and V come from ----------------------------------------------------------------------------------
def test_self_attention_is_cross_attention_with_itself():
    x, w_in, w_out, b_out = normal(5, 8), normal(24, 8, seed=1), normal(8, 8, seed=2), normal(8, seed=3)
    np.testing.assert_allclose(
        kb.self_attention(x, w_in, None, w_out, b_out, 2),
        kb.cross_attention(x, x, *np.split(w_in, 3), w_out, b_out, 2),
        rtol=1e-12, atol=1e-12,
    )  # fmt: skip


def test_equal_widths_are_multi_head_attention_with_other_keys():
    x, context, w_in = normal(4, 8), normal(3, 8, seed=1), normal(24, 8, seed=2)
    w_out, b_out = normal(8, 8, seed=3), normal(8, seed=4)
    np.testing.assert_allclose(
        kb.cross_attention(x, context, *np.split(w_in, 3), w_out, b_out, 4),
        multi_head_attention(x, context, context, w_in, None, w_out, b_out, 4),
        rtol=1e-12, atol=1e-12,
    )  # fmt: skip


def test_nn_multiheadattention_with_kdim_and_vdim():
    w_q, w_k, w_v, w_out, b_out = cross_weights(8, 10, 8)
    module = torch.nn.MultiheadAttention(8, 2, kdim=10, vdim=10, batch_first=True, dtype=torch.float64)
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight", "out_proj.bias")
    state = dict(zip(names, map(torch.tensor, (w_q, w_k, w_v, w_out, b_out)), strict=True))
    module.load_state_dict({**state, "in_proj_bias": torch.zeros(24, dtype=torch.float64)}, strict=True)
    x, context = normal(2, 4, 8), normal(2, 3, 10, seed=1)
    words = torch.tensor(context)
    theirs, maps = module(torch.tensor(x), words, words, average_attn_weights=False)
    ours = kb.cross_attention(x, context, w_q, w_k, w_v, w_out, b_out, 2)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)
    ours = kb.cross_attention_maps(x, context, w_q, w_k, 2)
    np.testing.assert_allclose(ours, maps.detach().numpy(), rtol=1e-12, atol=1e-12)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_places_do_not_see_each_other_and_all_see_every_word():
    """Cross-attention mixes nothing among the queries; each word reaches each place."""
    x, context, params = normal(4, 6), normal(3, 10, seed=1), cross_weights()
    out = kb.cross_attention(x, context, *params, 2)
    for place in range(4):
        changed = x.copy()
        changed[place] += 1
        differs = np.any(kb.cross_attention(changed, context, *params, 2) != out, axis=-1)
        assert np.flatnonzero(differs).tolist() == [place]
    for word in range(3):
        changed = context.copy()
        changed[word] += 1
        assert np.all(np.any(kb.cross_attention(x, changed, *params, 2) != out, axis=-1))


def test_the_order_of_the_words_does_not_matter_by_itself():
    x, context, params, order = normal(4, 6), normal(3, 10, seed=1), cross_weights(), [2, 0, 1]
    permuted = kb.cross_attention(x, context[order], *params, 2)
    np.testing.assert_allclose(permuted, kb.cross_attention(x, context, *params, 2), rtol=1e-12, atol=1e-13)


def test_padding_words_are_left_out():
    x, context, params = normal(4, 6), normal(3, 10, seed=1), cross_weights()
    masked = kb.cross_attention(x, context, *params, 2, PADDING)
    np.testing.assert_allclose(masked, kb.cross_attention(x, context[:2], *params, 2), rtol=1e-12, atol=1e-13)
    maps = kb.cross_attention_maps(x, context, *params[:2], 2, PADDING)
    np.testing.assert_array_equal(maps[..., 2], 0)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-14)


# ---- mutation: a causal mask has no meaning between two sequences ------------------------------------------------
def test_a_causal_mask_would_hide_words_from_places():
    """Place i would see only the words 0..i: the first patch of an image only the first word."""
    x, context = normal(4, 8), normal(3, 8, seed=1)
    out = scaled_dot_product_attention(x, context, context, is_causal=True)
    np.testing.assert_allclose(out[0], context[0])
    assert not np.allclose(out[0], scaled_dot_product_attention(x, context, context)[0])


@pytest.mark.slow
def test_the_painter_needs_words_that_have_read_each_other():
    """On captions that never occurred in training; and the caption of the page is one of them."""
    assert painter.accuracy() > 0.99
    assert painter.accuracy(text_layer=False) < 0.7
    colours, things = np.array([0, 1]), np.array([0, 1])  # red, blue; sun, sea
    assert (colours.sum() + things.sum()) % 5 == 2
    _, maps, colours = painter.paint()
    things = np.array([thing for row in painter.PICTURE for thing in row.split()])
    assert colours == ["red" if thing == "sun" else "blue" for thing in things]
    assert maps[things == "sun", 2].min() > 0.9


# ---- by hand and errors ------------------------------------------------------------------------------------------
def test_equal_keys_give_the_average_of_the_values():
    x, context = np.ones((2, 1)), np.array([[1.0, 0.0], [1.0, 6.0]])
    out = kb.cross_attention(
        x, context, np.ones((1, 1)), np.array([[1.0, 0]]), np.array([[0, 1.0]]), np.array([[2.0]]), np.array([1.0]), 1
    )
    np.testing.assert_allclose(out, [[7], [7]])


def test_errors():
    with pytest.raises(ValueError, match="3 heads do not divide"):
        kb.cross_attention(normal(4, 6), normal(3, 10), *cross_weights(), 3)
    with pytest.raises(ValueError, match=r"w_k has shape \(8, 6\).*context \(3, 10\)"):
        kb.cross_attention_maps(normal(4, 6), normal(3, 10), normal(8, 6), normal(8, 6), 2)
