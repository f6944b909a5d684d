"""Packs scikit-learn's copy of the digits into the file that kb ships: `python -m training.pack_digits`.

The same input gives the same bytes on every machine: the file is not compressed and holds no date.
"""

import os

import numpy as np
from sklearn.datasets import load_digits

from kb.checkpoints.safetensors import save_file
from kb.data.digits import PATH

# It travels inside the file, as the licence wants.
ATTRIBUTION = {
    "title": "Optical Recognition of Handwritten Digits (test part, 1,797 images)",
    "creators": "E. Alpaydin, C. Kaynak",
    "year": "1998",
    "source": "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49",
    "licence": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "changes": "scikit-learn's copy; numbers from text to bytes, values unchanged",
}


def pack(path: str | os.PathLike[str] = PATH) -> None:
    """Writes images (1797, 8, 8), 0 to 16, and labels (1797), both as uint8."""
    digits = load_digits()
    tensors = {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}
    save_file(tensors, path, ATTRIBUTION)


if __name__ == "__main__":
    pack()
