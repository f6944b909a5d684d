"""What training/unet_skips.py measured on a small U-Net with its skips and on one without."""

import json

import numpy as np

from training.unet_skips import PATH

MEASURED = json.loads(PATH.read_text(encoding="utf-8"))


def pictures(name):
    """Four digits (4, 16, 16) from -99, paper, to 99, ink: "clean", "noisy", or as denoised "with" and "without"."""
    return np.array(MEASURED["pictures"][name])


def mean_loss(name):
    """The loss averaged over the levels: "with", "without", or "cut", where skips were trained with and taken away."""
    return float(np.mean(MEASURED[name]))


def at(name, level):
    """The loss at one level."""
    return MEASURED[name][MEASURED["levels"].index(level)]
