import dataclasses

import numpy as np
import pytest

import kb.architecture.transformer as kb
import kb.torch.architecture.transformer as kt
from figures import backwards
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.learning.cost_function import cross_entropy
from tests.contract import Case, contract, gpu_contract

TINY = kb.GPTConfig(vocab_size=13, n_positions=9, n_embd=8, n_layer=2, n_head=2)
ERF = dataclasses.replace(TINY, n_inner=12, activation_function="gelu", layer_norm_epsilon=1e-3)
LLAMA = kb.LlamaConfig(13, 16, 12, 2, 4, 2, None, 9, rope_theta=100.0)
TIED = dataclasses.replace(LLAMA, tie_word_embeddings=True, num_key_value_heads=4)
IDS = np.array([[3, 0, 12, 5, 5], [1, 2, 3, 4, 0]])


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    shapes = config.shapes()
    return {
        name: (0.3 * rng.standard_normal(shape) + ("ln" in name or "norm" in name)).astype(dtype)
        for name, shape in shapes.items()
    }


def layer(config, key):
    return nest(weights(config))[key]["1"]


CASES = [
    Case(kb.gpt, params=weights(TINY), ids=IDS, config=TINY),
    Case(kb.gpt, params=weights(ERF), ids=IDS[0], config=ERF),
    Case(kb.hidden_states, params=weights(TINY), ids=IDS, config=TINY),
    Case(kb.block, x=(2, 3, 8), layer=layer(TINY, "h"), config=TINY),
    Case(kb.llama, params=weights(LLAMA), ids=IDS, config=LLAMA),
    Case(kb.llama, params=weights(TIED), ids=IDS[1], config=TIED),
    Case(kb.llama_hidden_states, params=weights(LLAMA), ids=IDS, config=LLAMA),
    Case(kb.llama_block, x=(3, 16), layer=layer(LLAMA, "layers"), config=LLAMA, positions=np.arange(2, 5)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

# ---- transformers, the oracle ------------------------------------------------------------------------------------
# its own names for the sizes, without dropout, written out in float32
GPT_CONFIGS = [
    TINY,
    dataclasses.replace(TINY, n_inner=20, activation_function="gelu", layer_norm_epsilon=1e-3),
    kb.GPTConfig(vocab_size=101, n_positions=40, n_embd=48, n_layer=11, n_head=6, activation_function="relu"),
]
LLAMA_CONFIGS = [LLAMA, TIED, kb.LlamaConfig(101, 48, 64, 3, 6, 1, 10, 40, 1e-5)]


def peer(config, seed=0):
    """The model of `transformers` with random weights that are large enough for every part to matter."""
    import torch
    import transformers

    fields = dataclasses.asdict(config)
    gpt = isinstance(config, kb.GPTConfig)
    theirs = (
        transformers.GPT2Config(**fields, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
        if gpt
        else transformers.LlamaConfig(**fields)
    )
    model = (transformers.GPT2LMHeadModel if gpt else transformers.LlamaForCausalLM)(theirs).eval()
    params = weights(config, seed, np.float32)
    prefix = "transformer." if gpt else "model."
    full = {name if name == "lm_head.weight" else prefix + name: torch.tensor(p) for name, p in params.items()}
    full.setdefault("lm_head.weight", full[prefix + ("wte" if gpt else "embed_tokens") + ".weight"])
    model.load_state_dict(full, strict=True)
    return model, params


def peer_outputs(model, ids):
    import torch

    with torch.no_grad():
        out = model(torch.tensor(ids), output_hidden_states=True)
    return out.logits.numpy(), np.stack([h.numpy() for h in out.hidden_states])


def texts(config, seed=1):
    longest = getattr(config, "n_positions", None) or config.max_position_embeddings
    return np.random.default_rng(seed).integers(0, config.vocab_size, (2, longest))


@pytest.mark.slow
@pytest.mark.parametrize("config", [*GPT_CONFIGS, *LLAMA_CONFIGS], ids=repr)
def test_logits_and_every_hidden_state_as_in_transformers(config):
    """Within 1e-4 in float32, at the full length of the model."""
    model, params = peer(config)
    ids = texts(config)
    logits, states = peer_outputs(model, ids)
    gpt = isinstance(config, kb.GPTConfig)
    ours = (kb.gpt if gpt else kb.llama)(params, ids, config)
    ours_states = (kb.hidden_states if gpt else kb.llama_hidden_states)(params, ids, config)
    assert ours.dtype == ours_states.dtype == np.float32
    np.testing.assert_allclose(ours, logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ours_states, states, rtol=1e-4, atol=1e-4)
    assert np.ptp(logits) > 1  # nothing is compared with zeros


# ---- torch -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("config", [TINY, LLAMA, TIED], ids=repr)
def test_the_torch_modules_take_the_weights(config):
    """load_state_dict(strict=True), and the modules, called as modules, give the same logits."""
    import torch

    model = (kt.GPT2 if isinstance(config, kb.GPTConfig) else kt.Llama)(config).double()
    params = weights(config)
    model.load_state_dict({name: torch.tensor(p) for name, p in params.items()}, strict=True)
    assert sum(p.numel() for p in model.parameters()) == kb.count_parameters(config)
    ours = (kb.gpt if isinstance(config, kb.GPTConfig) else kb.llama)(params, IDS, config)
    np.testing.assert_allclose(ours, model(torch.tensor(IDS)).detach().numpy(), rtol=1e-10, atol=1e-10)


def test_the_gradient_of_the_loss_is_torchs():
    """Through kb.autograd in NumPy, and through torch's own graph in the module: next-token cross-entropy."""
    import torch

    params = weights(TINY)
    model = kt.GPT2(TINY).double()
    model.load_state_dict({name: torch.tensor(p) for name, p in params.items()})
    logits = model(torch.tensor(IDS[:, :-1]))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(IDS[:, 1:]).flatten())
    loss.backward()
    ours, grads = value_and_grad(next_token_loss)(params, IDS, TINY)
    assert ours == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def next_token_loss(params, ids, config):
    logits = kb.gpt(params, ids[:, :-1], config)
    return cross_entropy(np.reshape(logits, (-1, config.vocab_size)), np.reshape(ids[:, 1:], -1))


@pytest.mark.slow
def test_training_in_torch_runs_along_the_same_curve():
    """The first thirty steps of the task of the page, in float32: the same losses to three digits."""
    import torch

    rng = np.random.default_rng(0)
    model = kt.GPT2(backwards.CONFIG)
    model.load_state_dict(kt.init_gpt(backwards.CONFIG, rng))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    for expected in backwards.trained()[1][:30]:
        text = torch.tensor(backwards.texts(rng, backwards.BATCH))
        loss = torch.nn.functional.cross_entropy(model(text[:, :-1])[:, 5:].flatten(0, 1), text[:, 6:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.item() == pytest.approx(expected, rel=1e-3)


# ---- invariants --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("config", [TINY, LLAMA], ids=["GPT-2", "Llama"])
@pytest.mark.parametrize("changed", range(5))
def test_a_token_changes_nothing_before_it(config, changed):
    model = (kb.GPT2 if config is TINY else kb.Llama)(config, weights(config))
    other = np.where(np.arange(5) == changed, (IDS + 1) % 13, IDS)
    before, after = model(IDS), model(other)
    np.testing.assert_allclose(before[:, :changed], after[:, :changed], rtol=1e-12)
    assert np.all(np.any(before[:, changed:] != after[:, changed:], axis=-1))


@pytest.mark.parametrize("config", [TINY, LLAMA], ids=["GPT-2", "Llama"])
def test_the_last_positions_alone(config):
    model = (kb.GPT2 if config is TINY else kb.Llama)(config, weights(config))
    assert model(IDS, last=2).shape == (2, 2, 13)
    np.testing.assert_allclose(model(IDS, last=2), model(IDS)[:, -2:], rtol=1e-12)


def test_layers_go_by_number_whatever_the_order_of_the_names():
    config = dataclasses.replace(TINY, n_layer=11)
    params = weights(config)
    shuffled = {name: params[name] for name in sorted(params, reverse=True)}
    assert list(nest(shuffled)["h"]) == [str(i) for i in range(11)]
    np.testing.assert_array_equal(kb.gpt(shuffled, IDS, config), kb.gpt(params, IDS, config))


def test_where_training_starts():
    config = kb.GPTConfig(400, 64, 48, 8, 4)
    params = kb.init_gpt(config, np.random.default_rng(0))
    for name, p in params.items():
        assert p.dtype == np.float32
        assert p.shape == config.shapes()[name]
        if p.ndim == 2:
            assert p.std() == pytest.approx(0.005 if "c_proj" in name else 0.02, rel=0.06)
        else:
            assert np.all(p == (1 if name.endswith("weight") else 0))
    again = kb.init_gpt(config, np.random.default_rng(0))
    assert all(np.array_equal(params[name], again[name]) for name in params)


# ---- sizes, counted ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("config", "count"),
    [
        (kb.GPTConfig(), 124_439_808),
        (kb.GPTConfig(n_embd=1024, n_layer=24, n_head=16), 354_823_168),
        (kb.GPTConfig(n_embd=1280, n_layer=36, n_head=20), 774_030_080),
        (kb.GPTConfig(n_embd=1600, n_layer=48, n_head=25), 1_557_611_200),
        (kb.LlamaConfig(), 6_738_415_616),
    ],
    ids=["small", "medium", "large", "XL", "Llama 7B"],
)
def test_the_published_sizes(config, count):
    """Counted from the config, and from torch modules without memory."""
    import torch

    assert kb.count_parameters(config) == count
    with torch.device("meta"):
        model = (kt.GPT2 if isinstance(config, kb.GPTConfig) else kt.Llama)(config)
    assert sum(p.numel() for p in model.parameters()) == count


# ---- what a mistake would do -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "mistake",
    [
        lambda p: {**p, "h.0.attn.c_proj.weight": p["h.0.attn.c_proj.weight"].T},
        lambda p: {**p, "ln_f.weight": np.ones(8), "ln_f.bias": np.zeros(8)},
        lambda p: {**p, "wpe.weight": 0 * p["wpe.weight"]},
        lambda p: {name.replace("h.0", "h.x").replace("h.1", "h.0").replace("h.x", "h.1"): a for name, a in p.items()},
    ],
    ids=["c_proj transposed", "no last norm", "no positions", "layers swapped"],
)
def test_these_mistakes_raise_nothing_and_change_every_logit(mistake):
    params = weights(TINY)
    difference = kb.gpt(mistake(params), IDS, TINY) - kb.gpt(params, IDS, TINY)
    assert np.abs(difference).max() > 0.1


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_text_that_is_too_long():
    with pytest.raises(ValueError, match=r"ids \(10,\) reach position 10, the model has 9"):
        kb.gpt(weights(TINY), np.zeros(10, int), TINY)
    with pytest.raises(ValueError, match=r"ids \(1, 10\) reach position 10, the model has 9"):
        kb.llama(weights(LLAMA), np.zeros((1, 10), int), LLAMA)


def test_a_token_that_does_not_exist():
    for wrong in (13, -1):
        with pytest.raises(ValueError, match="embedding"):
            kb.gpt(weights(TINY), np.array([1, wrong]), TINY)


@pytest.mark.parametrize("config", [TINY, LLAMA], ids=["GPT-2", "Llama"])
def test_weights_that_do_not_fit(config):
    params, model = weights(config), kb.gpt if config is TINY else kb.llama
    first, last = next(iter(params)), list(params)[-1]
    with pytest.raises(ValueError, match=rf"1 missing \['{first}'\], 0 unknown"):
        model({name: p for name, p in params.items() if name != first}, IDS, config)
    with pytest.raises(ValueError, match=r"0 missing \[\], 1 unknown \['h\.9'\]"):
        model({**params, "h.9": np.ones(3)}, IDS, config)
    with pytest.raises(ValueError, match=rf"{last} has shape \(3,\), expected"):
        model({**params, last: np.ones(3)}, IDS, config)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kb.GPTConfig(n_head=5), "n_head = 5 does not divide n_embd = 768"),
        (lambda: kb.GPTConfig(n_layer=0), "n_layer is 0"),
        (lambda: kb.GPTConfig(n_layer=2.0), "n_layer is 2.0"),
        (lambda: kb.GPTConfig(activation_function="swish"), "activation_function 'swish' is not in"),
        (lambda: kb.LlamaConfig(num_attention_heads=5), "num_attention_heads = 5 does not divide hidden_size"),
        (lambda: kb.LlamaConfig(num_key_value_heads=5), "num_key_value_heads = 5 does not divide num_attention_heads"),
        (lambda: kb.LlamaConfig(rope_theta=float("inf")), "rope_theta is inf"),
        (lambda: kb.LlamaConfig(tie_word_embeddings=1), "tie_word_embeddings is 1"),
    ],
)
def test_sizes_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---- the model of the page: it writes words backwards ------------------------------------------------------------
def test_the_task():
    text = backwards.texts(np.random.default_rng(0), 50)
    np.testing.assert_array_equal(text[:, :5], text[:, :5:-1])
    assert np.all(text[:, 5] == backwards.BAR)
    assert text[:, :5].max() < backwards.BAR


@pytest.mark.slow
def test_it_writes_words_backwards_that_it_has_not_seen():
    rng = np.random.default_rng(0)
    kb.init_gpt(backwards.CONFIG, rng)
    seen = {tuple(word) for _ in range(backwards.STEPS) for word in backwards.texts(rng, backwards.BATCH)[:, :5]}
    drawn = backwards.texts(np.random.default_rng(1), 500)[:, :5]
    assert np.mean([tuple(word) in seen for word in drawn]) < 0.08
    assert backwards.accuracy() > 0.99
    assert backwards.backwards("beach") == "hcaeb"
    assert backwards.accuracy(positions=False) < 0.02


def test_its_first_block_looks_at_the_letter_to_be_written():
    weights = np.mean(backwards.pattern("beach|hcaeb", 0), axis=0)
    assert all(weights[5 + i, 4 - i] > 0.7 for i in range(5))
