import dataclasses
import json

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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("changed", SCHEDULERS.values(), ids=[*SCHEDULERS])
def test_the_images_of_diffusers_with_other_schedulers(pipeline, latents, changed):
    pipe, folder = pipeline
    theirs = peer_images(pipe, latents, changed, steps=3)
    model = kb.TextToImage.from_pretrained(folder)
    model = dataclasses.replace(model, scheduler=dataclasses.replace(model.scheduler, **changed))
    np.testing.assert_allclose(model(PROMPTS, latents, steps=3), theirs, atol=1e-4)


@pytest.mark.slow
def test_the_prompt_counts(pipeline, latents):
    """The comparison above would be worth nothing if the weights ignored it."""
    model = kb.TextToImage.from_pretrained(pipeline[1])
    one, other = (model([p] * 2, latents, steps=2) for p in PROMPTS)
    assert np.abs(one - other).max() > 1e-3


# ---- invariants --------------------------------------------------------------------------------------------------
def test_with_the_exact_noise_the_walk_finds_the_data():
    """A model that knows x0: whatever the levels, the walk ends at x0, but for what is left of the noise at level 0."""
    x0, x = np.random.default_rng(0).standard_normal((2, 3, 1, 2, 2))
    for scheduler in (STABLE_DIFFUSION, SchedulerConfig(clip_sample=False)):
        table = alphas_cumprod(scheduler.betas())

        def knows(x, t, table=table):
            return (x - np.sqrt(table[t]) * x0) / np.sqrt(1 - table[t])

        *_, last = kb.denoise(knows, x, 7, scheduler)
        rest = 1e-9 if scheduler.set_alpha_to_one else np.sqrt(1 - table[0])  # the noise that level 0 has
        assert np.abs(last - x0).max() <= 5 * rest


def test_each_step_is_shown_once_and_the_last_is_the_result(shipped_model):
    noise = shipped_model.noise(np.random.default_rng(0), 1)
    steps = list(shipped_model.walk(["a seven"], noise, steps=5))
    assert [x.shape for x in steps] == [(1, 4, 4, 4)] * 5
    np.testing.assert_array_equal(shipped_model.decode(steps[-1]), shipped_model(["a seven"], noise, steps=5))


def test_scale_one_asks_once_and_other_scales_ask_both_questions_in_one_batch():
    sizes = []

    def model(x, t, states):
        sizes.append(len(x))
        return x + states[:, :1, None, None]

    x, states, negative = np.ones((2, 1, 1, 1)), np.full((2, 1), 3.0), np.full((2, 1), 1.0)
    assert kb.prompted(model, states, negative, 1)(x, 5)[0] == 4
    assert kb.prompted(model, states, negative, 2.0)(x, 5)[0] == 6  # 2, and twice the way of 2
    assert kb.prompted(model, states, negative, 0.0)(x, 5)[0] == 2
    assert sizes == [2, 4, 4]


def test_by_hand():
    np.testing.assert_array_equal(kb.to_pixels(np.array([-3.0, -1.0, 0.0, 0.5, 1.0, 7.0])), [0, 0, 0.5, 0.75, 1, 1])


# ---- error messages ----------------------------------------------------------------------------------------------
def test_errors(shipped_model):
    noise = shipped_model.noise(np.random.default_rng(0), 2)
    for model in (shipped_model, kt.TextToImage.of(shipped_model)):
        with pytest.raises(ValueError, match="1 prompts, 1 negative ones and 2 latents"):
            model.walk(["a seven"], noise)
        with pytest.raises(ValueError, match="2 prompts, 1 negative ones and 2 latents"):
            model.walk(["a seven"] * 2, noise, negative_prompts=["a six"])
        with pytest.raises(ValueError, match="'cat' is not among the"):
            model.walk(["a cat"] * 2, noise)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vae": ["diffusers", "VQModel"]}, r"vae is \['diffusers', 'VQModel'\], expected AutoencoderKL"),
        ({"unet": None}, "unet is None, expected UNet2DConditionModel"),
        ({"_class_name": "FluxPipeline"}, "_class_name is 'FluxPipeline'"),
    ],
    ids=["part", "missing", "kind"],
)
def test_another_pipeline_is_refused(tmp_path, change, message):
    index = {"_class_name": "StableDiffusionPipeline"} | {part: ["of", kind] for part, kind in kb.PARTS.items()}
    path = tmp_path / "model_index.json"
    path.write_text(json.dumps(index), encoding="utf-8")
    kb.check_index(path)
    path.write_text(json.dumps(index | change), encoding="utf-8")
    with pytest.raises(ValueError, match=f"model_index.json: {message}"):
        kb.TextToImage.from_pretrained(tmp_path)


# ---- the shipped model and its record ----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def shipped_model():
    return shipped.digits_text_to_image()


def test_the_shipped_network_is_small_and_fits(shipped_model):
    assert training.WEIGHTS.stat().st_size <= 1_500_000
    assert shipped_model.unet.config == training.CONFIG
    assert {name: w.shape for name, w in shipped_model.unet.params.items()} == training.CONFIG.shapes()
    assert {w.dtype for w in shipped_model.unet.params.values()} == {np.dtype("float32")}


def test_the_twin_of_the_shipped_model_draws_the_same(shipped_model):
    import torch

    noise, prompts = shipped_model.noise(np.random.default_rng(1), 3), ["a thin one", "an eight", "the wide number two"]
    settings = {"steps": 6, "guidance_scale": 3.0, "guidance_rescale": 0.5, "negative_prompts": ["", "a three", ""]}
    twin = kt.TextToImage.of(shipped_model)(prompts, torch.from_numpy(noise), **settings)
    np.testing.assert_allclose(shipped_model(prompts, noise, **settings), twin.numpy(), atol=1e-4)


@pytest.mark.slow
def test_the_record_is_what_the_shipped_network_draws():
    """Without guidance; an image on the edge between two classes may flip on another machine."""
    found, record = training.sweep([1.0]), training.recorded()
    for name, slack in (("accuracy", 0.015), ("variance", 0.03), ("apart", 0.02)):
        assert found[name][0] == pytest.approx(record["guided"][name][record["scales"].index(1.0)], abs=slack)


@pytest.mark.slow
def test_a_judge_that_shares_no_digit_with_what_draws():
    """At least nine in ten of 200 drawings at the best scale are read as asked for; a tie may fall elsewhere."""
    found, recorded = training.judged_by_a_stranger(scales=(training.BEST,)), training.recorded()["stranger"]
    assert found["real"] == pytest.approx(recorded["real"], abs=0.005)
    assert found[str(training.BEST)] == pytest.approx(recorded[str(training.BEST)], abs=0.02)
    assert found[str(training.BEST)] >= 0.9


def test_the_judge_is_that_of_the_autoencoder(shipped_model):
    """accuracy of training.vae judges from -1 to 1, ours from 0 to 1: the same share."""
    labels = np.tile(np.arange(10), 2)
    prompts = training.captions(np.random.default_rng(0), labels)
    images = training.draw(prompts, training.BEST, model=shipped_model, steps=8)
    assert training.judge(images, labels)["accuracy"] == accuracy(2 * images - 1, labels) >= 0.95


def test_the_record_shows_what_the_page_says():
    record = training.recorded()
    guided = {name: dict(zip(record["scales"], values, strict=True)) for name, values in record["guided"].items()}
    assert guided["accuracy"][1.0] < guided["accuracy"][training.BEST] >= 0.98
    assert guided["variance"][1.0] > guided["variance"][3.0] > guided["variance"][7.5]
    assert record["held_out"]["right"] < record["held_out"]["empty"] < record["held_out"]["wrong"]
    assert record["losses"][0] > 2 * record["losses"][-1]
    for asked, unasked in record["obeyed"][str(training.BEST)].values():
        assert asked > unasked


@pytest.mark.slow
def test_training_is_deterministic_and_learns():
    (one, losses), (two, _) = training.fit(steps=3), training.fit(steps=3)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert losses[-1] < losses[0]
