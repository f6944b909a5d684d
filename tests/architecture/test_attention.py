import functools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.attention as kb
import kb.torch.architecture.attention as kt
from figures import attention_head
from kb.autograd.tensor import Tensor
from tests.contract import Case, contract, gives_the_same_as_torch, gpu_contract, has_the_gradients_of_torch

PADDING = np.array([[True, True, False, True, False]])  # (1, s): the last sentence of a batch is shorter
BLIND = np.tri(3, 5, 1, dtype=bool) & np.array([[True], [False], [True]])  # the query in the middle sees nothing
Q, K, V = (2, 3, 4), (2, 5, 4), (2, 5, 6)
CASES = [
    Case(kb.scaled_dot_product_attention, q=(3, 4), k=(5, 4), v=(5, 6)),
    Case(kb.scaled_dot_product_attention, q=Q, k=K, v=V, is_causal=True),
    Case(kb.scaled_dot_product_attention, q=(2, 7, 4), k=K, v=V, is_causal=True),
    Case(kb.scaled_dot_product_attention, q=Q, k=K, v=V, attn_mask=(3, 5), scale=0.3),
    Case(kb.scaled_dot_product_attention, q=(2, *Q), k=K, v=(5, 6), attn_mask=PADDING),
    Case(kb.scaled_dot_product_attention, q=(2, *Q), k=(2, *K), v=(2, *V), attn_mask=BLIND),
    Case(kb.scaled_dot_product_attention, q=Q, k=K, v=V, attn_mask=np.where(BLIND, 0.5, -np.inf)),
    Case(kb.scaled_dot_product_attention, q=(4, 3, 4), k=(1, 5, 4), v=(1, 5, 6), attn_mask=(4, 3, 1)),
    Case(kb.attention_weights, q=Q, k=K),
    Case(kb.attention_weights, q=Q, k=K, is_causal=True, scale=1.0),
    Case(kb.attention_weights, q=Q, k=K, attn_mask=BLIND),
    Case(kb.attention_weights, q=Q, k=K, attn_mask=(2, 1, 5)),
    Case(kb.causal_mask, t=4),
    Case(kb.causal_mask, t=3, s=5),
    Case(kb.causal_mask, t=5, s=3),
    Case(kb.score_variance, q=(50, 8), k=(50, 8)),
    Case(kb.attention_tiled, differentiable=False, q=(3, 4), k=(5, 4), v=(5, 6)),
    Case(kb.attention_tiled, differentiable=False, q=Q, k=K, v=V, is_causal=True, block=1),
    Case(kb.attention_tiled, differentiable=False, q=(2, 7, 4), k=K, v=V, is_causal=True, block=2),
    Case(kb.attention_tiled, differentiable=False, q=(3, 1, 7, 4), k=(2, 30, 4), v=(2, 30, 6), block=3),
]
GROUPED = [  # heads that do not broadcast: checked by the same promises, but no shape line can say it
    Case(kb.scaled_dot_product_attention, q=(6, 3, 4), k=(2, 5, 4), v=(2, 5, 6), enable_gqa=True),
    Case(
        kb.scaled_dot_product_attention, q=(2, 6, 3, 4), k=(2, 2, 5, 4), v=(1, 3, 5, 6), enable_gqa=True, is_causal=True
    ),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract([*CASES, *GROUPED], kt)


def arrays(seed=0, t=9, s=9, d=4, e=3, lead=(2,), dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*lead, *shape)).astype(dtype) for shape in ((t, d), (s, d), (s, e))]


def by_a_plain_loop(q, k, v, visible):
    """Eq. 1 for one head, one number at a time."""
    out = np.zeros((len(q), v.shape[1]))
    for i in range(len(q)):
        seen = [j for j in range(len(k)) if visible(i, j)]
        powers = [math.exp(sum(q[i] * k[j]) / math.sqrt(q.shape[1])) for j in seen]
        for power, j in zip(powers, seen, strict=True):
            out[i] += power / math.fsum(powers) * v[j]
    return out


# ---- invariants --------------------------------------------------------------------------------------------------
shapes = st.fixed_dictionaries(
    {"t": st.integers(1, 9), "s": st.integers(1, 9), "d": st.integers(1, 5), "e": st.integers(1, 4)}
)


@settings(max_examples=40)
@given(shapes, st.booleans(), st.integers(1, 4))
def test_both_forms_are_the_plain_loop(shape, is_causal, block):
    q, k, v = arrays(lead=(), **shape)
    expected = by_a_plain_loop(q, k, v, (lambda i, j: j <= i) if is_causal else lambda i, j: True)
    for out in (
        kb.scaled_dot_product_attention(q, k, v, is_causal=is_causal),
        kb.attention_tiled(q, k, v, is_causal, block),
    ):
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=60)
@given(st.data())
def test_masks_and_shapes_as_in_torch(data):
    """Any leading axes, any mask, any scale, with rows that see nothing: the value of torch's function."""
    t, s, h, b = (data.draw(st.integers(1, 4)) for _ in range(4))
    lead = data.draw(st.sampled_from([(), (h,), (b, h)]))
    q, k, v = arrays(data.draw(st.integers(0, 99)), t, s, lead=lead)
    masks = [(t, s), (1, s), (t, 1), (1, 1), (*lead, t, s), (*lead[:1], 1, s) if len(lead) < 2 else (b, 1, 1, s)]
    shape, rng = data.draw(st.sampled_from(masks)), np.random.default_rng(data.draw(st.integers(0, 99)))
    mask = rng.random(shape) < 0.6
    mask = np.where(mask, rng.standard_normal(shape), -np.inf) if data.draw(st.booleans()) else mask
    scale = data.draw(st.sampled_from([None, 0.0, 0.7, -2.0]))
    gives_the_same_as_torch(
        Case(kb.scaled_dot_product_attention, q=q, k=k, v=v, attn_mask=mask, scale=scale), kt, device="cpu"
    )


def test_each_row_is_a_distribution_and_the_result_lies_between_the_values():
    q, k, v = arrays()
    weights = kb.attention_weights(q, k, is_causal=True)
    assert np.all(weights >= 0)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-14)
    out = weights @ v
    assert np.all((v.min(1, keepdims=True) <= out) & (out <= v.max(1, keepdims=True)))


def test_equal_keys_give_the_plain_average():
    q, k, v = arrays()
    out = kb.scaled_dot_product_attention(q, np.ones_like(k), v)
    np.testing.assert_allclose(out, np.broadcast_to(v.mean(1, keepdims=True), out.shape), rtol=1e-13, atol=1e-14)


def test_attention_cannot_tell_order():
    """Keys and values shuffled together: the same result. This is why there are position embeddings."""
    q, k, v = arrays()
    order = np.random.default_rng(1).permutation(9)
    shuffled = kb.scaled_dot_product_attention(q, k[:, order], v[:, order])
    np.testing.assert_allclose(shuffled, kb.scaled_dot_product_attention(q, k, v), rtol=1e-13, atol=1e-14)


def test_one_key_per_query_that_matches_by_far_is_a_lookup():
    _, _, v = arrays(s=4)
    keys = 1e3 * np.eye(4)
    np.testing.assert_array_equal(kb.scaled_dot_product_attention(keys[[2, 0]], keys, v), v[:, [2, 0]])


def test_the_last_queries_of_a_text_use_the_last_rows_of_the_mask():
    q, k, v = arrays()
    whole = kb.scaled_dot_product_attention(q, k, v, is_causal=True)
    last = kb.scaled_dot_product_attention(q[:, -2:], k, v, attn_mask=kb.causal_mask(9)[-2:])
    np.testing.assert_allclose(last, whole[:, -2:], rtol=1e-13)


# ---- the causal mask, and without it -----------------------------------------------------------------------------
def changed_by_the_last_key(attention):
    """Which outputs change when the last key and value change."""
    q, k, v = arrays()
    before = attention(q, k, v)
    k[:, -1], v[:, -1] = 100.0, -100.0
    return np.any(attention(q, k, v) != before, axis=(0, 2))


@pytest.mark.parametrize("form", [kb.scaled_dot_product_attention, functools.partial(kb.attention_tiled, block=2)])
def test_the_mask_hides_the_future_and_without_it_every_query_sees_it(form):
    masked = changed_by_the_last_key(lambda q, k, v: form(q, k, v, is_causal=True))
    assert masked.tolist() == [False] * 8 + [True]
    assert changed_by_the_last_key(lambda q, k, v: form(q, k, v)).all()


def test_masking_after_the_softmax_is_too_late():
    """The mutation: rows that no longer sum to 1, and weights that still depend on the hidden keys."""
    q, k, _ = arrays()
    right, late = kb.attention_weights(q, k, is_causal=True), kb.attention_weights(q, k) * kb.causal_mask(9)
    assert np.all(late.sum(-1)[:, :-1] < right.sum(-1)[:, :-1] - 0.01)


# ---- the scale, and without it -----------------------------------------------------------------------------------
@pytest.mark.parametrize("d", [1, 12, 128])
def test_the_variance_of_a_score_is_the_width(d):
    """The sample variance of n scores with kurtosis 3 + 6 / d scatters by sqrt((2 + 6 / d) / n): allow 5 times that."""
    n, rng = 20_000, np.random.default_rng(0)
    raw, scaled = kb.score_variance(rng.standard_normal((n, d)), rng.standard_normal((n, d)))
    scatter = 5 * math.sqrt((2 + 6 / d) / n)
    assert abs(raw / d - 1) < scatter
    assert abs(scaled - 1) < scatter


def entropy_and_slope(d, scale):
    """Mean entropy of the weights over 64 keys; of the median query, the length of its gradient per unit of score."""
    q, k, v = arrays(t=256, s=64, d=d, e=8, lead=())
    leaf = Tensor(q)
    np.sum(kb.scaled_dot_product_attention(leaf, k, v, scale=scale)).backward()
    w = kb.attention_weights(q, k, scale=scale)
    entropy = -np.sum(w * np.log(np.where(w > 0, w, 1)), axis=-1).mean()
    lengths = np.linalg.norm(leaf.grad, axis=-1) / math.sqrt(d)
    return entropy, np.median(lengths) / (scale or 1 / math.sqrt(d))


def test_without_the_scale_a_wide_head_saturates():
    """Scores of variance 1: the entropy is near log(64) - 1/2 at any width. Unscaled, one key takes all and the
    gradient is gone: the two best of 64 scores of standard deviation 64 are some 20 apart, and e^-20 is 2e-9."""
    for d in (16, 4096):
        entropy, slope = entropy_and_slope(d, None)
        assert entropy == pytest.approx(math.log(64) - 0.5, abs=0.1)
        assert slope > 0.1
    entropies, slopes = zip(*(entropy_and_slope(d, 1.0) for d in (16, 256, 4096)), strict=True)
    assert entropies[0] > entropies[1] > entropies[2]
    assert entropies[2] < 0.1
    assert slopes[2] < 1e-6 < slopes[1] < slopes[0]


# ---- memory ------------------------------------------------------------------------------------------------------
def extra_memory(form, length):
    """The largest number of bytes allocated at any time of a call, beyond its result."""
    q, k, v = arrays(t=length, s=length, d=64, e=64, lead=(1,), dtype=np.float32)
    tracemalloc.start()
    try:
        out = form(q, k, v, is_causal=True)
        return tracemalloc.get_traced_memory()[1] - out.nbytes
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_square_and_not_at_all_when_tiled():
    """Four times the length: 16 times the scores, which the plain form holds three times; the tile stays as it is."""
    plain = [extra_memory(kb.scaled_dot_product_attention, length) for length in (512, 2048)]
    tiled = [extra_memory(functools.partial(kb.attention_tiled, block=64), length) for length in (512, 2048)]
    assert plain[1] / plain[0] == pytest.approx(16, rel=0.05)
    assert plain[1] == pytest.approx(3 * 4 * 2048**2, rel=0.1)
    assert tiled[1] < 1.1 * tiled[0]
    assert tiled[1] < 3 * 4 * 64 * (4 * 64), "three tiles of float32"


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_two_keys_by_hand():
    """Scores 2 log 3 / sqrt(4) = log 3 and 0: weights 3/4 and 1/4."""
    q, k = np.array([[2.0, 0, 0, 0]]), np.array([[math.log(3), 0, 0, 0], [0, 1.0, 0, 0]])
    np.testing.assert_allclose(kb.attention_weights(q, k), [[0.75, 0.25]], rtol=1e-15)
    out = kb.scaled_dot_product_attention(q, k, np.array([[8.0, 0], [0, 4.0]]))
    np.testing.assert_allclose(out, [[6, 1]], rtol=1e-15)


def test_causal_mask_by_hand():
    assert kb.causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert kb.causal_mask(2, 3).tolist() == [[True, False, False], [True, True, False]]


def test_a_query_that_sees_nothing_gets_zeros_and_sends_back_no_gradient():
    """No RuntimeWarning either: pytest makes an error of it."""
    leaves = [Tensor(x) for x in arrays(t=3, s=5)]
    out = kb.scaled_dot_product_attention(*leaves, attn_mask=BLIND)
    np.sum(out).backward()
    assert np.all(out.data[:, 1] == 0)
    assert np.all(leaves[0].grad[:, 1] == 0)
    assert np.all(leaves[0].grad[:, 0] != 0)
    assert all(np.isfinite(leaf.grad).all() for leaf in leaves)


def test_grouped_heads_are_neighbours():
    q, k, v = arrays(lead=(4,))
    out = kb.scaled_dot_product_attention(q, k[:2], v[:2], enable_gqa=True)
    for head in range(4):
        np.testing.assert_array_equal(out[head], kb.scaled_dot_product_attention(q[head], k[head // 2], v[head // 2]))


def test_tiles_of_any_size_and_scores_of_any_size():
    """Scores up to 10^4, whose powers no float holds; maxima that rise from tile to tile, and that fall."""
    q, k, v = arrays(t=20, s=20, lead=())
    for keys in (100 * k, np.sort(100 * k, axis=0), -np.sort(-100 * k, axis=0)):
        expected = kb.scaled_dot_product_attention(100 * q, keys, v)
        for block in (1, 2, 3, 7, 64):
            np.testing.assert_allclose(
                kb.attention_tiled(100 * q, keys, v, block=block), expected, rtol=1e-9, atol=1e-12
            )


class WithoutMaximum:
    """NumPy with a np.maximum that forgets its arguments."""

    maximum = staticmethod(lambda top, new: np.zeros_like(new))

    def __getattr__(self, name):
        return getattr(np, name)


def test_the_running_maximum_is_needed(monkeypatch):
    """The mutation: without the maximum the powers of large scores overflow."""
    q, k, v = (100 * x for x in arrays(t=20, s=20, lead=(), dtype=np.float32))
    assert np.isfinite(kb.attention_tiled(q, k, v)).all()
    monkeypatch.setattr(kb, "np", WithoutMaximum())
    with pytest.raises(RuntimeWarning, match="overflow"):
        kb.attention_tiled(q, k, v)


# ---- float32 -----------------------------------------------------------------------------------------------------
def test_a_numpy_scale_does_not_make_float64():
    q, k, v = arrays(dtype=np.float32)
    assert kb.scaled_dot_product_attention(q, k, v, scale=1 / np.sqrt(4.0)).dtype == np.float32


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_mask_and_is_causal_exclude_each_other_as_in_torch():
    q, k, v = arrays()
    with pytest.raises(ValueError, match="attn_mask and is_causal"):
        kb.scaled_dot_product_attention(q, k, v, attn_mask=kb.causal_mask(9), is_causal=True)


def test_a_mask_of_numbers_that_look_like_booleans_is_refused():
    q, k, v = arrays(dtype=np.float32)
    for dtype in (int, np.uint8, np.float64):
        with pytest.raises(ValueError, match=rf"attn_mask must be bool .* not {np.dtype(dtype)}"):
            kb.scaled_dot_product_attention(q, k, v, attn_mask=kb.causal_mask(9).astype(dtype))


def test_a_mask_larger_than_the_scores_is_refused_as_in_torch():
    q, k, v = arrays(lead=())
    with pytest.raises(ValueError, match=r"attn_mask \(7, 9, 9\) .* \(9, 9\)"):
        kb.scaled_dot_product_attention(q, k, v, attn_mask=np.ones((7, 9, 9), bool))


@pytest.mark.parametrize(("lead", "heads"), [((6,), 4), ((2,), 6), ((), None)])
def test_heads_that_do_not_divide_are_refused(lead, heads):
    q = arrays(lead=lead)[0]
    _, k, v = arrays(lead=(heads,) if heads else ())
    with pytest.raises(ValueError, match=rf"heads of k \({k.shape[0]}, .* heads of q \({q.shape[0]}, "):
        kb.scaled_dot_product_attention(q, k, v, enable_gqa=True)


def test_without_enable_gqa_fewer_heads_are_refused():
    q, k, v = arrays(lead=(6,))
    with pytest.raises(ValueError, match=r"\bk \(2, 9, 4\) .* q \(6, 9, 4\)"):
        kb.scaled_dot_product_attention(q, k[:2], v[:2])


def test_the_tiled_form_refuses_a_tensor():
    q, k, v = arrays()
    with pytest.raises(TypeError, match="attention_tiled takes NumPy arrays"):
        kb.attention_tiled(q, Tensor(k), v)


# ---- torch, for heads that no shape line can describe ------------------------------------------------------------
@pytest.mark.parametrize("case", GROUPED, ids=repr)
def test_grouped_heads_as_in_torch(case):
    gives_the_same_as_torch(case, kt)
    has_the_gradients_of_torch(case, kt)


def test_the_tiled_twin_is_torchs_own_function():
    import torch

    q, k, v = (torch.tensor(x) for x in arrays(lead=(2, 3, 2)))
    expected = torch.softmax(q @ k.mT / 2, -1) @ v
    torch.testing.assert_close(kt.attention_tiled(q, k, v), expected)


# ---- the head of the figures: trained here, on sentences of a small grammar --------------------------------------
ON_THE_PAGE = "the small grey cat chased the red ball"


@functools.cache
def trained():
    return attention_head.train_head(seed=0)


@functools.cache
def held_out_sentences(n=300):
    rng = np.random.default_rng(99)
    return [attention_head.sentence(rng, held_out=True) for _ in range(n)]


def pairs(words):
    return {(words[j], words[i]) for i, own in enumerate(attention_head.own_adjectives(words)) for j in own}


def accuracy(params):
    """The share of nouns whose adjectives are named exactly, and of the other words at which none is named."""
    right = {True: [], False: []}
    for words in held_out_sentences():
        own = attention_head.own_adjectives(words)
        for i, named in enumerate(attention_head.pattern(params, words)[2]):
            right[words[i] in attention_head.NOUNS].append(sorted(named) == sorted(words[j] for j in own[i]))
    return np.mean(right[True]), np.mean(right[False])


def test_own_adjectives_by_hand():
    words = f"{ON_THE_PAGE} near the tree"
    assert attention_head.own_adjectives(words.split()) == [[], [], [], [1, 2], [], [], [], [6], [], [], []]


def test_training_never_shows_a_held_out_pair():
    rng = np.random.default_rng(1)
    seen = set().union(*(pairs(attention_head.sentence(rng)) for _ in range(2000)))
    assert not seen & attention_head.HELD_OUT
    assert len(seen) + len(attention_head.HELD_OUT) == len(attention_head.ADJECTIVES) * len(attention_head.NOUNS)
    assert set().union(*map(pairs, held_out_sentences())) == attention_head.HELD_OUT


@pytest.mark.slow
def test_the_head_has_learned_and_not_memorised():
    assert min(accuracy(trained())) >= 0.98


@pytest.mark.slow
def test_nothing_less_than_the_trained_pattern_does_it():
    """An untrained head, and the trained head made to look at all words alike."""
    untrained = attention_head.initial(np.random.default_rng(0))
    blurred = trained() | {"w_q": np.zeros_like(trained()["w_q"])}
    assert accuracy(untrained)[0] < 0.5
    assert accuracy(blurred)[0] < 0.5


@pytest.mark.slow
def test_each_noun_looks_at_its_own_adjectives():
    on_own, the_largest = [], []
    for words in held_out_sentences():
        weights = attention_head.pattern(trained(), words)[1]
        for i, own in enumerate(attention_head.own_adjectives(words)):
            if own:
                on_own.append(weights[i, own].sum())
                the_largest.append(set(np.argsort(-weights[i])[: len(own)]) == set(own))
    assert np.mean(on_own) > 0.8
    assert np.mean(np.array(on_own) > 0.5) > 0.97
    assert np.mean(the_largest) > 0.97


def test_the_sentence_of_the_page():
    words, weights, named = attention_head.pattern(trained(), ON_THE_PAGE)
    assert {("small", "cat"), ("grey", "cat"), ("red", "ball")} <= attention_head.HELD_OUT
    assert {w: sorted(n) for w, n in zip(words, named, strict=True) if n} == {"cat": ["grey", "small"], "ball": ["red"]}
    assert weights[3, [1, 2]].sum() > 0.8
    assert weights[7, 6] > 0.8


def test_the_trained_head_reads_from_left_to_right():
    words = ON_THE_PAGE.split()
    whole, start = (attention_head.pattern(trained(), w)[1] for w in (words, words[:4]))
    np.testing.assert_allclose(whole[:4, :4], start, rtol=1e-4, atol=1e-6)
    assert np.all(np.triu(whole, 1) == 0)
