import dataclasses
import json
import math

import numpy as np
import pytest

import kb.generation.clip as kb
import kb.torch.generation.clip as kt
from kb.architecture.transformer import count_parameters
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.clip_config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig
from kb.checkpoints.safetensors import load_file, save_file
from kb.learning.optimizers import AdamW
from tests.contract import Case, contract, gpu_contract

END = 12
TEXT = CLIPTextConfig(13, 8, 12, 2, 2, 7, eos_token_id=END)
VISION = CLIPVisionConfig(4, 2, 3, 12, 20, 1, 3)
TINY = CLIPConfig(TEXT, VISION, 6)
GELU = CLIPConfig(
    dataclasses.replace(TEXT, hidden_act="gelu", layer_norm_eps=1e-3, eos_token_id=kb.LARGEST_ID),
    dataclasses.replace(VISION, hidden_act="gelu", patch_size=1, num_channels=1, num_hidden_layers=2),
    9,
)
IDS = np.array([[11, 3, 0, END, 5, 5], [11, 2, END, 4, 0, END]])


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    return {
        name: np.asarray(0.3 * rng.standard_normal(shape) + ("norm" in name), dtype)
        for name, shape in config.shapes().items()
    }


def images(config, *lead, seed=1, dtype=np.float64):
    size = (config.num_channels, config.image_size, config.image_size)
    return np.random.default_rng(seed).standard_normal((*lead, *size)).astype(dtype)


CASES = [
    Case(kb.quick_gelu, x=(2, 5)),
    Case(kb.text_states, params=weights(TEXT), ids=IDS, config=TEXT),
    Case(kb.image_states, params=weights(VISION), pixel_values=images(VISION, 2), config=VISION),
    Case(kb.text_features, params=weights(TINY), ids=IDS, config=TINY),
    Case(kb.text_features, params=weights(GELU), ids=IDS[0], config=GELU),
    Case(kb.image_features, params=weights(TINY), pixel_values=images(VISION, 2), config=TINY),
    Case(kb.clip_logits, image_features=(3, 5), text_features=(4, 5), logit_scale=()),
    Case(kb.clip_loss, image_features=(4, 5), text_features=(4, 5), logit_scale=()),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- transformers, the oracle ------------------------------------------------------------------------------------
def saved(config, folder):
    """A CLIPModel of `transformers` with large random weights, and the folder that it writes."""
    import torch
    import transformers

    text, vision = dataclasses.asdict(config.text_config), dataclasses.asdict(config.vision_config)
    theirs = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=config.projection_dim)
    model = transformers.CLIPModel(theirs).eval()
    model.load_state_dict({k: torch.tensor(p) for k, p in weights(config, 3, np.float32).items()}, strict=True)
    model.save_pretrained(folder)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("config", [TINY, GELU], ids=["quick_gelu", "gelu, largest id"])
def test_reads_what_transformers_writes_and_gives_the_same(config, tmp_path):
    """Config, weights, features of both towers, logits and loss, within 1e-4 in float32."""
    import torch

    model, x = saved(config, tmp_path), images(config.vision_config, 2, dtype=np.float32)
    ours = kb.CLIP.from_pretrained(tmp_path)
    assert ours.config == config
    with torch.no_grad():
        out = model(input_ids=torch.tensor(IDS), pixel_values=torch.tensor(x), return_loss=True)
    states = kb.text_states(kb.tower_of(ours.params, "text_model."), IDS, config.text_config)
    np.testing.assert_allclose(states, out.text_model_output.last_hidden_state.numpy(), atol=1e-4)
    pixels = kb.image_states(kb.tower_of(ours.params, "vision_model."), x, config.vision_config)
    np.testing.assert_allclose(pixels, out.vision_model_output.last_hidden_state.numpy(), atol=1e-4)
    u, v, scale = ours.image_features(x), ours.text_features(IDS), np.exp(ours.params["logit_scale"])
    np.testing.assert_allclose(v, out.text_embeds.numpy(), atol=1e-4)
    np.testing.assert_allclose(u, out.image_embeds.numpy(), atol=1e-4)
    np.testing.assert_allclose(ours(x, IDS), out.logits_per_image.numpy(), atol=1e-4)
    np.testing.assert_allclose(kb.clip_loss(u, v, scale), out.loss.item(), atol=1e-4)
    assert u.dtype == v.dtype == ours(x, IDS).dtype == np.float32
    twin = kt.CLIP(config)
    twin.load_state_dict({k: torch.tensor(p) for k, p in ours.params.items()}, strict=True)
    np.testing.assert_allclose(twin(torch.tensor(x), torch.tensor(IDS)).detach().numpy(), ours(x, IDS), atol=1e-4)


@pytest.mark.slow
def test_the_text_tower_alone_as_transformers_writes_it(tmp_path):
    import torch
    import transformers

    model = transformers.CLIPTextModel(transformers.CLIPTextConfig(**dataclasses.asdict(TEXT))).eval()
    model.save_pretrained(tmp_path)
    ours = kb.CLIPText.from_pretrained(tmp_path)
    assert ours.config == TEXT
    with torch.no_grad():
        theirs = model(torch.tensor(IDS)).last_hidden_state.numpy()
    np.testing.assert_allclose(ours(IDS), theirs, atol=1e-4)


@pytest.mark.slow
def test_names_and_shapes_of_clip_vit_b_32():
    """151,277,313 parameters, as published; names and shapes are those that transformers gives its own model."""
    import torch
    import transformers

    with torch.device("meta"):
        theirs = {
            name: tuple(p.shape) for name, p in transformers.CLIPModel(transformers.CLIPConfig()).named_parameters()
        }
    assert CLIPConfig().shapes() == theirs
    assert count_parameters(CLIPConfig()) == 151_277_313


# ---- invariants --------------------------------------------------------------------------------------------------
def test_features_have_length_1():
    params = weights(TINY)
    for features in (kb.text_features(params, IDS, TINY), kb.image_features(params, images(VISION, 2), TINY)):
        np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1)


def test_what_stands_behind_the_end_token_does_not_matter():
    params, changed = weights(TINY), np.where(np.arange(6) > 3, 7, IDS)
    np.testing.assert_allclose(kb.text_features(params, IDS, TINY), kb.text_features(params, changed, TINY), atol=1e-12)
    before = np.where(np.arange(6) == 1, 7, IDS)
    assert np.abs(kb.text_features(params, IDS, TINY) - kb.text_features(params, before, TINY)).max() > 0.01


def test_the_first_end_token_is_read():
    params = weights(TINY)
    states = kb.text_states(kb.tower_of(params, "text_model."), IDS, TEXT)
    u = np.stack([states[0, 3], states[1, 2]]) @ params["text_projection.weight"].T
    expected = u / np.linalg.norm(u, axis=-1, keepdims=True)
    np.testing.assert_allclose(kb.text_features(params, IDS, TINY), expected, atol=1e-12)


def test_loss_by_hand():
    """Two pairs, all four cosines known: 1 and 0.6 in the first row, 0 and 0.8 in the second."""
    u, v = np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [0.6, 0.8]])
    rows = [math.log1p(math.exp(2 * (0.6 - 1))), math.log1p(math.exp(2 * (0 - 0.8)))]
    columns = [math.log1p(math.exp(2 * (0 - 1))), math.log1p(math.exp(2 * (0.6 - 0.8)))]
    np.testing.assert_allclose(kb.clip_loss(u, v, 2.0), (sum(rows) / 2 + sum(columns) / 2) / 2)
    np.testing.assert_allclose(kb.clip_loss(u, v, 0.0), math.log(2))
    np.testing.assert_allclose(kb.clip_loss(v, u, 2.0), kb.clip_loss(u, v, 2.0))
    assert kb.clip_loss(u, v[::-1], 2.0) > kb.clip_loss(u, v, 2.0)


def test_quick_gelu_is_nearly_gelu():
    x = np.linspace(-6, 6, 2001)
    gap = np.abs(kb.quick_gelu(x) - np.array([0.5 * t * (1 + math.erf(t / math.sqrt(2))) for t in x]))
    assert 0.02 < gap.max() < 0.021


def test_init():
    a, b = (make(TINY, np.random.default_rng(0)) for make in (kb.init_clip, kt.init_clip))
    assert {k: v.shape for k, v in a.items()} == TINY.shapes()
    assert all(array.dtype == np.float32 for array in a.values())
    for name, array in a.items():
        np.testing.assert_array_equal(array, b[name].numpy())
    assert math.isclose(math.exp(a["logit_scale"]), 1 / 0.07, rel_tol=1e-6)
    assert math.isclose(math.log(1 / 0.07), 2.6592, rel_tol=1e-4)  # the number in the published config


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kb.text_features(weights(TINY), np.array([[1, 2]]), TINY), r"\(1, 2\): a text has no end token 12"),
        (lambda: kb.text_features(weights(TINY), np.full((1, 8), END), TINY), "the longest text has 7 tokens"),
        (lambda: kb.image_features(weights(TINY), np.ones((3, 4, 5)), TINY), r"the model reads images \(3, 4, 4\)"),
        (lambda: kb.text_states(weights(TINY), IDS, TEXT), "unknown"),
        (lambda: kb.clip_loss(np.ones((2, 3)), np.ones((3, 3)), 1.0), r"text_features has shape \(3, 3\)"),
        (lambda: CLIPTextConfig(num_attention_heads=7), "num_attention_heads = 7 does not divide hidden_size = 512"),
        (lambda: CLIPVisionConfig(patch_size=15), "patch_size = 15 does not divide image_size = 224"),
        (lambda: CLIPVisionConfig(hidden_act="relu"), "hidden_act 'relu' is not in"),
        (lambda: CLIPConfig(projection_dim=0), "projection_dim is 0"),
        (lambda: CLIPConfig(text_config={}), "text_config is {}"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"num_hidden_layers": 2', '"num_hidden_layers": 1000000000', "has 3 blocks, config.json says 1000000001"),
        ('"hidden_act": "quick_gelu"', '"hidden_act": "silu"', "hidden_act 'silu'"),
        ('"projection_dim": 6,\n  "text_config"', '"projection_dim": 7,\n  "text_config"', "config.json makes it"),
    ],
)
def test_folders_that_do_not_fit(old, new, message, tmp_path):
    saved(TINY, tmp_path)
    path = tmp_path / "config.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        kb.CLIP.from_pretrained(tmp_path)


@pytest.mark.slow
def test_what_files_of_before_2023_hold_besides(tmp_path):
    """position_ids, 0, 1, 2, …, are not weights; half precision becomes float32, exactly."""
    saved(TINY, tmp_path)
    path = tmp_path / "model.safetensors"
    halves = {name: array.astype(np.float16) for name, array in load_file(path).items()}
    extra = {f"{tower}_model.embeddings.position_ids": np.arange(7)[None] for tower in ("text", "vision")}
    save_file({**halves, **extra}, path)
    params = kb.CLIP.from_pretrained(tmp_path).params
    assert set(params) == set(TINY.shapes())
    for name, array in params.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, halves[name])


@pytest.mark.slow
def test_a_tower_whose_config_is_no_object(tmp_path):
    saved(TINY, tmp_path)
    path = tmp_path / "config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**fields, "text_config": [1]}), encoding="utf-8")
    with pytest.raises(ValueError, match="CLIPTextConfig: expected a JSON object, found list"):
        kb.CLIP.from_pretrained(tmp_path)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_the_two_towers_learn_to_agree():
    """Sixty steps through our graph on six pairs of random images and texts bring the loss far below log 6."""
    rng = np.random.default_rng(0)
    x = images(VISION, 6, dtype=np.float32)
    ids = np.concatenate([rng.integers(0, END, (6, 5)), np.full((6, 1), END)], axis=1)

    def loss(p):
        return kb.clip_loss(kb.image_features(p, x, TINY), kb.text_features(p, ids, TINY), np.exp(p["logit_scale"]))

    optimizer = AdamW(kb.init_clip(TINY, rng), lr=0.01)
    for _ in range(60):
        value, grads = value_and_grad(loss)(optimizer.params)
        optimizer.step(grads)
    assert value < 0.2 * math.log(6)
    assert value.dtype == np.float32
