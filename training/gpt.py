"""Trains the GPT that comes with the project on the tales: `python -m training.gpt`, about seven minutes of one core.

Plain NumPy through kb.autograd: no torch. `python -m training.gpt torch` makes the same run once more in torch, from
the same first weights and with the same batches, and writes its losses beside the others.
"""

import functools
import json
import math
import sys
import time
from pathlib import Path

import numpy as np

from kb.architecture.large_language_model import surprise
from kb.architecture.pretraining import epoch, pretraining_loss, shifted
from kb.architecture.tokenization import Tokenizer, train_bpe
from kb.architecture.transformer import GPT2, GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import FOLDER
from kb.data.progress import progress
from kb.data.tales import BETWEEN, share_right, train_and_held_out
from kb.learning.optimizers import AdamW, clip_grad_norm, warmup_cosine

WEIGHTS = FOLDER / "gpt_tales.safetensors"
PATH = Path(__file__).with_name("gpt.json")
SEED, END, MERGES = 0, "<|endoftext|>", 639
CONFIG = GPTConfig(vocab_size=256 + MERGES + 1, n_positions=144, n_embd=96, n_layer=3, n_head=4)
STEPS, BATCH_SIZE, LR, LR_MIN, WARMUP_STEPS, MAX_NORM = 2200, 8, 3e-3, 1e-4, 100, 1.0
BETAS, WEIGHT_DECAY = (0.9, 0.99), 0.1
EVERY = 100  # steps between two looks at the held-out stories


# ---- the text ----------------------------------------------------------------------------------------------------
@functools.cache
def data():
    """The tokenizer, learned from the training stories, and both parts as lists of token ids."""
    parts = [[one.text for one in part] for part in train_and_held_out()]
    tokenizer = Tokenizer(train_bpe(BETWEEN.join(parts[0]), MERGES), END)
    return tokenizer, *([tokenizer.encode(text) for text in part] for part in parts)


def batches(steps=STEPS, batch_size=BATCH_SIZE, length=CONFIG.n_positions):
    """The (b, length + 1) token ids of each step: pass after pass over the training stories, each in a new order."""
    tokenizer, texts, _ = data()
    rng, found = np.random.default_rng(SEED), []
    while len(found) < steps:
        found += epoch(texts, tokenizer.vocab[END], batch_size, length, rng)
    return found[:steps]


def held_out_loss(params, config=CONFIG):
    """The mean surprise per token of the held-out stories, each read from its beginning to the token that ends it."""
    tokenizer, _, texts = data()
    end = tokenizer.vocab[END]
    found = []
    for text in texts:
        inputs, targets = shifted(np.array([end, *text, end]))
        found.append(surprise(gpt(params, inputs, config), targets))
    return float(np.mean(np.concatenate(found)))


def loss_and_marks(params, config=CONFIG):
    """The held-out loss, and which share of the held-out stories' answers the model would write itself."""
    loss = round(held_out_loss(params, config), 4)
    return loss, share_right(GPT2(config, params), data()[0], train_and_held_out()[1])


def first_weights(config=CONFIG):
    """GPT-2's random weights, made larger as the model is narrower: 0.02 is meant for a width of 768.

    A sum of d products grows with the root of d. So all scores and sums begin as large as they do in GPT-2.
    """
    scale = math.sqrt(768 / config.n_embd)
    params = init_gpt(config, np.random.default_rng(SEED))
    return {name: weight * scale if weight.ndim == 2 else weight for name, weight in params.items()}


# ---- the run -----------------------------------------------------------------------------------------------------
def learning_rate(i, steps=STEPS):
    """Of step i, counted from 0."""
    return warmup_cosine(i, steps, min(WARMUP_STEPS, steps // 10), LR, LR_MIN)


def train(config=CONFIG, rows=None, every=EVERY, look=held_out_loss):
    """The trained weights, the loss of each step's batch, and (step, look(params, config)) every so many steps."""
    rows = batches() if rows is None else rows
    params = first_weights(config)
    optimizer = AdamW(params, betas=BETAS, weight_decay=WEIGHT_DECAY)
    losses, looks = [], [(0, look(params, config))]
    for i, ids in enumerate(progress(rows, label="gpt")):
        loss, grads = value_and_grad(pretraining_loss)(params, ids, config)
        grads, _ = clip_grad_norm(grads, MAX_NORM)
        optimizer.lr = learning_rate(i, len(rows))
        params = optimizer.step(grads)
        losses.append(float(loss))
        if (i + 1) % every == 0 or i + 1 == len(rows):
            looks.append((i + 1, look(params, config)))
    return params, losses, looks


def train_in_torch(config=CONFIG, rows=None):
    """The loss of each step's batch when torch does it all, from the same first weights and with the same batches."""
    import torch

    from kb.torch.architecture import transformer

    rows = batches() if rows is None else rows
    model = transformer.GPT2(config)
    model.load_state_dict({k: torch.tensor(v) for k, v in first_weights(config).items()})
    optimizer = torch.optim.AdamW(model.parameters(), betas=BETAS, weight_decay=WEIGHT_DECAY)
    losses = []
    for i, ids in enumerate(progress(rows, label="the same in torch")):
        inputs, targets = shifted(torch.tensor(ids))
        loss = torch.nn.functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(i, len(rows))
        optimizer.step()
        losses.append(loss.item())
    return losses


# ---- what is kept of it ------------------------------------------------------------------------------------------
def main():
    """Trains, marks the model as it learns, and writes WEIGHTS and PATH."""
    tokenizer, started, worked = data()[0], time.perf_counter(), time.process_time()
    params, losses, looks = train(look=loss_and_marks)
    seconds = {"seconds": time.perf_counter() - started, "seconds_of_one_core": time.process_time() - worked}
    facts = {"seed": SEED, "steps": STEPS, "batch_size": BATCH_SIZE, "held_out_loss": looks[-1][1][0]}
    facts |= {name: round(value) for name, value in seconds.items()}
    metadata = {name: json.dumps(value) for name, value in (facts | {"config": vars(CONFIG)}).items()}
    metadata["merges"] = json.dumps([[part.decode("latin-1") for part in pair] for pair in tokenizer.merges])
    save_file(params, WEIGHTS, metadata)
    write(facts | {"losses": _rounded(losses), "looks": [[step, *found] for step, found in looks]})


def main_in_torch():
    """Makes the same run in torch and writes its losses beside those of `main`."""
    write(read() | {"torch_losses": _rounded(train_in_torch())})


def write(record):
    """Keeps a record in PATH."""
    PATH.write_text(json.dumps(record) + "\n", encoding="utf-8")


def read():
    """What was recorded."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def _rounded(losses):
    return [round(loss, 5) for loss in losses]


if __name__ == "__main__":
    main_in_torch() if sys.argv[1:] == ["torch"] else main()
