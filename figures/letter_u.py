"""The small U-Net's results laid out as the letter U: where each stands, what is written under it, what leads on."""

import numpy as np
from matplotlib import colormaps

from figures.neural_network import INK
from figures.skipped import MEASURED, pictures

SIZES, TOPS = {16: 2.0, 8: 1.5, 4: 1.0}, {16: 1.4, 8: 5.3, 4: 8.3}
LEFTS = {16: (2.85, 5.75, 10.1, 12.6), 8: (4.0, 6.2, 9.9, 12.1), 4: (4.4, 6.9, 9.95, 12.1)}
NAMES = {
    16: ("conv_in", "down_blocks.0.resnets.0", "up_blocks.2.resnets.0", "up_blocks.2.resnets.1"),
    8: ("down_blocks.0.down", "down_blocks.1.resnets.0", "up_blocks.1.resnets.0", "up_blocks.1.resnets.1"),
    4: ("down_blocks.1.down", "down_blocks.2.resnets.0", "up_blocks.0.resnets.0", "up_blocks.0.resnets.1"),
}
ONWARDS = (
    ((2.2, 2.4), (2.75, 2.4)),
    ((6.1, 4.1), (5.3, 5.15)),
    ((6.4, 7.4), (5.6, 8.15)),
    ((7.3, 9.9), (8.2, 10.6)),
    ((9.35, 10.4), (10.1, 9.9)),
    ((11.85, 8.2), (11.1, 7.4)),
    ((12.2, 5.2), (11.5, 4.05)),
    ((14.7, 2.4), (15.2, 2.4)),
)
MET = {name: (shape, np.array(tile)) for name, shape, tile in MEASURED["met"]}
SIGNED, GREYS = colormaps["RdBu_r"].resampled(5), INK.resampled(6)  # few colours: the page is smaller


def board():
    """All pictures as one, 16 dots per unit, (184, 280, 4)."""
    dots = np.zeros((184, 280, 4))
    _paste(dots, pictures("noisy")[2], 0.1, 1.4, 2.0, GREYS)
    _paste(dots, MET["conv_out"][1], 15.3, 1.4, 2.0, GREYS)
    _paste(dots, MET["mid_block.resnets.0"][1], 8.3, 10.2, 1.0, SIGNED)
    for side, names in NAMES.items():
        for name, x in zip(names, LEFTS[side], strict=True):
            _paste(dots, MET[name][1], x, TOPS[side], SIZES[side], SIGNED)
    return dots


def _paste(dots, image, x, y, size, cmap):
    large = np.kron(image, np.ones([round(16 * size / len(image))] * 2))
    top, left = round(16 * y), round(16 * x)
    dots[top : top + len(large), left : left + len(large)] = cmap((large + 99) / 198)


def labels():
    """(x, y, text, whether something was joined on) for each result."""
    yield 11.15, 10.7, "middle, 32 × 4 × 4", False
    for side, names in NAMES.items():
        for name, x in zip(names, LEFTS[side], strict=True):
            shape, up = MET[name][0], name.startswith("up")
            text = f"{shape[0]} × {side} × {side}"
            if up:
                text = f"{MET[name.replace('resnets', 'joined')][0][0]} → {shape[0]}"
            yield x + SIZES[side] / 2, TOPS[side] + SIZES[side] + 0.36, text, up


def across():
    """(start, end, bend) of what is kept and joined on: what was kept last is joined on first."""
    for side, (first, second, third, fourth) in LEFTS.items():
        size, top = SIZES[side], TOPS[side]
        yield (second + size + 0.1, top + size / 2), (third - 0.1, top + size / 2), 0
        yield (first + size / 2, top - 0.08), (fourth + size / 2, top - 0.08), -0.18
