"""Trains the toy models of superposition, hundreds side by side: `python -m training.superposition`.

Five features in two dimensions at several densities; 40 features in 8 dimensions; two features in one dimension over a
grid of density and importance, where the phases can be computed by hand; and a sparse autoencoder that looks for the
five features in the two-dimensional activations. All through kb's computation graph. The results go into
training/superposition.json.
"""

import functools
import json
from pathlib import Path

import numpy as np

from kb.architecture.superposition import (
    compress,
    init_toy,
    reconstruction_loss,
    sae_loss,
    sparse_features,
    strategy_losses,
)
from kb.autograd.tensor import value_and_grad
from kb.data.progress import progress
from kb.learning.optimizers import Adam

PATH = Path(__file__).with_name("superposition.json")
SEED = 0
FIVE = {"densities": [1.0, 0.3, 0.05], "steps": 3000, "restarts": 8}
MANY = {"n": 40, "d": 8, "densities": np.geomspace(1, 0.01, 13).tolist(), "steps": 3000}
GRID = {
    "densities": np.geomspace(1, 0.02, 18).tolist(),
    "importances": np.geomspace(0.1, 10, 17).tolist(),
    "steps": 1000,
    "restarts": 10,
}


def batches(density, shape, rng):
    """Fresh examples (*models, batch, n) without end."""
    while True:
        yield sparse_features(rng.random(shape), rng.random(shape), density)


def fit(params, density, importance, steps, rng, batch=256, lr=0.01, label=""):
    """The trained weights of an array of models, and what each loses on 64 further batches."""
    models, n = params["bias"].shape[:-1], params["bias"].shape[-1]
    source = batches(density, (*models, batch, n), rng)
    gradients = value_and_grad(lambda p, x: np.sum(reconstruction_loss(x, p["weight"], p["bias"], importance)))
    optimizer = Adam(params, lr)
    for i in progress(range(steps), label=label):
        optimizer.lr = lr * (1 - i / steps)
        _, grads = gradients(params, next(source))
        params = optimizer.step(grads)
    losses = [reconstruction_loss(next(source), params["weight"], params["bias"], importance) for _ in range(64)]
    return params, np.mean(losses, axis=0)


def best(params, losses, axis):
    """Of each group of restarts along `axis` the weights (and biases) that lose least."""
    pick = np.expand_dims(np.argmin(losses, axis=axis), axis)
    weight = np.take_along_axis(params["weight"], pick[..., None, None], axis).squeeze(axis)
    bias = np.take_along_axis(params["bias"], pick[..., None], axis).squeeze(axis)
    return weight, bias, np.min(losses, axis=axis)


def five_in_two(steps=FIVE["steps"]):
    """(densities, 2, 5) weights, (densities, 5) biases, (densities) losses; equal importance."""
    rng = np.random.default_rng(SEED)
    density = np.array(FIVE["densities"])[:, None] * np.ones(FIVE["restarts"])
    params = init_toy(5, 2, rng, density.shape)
    params, losses = fit(params, density, 0.8 ** np.arange(5.0), steps, rng, label="five in two")
    return best(params, losses, 1)


def many(steps=MANY["steps"]):
    """(densities, 8, 40) weights; equal importance."""
    rng = np.random.default_rng(SEED)
    density = np.array(MANY["densities"])
    params = init_toy(MANY["n"], MANY["d"], rng, density.shape)
    return fit(params, density, np.ones(MANY["n"]), steps, rng, label="forty in eight")[0]["weight"]


def two_in_one(steps=GRID["steps"], densities=GRID["densities"], importances=GRID["importances"]):
    """(densities, importances, 2) weights and the losses; the first feature has importance 1."""
    rng = np.random.default_rng(SEED)
    shape = len(densities), len(importances), GRID["restarts"]
    density = np.broadcast_to(np.array(densities)[:, None, None], shape)
    second = np.broadcast_to(np.array(importances)[None, :, None], shape)
    importance = np.stack([np.ones(shape), second], axis=-1)
    params = init_toy(2, 1, rng, shape)
    params, losses = fit(params, density, importance, steps, rng, batch=128, lr=0.02, label="two in one")
    weight, _, losses = best(params, losses, 2)
    return weight[..., 0, :], losses


def autoencode(weight, density, m=5, steps=3000, batch=512, l1=0.2, lr=0.01, restarts=6):
    """The directions (2, m) that a sparse autoencoder finds in the activations of a toy model, the best of six runs."""
    found = []
    for seed in range(restarts):
        rng = np.random.default_rng(seed)
        source = batches(density, (batch, weight.shape[1]), rng)
        start = rng.standard_normal((m, weight.shape[0]))
        params = {"w_enc": start, "b_enc": np.zeros(m), "w_dec": start.T.copy()}
        gradients = value_and_grad(lambda p, h: sae_loss(h, p["w_enc"], p["b_enc"], p["w_dec"], l1))
        optimizer, losses = Adam(params, lr), []
        for i in progress(range(steps), label=f"autoencoder {seed}"):
            optimizer.lr = lr * (1 - i / steps)
            loss, grads = gradients(params, compress(next(source), weight))
            losses.append(float(loss))
            params = optimizer.step(grads)
        found.append((np.mean(losses[-300:]), seed, params["w_dec"]))
    return min(found)[2]


@functools.cache
def read():
    """The record, its lists as arrays."""
    return {name: np.array(value) for name, value in json.loads(PATH.read_text(encoding="utf-8")).items()}


def phase_agreement():
    """The share of the models of the grid that keep the features of the cheapest strategy."""
    kept = np.abs(read()["grid_weight"]) > 0.5
    density, importance = np.meshgrid(GRID["densities"], GRID["importances"], indexing="ij")
    cheapest = np.argmin(strategy_losses(density, importance), axis=0)
    strategies = np.array([[True, False], [False, True], [True, True]])
    return float(np.mean(np.all(kept == strategies[cheapest], axis=-1)))


def main():
    """Trains everything, reports and writes PATH."""
    weight, bias, losses = five_in_two()
    grid, grid_losses = two_in_one()
    record = {
        "five_weight": weight,
        "five_bias": bias,
        "five_loss": losses,
        "many_weight": many(),
        "grid_weight": grid,
        "grid_loss": grid_losses,
        "sae": autoencode(weight[-1], FIVE["densities"][-1]),
    }
    text = json.dumps({name: np.round(value, 6).tolist() for name, value in record.items()})
    PATH.write_text(text, encoding="utf-8")
    print(
        f"{PATH.name}: {len(text):,} bytes; lengths in five_in_two {np.linalg.norm(weight, axis=1).round(2).tolist()}"
    )


if __name__ == "__main__":
    main()
