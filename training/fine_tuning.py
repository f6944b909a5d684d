"""Teaches the GPT that comes with the project to tell its tales in the present tense: `python -m training.fine_tuning`.

It learned from tales in the past tense. Here it reads 64 new ones in the present tense, once with all of its weights
free to move, and with LoRA at several ranks. Of four learning rates other tales choose the best, for all weights and
for rank 4, whose rate the other ranks take over. Measured is the loss on new tales in the present tense, and on the
same tales in the past tense, which is what it forgets. Results go into training/fine_tuning.json, the updates of rank 4
into kb/data/weights. It takes about four minutes of one core.
"""

import functools
import itertools
import json
import re
from pathlib import Path

import numpy as np

from kb.architecture.fine_tuning import count_lora, init_lora, low_rank_share, merge
from kb.architecture.large_language_model import surprise
from kb.architecture.pretraining import epoch, pretraining_loss, shifted
from kb.architecture.transformer import count_parameters, gpt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import FOLDER, gpt_tales
from kb.data.progress import progress
from kb.data.tales import stories
from kb.learning.optimizers import AdamW, warmup_cosine

PATH, LORA_PATH = Path(__file__).with_name("fine_tuning.json"), FOLDER / "gpt_tales_present.safetensors"
SEED, STEPS, WARMUP_STEPS, BATCH_SIZE, EVERY = 1, 96, 8, 8, 12
TRAINING, VALIDATION, HELD_OUT = 64, 20, 40  # tales
RANKS, SHIPPED_RANK = (1, 2, 4, 8, 16), 4
RATES = 1e-3, 3e-3, 1e-2, 3e-2
MATRICES = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")

HAD = "moved fallen burnt laughed lost seen gone come"
PRESENT = {  # the verbs of the tales; the longest match counts
    **{f"had {verb}": f"has {verb}" for verb in HAD.split()},
    **{
        "had not": "has not",
        "others had gone": "others have gone",
        "birds sang": "birds sing",
        "they played": "they play",
    },
    **{"drops drummed": "drops drum", "clouds raced": "clouds race", "they all went": "they all go"},
    **{"They swapped": "They swap", "did not": "does not", "were": "are", "was": "is", "had": "has", "could": "can"},
    **{
        "went": "goes",
        "came": "comes",
        "gave": "gives",
        "found": "finds",
        "lay": "lies",
        "saw": "sees",
        "took": "takes",
    },
    **{"met": "meets", "sat": "sits", "got": "gets", "ran": "runs", "lost": "loses", "knew": "knows", "kept": "keeps"},
    **{"said": "says", "lent": "lends", "brought": "brings", "shook": "shakes", "fell": "falls", "forgot": "forgets"},
    **{"thought": "thinks", "wrote": "writes", "drew": "draws", "began": "begins", "put": "puts", "rubbed": "rubs"},
    **{"hummed": "hums", "asked": "asks", "loved": "loves", "walked": "walks", "looked": "looks", "picked": "picks"},
    **{"smiled": "smiles", "wanted": "wants", "liked": "likes", "needed": "needs", "handed": "hands"},
    **{"laughed": "laughs", "belonged": "belongs", "buttoned": "buttons", "stamped": "stamps"},
}
PAST = re.compile(rf"\b({'|'.join(sorted(PRESENT, key=len, reverse=True))})\b")


# ---- the two tenses ----------------------------------------------------------------------------------------------
def in_the_present(text):
    """A tale as it would be told while it happens."""
    return PAST.sub(lambda found: PRESENT[found[0]], text)


@functools.cache
def texts():
    """Tales that the model has not learned from, in the past tense: to train on, to choose by, to measure with."""
    told = [one.text for one in itertools.islice(stories(SEED), TRAINING + VALIDATION + HELD_OUT)]
    return told[:TRAINING], told[TRAINING : TRAINING + VALIDATION], told[TRAINING + VALIDATION :]


@functools.cache
def base():
    """The model as it was pretrained: its sizes, weights and tokenizer."""
    model, tokenizer = gpt_tales()
    return model.config, model.params, tokenizer


def tokens(tales, present=True):
    """The token ids of each tale, in one of the tenses."""
    return [base()[2].encode(in_the_present(text) if present else text) for text in tales]


def loss(params, tales, present=True):
    """The mean surprise per token of these tales, each read from its beginning to the token that ends it."""
    config, _, tokenizer = base()
    end, found = tokenizer.vocab["<|endoftext|>"], []
    for ids in tokens(tales, present):
        inputs, targets = shifted(np.array([end, *ids, end][: config.n_positions + 1]))
        found.append(surprise(gpt(params, inputs, config), targets))
    return float(np.mean(np.concatenate(found)))


# ---- the ways to train -------------------------------------------------------------------------------------------
def adapted():
    """The names of the matrices that LoRA updates: all four of each block."""
    return [f"h.{i}.{name}.weight" for i in range(base()[0].n_layer) for name in MATRICES]


def start(way):
    """What is trained, and how the model's weights are made of it: everything, or updates of a rank."""
    params = base()[1]
    if way == "full":
        return params, lambda trained: trained
    return init_lora(params, adapted(), way, np.random.default_rng(SEED)), lambda trained: merge(params, trained)


def batches(steps=STEPS):
    """The token ids of each step: pass after pass over the training tales, in the present tense."""
    config, _, tokenizer = base()
    rng, found = np.random.default_rng(SEED), []
    while len(found) < steps:
        found += epoch(tokens(texts()[0]), tokenizer.vocab["<|endoftext|>"], BATCH_SIZE, config.n_positions, rng)
    return found[:steps]


def fit(way, lr, steps=STEPS, every=EVERY):
    """What was trained after so many steps, and on the way (step, loss in the present, loss in the past), held out."""
    (trained, weights), config, measured = start(way), base()[0], texts()[2]
    optimizer = AdamW(trained, weight_decay=0.0)
    cost = value_and_grad(lambda trained, ids: pretraining_loss(weights(trained), ids, config))
    curve = [(0, loss(weights(trained), measured), loss(weights(trained), measured, False))]
    for t, ids in enumerate(progress(batches(steps), label=f"{way} at {lr}")):
        _, grads = cost(trained, ids)
        optimizer.lr = warmup_cosine(t, steps, min(WARMUP_STEPS, steps - 1), lr)
        trained = optimizer.step(grads)
        if (t + 1) % every == 0 or t + 1 == steps:
            curve.append((t + 1, loss(weights(trained), measured), loss(weights(trained), measured, False)))
    return trained, curve


def best(way, rates):
    """The run with the learning rate that the validation tales choose: rate, what was trained, curve."""
    runs = [(lr, *fit(way, lr)) for lr in rates]
    weights = start(way)[1]
    return min(runs, key=lambda run: loss(weights(run[1]), texts()[1]))


# ---- all of it ---------------------------------------------------------------------------------------------------
def main():
    """Runs everything and writes PATH and LORA_PATH."""
    config, params, _ = base()
    record: dict = {"trainable": {"full": count_parameters(config)}, "rate": {}, "curve": {}}
    for way in ("full", SHIPPED_RANK, *(rank for rank in RANKS if rank != SHIPPED_RANK)):
        chosen = record["rate"].get(str(SHIPPED_RANK))  # the other ranks take over the rate of this one
        rate, trained, curve = best(way, RATES if chosen is None else (chosen,))
        record["rate"][str(way)] = rate
        record["curve"][str(way)] = [[t, round(new, 4), round(old, 4)] for t, new, old in curve]
        if way == "full":
            updates = {name: trained[name] - params[name] for name in adapted()}
            record["share"] = {r: round(np.mean([low_rank_share(u, r) for u in updates.values()]), 4) for r in RANKS}
        else:
            record["trainable"][str(way)] = count_lora([params[name].shape for name in adapted()], way)
        if way == SHIPPED_RANK:
            save_file(trained, LORA_PATH, {"made_by": "python -m training.fine_tuning", "rank": str(way)})
        print(way, rate, record["curve"][str(way)][-1], flush=True)
    PATH.write_text(json.dumps(record) + "\n", encoding="utf-8")


# ---- reading it --------------------------------------------------------------------------------------------------
@functools.cache
def read():
    """What was recorded."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def curve(way):
    """(step, loss in the present tense, loss in the past tense) of held-out tales, for "full" or a rank."""
    return np.array(read()["curve"][str(way)])


def reached(way, present=True):
    """The loss per token on held-out tales at the end, for "full" or a rank; before it, for "base"."""
    return curve("full" if way == "base" else way)[0 if way == "base" else -1, 1 if present else 2]


def trainable(way):
    """How many numbers were trained."""
    return read()["trainable"][str(way)]


def share(rank):
    """How much of the updates of full fine-tuning a matrix of this rank could have done, averaged over matrices."""
    return read()["share"][str(rank)]


if __name__ == "__main__":
    main()
