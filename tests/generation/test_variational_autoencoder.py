import dataclasses
import functools
import json
import math

import numpy as np
import pytest

import kb.generation.variational_autoencoder as kb
import kb.torch.generation.variational_autoencoder as kt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.checkpoints.safetensors import load_file, save_file
from kb.checkpoints.vae_config import DOWN, STABLE_DIFFUSION_VAE, UP
from tests.contract import Case, contract, gpu_contract

TWO = kb.VAEConfig(
    in_channels=1,
    out_channels=2,
    down_block_types=(DOWN,) * 2,
    up_block_types=(UP,) * 2,
    block_out_channels=(4, 6),
    latent_channels=3,
    norm_num_groups=2,
    sample_size=4,
)
DEEP = dataclasses.replace(
    TWO,
    down_block_types=(DOWN,) * 3,
    up_block_types=(UP,) * 3,
    block_out_channels=(4, 4, 8),
    layers_per_block=2,
    scaling_factor=1.5,
    shift_factor=-0.25,
)
PLAIN = dataclasses.replace(TWO, use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False)
SAME = dataclasses.replace(TWO, out_channels=1)  # gives back as many channels as it takes
CONFIGS = {"two": TWO, "deep": DEEP, "plain": PLAIN}
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=[*CONFIGS])


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    params = {}
    for name, shape in config.shapes().items():
        noise = rng.standard_normal(shape) / (np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 4)
        params[name] = (noise + ("norm" in name and name.endswith("weight"))).astype(dtype)
    return params


def images(config, size=(8, 8), dtype=np.float64, seed=1):
    return np.random.default_rng(seed).standard_normal((2, config.in_channels, *size)).astype(dtype)


def codes(config, size=(2, 3), dtype=np.float64, seed=2):
    return np.random.default_rng(seed).standard_normal((2, config.latent_channels, *size)).astype(dtype)


def part(config, path):
    return functools.reduce(dict.__getitem__, path.split("/"), nest(weights(config)))


SAMPLER = {"weight": (4, 4, 3, 3), "bias": (4,)}
CASES = [
    Case(kb.encode, params=weights(TWO), sample=(2, 1, 4, 6), config=TWO),
    Case(kb.encode, params=weights(PLAIN), sample=(1, 1, 4, 4), config=PLAIN),
    Case(kb.decode, params=weights(TWO), z=(2, 3, 2, 3), config=TWO),
    Case(kb.resnet_block, x=(2, 4, 3, 4), layer=part(TWO, "encoder/down_blocks/1/resnets/0"), num_groups=2),
    Case(kb.resnet_block, x=(2, 6, 3, 3), layer=part(TWO, "encoder/mid_block/resnets/0"), num_groups=2),
    Case(kb.attention_block, x=(2, 6, 2, 3), layer=part(TWO, "decoder/mid_block/attentions/0"), num_groups=2),
    Case(kb.downsample, x=(2, 4, 4, 6), **SAMPLER),
    Case(kb.upsample, x=(2, 4, 2, 3), **SAMPLER),
    Case(kb.reparameterise, mean=(2, 3), logvar=(2, 3), noise=(2, 3)),
    Case(kb.kl_to_standard_normal, mean=(2, 3, 2), logvar=(2, 3, 2)),
    Case(kb.log_likelihood, x=(2, 3, 2), mean=(2, 3, 2), std=0.5),
    Case(kb.elbo_parts, params=weights(SAME), sample=(2, 1, 4, 4), noise=(2, 3, 2, 2), config=SAME, std=0.5),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- the KL divergence, and the bound -----------------------------------------------------------------------------
def test_the_kl_divergence_by_hand():
    """N(0, 1) is no distance away; a mean of 2 costs 2 nats; a variance of e costs (e - 2) / 2."""
    mean, logvar = np.array([[0.0], [2.0], [0.0]]), np.array([[0.0], [0.0], [1.0]])
    np.testing.assert_allclose(kb.kl_to_standard_normal(mean, logvar), [0, 2, (math.e - 2) / 2], rtol=1e-12)


def test_the_kl_divergence_of_torch():
    import torch
    from torch.distributions import Normal, kl_divergence

    mean, logvar = np.random.default_rng(0).standard_normal((2, 5, 3, 4))
    q = Normal(torch.tensor(mean), torch.tensor(np.exp(logvar / 2)))
    theirs = kl_divergence(q, Normal(torch.zeros(()).double(), torch.ones(()).double())).flatten(1).sum(1).numpy()
    np.testing.assert_allclose(kb.kl_to_standard_normal(mean, logvar), theirs, rtol=1e-12)


def test_the_kl_divergence_is_what_sampling_finds():
    """The mean of log q(z) - log p(z) over draws z of q, within four of its own standard errors."""
    rng, n = np.random.default_rng(0), 100_000
    mean, logvar = rng.standard_normal((2, 1, 4))
    noise = rng.standard_normal((n, 4))
    z = kb.reparameterise(mean, logvar, noise)
    log_q = -0.5 * (noise**2 + logvar).sum(axis=1)  # the constants of the two cancel
    log_p = -0.5 * (z**2).sum(axis=1)
    found = log_q - log_p
    exact = kb.kl_to_standard_normal(mean, logvar)[0]
    assert abs(found.mean() - exact) < 4 * found.std() / np.sqrt(n)
    assert 4 * found.std() / np.sqrt(n) < 0.05 * exact  # so that the comparison says something


def test_the_likelihood_of_torch():
    import torch
    from torch.distributions import Normal

    x, mean = np.random.default_rng(0).standard_normal((2, 3, 1, 2, 2))
    theirs = Normal(torch.tensor(mean), 0.3).log_prob(torch.tensor(x)).flatten(1).sum(1).numpy()
    np.testing.assert_allclose(kb.log_likelihood(x, mean, 0.3), theirs, rtol=1e-6)  # its 0.3 is a float32


def test_the_elbo_is_a_bound_and_exact_where_the_code_is_the_posterior():
    """x = z + noise of std s, z from N(0, 1): p(x) is N(0, 1 + s^2), the posterior N(x / (1 + s^2), s^2 / (1 + s^2)).

    With that posterior every draw gives log p(x) on the mean; with another one less, by its KL divergence from it.
    """
    x, s2 = 1.3, 0.5
    nodes, share = np.polynomial.hermite_e.hermegauss(20)  # exact for the mean of a square under N(0, 1)
    share = share / share.sum()

    def elbo(mean, var):
        mean, logvar = np.array([[mean]]), np.log([[var]])
        z = kb.reparameterise(mean, logvar, nodes[:, None])
        likelihood = kb.log_likelihood(np.full_like(z, x), z, math.sqrt(s2))
        return share @ likelihood - kb.kl_to_standard_normal(mean, logvar)[0]

    log_p = -0.5 * (x * x / (1 + s2) + math.log(2 * math.pi * (1 + s2)))
    best, width = x / (1 + s2), s2 / (1 + s2)
    assert elbo(best, width) == pytest.approx(log_p, abs=1e-12)
    gap = 0.5 * ((0.4**2 + 2 * width) / width - 1 - math.log(2))
    assert elbo(best + 0.4, 2 * width) == pytest.approx(log_p - gap, abs=1e-12)


def test_the_draw_has_the_mean_and_the_variance_asked_for():
    z = kb.reparameterise(np.array([3.0]), np.log([4.0]), np.array([[-1.0], [0.0], [0.5]]))
    np.testing.assert_allclose(z[:, 0], [1, 3, 4])


def test_logvar_is_cut():
    params = weights(PLAIN)
    params["encoder.conv_out.bias"] = np.array([0, 0, 0, 1e3, -1e3, 0.0])
    logvar = kb.encode(params, images(PLAIN), PLAIN)[1]
    assert np.all(logvar[:, 0] == 20)
    assert np.all(logvar[:, 1] == -30)


# ---- diffusers, the oracle ---------------------------------------------------------------------------------------
def peer(config, params):
    """The model of `diffusers` with these weights."""
    import torch
    from diffusers import AutoencoderKL

    model = AutoencoderKL(**dataclasses.asdict(config)).eval().requires_grad_(False)
    model = model.double() if params["encoder.conv_in.weight"].dtype == np.float64 else model
    model.load_state_dict({name: torch.tensor(p) for name, p in params.items()}, strict=True)
    return model


@pytest.mark.slow
@each_config
@pytest.mark.parametrize("size", [(8, 8), (4, 12), (9, 7)], ids=str)
def test_the_code_of_diffusers(config, size):
    """Odd sizes too."""
    import torch

    x = images(config, size)
    theirs = peer(config, weights(config)).encode(torch.tensor(x)).latent_dist
    mean, logvar = kb.encode(weights(config), x, config)
    np.testing.assert_allclose(mean, theirs.mean.numpy(), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(logvar, theirs.logvar.numpy(), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(kb.kl_to_standard_normal(mean, logvar), theirs.kl().numpy(), rtol=1e-10)


@pytest.mark.slow
@each_config
@pytest.mark.parametrize("size", [(2, 2), (1, 3)], ids=str)
def test_the_image_of_diffusers(config, size):
    import torch

    z = codes(config, size)
    theirs = peer(config, weights(config)).decode(torch.tensor(z)).sample.numpy()
    np.testing.assert_allclose(kb.decode(weights(config), z, config), theirs, rtol=1e-10, atol=1e-11)
    assert theirs.shape[2:] == (size[0] * config.factor, size[1] * config.factor)


def test_in_float32_it_is_float32():
    params = weights(DEEP, dtype=np.float32)
    mean, logvar = kb.encode(params, images(DEEP, dtype=np.float32), DEEP)
    assert mean.dtype == logvar.dtype == kb.decode(params, mean, DEEP).dtype == np.float32


@pytest.mark.slow
@each_config
def test_the_torch_module_takes_the_weights_of_diffusers(config):
    import torch

    model = kt.VAE(config).double()
    model.load_state_dict(peer(config, weights(config)).state_dict(), strict=True)
    x = images(config)
    theirs = model(torch.tensor(x)).detach().numpy()
    ours = kb.VAE(config, weights(config))(x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "count"),
    [(STABLE_DIFFUSION_VAE, 83_653_863), *((c, None) for c in CONFIGS.values()), (kb.VAEConfig(), None)],
    ids=["Stable Diffusion 1.5", *CONFIGS, "default"],
)
def test_every_name_and_shape_of_diffusers(config, count):
    """Of models without memory: theirs, our twin, and the list that is counted."""
    import torch
    from diffusers import AutoencoderKL

    with torch.device("meta"):
        models = AutoencoderKL(**dataclasses.asdict(config)), kt.VAE(config)
    for model in models:
        assert {name: tuple(p.shape) for name, p in model.state_dict().items()} == config.shapes()
    total = sum(p.numel() for p in models[0].parameters())
    assert kb.count_parameters(config) == total
    assert count in (None, total)


def test_a_picture_of_stable_diffusion_in_numbers():
    """512 x 512 x 3 numbers become 64 x 64 x 4, 48 times fewer."""
    assert STABLE_DIFFUSION_VAE.factor == 8
    assert 48 * (512 // 8) ** 2 * STABLE_DIFFUSION_VAE.latent_channels == 512 * 512 * 3


# ---- training ----------------------------------------------------------------------------------------------------
def negative_elbo(params, x, noise, config):
    likelihood, divergence = kb.elbo_parts(params, x, noise, config, 0.5)
    return np.mean(divergence - likelihood)


@pytest.mark.slow
@pytest.mark.parametrize("config", [SAME, dataclasses.replace(DEEP, out_channels=1)], ids=["two", "deep"])
def test_the_gradient_of_the_elbo_is_torchs(config):
    """By every weight: kb.autograd, and torch's graph through the model of diffusers."""
    import torch

    params, x = weights(config), images(config)
    noise = codes(config, (8 // config.factor,) * 2)
    model = peer(config, params).requires_grad_(True)
    code = model.encode(torch.tensor(x)).latent_dist
    back = model.decode(code.mean + code.std * torch.tensor(noise)).sample
    constant = 0.5 * 64 * math.log(2 * math.pi * 0.25)
    loss = (((back - torch.tensor(x)) ** 2).flatten(1).sum(1) / 0.5 + constant + code.kl()).mean()
    loss.backward()
    ours, grads = value_and_grad(negative_elbo)(params, x, noise, config)
    assert ours == pytest.approx(loss.item(), rel=1e-10)
    largest = max(float(abs(p.grad).max()) for p in model.parameters())
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-7, atol=1e-12 * largest, err_msg=name)


def test_where_training_starts():
    config = dataclasses.replace(DEEP, block_out_channels=(16, 16, 32))
    params = kb.init_vae(config, np.random.default_rng(0))
    for name, p in params.items():
        assert p.dtype == np.float32
        assert p.shape == config.shapes()[name]
        if p.ndim == 1 or "conv2" in name or "to_out" in name:
            assert np.all(p == (1 if "norm" in name and name.endswith("weight") else 0)), name
        elif p.size > 500:
            assert p.std() * np.sqrt(p[0].size) == pytest.approx(1, rel=0.12), name
    tree = nest(params)["encoder"]["mid_block"]
    x = np.random.default_rng(1).standard_normal((2, 32, 3, 3)).astype(np.float32)
    np.testing.assert_array_equal(kb.resnet_block(x, tree["resnets"]["0"], 2), x)
    np.testing.assert_array_equal(kb.attention_block(x, tree["attentions"]["0"], 2), x)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_the_images_of_a_batch_stand_alone():
    x, params = images(DEEP), weights(DEEP)
    for i in range(2):
        one = kb.encode(params, x[i : i + 1], DEEP)[0]
        np.testing.assert_allclose(one, kb.encode(params, x, DEEP)[0][i : i + 1], rtol=1e-10, atol=1e-12)


def test_scaled_and_back():
    vae, z = kb.VAE(DEEP, {}), codes(DEEP)
    np.testing.assert_allclose(vae.scaled(z), (z + 0.25) * 1.5, rtol=1e-12)
    np.testing.assert_allclose(vae.unscaled(vae.scaled(z)), z, rtol=1e-12)
    np.testing.assert_allclose(kb.VAE(TWO, {}).scaled(z), z * 0.18215, rtol=1e-12)


def test_the_samplers_by_hand():
    """A filter that only looks at its own place: every second pixel, from the second; each pixel four times."""
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    own = np.zeros((1, 1, 3, 3))
    own[0, 0, 1, 1] = 1
    bias = np.array([0.0])
    small = kb.downsample(x, own, bias)
    np.testing.assert_array_equal(small[0, 0], [[5, 7], [13, 15]])
    np.testing.assert_array_equal(kb.upsample(small, own, bias)[0, 0], np.kron(small[0, 0], np.ones((2, 2))))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda p: {n: p[n.replace("to_q", "\0").replace("to_v", "to_q").replace("\0", "to_v")] for n in p},
        lambda p: {n: a[..., ::-1, ::-1] if a.shape[-2:] == (3, 3) else a for n, a in p.items()},
        lambda p: {n: 0 * a if "attentions.0.to_out" in n else a for n, a in p.items()},
    ],
    ids=["q and v swapped", "filters flipped", "no attention"],
)
def test_these_mistakes_raise_nothing_and_change_the_image(mistake):
    z = codes(TWO)
    assert np.abs(kb.decode(mistake(weights(TWO)), z, TWO) - kb.decode(weights(TWO), z, TWO)).max() > 0.01


# ---- the file ----------------------------------------------------------------------------------------------------
FILE = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder as save_pretrained writes it, and the means of the codes that the model in it gives."""
    import torch

    folder, params = tmp_path_factory.mktemp("vae"), weights(DEEP, dtype=np.float32)
    model = peer(DEEP, params)
    model.save_pretrained(folder)
    return folder, model.encode(torch.tensor(images(DEEP, dtype=np.float32))).latent_dist.mean.numpy()


@pytest.fixture
def changed(saved, tmp_path):
    """A copy of the folder, of which a test spoils something: changed(config={...}, tensors=function of the dict)."""

    def change(config=(), tensors=lambda arrays: arrays):
        fields = json.loads((saved[0] / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**fields, **dict(config)}))
        save_file(tensors(load_file(saved[0] / FILE)), tmp_path / FILE)
        return tmp_path

    return change


def old_names(arrays):
    """As the files of Stable Diffusion 1 have them."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def rename(name):
        return functools.reduce(lambda n, new: n.replace(f".{new}.", f".{old[new]}."), old, name)

    return {rename(name): array for name, array in arrays.items()}


@pytest.mark.slow
@pytest.mark.parametrize("tensors", [dict, old_names], ids=["names of today", "old names"])
def test_what_diffusers_saves(saved, changed, tensors):
    path = changed(tensors=tensors)
    assert any("query" in name for name in load_file(path / FILE)) == (tensors is old_names)
    model = kb.VAE.from_pretrained(path)
    assert model.config == DEEP
    np.testing.assert_allclose(model.encode(images(DEEP, dtype=np.float32))[0], saved[1], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_both_names_at_once_are_refused(changed):
    with pytest.raises(ValueError, match=r"attentions.* twice, under two names"):
        kb.VAE.from_pretrained(changed(tensors=lambda arrays: {**arrays, **old_names(arrays)}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_class_name": "VQModel"}, "_class_name is 'VQModel', expected 'AutoencoderKL'"),
        ({"act_fn": "relu"}, "act_fn is 'relu'"),
        ({"latents_mean": [0.0]}, "latents_mean"),
        ({"down_block_types": [DOWN] * 2}, "down_block_types"),
        ({"up_block_types": ["AttnUpDecoderBlock2D"] * 3}, "up_block_types"),
        ({"block_out_channels": [4, 4, 7]}, "norm_num_groups = 2 does not divide 7"),
        ({"layers_per_block": 10**9}, "expected 1 to 100 sizes of up to 100 blocks"),
        ({"latent_channels": 0}, "latent_channels is 0"),
        ({"shift_factor": "much"}, "shift_factor is 'much'"),
        ({"use_quant_conv": False}, "quant_conv.* is not a weight of this model"),
        ({"latent_channels": 4}, "has shape"),
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_is_refused(changed, config, message):
    with pytest.raises(ValueError, match=message):
        kb.VAE.from_pretrained(changed(config))


@pytest.mark.slow
def test_a_missing_weight_is_named(changed):
    path = changed(tensors=lambda arrays: {n: a for n, a in arrays.items() if n != "decoder.conv_out.bias"})
    with pytest.raises(ValueError, match=r"1 weights are missing, among them \['decoder\.conv_out\.bias'\]"):
        kb.VAE.from_pretrained(path)
    params = {n: a for n, a in weights(TWO).items() if n != "quant_conv.bias"}
    with pytest.raises(ValueError, match=r"1 missing \['quant_conv\.bias'\]"):
        kb.encode(params, images(TWO), TWO)
