"""A GPT small enough to be trained on a page: it reads five letters and a bar, and writes the letters backwards.

Texts are "beach|hcaeb": ten letters, a to j, and a bar. A hundred thousand words are possible; in training it sees
fewer than five thousand of them, and is asked for others.
"""

import functools

import numpy as np

from kb.architecture.kv_cache import generate
from kb.architecture.layer_normalization import layer_norm
from kb.architecture.multi_head_attention import head_patterns
from kb.architecture.transformer import GPT2, GPTConfig, gpt, hidden_states, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW

LETTERS, BAR, LENGTH = "abcdefghij|", 10, 5
CONFIG = GPTConfig(vocab_size=11, n_positions=2 * LENGTH + 1, n_embd=32, n_layer=2, n_head=4)
STEPS, BATCH = 150, 32


def texts(rng, count):
    """(count, 11): words of random letters, a bar, and the words backwards."""
    words = rng.integers(0, BAR, (count, LENGTH))
    return np.concatenate([words, np.full((count, 1), BAR), words[:, ::-1]], axis=1)


def loss(params, text):
    """The cross-entropy of the letters behind the bar, each predicted from all that stands before it."""
    logits = gpt(params, text[:, :-1], CONFIG)[:, LENGTH:]
    return cross_entropy(np.reshape(logits, (-1, CONFIG.vocab_size)), np.reshape(text[:, LENGTH + 1 :], -1))


@functools.cache
def trained(positions=True, seed=0):
    """The weights after training, and the loss at each step. Without positions their table stays at 0."""
    rng = np.random.default_rng(seed)
    params, losses = init_gpt(CONFIG, rng), []
    keep = 1 if positions else 0
    optimizer = AdamW({**params, "wpe.weight": keep * params["wpe.weight"]}, lr=0.01, weight_decay=0.0)
    for _ in range(STEPS):
        value, grads = value_and_grad(loss)(optimizer.params, texts(rng, BATCH))
        optimizer.step({**grads, "wpe.weight": keep * grads["wpe.weight"]})
        losses.append(float(value))
    return optimizer.params, losses


def backwards(word):
    """What the trained model writes behind the word and the bar."""
    prompt = np.array([LETTERS.index(letter) for letter in f"{word}|"])
    written = generate(GPT2(CONFIG, trained()[0]), prompt, LENGTH)[LENGTH + 1 :]
    return "".join(LETTERS[i] for i in written)


def accuracy(positions=True, count=500):
    """The share of words, drawn anew, that are written backwards without a mistake."""
    text = texts(np.random.default_rng(1), count)
    written = generate(GPT2(CONFIG, trained(positions)[0]), text[:, : LENGTH + 1], LENGTH)
    return float(np.mean(np.all(written == text, axis=1)))


def pattern(text, index):
    """Where each position of a text looks, in each head of one block: (h, t, t)."""
    params = trained()[0]
    ids = np.array([LETTERS.index(letter) for letter in text])
    layer = nest(params)["h"][str(index)]
    x = layer_norm(hidden_states(params, ids, CONFIG)[index], **layer["ln_1"])
    w_in, b_in = layer["attn"]["c_attn"]["weight"].T, layer["attn"]["c_attn"]["bias"]
    return head_patterns(x, x, w_in, b_in, CONFIG.n_head, is_causal=True)
