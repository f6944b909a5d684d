"""Trains the small CLIP that comes with the project: `python -m training.clip`, two minutes, and seven for the rest.

Plain NumPy through kb.autograd, on the digits interpolated to 16 x 16 pixels and the true sentences about them that
kb.data.captions writes: new ones in every epoch, and every image moved by up to a pixel.

In a batch of 128 digits many captions are true of several images: "a photo of a seven" of all sevens. CLIP's loss would
count them as mistakes. Here such a pair takes no part: its logit is left out of the row and of the column, so an image
has to find its caption among those that are wrong about it, and nothing pulls it away from the others that are right.
That needs to know what is true, which nobody knows of 400 million captions from the web: there they do count.

Then the same model is trained in other ways, for comparison: with such pairs counted as mistakes, with words left
unsaid, and with batches of other sizes. What was measured goes into training/clip.json.
"""

import functools
import itertools
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kb.architecture.transformer import count_parameters
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.clip_config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import FOLDER
from kb.data import digits
from kb.data.captions import DIGITS, LENGTH, PAIRS, WordTokenizer, attributes, captions
from kb.data.progress import progress
from kb.generation.clip import CLIP, clip_logits, image_features, init_clip, text_features
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW, clip_grad_norm, warmup_cosine
from training.cnn import moved

WEIGHTS = FOLDER / "digits_clip.safetensors"
SIZE, PAPER, SEED = 16, -1, 0
TOKENS = WordTokenizer()
SPOKEN = tuple(word for pair in PAIRS.values() for word in pair)
CONFIG = CLIPConfig(
    CLIPTextConfig(TOKENS.vocab_size, 64, 128, 2, 4, LENGTH, eos_token_id=TOKENS.end),
    CLIPVisionConfig(SIZE, 4, 1, 64, 128, 3, 4),
    32,
)
STEPS, BATCH, LR, WARMUP_STEPS, MAX_NORM = 1000, 128, 2e-3, 50, 1.0
DECAY = 0.01
LARGEST_SCALE = 100.0  # the paper's limit for exp(logit_scale)
RECORD = Path(__file__).with_suffix(".json")
SILENT = {7: "thickness", 3: "width", 5: "slant"}  # left unsaid of these digits, in the run that goes without
BATCHES, SHORT_STEPS = (8, 32, 128), 300
OUT = -1e4  # a logit whose pair takes no part


# ---- the pairs ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Part:
    """Digits, and which of SPOKEN is true of each."""

    x: np.ndarray  # (n, 1, 16, 16) from -1, paper, to 1, ink
    labels: np.ndarray  # (n)
    true: np.ndarray  # (n, 6)
    recorded: np.ndarray  # (n, 8, 8) from 0 to 1

    def some(self, rows):
        """These of them."""
        return Part(self.x[rows], self.labels[rows], self.true[rows], self.recorded[rows])


@functools.cache
def load():
    """The digits to train on, and those held out."""
    return [_part(half.images, half.labels) for half in digits.split(digits.load_digits(), seed=SEED)]


def _part(images, labels):
    true = [[word in words for word in SPOKEN] for words in attributes(images, labels)]
    return Part(2 * digits.resize(images, SIZE)[:, None] - 1, labels, np.array(true), images)


def said(ids, words):
    """Which of the words stand in each text: ids (n, t) -> (n, words)."""
    return np.stack([np.any(ids == TOKENS.encode(word)[1], axis=1) for word in words], axis=1)


def is_true(labels, true, ids):
    """Whether caption j is true of image i: the right digit, and no attribute that the image has not.

    labels (m), true (m, 6), ids (n, t) -> (m, n)
    """
    wrong = (~true).astype(int) @ said(ids, SPOKEN).T.astype(int)  # how many attributes are
    return said(ids, DIGITS).T[labels] & (wrong == 0)


# ---- the run -----------------------------------------------------------------------------------------------------
def loss(params, x, ids, left_out, config):
    """CLIP's loss, in which the pairs of left_out (n, n) take no part."""
    features = image_features(params, x, config), text_features(params, ids, config)
    logits, pairs = clip_logits(*features, np.exp(params["logit_scale"])), np.arange(len(x))
    logits = np.where(left_out, OUT, logits)
    return 0.5 * (cross_entropy(logits, pairs) + cross_entropy(np.swapaxes(logits, 0, 1), pairs))


def drawn(part, n, rng, silent=None):
    """n of the images with a new caption each, and which other captions are true of each: x, ids, left_out (n, n).

    silent: digit -> what is never said of it, a name in PAIRS.
    """
    some = part.some(rng.choice(len(part.x), n, replace=False))
    sentences = captions(rng, some.labels, some.recorded)
    for i, label in enumerate(some.labels):
        for word in PAIRS[silent[label]] if label in (silent or {}) else ():
            sentences[i] = sentences[i].replace(f"{word} ", "")
    ids = TOKENS.encode_all(sentences)
    return some.x, ids, is_true(some.labels, some.true, ids) & ~np.eye(n, dtype=bool)


def train(steps=STEPS, batch=BATCH, label="clip", *, leave_out=True, silent=None, watch=None):
    """The trained weights and the loss of each step. watch(step, params) is called after each."""
    rng, losses, part = np.random.default_rng(SEED), [], load()[0]
    optimizer = AdamW(init_clip(CONFIG, rng), weight_decay=DECAY)
    for i in progress(range(steps), label=label):
        x, ids, left_out = drawn(part, batch, rng, silent)
        value, grads = value_and_grad(loss)(optimizer.params, moved(x, rng, PAPER), ids, left_out & leave_out, CONFIG)
        optimizer.lr = warmup_cosine(i, steps, min(WARMUP_STEPS, steps - 1), LR)
        optimizer.step(clip_grad_norm(grads, MAX_NORM)[0])
        scale = optimizer.params["logit_scale"]
        optimizer.params["logit_scale"] = np.minimum(scale, np.asarray(math.log(LARGEST_SCALE), scale.dtype))
        losses.append(float(value))
        if watch:
            watch(i + 1, optimizer.params)
    return optimizer.params, losses


# ---- how good it is ----------------------------------------------------------------------------------------------
def prompts(*words):
    """ "a photo of a thick zero" and so on, one for each digit; tokens (10, t)."""
    sentences = [" ".join(["a photo of a", *words, digit]) for digit in DIGITS]
    return TOKENS.encode_all(sentence.replace(" a eight", " an eight") for sentence in sentences)


def zero_shot(model, part):
    """The share of digits whose nearest prompt of the ten, "a photo of a seven", is the right one."""
    found = (model.image_features(part.x) @ model.text_features(prompts()).T).argmax(axis=1)
    return float(np.mean(found == part.labels))


def attribute_accuracy(model, part, pair):
    """The share of digits with either attribute that are nearer to the right one of two prompts, such as
    "a photo of a thin seven" and "a photo of a thick seven"; blind guessing gets one half."""
    texts = [model.text_features(prompts(word))[part.labels] for word in pair]  # two of (n, d)
    first, second = (np.sum(model.image_features(part.x) * text, axis=1) for text in texts)
    has = part.true[:, [SPOKEN.index(word) for word in pair]]
    return float(np.mean((first > second) == has[:, 0], where=has.any(axis=1)))


def described(model, part):
    """Of all 270 descriptions, "a photo of a thin wide seven": how often the nearest is true, and also complete."""
    words = itertools.product(*[("", *pair) for pair in PAIRS.values()], DIGITS)
    ids = TOKENS.encode_all(" ".join(["a photo of a", *some]) for some in words)
    best = ids[(model.image_features(part.x) @ model.text_features(ids).T).argmax(axis=1)]
    true = is_true(part.labels, part.true, best).diagonal()
    complete = true & np.all(said(best, SPOKEN) == part.true, axis=1)
    return float(np.mean(true)), float(np.mean(complete))


def judged(model, part):
    """What the held-out digits say."""
    names = {name: attribute_accuracy(model, part, pair) for name, pair in PAIRS.items()}
    return {name: round(share, 4) for name, share in {"zero_shot": zero_shot(model, part), **names}.items()}


@functools.cache
def read():
    """The record."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main():
    """Trains, reports and writes WEIGHTS."""
    start, shares = time.perf_counter(), {}

    def watch(step, params):
        if step % 50 == 0 or step in (1, 10, 25):
            shares[step] = round(zero_shot(CLIP(CONFIG, params), load()[1]), 4)

    params, losses = train(watch=watch)
    params = {name: np.asarray(value, np.float16) for name, value in params.items()}
    model = CLIP(CONFIG, {name: value.astype(np.float32) for name, value in params.items()})
    facts = {"seed": SEED, "steps": STEPS, "batch": BATCH, "held_out": judged(model, load()[1])}
    facts["first_losses"] = [round(value, 4) for value in losses[:3]]
    print(f"{count_parameters(CONFIG):,} parameters, {time.perf_counter() - start:.0f} s")
    print(
        f"loss {losses[0]:.3f} -> {np.mean(losses[-50:]):.3f}, scale {np.exp(model.params['logit_scale']):.1f}; {facts}"
    )
    metadata = {
        "title": "small CLIP, trained on the UCI digits interpolated to 16 x 16 and captions of this project",
        "made_by": "python -m training.clip",
        "config": json.dumps(asdict(CONFIG)),
        "facts": json.dumps(facts),
    }
    save_file(params, WEIGHTS, metadata)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size:,} bytes")
    curve = [round(float(np.mean(losses[max(i - 10, 0) : i])), 4) for i in range(10, STEPS + 1, 10)]
    return {"losses": curve, "first_loss": losses[0], "zero_shot": [list(pair) for pair in shares.items()]}


def compared():
    """What the held-out digits say of models that were trained in other ways."""
    held_out = load()[1]

    def of(label, **options):
        params, losses = train(label=label, **options)
        found = {**judged(CLIP(CONFIG, params), held_out), "last_loss": round(float(np.mean(losses[-20:])), 4)}
        print(label, options, found, flush=True)
        return found, params

    counted, params = of("counted", leave_out=False)
    record = {"counted": {**counted, "described": described(CLIP(CONFIG, params), held_out)}}
    model = CLIP(CONFIG, of("silent", silent=SILENT)[1])
    unsaid = {digit: held_out.some(held_out.labels == digit) for digit in SILENT}
    record["silent"] = {
        name: [round(attribute_accuracy(model, unsaid[digit], PAIRS[name]), 4), _with_either(unsaid[digit], name)]
        for digit, name in SILENT.items()
    }
    print(record["silent"], flush=True)
    pairs = SHORT_STEPS * BATCHES[-1]
    record["same_steps"] = {n: of(f"batch {n}", steps=SHORT_STEPS, batch=n)[0] for n in BATCHES}
    fewer = {n: of(f"batch {n}", steps=pairs // n, batch=n)[0] for n in BATCHES[:-1]}
    record["same_pairs"] = fewer | {BATCHES[-1]: record["same_steps"][BATCHES[-1]]}
    return record


def _with_either(part, name):
    """How many of them have one of the two attributes."""
    return int(part.true[:, [SPOKEN.index(word) for word in PAIRS[name]]].any(axis=1).sum())


if __name__ == "__main__":
    found = main()
    RECORD.write_text(json.dumps({**found, **compared()}), encoding="utf-8")
