"""Tries to make 10,000 unit vectors in 100 dimensions perpendicular: `python -m training.johnson_lindenstrauss`.

They start at random and push each other apart, ever more sharply. No arrangement brings all pairs to 89 to 91 degrees;
this shows how far one gets. The record, a histogram of all angles before and after, goes into
training/johnson_lindenstrauss.json; the vectors themselves are not kept. About ten minutes.
"""

import functools
import json
from pathlib import Path

import numpy as np

from kb.architecture.johnson_lindenstrauss import largest_cosine, spread_step
from kb.data.progress import progress
from kb.foundations.high_dimensional_geometry import random_directions

PATH = Path(__file__).with_name("johnson_lindenstrauss.json")
N, D, SEED, STEPS, LR = 10_000, 100, 0, 200, 0.1
SHARPNESS = 40.0, 500.0  # at the start and at the end
EDGES = np.linspace(40, 140, 401)  # degrees


def start(n=N, d=D):
    """Random directions, float32."""
    return random_directions(np.random.default_rng(SEED).standard_normal((n, d), dtype=np.float32))


def spread(x, steps=STEPS, sharpness=SHARPNESS, label=""):
    """The vectors after all steps, each a little shorter and sharper than the one before; the worst of every tenth."""
    worst = []
    for i in progress(range(steps), label=label):
        done = i / steps
        if i % 10 == 0:
            worst.append(float(largest_cosine(x)))
        x = spread_step(x, sharpness[0] + done * (sharpness[1] - sharpness[0]), LR * (1 - done))
    return x, [*worst, float(largest_cosine(x))]


def describe(x, block=1000):
    """All angles between two of the vectors: a histogram, the root mean square of the cosines, the share in 89..91."""
    counts, squares, within = np.zeros(len(EDGES) - 1, int), 0.0, 0
    for a in range(0, len(x), block):
        cosine = x[a : a + block] @ x[a:].T
        pairs = cosine[np.arange(len(x) - a) > np.arange(len(cosine))[:, None]].astype(float)
        angles = np.degrees(np.arccos(pairs))
        counts += np.histogram(angles, EDGES)[0]
        squares += float(np.sum(pairs * pairs))
        within += int(np.sum(np.abs(angles - 90) <= 1))
    total = len(x) * (len(x) - 1) // 2
    return {"counts": counts.tolist(), "rms": (squares / total) ** 0.5, "within": within / total}


@functools.cache
def read():
    """The record."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def main():
    """Spreads, reports and writes PATH."""
    x = start()
    before = describe(x)
    x, worst = spread(x, label="pushing apart")
    after = describe(x)
    record = {"n": N, "d": D, "seed": SEED, "worst": worst, "before": before, "after": after}
    PATH.write_text(json.dumps(record), encoding="utf-8")
    angle = np.degrees(np.arccos([worst[0], worst[-1]]))
    print(f"largest |cos| {worst[0]:.4f} -> {worst[-1]:.4f}: {angle[0]:.1f} -> {angle[1]:.1f} degrees")
    print(f"within 89..91 degrees {before['within']:.1%} -> {after['within']:.1%} of the pairs")
    print(f"root mean square of the cosines {before['rms']:.4f} -> {after['rms']:.4f}")


if __name__ == "__main__":
    main()
