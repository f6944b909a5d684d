"""Latent diffusion: what proves kb.generation.latent_diffusion. Oracles: torch's FLOP counter, and counts by hand."""

import dataclasses
import json

import numpy as np
import pytest

import kb.generation.latent_diffusion as kb
import kb.torch.generation.latent_diffusion as kt
from kb.checkpoints.shipped import digits_vae
from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET, UNetConfig
from kb.checkpoints.vae_config import DOWN, STABLE_DIFFUSION_VAE, UP, VAEConfig
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import ddim_step
from tests.contract import Case, contract, gpu_contract
from training import latent_diffusion as measured

BETAS = make_betas("linear", 10, 0.05, 0.3)
STEPS = np.array([9, 6, 3, 0])
TEXT = UNetConfig(
    in_channels=3,
    out_channels=2,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(4, 6, 8),
    layers_per_block=1,
    norm_num_groups=2,
    cross_attention_dim=5,
    attention_head_dim=2,
    transformer_layers_per_block=2,
)
PLAIN = dataclasses.replace(
    TEXT,
    down_block_types=("DownBlock2D",) * 3,
    mid_block_type="UNetMidBlock2D",
    up_block_types=("UpBlock2D",) * 3,
    layers_per_block=2,
    num_class_embeds=3,
)
MATRICES = dataclasses.replace(TEXT, use_linear_projection=True, attention_head_dim=(1, 3, 2))
SMALL_VAE = VAEConfig(
    down_block_types=(DOWN,) * 3, up_block_types=(UP,) * 3, block_out_channels=(4, 4, 6), norm_num_groups=2
)


def bent(z, t):
    """A network that answers something smooth, for NumPy and torch."""
    return z * 0.4 - z * z * z * (0.01 * (t + 1))


def picture(z):
    """A decoder: one channel, a little bent."""
    return z[:, :1] * z[:, 1:2] + 0.5


MOMENTS = {"mean": (2, 3, 2), "logvar": (2, 3, 2), "noise": (2, 3, 2)}
CASES = [
    Case(kb.draw_latent, **MOMENTS, scaling_factor=0.3),
    Case(kb.draw_latent, **MOMENTS, scaling_factor=0.3, shift_factor=1.5),
    *[
        Case(
            kb.generate_image,
            model=bent,
            decode=picture,
            noise=(2, 3, 4, 2),
            steps=STEPS,
            betas=BETAS,
            scaling_factor=0.3,
            shift_factor=0.2,
            method=method,
            rng=np.random.default_rng(0),
            differentiable=["noise"],
        )
        for method in ("ddim", "ddpm")
    ],
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- there and back ----------------------------------------------------------------------------------------------
def test_a_picture_is_made_of_steps_on_codes_and_one_decoding():
    """The same by hand: DDIM's steps, then the inverse of the scaling, then the decoder."""
    calls, noise = {"model": 0, "decode": 0}, np.random.default_rng(0).standard_normal((2, 3, 4, 4))

    def counted(name, fn):
        def call(*args):
            calls[name] += 1
            assert args[0].shape == noise.shape, "neither ever sees anything but codes"
            return fn(*args)

        return call

    image = kb.generate_image(counted("model", bent), counted("decode", picture), noise, STEPS, BETAS, 0.3, 0.2)
    assert calls == {"model": len(STEPS), "decode": 1}
    z = noise
    for t, before in ((9, 6), (6, 3), (3, 0), (0, -1)):
        z = ddim_step(bent(z, t), t, before, z, alphas_cumprod(BETAS))
    np.testing.assert_allclose(image, picture(z / 0.3 + 0.2), rtol=1e-12)


def test_scaling_there_and_back():
    """What is drawn for training is undone before decoding: with the right noise predicted, the mean comes back."""
    rng, vae = np.random.default_rng(0), digits_vae()
    mean, logvar = rng.standard_normal((2, 1, 4, 4, 4)).astype(np.float32)
    z = kb.draw_latent(mean, logvar, np.zeros_like(mean), vae.config.scaling_factor)
    np.testing.assert_allclose(z, vae.scaled(mean), rtol=1e-6)
    noise = rng.standard_normal(mean.shape).astype(np.float32)

    def perfect(x, t):
        left = alphas_cumprod(BETAS)[t]
        return ((x - np.sqrt(left) * z) / np.sqrt(1 - left)).astype(np.float32)

    image = kb.generate_image(perfect, vae.decode, noise, STEPS, BETAS, vae.config.scaling_factor)
    np.testing.assert_allclose(image, vae.decode(mean), atol=2e-3)


def test_a_draw_by_hand():
    """Mean 1, standard deviation 2, noise 0.5 is 2; without the shift 1 it is 1; times 3 it is 3."""
    drawn = kb.draw_latent(np.array([1.0]), np.log([4.0]), np.array([0.5]), 3.0, 1.0)
    np.testing.assert_allclose(drawn, [3.0])


# ---- the cost of a pass ------------------------------------------------------------------------------------------
def torch_flops(make, config, call):
    """What torch's counter counts when the twin runs on tensors without memory: two for each multiply-add."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.device("meta"):
        model = make(config).requires_grad_(False)
        with counter, sdpa_kernel(SDPBackend.MATH):
            call(model, torch)
    return counter.get_total_flops()


def unet_flops(config, rows, cols, tokens):
    from kb.torch.generation.unet import UNet

    def call(model, torch):
        attends = any(level.heads for level in config.levels())
        context = torch.empty(1, tokens, config.cross_attention_dim) if attends else None
        labels = None if config.num_class_embeds is None else torch.zeros(1, dtype=torch.int64)
        model(torch.empty(1, config.in_channels, rows, cols), 3, context, labels)

    return torch_flops(UNet, config, call)


@pytest.mark.parametrize(
    ("config", "rows", "cols", "tokens"),
    [(TEXT, 7, 5, 3), (PLAIN, 1, 6, 1), (MATRICES, 8, 4, 2)],
    ids=["text", "plain", "matrices"],
)
def test_a_unet_costs_what_torch_counts(config, rows, cols, tokens):
    """Odd sizes too, which are halved upwards."""
    cost = kb.unet_cost(config, (rows, cols), tokens)
    assert tuple(cost) == kb.KINDS
    assert 2 * sum(cost.values()) == unet_flops(config, rows, cols, tokens)


@pytest.mark.slow
def test_stable_diffusions_unet_costs_what_torch_counts():
    cost = kb.unet_cost(STABLE_DIFFUSION_UNET, 64, 77)
    assert sum(cost.values()) == 401_636_720_640
    assert 2 * sum(cost.values()) == unet_flops(STABLE_DIFFUSION_UNET, 64, 64, 77)


@pytest.mark.parametrize("half", ["encoder", "decoder"])
@pytest.mark.parametrize("config", [SMALL_VAE, STABLE_DIFFUSION_VAE], ids=["small", "Stable Diffusion"])
def test_half_an_autoencoder_costs_what_torch_counts(config, half):
    from kb.torch.generation.variational_autoencoder import VAE

    def call(model, torch):
        if half == "encoder":
            model.encode(torch.empty(1, 3, 16, 24))
        else:
            model.decode(torch.empty(1, config.latent_channels, 16 // config.factor, 24 // config.factor))

    cost = kb.vae_cost(config, (16, 24), half)
    assert 2 * sum(cost.values()) == torch_flops(VAE, config, call)


def test_a_unet_by_hand():
    """One size, 2 channels, one ResNet block per level and none with attention, on 3 x 5 pixels."""
    config = UNetConfig(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownBlock2D",),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("UpBlock2D",),
        block_out_channels=(2,),
        layers_per_block=1,
        norm_num_groups=1,
    )
    block = 2 * 2 * 9 + 2 * 2 * 9  # two filters of 3 x 3 from 2 to 2 channels
    joined = 4 * 2 * 9 + 2 * 2 * 9 + 4 * 2  # 2 + 2 channels come in; a shortcut of 1 x 1 leads past
    ends = 1 * 2 * 9 + 2 * 1 * 9
    time = 2 * 8 + 8 * 8 + 4 * (8 * 2)  # clock to 8 numbers, and one layer in each of 4 ResNet blocks
    assert kb.unet_cost(config, (3, 5), 0) == {
        "convolution": 15 * (ends + 2 * block + 2 * joined),
        "linear": time,
        "self-attention": 0,
        "cross-attention": 0,
    }


def test_attention_by_hand():
    """The middle alone attends: 4 places of width 8, 3 words of width 5."""
    config = dataclasses.replace(
        TEXT, down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3, transformer_layers_per_block=1
    )
    without = dataclasses.replace(config, mid_block_type="UNetMidBlock2D")
    cost, rest = kb.unet_cost(config, 8, 3), kb.unet_cost(without, 8, 3)
    assert cost["self-attention"] == 2 * 4 * 4 * 8
    assert cost["cross-attention"] == 2 * 4 * 3 * 8
    matrices = 4 * 8 * 8 * 2 + 4 * 8 * 8 * 4 + 4 * 8 * 8 * 2 + 3 * 5 * 8 * 2  # in and out; self; cross q, out; k, v
    mlp = 4 * (8 * 64 + 32 * 8)
    one_block_more = 16 * 8  # the timestep's layer in the middle's second ResNet block
    assert cost["linear"] - rest["linear"] == matrices + mlp + one_block_more


def test_how_the_cost_grows():
    """Twice the rows and columns: four times the convolutions, sixteen times the self-attention."""
    small, large = (kb.unet_cost(TEXT, size, 3) for size in (8, 16))
    growth = {kind: large[kind] / small[kind] for kind in ("convolution", "self-attention", "cross-attention")}
    assert growth == {"convolution": 4, "self-attention": 16, "cross-attention": 4}
    words = kb.unet_cost(TEXT, 8, 6)
    assert words["cross-attention"] == 2 * small["cross-attention"]
    assert words["self-attention"] == small["self-attention"]


# ---- what the page shows --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_record_is_what_is_measured():
    recorded = json.loads(measured.PATH.read_text())
    codes = measured.held_out_codes()
    assert codes.std() == pytest.approx(recorded["std_of_codes"], abs=1e-4)
    few = measured.judged(measured.drawn(20.0, codes, 40), codes)
    assert few["std"] == pytest.approx(recorded["drawn"][-1]["std"], abs=0.05)
    encoded, after, _ = measured.best_codes(measured.load()[1][0][: measured.IMAGES], digits_vae(), 4)
    assert encoded == pytest.approx(recorded["encoded"], rel=1e-3)
    assert recorded["best"] < after < encoded


def test_what_was_drawn_is_judged_by_hand():
    codes = np.array([[0.0, 0.0], [3.0, 4.0]])
    judged = measured.judged(np.array([[0.0, 1.0], [1.0, 0.0]]), codes)
    assert judged == {"std": 0.5, "distance": 0.7071, "different": 1}


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kb.unet_cost(TEXT, 0, 3), r"unet_cost: sample_size is 0"),
        (lambda: kb.unet_cost(TEXT, (4, -1), 3), r"sample_size is \(4, -1\)"),
        (lambda: kb.unet_cost(TEXT, 4, -1), "tokens is -1"),
        (lambda: kb.vae_cost(SMALL_VAE, 16, "both"), "half is 'both'"),
        (lambda: kb.vae_cost(SMALL_VAE, 18), "18 cannot be divided by 4"),
        (lambda: kb.generate_image(bent, picture, np.ones((3, 4, 4)), STEPS, BETAS, 1.0), "noise has shape"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
