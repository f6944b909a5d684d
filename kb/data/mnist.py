"""MNIST, the 70,000 handwritten digits that the field was raised on: read from its IDX files, fetched if asked to.

Source: LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition,
https://doi.org/10.1109/5.726791; the IDX format: https://github.com/cvdfoundation/mnist
"""

import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np

from kb.checkpoints.files import atomic_write
from kb.data.digits import Digits
from kb.data.progress import show

Report = Callable[[str, int, int], object]  # (file name, bytes so far, bytes in all)

SPLITS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
ARCHIVES = {  # file on the mirrors: its bytes and SHA-256
    "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_BYTES = 1 << 30  # of the numbers in one IDX file, unpacked: 20 times MNIST's largest
CHUNK = 1 << 16
TIMEOUT = 30  # seconds without a byte


def load_mnist(
    root: str | os.PathLike[str],
    split: str = "train",
    download: bool = False,
    progress: Report = show,
    dtype: type[np.floating] = np.float32,
) -> Digits:
    """The 60,000 training or 10,000 test images of MNIST: images (n, 28, 28) from 0 to 1, labels (n).

    `root` is the folder of the four IDX files, as they come or with .gz; where torchvision has fetched them that is
    `MNIST/raw`. With `download=True` the missing ones of this split are fetched into it; `progress` is told of each
    piece, and by default draws a bar.

    Raises FileNotFoundError when a file is missing, ConnectionError when no mirror gives it, ValueError when a file is
    damaged or is not MNIST.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    images_path, labels_path = (_locate(Path(root), name, download, progress) for name in SPLITS[split])
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path}: expected uint8 images (n, 28, 28), found {images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.ndim != 1 or labels.max(initial=0) > 9:
        raise ValueError(f"{labels_path}: expected uint8 labels (n) from 0 to 9, found {labels.dtype} {labels.shape}")
    if len(images) != len(labels):
        raise ValueError(f"{images_path} has {len(images)} images, {labels_path} has {len(labels)} labels")
    return Digits(np.divide(images, 255, dtype=dtype), labels.astype(np.int64))


def _locate(root: Path, name: str, download: bool, progress: Report) -> Path:
    for path in (root / name, root / f"{name}.gz"):
        if path.exists():
            return path
    if download:
        return download_archive(f"{name}.gz", root, progress)
    raise FileNotFoundError(
        f"{root / name} is missing, and so is {name}.gz beside it: pass download=True to fetch it, "
        f"or put the file from {MIRRORS[0]}{name}.gz there"
    )


# ---- IDX files ---------------------------------------------------------------------------------------------------


def read_idx(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> np.ndarray:
    """The array in an IDX file, plain or gzipped, in this machine's byte order.

    Two zero bytes, a type code, the number of dimensions, then each size as a big-endian 32-bit integer, then the
    numbers. The header is not believed: what is read and kept is what the file really holds, up to `max_bytes`.

    Raises ValueError, naming the file, what was expected and what was found.
    """
    with open(path, "rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if is_gzip else open(path, "rb") as file:
            dtype, shape = _idx_header(file, path)
            count = _idx_bytes(dtype, shape, max_bytes, path)
            data = _read_at_most(file, count + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: the gzip file is damaged or cut off: {error}") from None
    if len(data) != count:
        found = "more" if len(data) > count else str(len(data))
        raise ValueError(f"{path}: {dtype.name} {shape} is {count} bytes after the header, found {found}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _idx_header(file: io.BufferedIOBase, path: str | os.PathLike[str]) -> tuple[np.dtype, tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_DTYPES or not 1 <= magic[3] <= 64:
        expected = (
            f"00 00, a type code ({', '.join(f'{code:02x}' for code in IDX_DTYPES)}), 1 to 64 dimensions (01 to 40)"
        )
        raise ValueError(f"{path}: not an IDX file, which starts with {expected}; found {magic.hex(' ') or 'nothing'}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path}: expected {magic[3]} sizes of 4 bytes in the header, found {len(sizes)} bytes")
    return np.dtype(IDX_DTYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)


def _idx_bytes(dtype: np.dtype, shape: tuple[int, ...], max_bytes: int, path: str | os.PathLike[str]) -> int:
    largest = math.prod(max(size, 1) for size in shape) * dtype.itemsize  # a size of 0 must not hide an absurd one
    if largest > max_bytes:
        raise ValueError(f"{path}: expected at most {max_bytes} bytes, the header says {dtype.name} {shape}")
    return math.prod(shape) * dtype.itemsize


def _read_at_most(file: io.BufferedIOBase, count: int) -> bytearray:
    """Up to `count` bytes, in pieces: the memory grows with what arrives, not with what was promised."""
    data = bytearray()
    while len(data) < count and (piece := file.read(min(CHUNK, count - len(data)))):
        data += piece
    return data


# ---- download ----------------------------------------------------------------------------------------------------


def download_archive(name: str, root: str | os.PathLike[str], progress: Report = show) -> Path:
    """Fetches one of MNIST's four archives into `root` (made if need be) from the first mirror that gives it whole.

    Raises ConnectionError with every mirror's reason when none does.
    """
    size, sha256 = ARCHIVES[name]
    path = Path(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for mirror in MIRRORS:
        try:
            return download(mirror + name, path, size, sha256, progress)
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"\n  {mirror}{name}: {error or type(error).__name__}")
    raise ConnectionError(f"{name} could not be fetched:{''.join(reasons)}")


def download(url: str, path: Path, size: int, sha256: str, progress: Report = show) -> Path:
    """Fetches a file that appears at `path` only when it has the expected length and SHA-256.

    Raises OSError when the server cannot be reached or refuses, ValueError when it sends something else.
    """
    digest, done = hashlib.sha256(), 0
    try:
        with urlopen(url, timeout=TIMEOUT) as response, atomic_write(path) as file:
            while piece := response.read(min(CHUNK, size + 1 - done)):  # never more than one byte too many
                done += len(piece)
                digest.update(piece)
                file.write(piece)
                progress(path.name, min(done, size), size)
            if digest.hexdigest() != sha256:
                found = f"{'more' if done > size else done} bytes, {digest.hexdigest()}"
                raise ValueError(f"expected {size} bytes with SHA-256 {sha256}, found {found}")
    except HTTPError as error:
        error.close()  # it holds the connection; newer Pythons warn when it is left open
        raise
    return path
