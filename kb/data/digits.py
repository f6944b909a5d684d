"""Handwritten digits that come with the project: 1,797 real images of 8 x 8 pixels, enough to train on in seconds.

They are the test part of "Optical Recognition of Handwritten Digits", the copy that scikit-learn ships: each pixel
counts the dark dots, 0 to 16, in a 4 x 4 block of a 32 x 32 scan. 13 people wrote them.

Source: E. Alpaydin, C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49, CC BY 4.0 (README.md beside this file says what was changed).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.checkpoints.safetensors import load_file

PATH = Path(__file__).with_name("digits.safetensors")
LEVELS = 16  # the largest pixel value in the file


@dataclass(frozen=True, eq=False)
class Digits:
    """Images and the digit that each of them shows.

    images (n, size, size): one floating-point number per pixel, 0 is paper and 1 is full ink
    labels (n): int64, 0 to 9
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"expected images (n, h, w) and labels (n), got {self.images.shape}, {self.labels.shape}")

    def __len__(self) -> int:
        return len(self.labels)


def load_digits(size: int = 8, dtype: type[np.floating] = np.float32) -> Digits:
    """The 1,797 digits, in the order of their file: images (1797, size, size) from 0 to 1, labels (1797).

    `size` is 8, the images as they are, or 28, the same images interpolated to the size of MNIST's: blurred
    enlargements that hold no more detail than the 8 x 8 ones.

    Raises ValueError for another size or a dtype that is not floating-point.
    """
    if size not in (8, 28):
        raise ValueError(f"size must be 8 (as recorded) or 28 (interpolated), got {size}")
    if not np.issubdtype(dtype, np.floating):
        raise ValueError(f"dtype must be floating-point, got {np.dtype(dtype)}")
    file = load_file(PATH)
    images = file["images"].astype(dtype) / LEVELS  # exact: sixteenths are binary fractions
    return Digits(images if size == 8 else resize(images, size), file["labels"].astype(np.int64))


def split(digits: Digits, held_out: int = 360, seed: int = 0) -> tuple[Digits, Digits]:
    """Two parts without a common image, (train, held-out), in which each digit has the same share.

    `held_out` is the number of images in the second part. Each part keeps the order of the original; the same seed
    gives the same parts. The same people wrote both, so the held-out part tells how well a network reads these
    writers' other digits, not how well it reads yours.

    Raises ValueError when either part would be empty.
    """
    if held_out % 1 or not 0 < held_out < len(digits):
        raise ValueError(f"held_out must be a whole number from 1 to {len(digits) - 1}, got {held_out}")
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(digits.labels, return_counts=True)
    chosen = [
        rng.permutation(np.flatnonzero(digits.labels == digit))[:share]
        for digit, share in zip(classes, _shares(counts, held_out), strict=True)
    ]
    mask = np.isin(np.arange(len(digits)), np.concatenate(chosen))
    return Digits(digits.images[~mask], digits.labels[~mask]), Digits(digits.images[mask], digits.labels[mask])


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` shared out in proportion to `counts`, in whole numbers: the largest remainders are rounded up."""
    shares, remainders = np.divmod(counts * total, counts.sum())
    rounded_up = np.argsort(-remainders, kind="stable")[: total - shares.sum()]
    return shares + np.isin(np.arange(len(counts)), rounded_up)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Bilinear interpolation: each new pixel is a weighted mean of the old pixels that surround its centre.

    images (..., h, w) -> (..., s, s)

    It separates into one small matrix for the rows and one for the columns. Like
    `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`; made for enlarging, since a smaller image
    skips pixels. Raises ValueError for images that are not floating-point, or a size or side below 1.
    """
    if images.ndim < 2 or min(images.shape[-2:]) < 1:
        raise ValueError(f"images must be (..., h, w) with at least one pixel, got {images.shape}")
    if images.dtype.kind != "f":
        raise ValueError(f"images must be floating-point, got {images.dtype}")
    rows, columns = (_interpolation(old, size).astype(images.dtype) for old in images.shape[-2:])
    return rows @ images @ columns.T


def _interpolation(old: int, new: int) -> np.ndarray:
    """The matrix (new, old) whose row i weighs the two old pixels nearest to new pixel i; each row sums to 1."""
    if new < 1:
        raise ValueError(f"size must be at least 1, got {new}")
    centres = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)  # in the old pixels' coordinates
    distance = np.abs(centres[:, None] - np.arange(old))
    return np.maximum(1 - distance, 0)
