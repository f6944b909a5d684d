"""Three GPTs of different sizes on the same text: `python -m training.scaling`, about two minutes of one core.

Only the width and the number of blocks differ: text, batches, steps and learning rate are the same. How far each has
come on the held-out stories is written to PATH.
"""

import dataclasses
import json
from pathlib import Path

from kb.architecture.transformer import count_parameters
from training import gpt

PATH = Path(__file__).with_name("scaling.json")
SIZES = [(1, 16), (2, 32), (3, 64)]  # blocks, width
STEPS, BATCH_SIZE = 600, 4
HEADS = 4


def config(blocks, width):
    """The shipped model's, in another size."""
    return dataclasses.replace(gpt.CONFIG, n_layer=blocks, n_embd=width, n_head=HEADS)


def run(blocks, width, steps=STEPS):
    """How many weights, the losses of all batches, and [step, held-out loss] every 100 steps."""
    sizes = config(blocks, width)
    _, losses, looks = gpt.train(sizes, gpt.batches(steps, BATCH_SIZE), every=100)
    return {
        "blocks": blocks,
        "width": width,
        "parameters": count_parameters(sizes),
        "losses": [round(loss, 4) for loss in losses],
        "held_out": [[step, round(loss, 4)] for step, loss in looks],
    }


def main():
    """Runs all sizes and writes PATH."""
    PATH.write_text(json.dumps([run(*size) for size in SIZES]) + "\n", encoding="utf-8")


def read():
    """What was recorded, the smallest first."""
    return json.loads(PATH.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
