import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.kv_cache as kb
import kb.torch.architecture.kv_cache as kt
from kb.architecture.transformer import GPT2, GPTConfig, Llama, LlamaConfig
from kb.torch.architecture import transformer as torch_transformer
from tests.architecture.test_transformer import peer, weights
from tests.contract import Case, contract, gpu_contract

GPT = GPTConfig(vocab_size=13, n_positions=24, n_embd=8, n_layer=3, n_head=2)
LLAMA = LlamaConfig(13, 16, 12, 2, 4, 2, None, 24, rope_theta=100.0)
IDS = np.array([[3, 0, 12, 5, 5], [1, 2, 3, 4, 0]])


def tiny(ids, cache=None, last=None):
    """A model for both worlds: in NumPy where the ids are an array, in torch where they are a tensor."""
    if isinstance(ids, np.ndarray):
        return model(GPT)(ids, cache, last)
    import torch

    params = {name: torch.tensor(p, device=ids.device) for name, p in model(GPT).params.items()}
    return torch_transformer.gpt(params, ids, GPT, cache, last)


@functools.cache
def model(config):
    return (GPT2 if isinstance(config, GPTConfig) else Llama)(config, weights(config))


CASES = [
    Case(kb.generate, model=tiny, ids=IDS, max_new_tokens=6),
    Case(kb.generate, model=tiny, ids=IDS[0], max_new_tokens=3, use_cache=False),
    Case(kb.generate, model=tiny, ids=IDS, max_new_tokens=0),
    Case(kb.most_likely, differentiable=False, logits=(2, 3, 7)),
    Case(kb.most_likely, differentiable=False, logits=np.array([1.0, 4.0, 4.0, -np.inf])),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)
each_model = pytest.mark.parametrize("config", [GPT, LLAMA], ids=["GPT-2", "Llama"])


# ---- invariants --------------------------------------------------------------------------------------------------
@each_model
@settings(max_examples=20)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(0, 99))
def test_a_text_read_in_any_pieces_gives_the_same_logits(config, pieces, seed):
    ids = np.random.default_rng(seed).integers(0, 13, (2, sum(pieces)))[:, :24]
    cache = kb.KVCache(24)
    edges = [min(end, 24) for end in np.cumsum([0, *pieces])]
    parts = [model(config)(ids[:, a:b], cache) for a, b in itertools.pairwise(edges) if a < b]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), model(config)(ids), rtol=1e-11, atol=1e-11)
    assert cache.length == ids.shape[1]


@each_model
def test_the_same_tokens_with_and_without_the_cache(config):
    cached, uncached = (kb.generate(model(config), IDS, 19, use_cache=use) for use in (True, False))
    assert cached.shape == (2, 24)
    np.testing.assert_array_equal(cached, uncached)
    np.testing.assert_array_equal(cached[:, :5], IDS)
    assert len(np.unique(cached[:, 5:])) > 1  # and not one token for ever


@each_model
def test_each_token_is_the_likeliest_after_those_before_it(config):
    text = kb.generate(model(config), IDS, 8)
    logits = model(config)(text)
    np.testing.assert_array_equal(text[:, 5:], logits[:, 4:-1].argmax(-1))


@each_model
def test_drawn_tokens_are_the_same_too(config):
    """choose sees the same logits in the same order, so the same generator draws the same tokens."""

    def run(use_cache):
        rng = np.random.default_rng(5)
        draw = lambda logits: np.argmax(logits / 0.7 + rng.gumbel(size=logits.shape), axis=-1)  # noqa: E731
        return kb.generate(model(config), IDS, 12, draw, use_cache)

    np.testing.assert_array_equal(run(True), run(False))
    assert np.any(run(True) != kb.generate(model(config), IDS, 12))


def test_a_stream_comes_token_by_token():
    tokens = kb.stream(model(GPT), IDS, 4)
    whole = kb.generate(model(GPT), IDS, 4)
    np.testing.assert_array_equal(next(tokens), whole[:, 5])
    np.testing.assert_array_equal(next(tokens), whole[:, 6])


# ---- transformers, the oracle ------------------------------------------------------------------------------------
@pytest.mark.slow
@each_model
def test_generates_what_transformers_generates(config):
    import torch

    theirs, params = peer(config, seed=3)
    theirs.generation_config.pad_token_id = 0
    theirs.generation_config.eos_token_id = None
    ours = type(model(config))(config, params)
    ids = torch.tensor(IDS)
    expected = theirs.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
    np.testing.assert_array_equal(kb.generate(ours, IDS, 12), expected.numpy())
    cache, theirs_cache = kb.KVCache(24), None
    for part in (ids[:, :3], ids[:, 3:4], ids[:, 4:]):  # logits of each step, within 1e-4 in float32
        with torch.no_grad():
            out = theirs(part, past_key_values=theirs_cache, use_cache=True)
        theirs_cache = out.past_key_values
        np.testing.assert_allclose(ours(part.numpy(), cache), out.logits.numpy(), rtol=1e-4, atol=1e-4)


# ---- what a mistake would do -------------------------------------------------------------------------------------
def test_positions_must_go_on_where_the_cache_ends():
    """A cache whose length is not seen: the new tokens get the positions 0, 1, ... again, and the logits change."""

    class Forgetful(kb.KVCache):
        length = 0

    wrong, right = Forgetful(24), kb.KVCache(24)
    for cache in (wrong, right):
        model(GPT)(IDS, cache)
    assert not np.allclose(model(GPT)(IDS[:, :1], wrong), model(GPT)(IDS[:, :1], right))


# ---- memory and work ---------------------------------------------------------------------------------------------
def test_the_memory_is_what_is_counted():
    for config, sizes in ((GPT, (3, 2, 4)), (LLAMA, (2, 2, 4))):
        cache = kb.KVCache(20)
        assert cache.nbytes == cache.length == 0
        model(config)(IDS[:1], cache)
        assert cache.nbytes == kb.cache_bytes(*sizes, tokens=20, itemsize=8)
        before = [part for layer in cache.layers for part in layer[:2]]
        model(config)(IDS[:1], cache)
        assert all(a is b for a, b in zip(before, [p for layer in cache.layers for p in layer[:2]], strict=True))


def test_cache_bytes_by_hand():
    assert kb.cache_bytes(12, 12, 64, 1024) == 2 * 12 * 768 * 1024 * 4 == 75_497_472  # GPT-2 small, float32
    assert kb.cache_bytes(96, 96, 128, 2048, itemsize=2) == 9_663_676_416  # GPT-3, float16


@pytest.mark.parametrize(("new", "seen"), [(1, 0), (1, 6), (7, 0), (4, 5)])
@pytest.mark.parametrize("inner", [None, 12])
def test_multiplications_as_torch_counts_them(new, seen, inner):
    """torch's own counter, which counts a multiplication and an addition as two; it skips no masked score either."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    config = GPTConfig(13, 24, 8, 3, 2, inner)
    net, cache = torch_transformer.GPT2(config), kt.KVCache(24)
    ids = torch.zeros(1, new, dtype=torch.long)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):  # written out: the counter does not know the fused kernel
        net(torch.zeros(1, seen, dtype=torch.long), cache) if seen else None
        with FlopCounterMode(display=False) as counter:
            net(ids, cache, 1)
    assert counter.get_total_flops() == 2 * kb.multiplications(config, new, seen)


def test_a_token_costs_a_line_with_the_cache_and_a_parabola_without():
    def bends(costs):
        return [np.ptp(np.diff(costs, n)) for n in (1, 2)]

    lengths = range(1, 50)
    with_cache = bends([kb.multiplications(GPT, 1, n - 1) for n in lengths])
    without = bends([kb.multiplications(GPT, n) for n in lengths])
    assert with_cache[0] == 0
    assert without[0] > 0
    assert without[1] == 0


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_text_that_becomes_too_long_is_refused():
    with pytest.raises(ValueError, match=r"ids \(2, 1\) reach position 25, the model has 24"):
        kb.generate(model(GPT), IDS, 21)
    assert kb.generate(model(GPT), IDS, 20).shape == (2, 25)  # the last token is never read


def test_a_full_cache_and_another_batch_are_refused():
    cache = kb.KVCache(5)
    model(GPT)(IDS, cache)
    with pytest.raises(ValueError, match=r"k \(2, 2, 1, 4\) does not fit, there is room for \(2, 2, 0, 4\)"):
        model(GPT)(IDS[:, :1], cache)
    with pytest.raises(ValueError, match=r"k \(1, 2, 1, 4\) does not fit"):
        model(GPT)(IDS[:1, :1], cache)


def test_a_tensor_has_no_place_in_a_cache():
    from kb.autograd.tensor import Tensor

    params = {name: Tensor(p) for name, p in model(GPT).params.items()}
    with pytest.raises(TypeError, match="ndarray"):
        GPT2(GPT, params)(IDS, kb.KVCache(9))
