"""The small networks that the project trained itself (`make train`) and ships, as flat dicts of weights."""

from pathlib import Path

import numpy as np

from kb.checkpoints.safetensors import load_file, read_header

FOLDER = Path(__file__).parent.parent / "data" / "weights"


def digits_mlp() -> dict[str, np.ndarray]:
    """The 784-16-16-10 network of sigmoids, trained with squared error on the digits interpolated to 28 x 28.

    float32, named as torch's nn.Sequential names them: "0.weight" (16, 784), "0.bias" (16), "2.weight", ...
    """
    return load_file(FOLDER / "digits_mlp.safetensors")


def digits_mlp_facts() -> dict[str, str]:
    """What was written down when it was trained: seed, sizes, held-out accuracy."""
    return dict(read_header(FOLDER / "digits_mlp.safetensors").metadata)


def digits_cnn() -> dict[str, np.ndarray]:
    """A small convolutional network, trained with cross-entropy on the digits of 8 x 8 pixels, moved at random.

    float32, named as torch's nn.Sequential names them: "0.weight" (8, 1, 3, 3), "2.weight" (16, 8, 3, 3), "6.weight"
    (10, 256), and their biases.
    """
    return load_file(FOLDER / "digits_cnn.safetensors")


def digits_cnn_facts() -> dict[str, str]:
    """What was written down when it was trained: seed, steps, held-out accuracy."""
    return dict(read_header(FOLDER / "digits_cnn.safetensors").metadata)


def digits_dense() -> dict[str, np.ndarray]:
    """A dense network of about as many parameters as `digits_cnn`, 64-50-10 with ReLU, trained in the same way."""
    return load_file(FOLDER / "digits_dense.safetensors")
