# %% [markdown]
# # Draw a digit from words
#
# A small text-to-image model was trained here, in NumPy: a text encoder, a U-Net and a decoder, built as Stable
# Diffusion is. You give it a sentence, watch the noise become a digit, and turn its three knobs: seed, steps and
# guidance. Then you do the same in the plane, where every density is known and nothing has to be learned. See
# [[text_to_image]] for how the parts fit together.

# %%
import matplotlib.pyplot as plt
import numpy as np

from kb.checkpoints.shipped import digits_cnn, digits_text_to_image
from kb.data.captions import DIGITS, WORDS, attributes
from kb.data.digits import resize
from kb.generation.denoising_objective import diffuse_mixture, mixture_epsilon, mixture_log_density
from kb.generation.forward_diffusion import alphas_cumprod
from kb.generation.text_to_image import denoise, prompted
from kb.structure.convolutional_network import cnn_logits

model = digits_text_to_image()
for name, part in (("text encoder", model.text_encoder), ("U-Net", model.unet), ("autoencoder", model.vae)):
    print(f"{name:12} {sum(weight.size for weight in part.params.values()):8,} weights")
print("it knows", len(WORDS), "words:", ", ".join(WORDS))

# %% [markdown]
# ## Your prompt
#
# Change it, in the words above. A sentence becomes numbers, one per word with a start and an end, and each number a
# vector that has read the words before it.

# %%
PROMPT, SEED, STEPS, GUIDANCE = "a photo of a thick three", 5, 20, 3.0

print(model.tokenizer.encode(PROMPT))
print(model.states([PROMPT]).shape, "images, tokens, numbers per token")

# %% [markdown]
# ## Watch it
#
# The walk starts at noise, 4 × 4 places with 4 numbers each. At each step the U-Net says which noise it sees, once
# with your prompt and once without; a part of it is taken out. The decoder makes any latent an image, even an
# unfinished one.


# %%
def noise(seed, count):
    """Where the walk starts. One seed, one start."""
    return model.noise(np.random.default_rng(seed), count)


BACK = np.linalg.pinv(resize(np.eye(8)[:, :, None], 16)[:, :, 0].T).astype(np.float32)  # (8, 16)


def recorded(images):
    """The digits of 8 x 8 pixels whose enlargement comes closest to images (n, 16, 16): what the model learned from."""
    return np.clip(BACK @ images @ BACK.T, 0, 1)


def reading(images):
    """What the project's classifier takes images for, and how sure it is of that."""
    logits = cnn_logits(digits_cnn(), recorded(images)[:, None])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return logits.argmax(axis=1), powers.max(axis=1) / powers.sum(axis=1)


def show(rows, names, titles=()):
    """Rows of images (n, size, size), from 0, paper, to 1, ink."""
    count = len(rows[0])
    _, axes = plt.subplots(len(rows), count, figsize=(5.6, 5.8 / count * len(rows)), squeeze=False)
    for row, images, name in zip(axes, rows, names, strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image, "gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title)
    plt.show()


walk = [noise(SEED, 1), *model.walk([PROMPT], noise(SEED, 1), steps=STEPS, guidance_scale=GUIDANCE)]
pictures = np.concatenate([model.decode(x)[:, 0] for x in walk])
for step in range(0, STEPS + 1, 4):
    digit, sure = (found[0] for found in reading(pictures[step : step + 1]))
    print(f"after {step:2} steps read as {digit}, {sure:4.0%} sure")

# %%
# Two rows of six pictures, after 0, 4, 8, 12, 16 and 20 steps. Top: the latent as the
# decoder sees it, from blots to a thick three. Bottom: one of the four channels of
# the latent, 4 by 4 numbers, darker for larger ones.
shown = range(0, STEPS + 1, max(1, STEPS // 5))
channel = [1 / (1 + np.exp(-walk[step][0, 3])) for step in shown]
show([pictures[list(shown)], channel], ["decoded", "channel 3"], [str(step) for step in shown])

# %% [markdown]
# Decoded, the noise looks a little like a 4, and the classifier takes it for a 7. After eight steps the digit is
# decided; the rest is detail.
#
# ## Another seed
#
# The seed chooses the noise, and the noise decides everything that the prompt leaves open.

# %%
# Ten drawings for the same prompt from ten different noises: thick threes, each
# with strokes of its own.
images = model([PROMPT] * 10, noise(1, 10), steps=STEPS, guidance_scale=GUIDANCE)[:, 0]
print("read as", *reading(images)[0])
show([images[:5], images[5:]], ["five", "more"])

# %% [markdown]
# ## Fewer steps, more steps
#
# The same noise, walked in 1, 2, 4, 8, 20 and 50 steps. The cost is two passes through the U-Net per step.

# %%
# Six drawings from the same noise for 1, 2, 4, 8, 20 and 50 steps: blots with one
# and two steps, with four a three, from eight steps on it hardly changes.
counts = (1, 2, 4, 8, 20, 50)
by_steps = [model([PROMPT], noise(SEED, 1), steps=n, guidance_scale=GUIDANCE)[0, 0] for n in counts]
for n, image in zip(counts, by_steps, strict=True):
    print(f"{n:2} steps: {np.abs(image - by_steps[-1]).mean():.3f} away from 50 steps, per pixel")
show([by_steps], ["steps"], [str(n) for n in counts])

# %% [markdown]
# ## Guidance
#
# [[classifier_free_guidance]] walks past the prompted answer, away from the unprompted one. At 1 there is none.

# %%
# Three rows of six drawings of a three from the same six noises: guidance 1, 3 and
# 10. Without guidance each is different; with more they become alike.
scales = (1.0, 3.0, 10.0)
rows = [model(["a three"] * 6, noise(3, 6), steps=STEPS, guidance_scale=s)[:, 0] for s in scales]
show(rows, [f"{s:g}" for s in scales])

labels = np.tile(np.arange(10), 4)
prompts = [f"the digit {DIGITS[n]}" for n in labels]
for s in scales:
    images = model(prompts, noise(4, 40), steps=10, guidance_scale=s)[:, 0]
    spread = np.mean([images[labels == n].var(axis=0).sum() for n in range(10)])
    print(f"guidance {s:4.1f}: {np.mean(reading(images)[0] == labels):4.0%} read as asked for, variance {spread:.2f}")

# %% [markdown]
# ## Does it obey the adjectives?
#
# What is thick can be measured: thicker than two thirds of the real digits of its kind, as the captions had it from
# which the model learned. Each line: what is said, and of how many drawings each word is true.

# %%
words = ("thick", "thin", "left-leaning", "narrow")
print("said           " + "  ".join(words))
for said in ("", *words):
    asked = [f"the {said} digit {DIGITS[n]}" for n in labels]
    images = model(asked, noise(5, 40), steps=10, guidance_scale=GUIDANCE)[:, 0]
    true = [word for found in attributes(recorded(images) + 1e-6, labels) for word in found]
    shares = [f"{true.count(word) / len(labels):{len(word)}.0%}" for word in words]
    print(f"{said or 'nothing':13}", "  ".join(shares))

# %% [markdown]
# ## Between two prompts
#
# A prompt is vectors, and vectors can be mixed. Half of "three" and half of "eight" is no word, and yet a prompt.

# %%
# Seven drawings from the same noise; the prompt goes in seven equal steps from
# "the digit three" to "the digit eight": the three closes into an eight on the way.
three, eight, empty = model.states(["the digit three", "the digit eight", ""])
share = np.linspace(0, 1, 7, dtype=np.float32)[:, None, None]
mixed = (1 - share) * three + share * eight


def walked(states, start, scale):
    """The images of prompts that are given as vectors."""
    nothing = np.broadcast_to(empty, states.shape)
    *_, last = denoise(prompted(model.unet, states, nothing, scale), start, STEPS, model.scheduler)
    return model.decode(last)[:, 0]


images = walked(mixed, np.repeat(noise(6, 1), 7, axis=0), GUIDANCE)
print("read as", *reading(images)[0])
show([images], ["mixed"], [f"{float(s):.0%}" for s in share[:, 0, 0]])

# %% [markdown]
# ## The same, with everything known
#
# Four islands of points in the plane: two upper ones, two lower ones. The "prompt" says *upper* or nothing. The best
# possible answer to both questions is a formula (see [[denoising_objective]]), so no network is needed, and whatever
# guidance does here is guidance's own doing.

# %%
means, variances = np.array([[-1.0, 1.0], [1.0, 0.6], [-0.8, -0.9], [1.1, -0.7]]), np.full(4, 0.06)
anything, upper = (means, variances, np.full(4, 0.25)), (means[:2], variances[:2], np.full(2, 0.5))
table = alphas_cumprod(model.scheduler.betas())


def exact(x, t, says_upper):
    """The best possible answer for points x (n, 2), each asked with the prompt or without: the noise in them."""
    without, with_it = (mixture_epsilon(x, *islands, t, table) for islands in (anything, upper))
    return np.where(says_upper[:, None], with_it, without)


def points(guidance, count=400, steps=200):
    """Where points go that start at random, step by step: a list of (count, 2)."""
    start = np.random.default_rng(0).standard_normal((count, 2))
    guided = prompted(exact, np.ones(count, bool), np.zeros(count, bool), guidance)
    return [start, *denoise(guided, start, steps, model.scheduler)]


# %%
# Four clouds of points over level lines of the exact density for "upper", after 0, 80,
# 140 and 200 steps without guidance: a round cloud becomes two islands, and at every
# moment the points lie where the lines are.
AXIS = np.linspace(-3, 3, 61)
grid = np.stack(np.meshgrid(AXIS, AXIS), axis=-1)
reached = [model.scheduler.levels(200)[0][0], *(t for _, t in model.scheduler.levels(200))]  # the level after each step
plain = points(1.0)
_, axes = plt.subplots(1, 4, figsize=(5.6, 1.7), sharex=True, sharey=True)
for ax, step in zip(axes, (0, 80, 140, 200), strict=True):
    density = np.exp(mixture_log_density(grid, *diffuse_mixture(*upper[:2], reached[step], table), upper[2]))
    ax.contour(AXIS, AXIS, density, levels=density.max() * np.array([0.1, 0.4, 0.8]), colors="gray", linewidths=0.8)
    ax.plot(*plain[step][:120].T.round(2), ".", ms=1.5)
    ax.set(title=f"{step} steps", xticks=[], yticks=[], aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
plt.show()

# %% [markdown]
# Without guidance the cloud is the right one at every level. With guidance it goes where *upper* is said loudest: away
# from the lower islands, and closer together than the truth.

# %%
print(f"exact:         height {means[:2, 1].mean():.2f}, deviation {np.sqrt(variances[0]):.2f}")
for guidance in (1.0, 3.0, 10.0):
    end = points(guidance)[-1]
    nearest = np.argmin(np.sum((end[:, None] - means) ** 2, axis=-1), axis=1)
    within = np.mean([end[nearest == i].std(axis=0).mean() for i in range(2)])
    share = np.mean(nearest < 2)
    print(
        f"guidance {guidance:4.1f}: height {end[:, 1].mean():.2f}, deviation {within:.2f}, {share:.0%} on upper islands"
    )

# %% [markdown]
# ## Try it yourself
#
# - Give `walk` a `negative_prompts=["a thick three"]` and an empty prompt. What is drawn, and what is not?
# - Two digits in one prompt: "two seven". Which wins, and does the order matter?
# - Swap the two questions: the prompt as the negative one, an empty prompt as the prompt. What does guidance 3 do now?
# - Move the lower islands closer to the upper ones. How does the cloud for guidance 10 change, and why?
