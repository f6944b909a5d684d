"""What the small CLIP makes of digits and sentences that were held out from its training."""

import functools
import math

import numpy as np

from kb.checkpoints.shipped import digits_clip, digits_clip_facts
from kb.data.captions import DIGITS, PAIRS, captions
from kb.foundations.softmax import softmax
from kb.foundations.vectors_and_dot_products import normalize
from kb.generation.clip import CLIP, init_clip
from training import clip as training

CHANGES = [(a, b) for pair in PAIRS.values() for a, b in (pair, pair[::-1])]  # thin to thick, thick to thin, ...
WORDS = (*training.SPOKEN, *DIGITS)


# ---- vectors -----------------------------------------------------------------------------------------------------
@functools.cache
def held_out():
    """The 360 digits, and which of the six attributes is true of each."""
    return training.load()[1]


@functools.cache
def model():
    return digits_clip()


def scale():
    """exp(logit_scale): what the cosines are multiplied by."""
    return float(np.exp(model().params["logit_scale"]))


@functools.cache
def image_vectors():
    """(360, 32)"""
    return model().image_features(held_out().x)


def text_vectors(sentences):
    """(n, 32)"""
    return model().text_features(training.TOKENS.encode_all(sentences))


@functools.cache
def sentences():
    """A caption for each held-out digit."""
    part = held_out()
    return captions(np.random.default_rng(1), part.labels, part.recorded)


@functools.cache
def caption_vectors():
    """(360, 32)"""
    return text_vectors(sentences())


@functools.cache
def truth():
    """Which caption (360, columns) is true of which image (360, rows)."""
    part = held_out()
    return training.is_true(part.labels, part.true, training.TOKENS.encode_all(sentences()))


# ---- pairs -------------------------------------------------------------------------------------------------------
def cosines():
    """Of an image and a caption, by how they fit: its own, the right digit but an untrue word, another digit."""
    c, labels = image_vectors() @ caption_vectors().T, held_out().labels
    same = labels[:, None] == labels  # caption j speaks of the digit of image j
    return {"own caption": c.diagonal(), "an untrue word": c[same & ~truth()], "another digit": c[~same]}


def mean_cosine(kind):
    return float(cosines()[kind].mean())


def top_caption_is_true():
    """The share of images whose best caption of the 360 is true; and of captions whose best image fits."""
    c = image_vectors() @ caption_vectors().T
    n = np.arange(len(c))
    return float(truth()[n, c.argmax(1)].mean()), float(truth()[c.argmax(0), n].mean())


def own_caption_found(n, draws=30):
    """The share of images that prefer their own caption among n; captions that are true as well count as mistakes."""
    rng, c = np.random.default_rng(0), image_vectors() @ caption_vectors().T
    some = [rng.choice(len(c), n, replace=False) for _ in range(draws)]
    return float(np.mean([c[np.ix_(rows, rows)].argmax(1) == np.arange(n) for rows in some]))


def gap(trained=True):
    """How far the mean of the image vectors is from the mean of the caption vectors."""
    u, v = image_vectors(), caption_vectors()
    if not trained:
        start = CLIP(training.CONFIG, init_clip(training.CONFIG, np.random.default_rng(training.SEED)))
        u = start.image_features(held_out().x)
        v = start.text_features(training.TOKENS.encode_all(sentences()))
    return float(np.linalg.norm(u.mean(0) - v.mean(0)))


def floor(n, scale):
    """The smallest value of CLIP's loss for n pairs: every image at its caption, all others equally far."""
    return math.log1p((n - 1) * math.exp(-n * scale / (n - 1)))


# ---- prompts -----------------------------------------------------------------------------------------------------
def prompt_accuracy(template="a photo of a {}"):
    """The share of held-out digits that are nearest to their own of ten sentences."""
    scores = image_vectors() @ text_vectors([template.format(digit) for digit in DIGITS]).T
    return float(np.mean(scores.argmax(1) == held_out().labels))


def chances(rows):
    """What softmax makes of the ten prompts, (n, 10), for some of the images."""
    return softmax(scale() * image_vectors()[rows] @ model().text_features(training.prompts()).T)


@functools.cache
def full_descriptions():
    """Of all 270 descriptions: how often the nearest is true, and how often it is also complete."""
    return training.described(model(), held_out())


# ---- arithmetic --------------------------------------------------------------------------------------------------
def has(word):
    return held_out().true[:, training.SPOKEN.index(word)]


@functools.cache
def direction(old, new):
    """What changes when a word of "a photo of a thin seven" is replaced by another, digit by digit (10, 32)."""
    return model().text_features(training.prompts(new)) - model().text_features(training.prompts(old))


def moved(old, new, how="own"):
    """Images that are `old`, as vectors (n, 32) after one of these, and their places (n) among the held-out ones.

    own: the difference of the two sentences about this digit is added; others: the mean of the nine differences for
    other digits; random: a direction that means nothing, as long as the first; nothing: as they are. text: not the
    image at all, but the sentence "a photo of a thick seven".
    """
    rows = np.flatnonzero(has(old))
    labels, step = held_out().labels[rows], direction(old, new)
    if how == "text":
        return model().text_features(training.prompts(new))[labels], rows
    noise = normalize(np.random.default_rng(0).standard_normal((len(rows), step.shape[1]))).astype(step.dtype)
    added = {
        "nothing": np.zeros_like(noise),
        "random": noise * np.linalg.norm(step, axis=1)[labels, None],
        "others": (step.sum(0) - step[labels]) / 9,
        "own": step[labels],
    }
    return image_vectors()[rows] + added[how], rows


def nearest(vectors, without=None, k=1):
    """The places (n, k) of the images that are closest in direction; without: a place for each that is not counted."""
    scores = normalize(vectors) @ image_vectors().T
    if without is not None:
        scores[np.arange(len(scores)), without] = -2
    return np.argsort(-scores, axis=1)[:, :k]


def success(how, leave_out=True):
    """Over all six changes: how often the nearest image shows the same digit, and is what was asked for."""
    hits = []
    for old, new in CHANGES:
        vectors, rows = moved(old, new, how)
        found = nearest(vectors, rows if leave_out else None)[:, 0]
        hits.append((held_out().labels[found] == held_out().labels[rows]) & has(new)[found])
    return float(np.mean(np.concatenate(hits)))


def kept(how):
    """The share of the other attributes of the image, such as leaning to the left, that the found one has as well."""
    same = []
    for old, new in CHANGES:
        vectors, rows = moved(old, new, how)
        other = [w not in (old, new) for w in training.SPOKEN]
        before, after = (held_out().true[i][:, other] for i in (rows, nearest(vectors, rows)[:, 0]))
        same.append(after[before])
    return float(np.mean(np.concatenate(same)))


def length_of_a_step():
    """How long the difference of two sentences is, on average; image vectors have length 1."""
    return float(np.mean([np.linalg.norm(direction(old, new), axis=1).mean() for old, new in CHANGES]))


def tries():
    """How many images were moved, over all changes."""
    return sum(int(has(old).sum()) for old, _ in CHANGES)


@functools.cache
def word_between():
    """How often the word nearest to (image that has it) - (image with the opposite) is that word, among 16 words;
    for all pairs of held-out images of the same digit, and for those that differ in nothing else. And their number.
    """
    part, words, u = held_out(), text_vectors(WORDS), image_vectors()
    hits, alone = [], []
    for old, new in CHANGES:
        i, j = np.nonzero(has(new)[:, None] & has(old) & (part.labels[:, None] == part.labels))
        hits.append(((u[i] - u[j]) @ words.T).argmax(1) == WORDS.index(new))
        alone.append((part.true[i] != part.true[j]).sum(1) == 2)
    hits, alone = np.concatenate(hits), np.concatenate(alone)
    return float(hits.mean()), float(hits[alone].mean()), len(hits), int(alone.sum())


# ---- the record of the training --------------------------------------------------------------------------------------
def share(name):
    """What was written down when it was trained: "zero_shot", "thickness", "width" or "slant"."""
    return digits_clip_facts()["held_out"][name]


def recorded(*path):
    """An entry of training/clip.json, by the names that lead to it."""
    found = training.read()
    for name in path:
        found = found[name]
    return found
