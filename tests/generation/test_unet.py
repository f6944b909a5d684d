import dataclasses
import functools
import json

import numpy as np
import pytest

import kb.generation.unet as kb
import kb.torch.generation.unet as kt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.checkpoints.safetensors import load_file, save_file
from kb.checkpoints.unet_config import Level
from tests.contract import Case, contract, gpu_contract

TEXT = kb.UNetConfig(
    in_channels=3,
    out_channels=2,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(4, 8),
    layers_per_block=1,
    norm_num_groups=2,
    cross_attention_dim=5,
    attention_head_dim=2,
)
PLAIN = dataclasses.replace(
    TEXT,
    down_block_types=("DownBlock2D",) * 2,
    mid_block_type="UNetMidBlock2D",
    up_block_types=("UpBlock2D",) * 2,
    layers_per_block=2,
    num_class_embeds=3,
)
DEEP = dataclasses.replace(
    TEXT,
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(4, 6, 8),
    transformer_layers_per_block=2,
    attention_head_dim=(1, 3, 2),
    use_linear_projection=True,
    norm_eps=1e-3,
    num_class_embeds=3,
)
CONFIGS = {"text": TEXT, "plain": PLAIN, "deep": DEEP}
LABELS = np.array([2, 0])
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=[*CONFIGS])


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    params = {}
    for name, shape in config.shapes().items():
        noise = rng.standard_normal(shape) / (np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 4)
        params[name] = (noise + ("norm" in name and name.endswith("weight"))).astype(dtype)
    return params


def inputs(config, size=(6, 6), dtype=np.float64, seed=1):
    """An image, a timestep for each, the prompt where there is attention, and the labels where there are classes."""
    rng = np.random.default_rng(seed)
    attends = any(level.heads for level in config.levels())
    context = rng.standard_normal((2, 3, config.cross_attention_dim)).astype(dtype) if attends else None
    labels = None if config.num_class_embeds is None else LABELS
    return rng.standard_normal((2, config.in_channels, *size)).astype(dtype), np.array([7, 950]), context, labels


def predicted(config, params=None, **changes):
    x, t, context, labels = inputs(config, **changes)
    return kb.unet(weights(config) if params is None else params, x, t, context, config, labels)


def part(config, path):
    return functools.reduce(dict.__getitem__, path.split("/"), nest(weights(config)))


SAMPLER = {"weight": (4, 4, 3, 3), "bias": (4,)}
CASES = [
    Case(kb.unet, params=weights(TEXT), sample=(2, 3, 4, 6), timestep=31, encoder_hidden_states=(2, 3, 5), config=TEXT),
    Case(
        kb.unet,
        params=weights(PLAIN),
        sample=(2, 3, 4, 4),
        timestep=np.array([3, 900]),
        encoder_hidden_states=None,
        config=PLAIN,
        class_labels=LABELS,
    ),
    Case(kb.timestep_embedding, timestep=np.array([0, 1, 999]), width=6, dtype="float32"),
    Case(kb.resnet_block, x=(2, 12, 3, 4), time=(2, 16), layer=part(TEXT, "up_blocks/1/resnets/0"), config=TEXT),
    Case(kb.resnet_block, x=(2, 8, 3, 3), time=(2, 16), layer=part(TEXT, "mid_block/resnets/0"), config=TEXT),
    Case(
        kb.transformer_2d,
        x=(2, 8, 3, 2),
        context=(2, 3, 5),
        layer=part(TEXT, "mid_block/attentions/0"),
        num_heads=2,
        config=TEXT,
    ),
    Case(
        kb.geglu,
        x=(2, 3, 8),
        layer=part(TEXT, "mid_block/attentions/0/transformer_blocks/0/ff"),
    ),
    Case(kb.downsample, x=(2, 4, 5, 6), **SAMPLER),
    Case(kb.upsample, x=(2, 4, 3, 3), like=(2, 1, 5, 6), differentiable=["x", "weight", "bias"], **SAMPLER),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- diffusers, the oracle ---------------------------------------------------------------------------------------
def peer(config, params):
    """The model of `diffusers` with these weights."""
    import torch
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel(**dataclasses.asdict(config)).eval().requires_grad_(False)
    model = model.double() if params["conv_in.weight"].dtype == np.float64 else model
    model.load_state_dict({name: torch.tensor(p) for name, p in params.items()}, strict=True)
    return model


def peer_prediction(model, x, t, context, labels):
    import torch

    args = [None if a is None else torch.tensor(a) for a in (x, t, context, labels)]
    return model(*args[:3], class_labels=args[3]).sample.numpy()


@pytest.mark.slow
@each_config
@pytest.mark.parametrize("size", [(8, 4), (7, 5), (1, 2)], ids=str)
def test_the_prediction_of_diffusers(config, size):
    """Odd sizes too, in float32: its clocks are computed in float32, ours in float64, so 1e-4 is what there is."""
    params = weights(config, dtype=np.float32)
    theirs = peer_prediction(peer(config, params), *inputs(config, size, np.float32))
    ours = predicted(config, params, size=size, dtype=np.float32)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert np.ptp(theirs) > 0.4  # nothing is compared with zeros


@pytest.mark.slow
@each_config
def test_to_ten_digits_with_the_same_clocks(config):
    """In float64, its clocks replaced by exact ones: everything behind them is the same."""
    model = peer(config, weights(config))
    model.time_proj.forward = functools.partial(kt.timestep_embedding, width=config.block_out_channels[0])
    model.time_proj.forward.keywords["dtype"] = "float64"
    theirs = peer_prediction(model, *inputs(config, (5, 6)))
    np.testing.assert_allclose(predicted(config, size=(5, 6)), theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_the_clocks_of_diffusers():
    """An angle near 999 has an error of 999 * 2^-24 there."""
    import torch
    from diffusers.models.embeddings import get_timestep_embedding

    t = np.array([0, 1, 500, 999])
    theirs = get_timestep_embedding(torch.tensor(t), 32, flip_sin_to_cos=True, downscale_freq_shift=0).numpy()
    np.testing.assert_allclose(kb.timestep_embedding(t, 32), theirs, atol=4 * 999 * 2.0**-24)


@pytest.mark.slow
@each_config
def test_the_torch_module_takes_the_weights_of_diffusers(config):
    import torch

    params = weights(config)
    model = kt.UNet(config).double()
    model.load_state_dict(peer(config, params).state_dict(), strict=True)
    x, t, context, labels = (None if a is None else torch.tensor(a) for a in inputs(config))
    theirs = model(x, t, context, labels).detach().numpy()
    np.testing.assert_allclose(predicted(config, params), theirs, rtol=1e-10, atol=1e-10)


# ---- names and sizes ---------------------------------------------------------------------------------------------
STABLE_DIFFUSION = kb.UNetConfig(sample_size=64, cross_attention_dim=768)
STABLE_DIFFUSION_2 = kb.UNetConfig(
    cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "count"),
    [(STABLE_DIFFUSION, 859_520_964), (STABLE_DIFFUSION_2, 865_910_724), *((c, None) for c in CONFIGS.values())],
    ids=["Stable Diffusion 1.5", "Stable Diffusion 2.1", *CONFIGS],
)
def test_every_name_and_shape_of_diffusers(config, count):
    """Of models without memory: theirs, our twin, and the list that is counted."""
    import torch
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        models = UNet2DConditionModel(**dataclasses.asdict(config)), kt.UNet(config)
    for model in models:
        assert {name: tuple(p.shape) for name, p in model.state_dict().items()} == config.shapes()
    total = sum(p.numel() for p in models[0].parameters())
    assert kb.count_parameters(config) == total
    assert count in (None, total)


def test_the_levels_by_hand():
    """What is joined on the way up: the last kept first, the first convolution's result at the end."""
    assert TEXT.levels() == [
        Level("down_blocks.0", ((4, 4),), 2, "downsamplers"),
        Level("down_blocks.1", ((4, 8),), 0, ""),
        Level("mid_block", ((8, 8), (8, 8)), 2, ""),
        Level("up_blocks.0", ((16, 8), (12, 8)), 0, "upsamplers"),
        Level("up_blocks.1", ((12, 4), (8, 4)), 2, ""),
    ]


# ---- training ----------------------------------------------------------------------------------------------------
def squared_error(params, x, t, context, labels, noise, config):
    error = kb.unet(params, x, t, context, config, labels) - noise
    return np.mean(error * error)


@each_config
def test_the_gradient_of_the_loss_is_torchs(config):
    """Of the squared error of the predicted noise, by every weight: kb.autograd, and torch's graph in the module."""
    import torch

    params, given = weights(config), inputs(config, (5, 4))
    noise = np.random.default_rng(2).standard_normal((2, config.out_channels, 5, 4))
    model = kt.UNet(config).double()
    model.load_state_dict({name: torch.tensor(p) for name, p in params.items()})
    loss = ((model(*(None if a is None else torch.tensor(a) for a in given)) - torch.tensor(noise)) ** 2).mean()
    loss.backward()
    ours, grads = value_and_grad(squared_error)(params, *given, noise, config)
    assert ours == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)
        assert np.any(grads[name])


def test_where_training_starts():
    config = dataclasses.replace(DEEP, block_out_channels=(16, 32, 64), norm_num_groups=8, attention_head_dim=4)
    params = kb.init_unet(config, np.random.default_rng(0))
    ends = ("conv2", "proj_out", "conv_out")
    for name, p in params.items():
        assert p.dtype == np.float32
        assert p.shape == config.shapes()[name]
        if p.ndim == 1 or any(end in name for end in ends):
            assert np.all(p == (1 if "norm" in name and name.endswith("weight") else 0)), name
        elif p.size > 500:
            assert p.std() * np.sqrt(p[0].size) == pytest.approx(1, rel=0.12), name
    assert not np.any(predicted(config, params, dtype=np.float32))
    again = kb.init_unet(config, np.random.default_rng(0))
    assert all(np.array_equal(params[name], again[name]) for name in params)


def test_each_block_changes_nothing_at_first():
    """Where the channels stay, x passes through a fresh ResNet block and a fresh transformer as it is."""
    tree = nest(kb.init_unet(TEXT, np.random.default_rng(0), "float64"))["mid_block"]
    rng = np.random.default_rng(1)
    x, time, context = (rng.standard_normal(shape) for shape in ((2, 8, 3, 3), (2, 16), (2, 3, 5)))
    np.testing.assert_array_equal(kb.resnet_block(x, time, tree["resnets"]["0"], TEXT), x)
    np.testing.assert_array_equal(kb.transformer_2d(x, context, tree["attentions"]["0"], 2, TEXT), x)


# ---- invariants --------------------------------------------------------------------------------------------------
@each_config
def test_the_images_of_a_batch_stand_alone(config):
    x, t, context, labels = inputs(config)
    for i in range(2):
        alone = [None if a is None else a[i : i + 1] for a in (context, labels)]
        one = kb.unet(weights(config), x[i : i + 1], t[i], alone[0], config, alone[1])
        np.testing.assert_allclose(one, predicted(config)[i : i + 1], rtol=1e-10, atol=1e-12)


def test_the_order_of_the_words_says_nothing():
    """Cross-attention has no positions: those are in the vectors that the text encoder made."""
    x, t, context, labels = inputs(TEXT)
    turned = kb.unet(weights(TEXT), x, t, context[:, ::-1], TEXT, labels)
    np.testing.assert_allclose(turned, predicted(TEXT), rtol=1e-10, atol=1e-12)


@pytest.mark.slow
def test_a_middle_that_is_far_away_is_reached_by_one_pixel():
    """Group norm and attention carry a change at one corner to every pixel."""
    x, t, context, labels = inputs(TEXT)
    changed = x + 1.0 * (np.arange(x.size) == 0).reshape(x.shape)
    moved = kb.unet(weights(TEXT), changed, t, context, TEXT, labels) != predicted(TEXT)
    assert np.all(moved[0])
    assert not np.any(moved[1])


def test_geglu_by_hand():
    """Offers 3 and 0, gates 1 and 5; gelu(1) is 0.8413447."""
    layer = {
        "net": {
            "0": {"proj": {"weight": np.array([[3.0], [0.0], [1.0], [5.0]]), "bias": np.zeros(4)}},
            "2": {"weight": np.array([[2.0, 1.0]]), "bias": np.array([0.5])},
        }
    }
    np.testing.assert_allclose(kb.geglu(np.array([[1.0]]), layer), [[2 * 3 * 0.8413447460685429 + 0.5]], rtol=1e-12)


def test_the_samplers_by_hand():
    """A filter that only looks at its own place: every second pixel, and each pixel four times."""
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    own = np.zeros((1, 1, 3, 3))
    own[0, 0, 1, 1] = 1
    bias = np.array([0.0])
    small = kb.downsample(x, own, bias)
    np.testing.assert_array_equal(small[0, 0], [[0, 2], [6, 8]])
    large = kb.upsample(small, x, own, bias)
    np.testing.assert_array_equal(large[0, 0], [[0, 0, 2], [0, 0, 2], [6, 6, 8]])


def test_the_clock_by_hand():
    """Four numbers: cos 3, cos 0.03, sin 3, sin 0.03."""
    np.testing.assert_allclose(
        kb.timestep_embedding(np.array([3]), 4, "float64")[0],
        [-0.9899924966004454, 0.9995500337489875, 0.1411200080598672, 0.029995500202495662],
        rtol=1e-12,
    )


# ---- what a mistake would do -------------------------------------------------------------------------------------
def swapped(params, one, other):
    def rename(name):
        return name.replace(one, "\0").replace(other, one).replace("\0", other)

    return {name: params[rename(name)] for name in params}


@pytest.mark.parametrize(
    "mistake",
    [
        lambda p: swapped(p, "mid_block.resnets.0", "mid_block.resnets.1"),
        lambda p: swapped(p, "attn1.to_q", "attn1.to_k"),
        lambda p: {n: np.roll(a, len(a) // 2, 0) if "ff.net.0.proj" in n else a for n, a in p.items()},
        lambda p: {n: a[..., ::-1, ::-1] if a.shape[-2:] == (3, 3) else a for n, a in p.items()},
        lambda p: {n: 0 * a if "time_emb_proj" in n else a for n, a in p.items()},
        lambda p: {n: 0 * a if "attn2.to_out" in n else a for n, a in p.items()},
    ],
    ids=["blocks swapped", "q and k swapped", "offer and gate swapped", "filters flipped", "no timestep", "no prompt"],
)
def test_these_mistakes_raise_nothing_and_change_the_prediction(mistake):
    params = weights(TEXT)
    assert np.abs(predicted(TEXT, mistake(params)) - predicted(TEXT, params)).max() > 0.01


# ---- the file ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder as save_pretrained writes it, and what the model in it predicts."""
    folder, params = tmp_path_factory.mktemp("unet"), weights(DEEP, dtype=np.float32)
    model = peer(DEEP, params)
    model.save_pretrained(folder)
    return folder, peer_prediction(model, *inputs(DEEP, dtype=np.float32))


@pytest.fixture
def changed(saved, tmp_path):
    """A copy of the folder, of which a test spoils something: changed(config={...}, tensors=function of the dict)."""

    def change(config=(), tensors=lambda arrays: arrays):
        fields = json.loads((saved[0] / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**fields, **dict(config)}))
        name = "diffusion_pytorch_model.safetensors"
        save_file(tensors(load_file(saved[0] / name)), tmp_path / name)
        return tmp_path

    return change


@pytest.mark.slow
def test_what_diffusers_saves(saved):
    model = kb.UNet.from_pretrained(saved[0])
    assert model.config == DEEP
    np.testing.assert_allclose(model(*inputs(DEEP, dtype=np.float32)), saved[1], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_a_config_of_the_time_of_stable_diffusion(changed, saved):
    """Which has none of the fields that came later."""
    path = changed()
    later = [*kb.UNET_LAYOUT.fixed, "num_class_embeds", "transformer_layers_per_block", "use_linear_projection"]
    kept = {"act_fn", "center_input_sample", "downsample_padding", "flip_sin_to_cos", "freq_shift"}
    fields = json.loads((path / "config.json").read_text())
    fields = {name: value for name, value in fields.items() if name in kept or name not in later}
    (path / "config.json").write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=r"class_embedding\.weight is not a weight of this model"):
        kb.UNet.from_pretrained(path)
    more = {"num_class_embeds": 3, "transformer_layers_per_block": 2, "use_linear_projection": True}
    (path / "config.json").write_text(json.dumps(fields | more))
    np.testing.assert_allclose(
        kb.UNet.from_pretrained(path)(*inputs(DEEP, dtype=np.float32)), saved[1], rtol=1e-4, atol=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("_class_name", "UNet2DModel"),
        *((name, "other") for name in kb.UNET_LAYOUT.fixed),
        ("down_block_types", ["DownBlock2D", "CrossAttnDownBlock2D", "AttnDownBlock2D"]),
        ("mid_block_type", None),
        ("mid_block_type", "UNetMidBlock2DSimpleCrossAttn"),
        ("up_block_types", ["UpBlock2D"]),
        ("block_out_channels", [4, 6]),
        ("block_out_channels", [4, 6, "8"]),
        ("block_out_channels", []),
        ("attention_head_dim", [1, 3]),
        ("attention_head_dim", [1, 3, 3]),
        ("layers_per_block", [1, 1, 1]),
        ("layers_per_block", 10**12),
        ("transformer_layers_per_block", 10**12),
        ("norm_num_groups", 3),
        ("norm_eps", float("nan")),
        ("cross_attention_dim", True),
        ("in_channels", 0),
    ],
)
def test_a_config_that_is_not_honoured(changed, field, value):
    with pytest.raises(ValueError, match=r"config\.json") as caught:
        kb.UNet.from_pretrained(changed({field: value}))
    assert field in str(caught.value) or str(value) in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (lambda a: {n: p for n, p in a.items() if n != "conv_in.bias"}, r"1 weights are missing.*conv_in\.bias"),
        (lambda a: a | {"down_blocks.0.extra": np.ones(3)}, "down_blocks.0.extra is not a weight"),
        (lambda a: a | {"down_blocks.9.extra": np.ones(3)}, "4 blocks, config.json says 3"),
        (lambda a: a | {"conv_in.bias": np.ones(5, "f4")}, r"conv_in.bias has shape \(5,\).*\(4,\)"),
        (lambda a: a | {"conv_in.bias": np.ones(4, np.int32)}, "conv_in.bias has the dtype I32"),
    ],
)
def test_a_file_that_does_not_fit(changed, tensors, message):
    with pytest.raises(ValueError, match=message) as caught:
        kb.UNet.from_pretrained(changed(tensors=tensors))
    assert "diffusion_pytorch_model.safetensors" in str(caught.value)


@pytest.mark.slow
def test_a_pickle_is_not_opened(changed):
    path = changed()
    (path / "diffusion_pytorch_model.safetensors").rename(path / "diffusion_pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"pickles and split files are not read.*diffusion_pytorch_model.bin"):
        kb.UNet.from_pretrained(path)


# ---- error messages ----------------------------------------------------------------------------------------------
def test_weights_that_do_not_fit():
    params = weights(TEXT)
    with pytest.raises(ValueError, match=r"1 missing \['conv_in.weight'\], 0 unknown"):
        predicted(TEXT, {name: p for name, p in params.items() if name != "conv_in.weight"})
    with pytest.raises(ValueError, match=r"0 missing \[\], 1 unknown \['extra'\]"):
        predicted(TEXT, {**params, "extra": np.ones(3)})
    with pytest.raises(ValueError, match=r"conv_out.bias has shape \(3,\), expected \(2,\)"):
        predicted(TEXT, {**params, "conv_out.bias": np.ones(3)})


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (TEXT, {2: None}, "the config needs encoder_hidden_states"),
        (TEXT, {3: LABELS}, "the config has no use for class_labels"),
        (PLAIN, {3: None}, "the config needs class_labels"),
        (PLAIN, {2: np.ones((2, 3, 5))}, "the config has no use for encoder_hidden_states"),
        (PLAIN, {3: np.array([0, 3])}, "embedding"),
        (TEXT, {1: np.array([1, 2, 3])}, r"timestep \(3,\).*2 images"),
        (TEXT, {0: np.ones((2, 4, 6, 6))}, "weight"),
    ],
)
def test_inputs_that_do_not_fit(config, change, message):
    x, t, context, labels = (change.get(i, value) for i, value in enumerate(inputs(config)))
    with pytest.raises(ValueError, match=message):
        kb.unet(weights(config), x, t, context, config, labels)


def test_an_odd_number_of_clocks():
    with pytest.raises(ValueError, match="width is 7"):
        kb.timestep_embedding(np.array([1]), 7)
