import dataclasses
import math

import numpy as np
import pytest

import kb.generation.vision_transformer as kb
import kb.torch.generation.vision_transformer as kt
from kb.architecture.transformer import count_parameters
from kb.autograd.tensor import value_and_grad
from kb.checkpoints import shipped
from kb.checkpoints.safetensors import load_file, save_file
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW
from kb.structure.activation_functions import gelu
from kb.structure.convolutional_network import conv2d
from tests.contract import Case, contract, gpu_contract
from training import vision_transformer as training

TINY = kb.ViTConfig(4, 2, 3, 8, 2, 2, 12, layer_norm_eps=1e-3, num_labels=5)
BARE = dataclasses.replace(TINY, num_labels=None, hidden_act="gelu_new", num_channels=1)
B32 = kb.ViTConfig(patch_size=32)


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    return {
        name: (0.3 * rng.standard_normal(shape) + ("layernorm" in name)).astype(dtype)
        for name, shape in config.shapes().items()
    }


def images(config, *lead, seed=1, dtype=np.float64):
    size = (config.num_channels, config.image_size, config.image_size)
    return np.random.default_rng(seed).standard_normal((*lead, *size)).astype(dtype)


def parts(d=6, m=9):
    rng = np.random.default_rng(3)
    shapes = {**dict.fromkeys("qkvo", (d, d)), "norm_1": (d,), "norm_2": (d,), "up": (m, d), "down": (d, m)}
    return {k: {"weight": 0.5 * rng.standard_normal(s), "bias": rng.standard_normal(s[:1])} for k, s in shapes.items()}


CASES = [
    Case(kb.patchify, x=(2, 3, 4, 6), patch_size=2),
    Case(kb.patch_embedding, x=(2, 3, 4, 6), weight=(5, 3, 2, 2), bias=(5,)),
    Case(kb.patch_embedding, x=(3, 4, 6), weight=(5, 3, 2, 2)),
    Case(kb.with_token_in_front, x=(2, 3, 5), token=(5,)),
    Case(kb.vit, params=weights(TINY), pixel_values=images(TINY, 2), config=TINY),
    Case(kb.vit, params=weights(BARE), pixel_values=images(BARE), config=BARE),
    Case(kb.vit_hidden_states, params=weights(BARE), pixel_values=images(BARE, 2), config=BARE),
    Case(kb.vit_logits, params=weights(TINY), pixel_values=images(TINY, 2), config=TINY),
    Case(kb.vit_patterns, params=weights(BARE), pixel_values=images(BARE, 2), config=BARE),
    Case(kb.encoder_block, x=(2, 3, 6), parts=parts(), num_heads=2, activation=gelu, eps=1e-5),
    Case(kb.encoder_block, x=(3, 6), parts=parts(), num_heads=3, activation=gelu, eps=1e-5, is_causal=True),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- transformers, the oracle ------------------------------------------------------------------------------------
CONFIGS = [TINY, dataclasses.replace(TINY, num_labels=None, hidden_act="relu"), kb.ViTConfig(12, 3, 1, 24, 3, 4, 20)]


def saved(config, folder):
    """A model of `transformers` with large random weights, and the folder that it writes."""
    import torch
    import transformers

    fields = {k: v for k, v in dataclasses.asdict(config).items() if v is not None}
    theirs = transformers.ViTConfig(**fields)
    kind = transformers.ViTModel if config.num_labels is None else transformers.ViTForImageClassification
    model = kind(theirs, add_pooling_layer=False) if config.num_labels is None else kind(theirs)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.tensor(0.3 * rng.standard_normal(p.shape) + ("layernorm" in name)))
    model.save_pretrained(folder)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_reads_what_transformers_writes_and_gives_the_same(config, tmp_path):
    """Names, shapes, and all hidden states and logits within 1e-4 in float32."""
    import torch

    model, x = saved(config, tmp_path), images(config, 2, dtype=np.float32)
    ours = kb.ViT.from_pretrained(tmp_path)
    assert ours.config == config
    with torch.no_grad():
        theirs = model(torch.tensor(x), output_hidden_states=True)
    states = kb.vit_hidden_states(ours.params, x, config)
    assert states.dtype == np.float32
    for i, state in enumerate(theirs.hidden_states[:-1]):
        np.testing.assert_allclose(states[i], state.numpy(), atol=1e-4)
    if config.num_labels is None:
        np.testing.assert_allclose(kb.vit(ours.params, x, config), theirs.last_hidden_state.numpy(), atol=1e-4)
    else:
        np.testing.assert_allclose(ours(x), theirs.logits.numpy(), atol=1e-4)
        twin = kt.ViT(config)
        twin.load_state_dict({k: torch.tensor(p) for k, p in ours.params.items()}, strict=True)
        np.testing.assert_allclose(twin(torch.tensor(x)).detach().numpy(), ours(x), atol=1e-4)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_sizes_of_vit_b_32():
    """88,224,232 parameters with 1,000 classes, as torchvision counts its vit_b_32; 49 patches and one token."""
    assert B32.tokens() == 49 + 1
    assert count_parameters(dataclasses.replace(B32, num_labels=1000)) == 88_224_232
    assert kb.ViTConfig().tokens() == 197


def test_patches_by_hand():
    image = np.arange(16).reshape(1, 4, 4)
    np.testing.assert_array_equal(kb.patchify(image, 2), [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])
    two = np.stack([image[0], 100 + image[0]])
    np.testing.assert_array_equal(kb.patchify(two, 2)[1], [2, 3, 6, 7, 102, 103, 106, 107])


@pytest.mark.parametrize(("size", "p"), [((4, 6), 2), ((6, 3), 3), ((5, 4), 1)])
def test_patch_embedding_is_a_strided_convolution(size, p):
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(s) for s in ((2, 3, *size), (7, 3, p, p), (7,)))
    maps = conv2d(x, weight, bias, stride=p)  # (b, d, down, across)
    np.testing.assert_allclose(
        kb.patch_embedding(x, weight, bias), np.swapaxes(maps.reshape(2, 7, -1), 1, 2), atol=1e-12
    )


def test_without_positions_the_order_of_the_patches_does_not_matter():
    params, x = weights(TINY), images(TINY)
    swapped = np.concatenate([x[..., 2:], x[..., :2]], axis=-1)  # left and right halves: patches 1 0 3 2
    blind = {**params, "embeddings.position_embeddings": 0 * params["embeddings.position_embeddings"]}
    a, b = kb.vit(blind, x, TINY), kb.vit(blind, swapped, TINY)
    np.testing.assert_allclose(a[[0, 2, 1, 4, 3]], b, atol=1e-12)
    assert np.abs(kb.vit_logits(params, x, TINY) - kb.vit_logits(params, swapped, TINY)).max() > 0.01


def test_every_token_sees_every_token():
    """Unlike in a GPT: a change in the last patch reaches the first."""
    params, x = weights(TINY), images(TINY)
    changed = np.where(np.arange(4) == 3, 9.0, x)
    assert np.abs(kb.vit(params, x, TINY)[1] - kb.vit(params, changed, TINY)[1]).max() > 1e-3
    patterns = kb.vit_patterns(params, x, TINY)
    assert patterns.shape == (2, 2, 5, 5)
    assert patterns.min() > 0
    np.testing.assert_allclose(patterns.sum(-1), 1)


def test_patterns_and_hidden_states_as_in_torch():
    import torch

    params, x = weights(TINY), images(TINY, 2)
    theirs = {k: torch.tensor(p) for k, p in params.items()}
    for name in ("vit_patterns", "vit_hidden_states"):
        ours, twin = getattr(kb, name)(params, x, TINY), getattr(kt, name)(theirs, torch.tensor(x), TINY)
        np.testing.assert_allclose(ours, twin.numpy(), atol=1e-12)
    np.testing.assert_array_equal(kb.vit_hidden_states(params, x, TINY)[-1], kb.vit(params, x, TINY))


def test_init():
    a, b = (make(TINY, np.random.default_rng(0)) for make in (kb.init_vit, kt.init_vit))
    assert {k: v.shape for k, v in a.items()} == TINY.shapes()
    for name, array in a.items():
        np.testing.assert_array_equal(array, b[name].numpy())
    params = kb.init_vit(kb.ViTConfig(28, 7, 1, 64, 2, 2, 64), np.random.default_rng(0))
    unit = np.random.default_rng(1).standard_normal((50, 1, 28, 28))
    found = kb.patch_embedding(unit, params["embeddings.patch_embeddings.projection.weight"])
    assert 0.9 < found.std() < 1.1
    assert math.isclose(params["encoder.layer.0.output.dense.weight"].std(), 0.02, rel_tol=0.1)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kb.patchify(np.ones((1, 4, 5)), 2), r"squares of 2 pixels do not tile x \(1, 4, 5\)"),
        (lambda: kb.patchify(np.ones((1, 4, 4)), 0), "squares of 0 pixels"),
        (lambda: kb.vit(weights(TINY), np.ones((2, 3, 4, 6)), TINY), r"\(2, 3, 4, 6\): the model reads .*\(3, 4, 4\)"),
        (lambda: kb.vit_logits(weights(BARE), images(BARE), BARE), "no head"),
        (lambda: kb.vit(weights(BARE), images(TINY), TINY), "missing"),
        (lambda: kb.ViTConfig(patch_size=15), "patch_size = 15 does not divide image_size = 224"),
        (lambda: kb.ViTConfig(num_attention_heads=5), "does not divide hidden_size"),
        (lambda: kb.ViTConfig(hidden_act="quick"), "hidden_act 'quick' is not in"),
        (lambda: kb.ViTConfig(num_labels=0), "num_labels is 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_a_config_that_kb_does_not_compute(tmp_path):
    saved(TINY, tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"qkv_bias": true', '"qkv_bias": false'), encoding="utf-8")
    with pytest.raises(ValueError, match="qkv_bias is False"):
        kb.ViT.from_pretrained(tmp_path)


@pytest.mark.slow
def test_a_pooler_is_left_out(tmp_path):
    """Bare published models hold one more layer that no head reads."""
    saved(dataclasses.replace(TINY, num_labels=None), tmp_path)
    path = tmp_path / "model.safetensors"
    save_file({**load_file(path), "pooler.dense.weight": np.eye(8), "pooler.dense.bias": np.ones(8)}, path)
    assert not any("pooler" in name for name in kb.ViT.from_pretrained(tmp_path).params)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_it_learns_through_our_graph():
    """Sixty full steps of AdamW on eight images lower the cost below a tenth of a blind guess's."""
    params, x = kb.init_vit(TINY, np.random.default_rng(0)), images(TINY, 8, dtype=np.float32)
    y, optimizer = np.arange(8) % 5, AdamW(params, lr=0.01)
    for _ in range(60):
        value, grads = value_and_grad(lambda p: cross_entropy(kb.vit_logits(p, x, TINY), y))(optimizer.params)
        optimizer.step(grads)
    assert value < 0.1 * math.log(5)


# ---- the small model that the project ships ----------------------------------------------------------------------
def test_the_shipped_model_is_what_its_training_gives():
    """The first losses of the training, in float32 on any machine, and the accuracy that was written down."""
    facts = shipped.digits_vit_facts()
    params, losses = training.train(steps=3)
    np.testing.assert_allclose(losses, facts["losses"], atol=1e-3)
    model = shipped.digits_vit()
    assert model.config == training.CONFIG
    assert {name: p.shape for name, p in params.items()} == model.config.shapes()
    assert all(p.dtype == np.float32 for p in [*params.values(), *model.params.values()])
    assert math.isclose(training.accuracy(model.params), facts["accuracy"], abs_tol=0.004)  # one digit of 360
    assert facts["accuracy"] > 0.9 > 0.7 > facts["accuracy_without_positions"]


def test_positions_that_are_taken_away_stay_away():
    params, _ = training.train(steps=2, positions=False)
    assert not params[training.POSITIONS].any()
