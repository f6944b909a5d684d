"""Measures samplers with a perfect network, on data of known density: `python -m training.samplers`.

The network is the exact one of figures/three_islands.py, so that every error is the sampler's own. Each method gets
the same budgets of network calls and the same 20,000 starting points. The results go into training/samplers.json.
"""

import json
from pathlib import Path

import numpy as np

from figures.three_islands import BETAS, distance, exact, islands, normal_points, shares
from kb.data.progress import progress
from kb.generation.reverse_diffusion import generate, timesteps

PATH = Path(__file__).with_name("samplers.json")
CALLS, POINTS = (5, 9, 13, 19, 29, 39, 59, 99), 20_000


def steps_for(method, calls):
    """How many steps so many calls of the network pay for: Heun's method takes two per step, and one in the last."""
    return (calls + 1) // 2 if method == "heun" else calls


def measure(method, calls, points=POINTS):
    """The distance from the true density after so many calls."""
    steps = timesteps(len(BETAS), steps_for(method, calls))
    return distance(generate(exact, normal_points(points, 1), steps, BETAS, method, np.random.default_rng(2)))


def main():
    """Measures and writes the file."""
    found = {
        method: [round(measure(method, calls), 4) for calls in progress(CALLS, label=method)]
        for method in ("ddpm", "ddim", "heun")
    }
    all_steps = generate(
        exact, normal_points(POINTS, 1), timesteps(1000, 1000), BETAS, "ddpm", np.random.default_rng(2)
    )
    found["ddpm_1000"] = round(distance(all_steps), 4)
    found["shares_ddpm_1000"] = [round(float(share), 4) for share in shares(all_steps)]
    found["exact"] = round(distance(islands(POINTS, 3)), 4)
    PATH.write_text(json.dumps({"calls": CALLS, "points": POINTS, **found}, indent=1) + "\n", encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
