import dataclasses

import numpy as np
import pytest

import kb.architecture.transformer as kb
import kb.torch.architecture.transformer as kt
from kb.autograd.tensor import value_and_grad
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
    return kb.nest(weights(config))[key]["1"]


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
