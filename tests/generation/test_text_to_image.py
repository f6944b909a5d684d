import dataclasses
import json
import shutil

import numpy as np
import pytest

import kb.generation.text_to_image as kb
import kb.torch.generation.text_to_image as kt
from kb.checkpoints import shipped
from kb.checkpoints.scheduler_config import STABLE_DIFFUSION, SchedulerConfig
from kb.generation.forward_diffusion import alphas_cumprod
from tests.checkpoints.test_clip_tokenizer import write_tokenizer
from tests.contract import Case, contract, gpu_contract
from training import text_to_image as training
from training.vae import accuracy

CASES = [Case(kb.to_pixels, x=(2, 1, 4, 4))]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

PROMPTS = ["a photo of a seven", "Leo didn't go!"]


# ---- diffusers, the oracle ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A tiny StableDiffusionPipeline of random weights, and the folder that it was saved to."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("pipeline")
    tokenizer = CLIPTokenizer.from_pretrained(write_tokenizer(folder / "tokens"))
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=20,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=8,
        attention_head_dim=2,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(4, 8),
        norm_num_groups=4,
        sample_size=16,
        scaling_factor=0.7,
    )
    pipe = StableDiffusionPipeline(
        vae,
        CLIPTextModel(text),
        tokenizer,
        unet,
        DDIMScheduler(**dataclasses.asdict(STABLE_DIFFUSION)),
        None,
        None,
        requires_safety_checker=False,
    )
    for part in (pipe.text_encoder, pipe.unet, pipe.vae):  # louder than they start out: every part has its say
        for weight in part.parameters():
            weight.data *= 1.5 if weight.ndim > 1 else 1.0
    pipe.save_pretrained(folder / "model", safe_serialization=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe, folder / "model"


@pytest.fixture(scope="module")
def latents():
    return np.random.default_rng(0).standard_normal((2, 4, 8, 8)).astype(np.float32)


def peer_images(pipe, latents, scheduler=None, prompts=PROMPTS, **settings):
    import torch
    from diffusers import DDIMScheduler

    names = {"negative_prompts": "negative_prompt", "steps": "num_inference_steps"}
    settings = {names.get(name, name): value for name, value in settings.items()}
    pipe.scheduler = DDIMScheduler(**dataclasses.asdict(dataclasses.replace(STABLE_DIFFUSION, **(scheduler or {}))))
    images = pipe(prompts, latents=torch.from_numpy(latents), output_type="np", **settings).images
    return images.transpose(0, 3, 1, 2)


SETTINGS = {
    "as it is": {"steps": 4},
    "plain": {"steps": 3, "guidance_scale": 1.0},
    "negative": {"steps": 3, "negative_prompts": ["sunny", "a cold day"], "guidance_scale": 3.0},
    "rescaled": {"steps": 3, "guidance_scale": 9.0, "guidance_rescale": 0.7},
}
SCHEDULERS = {
    "v": {"prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": False},
    "clipped": {"clip_sample": True, "set_alpha_to_one": True, "steps_offset": 0},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=[*SETTINGS])
def test_the_images_of_diffusers(pipeline, latents, settings):
    """From the same folder and the same noise, in NumPy and in torch: float32, after several passes, so 1e-4."""
    import torch

    pipe, folder = pipeline
    theirs = peer_images(pipe, latents, **settings)
    ours = kb.TextToImage.from_pretrained(folder)(PROMPTS, latents, **settings)
    twin = kt.TextToImage.from_pretrained(folder)(PROMPTS, torch.from_numpy(latents), **settings).numpy()
    assert ours.dtype == twin.dtype == np.float32
    assert theirs.std() > 0.05
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_allclose(twin, theirs, atol=1e-4)


@pytest.mark.parametrize("changed", SCHEDULERS.values(), ids=[*SCHEDULERS])
def test_the_images_of_diffusers_with_other_schedulers(pipeline, latents, changed):
    pipe, folder = pipeline
    theirs = peer_images(pipe, latents, changed, steps=3)
    model = kb.TextToImage.from_pretrained(folder)
    model = dataclasses.replace(model, scheduler=dataclasses.replace(model.scheduler, **changed))
    np.testing.assert_allclose(model(PROMPTS, latents, steps=3), theirs, atol=1e-4)


def test_the_prompt_counts(pipeline, latents):
    """The comparison above would be worth nothing if the weights ignored it."""
    model = kb.TextToImage.from_pretrained(pipeline[1])
    one, other = (model([p] * 2, latents, steps=2) for p in PROMPTS)
    assert np.abs(one - other).max() > 1e-3
