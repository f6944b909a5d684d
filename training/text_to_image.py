"""Trains the small U-Net that draws digits from words: `python -m training.text_to_image`, about eight minutes.

Plain NumPy through kb.autograd. It learns to name the noise in codes of the shipped autoencoder, and reads true
sentences about the image in the words of the shipped CLIP's text encoder; both stay as they are. A tenth of the
sentences is left empty. What is shipped is the running mean of the weights, rounded to float16. Then it is measured,
as it is shipped: the results go into training/text_to_image.json.
"""

import functools
import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.scheduler_config import STABLE_DIFFUSION
from kb.checkpoints.shipped import (
    FOLDER,
    digits_cnn,
    digits_text_encoder,
    digits_text_to_image,
    digits_unet,
    digits_vae,
)
from kb.data import digits
from kb.data.captions import DIGITS, PAIRS, WordTokenizer, attributes, captions
from kb.data.progress import progress
from kb.generation.classifier_free_guidance import drop_prompts
from kb.generation.denoising_objective import denoising_loss
from kb.generation.forward_diffusion import alphas_cumprod
from kb.generation.unet import UNetConfig, init_unet, unet
from kb.generation.variational_autoencoder import reparameterise
from kb.learning.optimizers import Adam, clip_grad_norm, running_mean, warmup_cosine
from kb.structure.convolutional_network import cnn_logits
from training import cnn
from training.classifier_free_guidance import distances
from training.vae import as_recorded, load

WEIGHTS, RECORD = FOLDER / "digits_unet.safetensors", Path(__file__).with_suffix(".json")
CONFIG = UNetConfig(
    sample_size=4,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(32, 48),
    layers_per_block=1,
    norm_num_groups=8,
    cross_attention_dim=64,
    attention_head_dim=4,
)
SEED, STEPS, BATCH, LR, WARMUP_STEPS, MAX_NORM, DROPOUT, MEMORY = 0, 2000, 64, 2e-3, 100, 1.0, 0.1, 0.998
SAID = 8  # sentences about each digit
SCALES, PER_DIGIT, DDIM_STEPS, BEST = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0], 20, 20, 3.0
WORDS = [word for pair in PAIRS.values() for word in pair]
STRANGER_EPOCHS = 160  # with 360 digits instead of 1,437, half as many steps as digits_cnn took
ODD = ["two seven", "seven two", "a photo", "thick", "a thin thick five", "seven of digit a photo"]


# ---- what it learns from -----------------------------------------------------------------------------------------
@functools.cache
def codes():
    """Of the digits to train on and of those held out: mean and log-variance of their codes, labels, 8 x 8 images."""
    parts = digits.split(digits.load_digits(), seed=SEED)
    return [(*digits_vae().encode(x), part.labels, part.images) for (x, _), part in zip(load(), parts, strict=True)]


def told(labels, images, rng, count=SAID):
    """True sentences about each image, as the rows (count, n) of a table of what the text encoder makes of them.

    The table is (different sentences, t, d); its first row is the empty prompt.
    """
    said = [captions(rng, labels, images) for _ in range(count)]
    different = ["", *sorted({text for texts in said for text in texts})]
    row = {text: i for i, text in enumerate(different)}
    states = digits_text_encoder()(WordTokenizer().encode_all(different))
    return np.array([[row[text] for text in texts] for texts in said]), states


def batch(part, rows, table, rng, size=BATCH):
    """Codes of random digits, as the autoencoder draws them; noise and levels for them; what is said."""
    mean, logvar, *_ = part
    pick = rng.integers(0, len(mean), size)
    noise, other = rng.standard_normal((2, size, *mean.shape[1:])).astype(mean.dtype)
    z = digits_vae().scaled(reparameterise(mean[pick], logvar[pick], other)).astype(mean.dtype)
    said = drop_prompts(rows[rng.integers(0, len(rows), size), pick], 0, rng.random(size), DROPOUT)
    return z, noise, rng.integers(0, STABLE_DIFFUSION.num_train_timesteps, size), table[said]


# ---- the run -----------------------------------------------------------------------------------------------------
def loss(params, z, noise, t, states):
    """The mean squared error of the named noise."""
    return denoising_loss(lambda x, t: unet(params, x, t, states, CONFIG), z, noise, t, TABLE)


TABLE = alphas_cumprod(STABLE_DIFFUSION.betas())


def fit(steps=STEPS, planned=STEPS):
    """The running mean of the weights and the loss of each step."""
    rng, losses = np.random.default_rng(SEED), []
    part = codes()[0]
    rows, table = told(*part[2:], rng)
    optimizer, gradients = Adam(init_unet(CONFIG, rng)), value_and_grad(loss)
    mean = optimizer.params
    for i in progress(range(steps), label="text to image"):
        value, grads = gradients(optimizer.params, *batch(part, rows, table, rng))
        optimizer.lr = warmup_cosine(i, planned, WARMUP_STEPS, LR)
        stepped = optimizer.step(clip_grad_norm(grads, MAX_NORM)[0])
        beta = min(MEMORY, i / (i + 10))  # at first it forgets fast
        mean = {name: running_mean(mean[name], stepped[name], beta) for name in mean}
        losses.append(float(value))
    return mean, np.array(losses)


def save(params):
    """Writes the weights, rounded to float16, with what they are and how they were made."""
    metadata = {
        "title": "small U-Net that names the noise in codes of the UCI digits and reads a prompt",
        "made_by": "python -m training.text_to_image",
        "config": json.dumps(asdict(CONFIG)),
        "training": f"{STEPS} steps of Adam, batch {BATCH}, learning rate {LR} falling to 0, dropout {DROPOUT}",
        "seed": str(SEED),
    }
    save_file({name: value.astype(np.float16) for name, value in params.items()}, WEIGHTS, metadata)


# ---- what it can do ----------------------------------------------------------------------------------------------
def draw(prompts, scale, seed=SEED, model=None, **settings):
    """An image (n, 1, 16, 16) from 0 to 1 for each prompt; the same noise for all scales."""
    model = model or digits_text_to_image()
    latents = model.noise(np.random.default_rng(seed), len(prompts))
    return model(prompts, latents, **{"steps": DDIM_STEPS, "guidance_scale": scale, **settings})


def read_as(images):
    """What the shipped convolutional network takes images from 0 to 1 for."""
    return cnn_logits(digits_cnn(), as_recorded(2 * images - 1)).argmax(axis=1)


def judge(images, labels):
    """accuracy: read as what was asked for; variance: of the pixels within a digit, summed; apart: how far the nearest
    other drawing of the digit is."""
    shown = images.reshape(len(images), -1)
    classes = [shown[labels == digit] for digit in np.unique(labels)]
    apart = [np.min(distances(c, c) + 1e9 * np.eye(len(c), dtype=c.dtype), axis=1).mean() for c in classes]
    return {
        "accuracy": float(np.mean(read_as(images) == labels)),
        "variance": float(np.mean([c.var(axis=0).sum() for c in classes])),
        "apart": float(np.mean(apart)),
    }


def sweep(scales=SCALES, per_digit=PER_DIGIT):
    """The measurements for each scale: name -> list. The sentences name a digit and nothing else."""
    labels = np.tile(np.arange(10), per_digit)
    prompts = captions(np.random.default_rng(SEED), labels)
    found = [judge(draw(prompts, scale), labels) for scale in scales]
    return {name: [round(row[name], 5) for row in found] for name in found[0]}


def described(scale, per_digit=PER_DIGIT):
    """The measurements for sentences about held-out digits, which may also say how thick, wide and slanted they are."""
    _, _, labels, images = codes()[1]
    pick = np.concatenate([np.flatnonzero(labels == digit)[:per_digit] for digit in range(10)])
    drawn = draw(captions(np.random.default_rng(SEED), labels[pick], images[pick]), scale)
    return {name: round(value, 5) for name, value in judge(drawn, labels[pick]).items()}


def obeyed(scale, per_digit=5):
    """How often each word of WORDS is true of a drawing that was asked for with it, and of one asked for without."""
    labels = np.repeat(np.arange(10), per_digit)

    def share(word, said):
        images = draw([f"a photo of a {said}{DIGITS[n]}".replace("a eight", "an eight") for n in labels], scale)
        recorded = as_recorded(2 * images - 1)[:, 0]
        return float(np.mean([word in words for words in attributes(recorded + 1e-6, labels)]))

    return {word: [round(share(word, f"{word} "), 3), round(share(word, ""), 3)] for word in WORDS}


def odd(prompts=ODD, scale=BEST, count=20):
    """What drawings for prompts that no sentence of the training looks like are read as: prompt -> ten counts."""
    return {p: np.bincount(read_as(draw([p] * count, scale)), minlength=10).tolist() for p in ["", *prompts]}


def nearest(scale, per_digit=PER_DIGIT):
    """How far drawings are from the nearest digit that was learned from, in the mean; a copy would be at 0."""
    prompts = captions(np.random.default_rng(SEED), np.tile(np.arange(10), per_digit))
    return apart_from_training(draw(prompts, scale))


def apart_from_training(images):
    """The same for any images from 0 to 1."""
    (x, _), _ = load()
    flat = (images.reshape(len(images), -1), (x.reshape(len(x), -1) + 1) / 2)
    return round(float(distances(*flat).min(axis=1).mean()), 4)


def held_out_loss(said, count=720):
    """The loss on held-out digits, told the truth ("right"), nothing ("empty") or about another digit ("wrong")."""
    rng, part = np.random.default_rng(SEED), codes()[1]
    rows, table = told(*part[2:], rng, 1)
    if said == "wrong":
        other = [rng.choice(np.flatnonzero(part[2] != label)) for label in part[2]]
        rows = rows[:, other]
    rows = 0 * rows if said == "empty" else rows
    mean, logvar, *_ = part
    pick = np.arange(count) % len(mean)
    noise, code = rng.standard_normal((2, count, *mean.shape[1:])).astype(mean.dtype)
    z = digits_vae().scaled(reparameterise(mean[pick], logvar[pick], code)).astype(mean.dtype)
    levels = rng.permutation(np.arange(count) * len(TABLE) // count)
    return round(float(loss(digits_unet().params, z, noise, levels, table[rows[0, pick]])), 5)


@functools.cache
def stranger():
    """A judge that shares nothing with what draws: the small convolutional network, trained on held-out digits only."""
    _, held_out = cnn.load()
    return cnn.fit(cnn_logits, cnn.init_cnn(np.random.default_rng(SEED)), *held_out, "stranger", STRANGER_EPOCHS)[0]


def judged_by_a_stranger(scales=(1.0, 2.0, BEST), per_digit=PER_DIGIT):
    """How many of the digits that the U-Net learned from the stranger reads rightly, and how many drawings."""
    labels = np.tile(np.arange(10), per_digit)
    prompts = captions(np.random.default_rng(SEED), labels)
    drawn = {str(s): (as_recorded(2 * draw(prompts, s) - 1), labels) for s in scales}
    images = {"real": cnn.load()[0], **drawn}
    return {name: round(cnn.accuracy(cnn_logits, stranger(), *judged), 4) for name, judged in images.items()}


def real(per_digit=PER_DIGIT):
    """Held-out digits as images (n, 1, 16, 16) from 0 to 1, as many of each as are drawn, and their labels."""
    x, labels = load()[1]
    pick = np.concatenate([np.flatnonzero(labels == digit)[:per_digit] for digit in range(10)])
    return (x[pick] + 1) / 2, labels[pick]


def measure(losses):
    """Measures the shipped weights and writes the record."""
    images, labels = real()
    decoded = digits_text_to_image().decode(digits_vae().scaled(digits_vae().encode(2 * images - 1)[0]))
    record = {
        "losses": [round(float(part.mean()), 4) for part in np.array_split(losses, 60)],
        "held_out": {said: held_out_loss(said) for said in ("right", "empty", "wrong")},
        "scales": SCALES,
        "guided": sweep(),
        "real": judge(images, labels) | {"nearest": apart_from_training(images)},
        "decoded": judge(decoded, labels) | {"nearest": apart_from_training(decoded)},
        "nearest": {str(scale): nearest(scale) for scale in (1.0, BEST)},
        "described": {str(scale): described(scale) for scale in (1.0, BEST)},
        "obeyed": {str(scale): obeyed(scale) for scale in (1.0, BEST, 7.5)},
        "odd": odd(),
        "stranger": judged_by_a_stranger(),
    }
    RECORD.write_text(json.dumps(record), encoding="utf-8")
    for name in record:
        print(name, record[name])


@functools.cache
def recorded():
    """The record."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main():
    start = time.process_time()
    params, losses = fit()
    save(params)
    seconds = time.process_time() - start
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size:,} bytes, {seconds:.0f} s of CPU, loss {losses[-300:].mean():.4f}")
    measure(losses)


if __name__ == "__main__":
    main()
