"""The GPT that the project trained on its own stories, asked what it expects, what surprises it, how it learned."""

import functools

import numpy as np

from kb.architecture.kv_cache import stream
from kb.architecture.large_language_model import next_token, surprise
from kb.architecture.sampling import sample
from kb.architecture.transformer import count_parameters
from kb.checkpoints.shipped import gpt_tales
from kb.data.tales import train_and_held_out
from kb.data.tales_grammar import PLACES
from training import gpt, scaling

GIFT = (
    "One sunny morning Clara went to the river. There, on the bank, lay a silver ring. Then Ben came along. He was sad "
    "because he had lost a game. Clara wanted to help, so she gave Ben the ring. In the end the silver ring belonged"
)


# ---- asking the model --------------------------------------------------------------------------------------------
@functools.cache
def model():
    """The GPT2 and its tokenizer."""
    return gpt_tales()


@functools.cache
def told():
    """The stories that it was trained on, and those that were held out."""
    return train_and_held_out()


def tokens(text):
    """The token ids of a story, or of its beginning, as the model was trained to read them."""
    tokenizer = model()[1]
    return np.array([tokenizer.vocab[gpt.END], *tokenizer.encode(text)])


def chance(prompt, word):
    """The probability that a prompt goes on with this word, which begins with its space; it may be several tokens."""
    ids, before = model()[1].encode(word), tokens(prompt)
    found = surprise(model()[0](np.append(before, ids[:-1]).astype(int))[len(before) - 1 :], np.array(ids))
    return float(np.exp(-np.sum(found)))


def likeliest(prompt, k=6):
    """The k likeliest next tokens after a prompt, as (text, probability)."""
    p = next_token(model()[0], tokens(prompt))
    return [(model()[1].decode([i]), float(p[i])) for i in np.argsort(-p, kind="stable")[:k]]


def some_place(space=False):
    """The chance that "... Clara went to the" goes on with one of the places; or with a space, and then a place."""
    prompt = "One sunny morning Clara went to the" + " " * space
    return sum(chance(prompt, place if space else f" {place}") for place in PLACES)


def surprises(text):
    """How little the model expected each token of a story, in nats."""
    ids = tokens(text)
    return surprise(model()[0](ids[:-1]), ids[1:])


@functools.cache
def continued(prompt="", seed=None, heat=0.7):
    """The story that the model makes of a prompt: greedily, or drawn with a seed at a temperature."""
    rng, ids, written = np.random.default_rng(seed), tokens(prompt), []
    choose = None if seed is None else lambda logits: sample(logits, rng, temperature=heat)
    for token in stream(model()[0], ids, model()[0].config.n_positions - len(ids), choose):
        if token == ids[0]:  # the token that begins a story also ends the one before
            break
        written.append(int(token))
    return prompt + model()[1].decode(written)


# ---- what guessing would get -------------------------------------------------------------------------------------
def guessing():
    """The share of right answers to "who has it" for somebody who draws one of the names of the held-out story."""
    return float(np.mean([1 / (1 + len(a.others)) for a in _holders()]))


def said_last():
    """The share for somebody who says the name again that was said last."""
    right = [max([a.text, *a.others], key=one.text[: a.start].rfind) == a.text for one, a in _holders(True)]
    return float(np.mean(right))


def _holders(with_story=False):
    found = [(one, a) for one in told()[1] for a in one.answers if a.about == "holder"]
    return found if with_story else [a for _, a in found]


# ---- how it was trained ------------------------------------------------------------------------------------------
@functools.cache
def record():
    """What training/gpt.py wrote down."""
    return gpt.read()


def smoothed(losses, width=25):
    """The mean of each `width` losses in a row, and the step in the middle of them."""
    count = len(losses) // width
    return width * np.arange(count) + (width + 1) / 2, np.reshape(losses[: count * width], (count, width)).mean(axis=1)


def held_out_losses():
    """Steps and held-out losses."""
    return tuple(np.array(column) for column in zip(*[(look[0], look[1]) for look in record()["looks"]], strict=True))


def marks(about):
    """Steps, and the share of the held-out stories' answers of one kind that the model would write itself."""
    return tuple(np.array(c) for c in zip(*[(look[0], look[2][about]) for look in record()["looks"]], strict=True))


def final_mark(about):
    """That share at the end of training."""
    return record()["looks"][-1][2][about]


def apart(steps=None):
    """How far the losses in NumPy and in torch are apart where they are furthest, in the first steps or in all."""
    return float(np.max(np.abs(np.subtract(record()["losses"], record()["torch_losses"]))[:steps]))


def best_step():
    """The step at which the held-out loss was lowest, and that loss."""
    steps, losses = held_out_losses()
    return int(steps[losses.argmin()]), float(losses.min())


def mark_at(about, step):
    """The share of right answers of one kind after so many steps."""
    steps, shares = marks(about)
    return float(shares[list(steps).index(step)])


def len_of_model():
    """How many weights it has."""
    return count_parameters(model()[0].config)


@functools.cache
def mean_length():
    """Tokens of a training story, on average."""
    return float(np.mean([len(tokens(one.text)) - 1 for one in told()[0]]))


def tokens_read():
    """How many examples it was trained on, those that came again counted again."""
    return record()["steps"] * record()["batch_size"] * model()[0].config.n_positions


def passes():
    """How often each training story began a window."""
    return record()["steps"] * record()["batch_size"] / len(told()[0])


# ---- three sizes -------------------------------------------------------------------------------------------------
def sizes():
    """Weights and held-out losses at the end, the smallest model first."""
    runs = scaling.read()
    return np.array([run["parameters"] for run in runs], float), np.array([run["held_out"][-1][1] for run in runs])
