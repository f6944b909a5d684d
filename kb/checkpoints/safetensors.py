"""Weights as safetensors: a JSON header that says where each tensor lies, then the tensors' bytes, and nothing to run.

    8 bytes    N, the length of the header, unsigned little-endian
    N bytes    {"wte.weight": {"dtype": "F32", "shape": [50257, 768], "data_offsets": [0, 154389504]}, ...}
    the rest   the numbers, row-major and little-endian; data_offsets count from here

The tensors follow one another without hole or overlap up to the end of the file, so reading takes no more memory than
the file has bytes (BF16 twice that, see `load_file`). A file is judged before any of its numbers is read.

Source: https://huggingface.co/docs/safetensors/index#format
"""

import io
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from kb.checkpoints.files import atomic_write

MAX_HEADER = 100_000_000  # bytes, the limit of the reference implementation
MAX_COUNT = 2**63 - 1  # NumPy counts bytes in a signed 64-bit integer
MAX_DIMENSIONS = 64  # of NumPy
FIELDS = {"dtype", "shape", "data_offsets"}
HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON can spell half a surrogate pair, UTF-8 cannot

# In the order in which the reference implementation writes them: the widest first, so that each tensor is aligned.
DTYPES: dict[str, np.dtype] = {
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "BF16": np.dtype("<u2"),  # as stored: the upper half of a float32, a type that NumPy does not have
    "F16": np.dtype("<f2"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype.str: name for name, dtype in DTYPES.items() if name != "BF16"}
RANK = {name: rank for rank, name in enumerate(DTYPES)}


@dataclass(frozen=True)
class Entry:
    """One line of the header: the tensor fills the bytes `start` to `stop` of the data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """What a file holds, in the order of its header, which is seldom the order of the layers."""

    tensors: dict[str, Entry]
    metadata: dict[str, str]
    data_start: int  # where in the file the data begins


# ---- reading -----------------------------------------------------------------------------------------------------


def read_header(path: str | os.PathLike[str]) -> Header:
    """The names, dtypes and shapes in a file, checked against its size, without reading any tensor.

    Raises ValueError, naming the file and the reason, when the file is not a whole safetensors file.
    """
    with _naming(path), open(path, "rb") as file:
        return _header(file)


def load_file(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Every tensor of a file by its name, each in an array of its own: the file may be replaced afterwards.

    BF16 becomes float32, exactly (each bfloat16 number is a float32 number), in twice the bytes; the other dtypes
    stay what they are. Parsing takes up to some 30 times the bytes of the header, which are few in a real file.

    Raises ValueError, naming the file and the reason, when the file is not a whole safetensors file.
    """
    with _naming(path), open(path, "rb") as file:
        return _tensors(file)


def load(data: bytes) -> dict[str, np.ndarray]:
    """`load_file` of a file that is already in memory; the arrays are copies."""
    with _naming("safetensors bytes"):
        return _tensors(io.BytesIO(data))


def _tensors(file: io.BufferedIOBase) -> dict[str, np.ndarray]:
    header = _header(file)
    return {name: _tensor(file, header.data_start, name, entry) for name, entry in header.tensors.items()}


def _tensor(file: io.BufferedIOBase, data_start: int, name: str, entry: Entry) -> np.ndarray:
    array = np.empty(entry.shape, DTYPES[entry.dtype])
    file.seek(data_start + entry.start)
    _require(file.readinto(array.data) == array.nbytes, f"the file ended inside tensor {_show(name)}")
    if entry.dtype == "BF16":
        return np.left_shift(array.ravel(), 16, dtype=np.dtype("<u4")).view("<f4").reshape(entry.shape)
    if entry.dtype == "BOOL":
        _require(array.view(np.uint8).max(initial=0) <= 1, f"tensor {_show(name)} is BOOL, but not all 0 or 1")
    return array


def _header(file: io.BufferedIOBase) -> Header:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    _require(size >= 8, f"{size} bytes, but the length of the header alone takes 8")
    length = int.from_bytes(file.read(8), "little")
    _require(length <= MAX_HEADER, f"a header of {length} bytes is over the limit of {MAX_HEADER}")
    _require(8 + length <= size, f"a header of {length} bytes does not fit in a file of {size} bytes")
    tensors, metadata = _parse(file.read(length).decode("utf-8"))
    _check_layout(tensors, size - 8 - length)
    return Header(tensors, metadata, 8 + length)


def _parse(text: str) -> tuple[dict[str, Entry], dict[str, str]]:
    _require(text.startswith("{"), f"the header must be a JSON object, found {_show(text[:20])}")
    header = json.loads(text, object_pairs_hook=_no_duplicates)
    metadata = header.pop("__metadata__", None)
    return {name: _entry(name, fields) for name, fields in header.items()}, _text_to_text(metadata)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        _require(key not in result, f"the header has the key {_show(key)} twice")
        result[key] = value
    return result


def _text_to_text(metadata: Any) -> dict[str, str]:
    metadata = {} if metadata is None else metadata
    fits = isinstance(metadata, Mapping) and all(_is_text(x) for pair in metadata.items() for x in pair)
    _require(fits, f"__metadata__ must map text to text, found {_show(metadata)}")
    return dict(metadata)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not HALF_PAIR.search(value)


def _entry(name: str, fields: Any) -> Entry:
    _require(_is_text(name), f"a tensor's name must be Unicode text, found {_show(name)}")
    fits = isinstance(fields, dict) and fields.keys() == FIELDS
    _require(fits, f"tensor {_show(name)} must have dtype, shape and data_offsets, found {_show(fields)}")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    known = isinstance(dtype, str) and dtype in DTYPES
    _require(known, f"tensor {_show(name)} has the dtype {_show(dtype)}, expected one of {', '.join(DTYPES)}")
    fits = _are_counts(shape) and len(shape) <= MAX_DIMENSIONS
    _require(fits, f"tensor {_show(name)} must have a shape of up to {MAX_DIMENSIONS} sizes, found {_show(shape)}")
    fits = _are_counts(offsets) and len(offsets) == 2 and offsets[0] <= offsets[1]
    _require(fits, f"tensor {_show(name)} must have data_offsets [start, stop], found {_show(offsets)}")
    _check_bytes(name, dtype, shape, offsets[1] - offsets[0])
    return Entry(dtype, tuple(shape), offsets[0], offsets[1])


def _are_counts(values: Any) -> bool:
    """A list of integers from 0 to 2^63 - 1: true is no integer here, though Python thinks so."""
    return isinstance(values, list) and all(type(x) is int and 0 <= x <= MAX_COUNT for x in values)


def _check_bytes(name: str, dtype: str, shape: list[int], found: int) -> None:
    width = DTYPES[dtype].itemsize
    largest = math.prod(max(size, 1) for size in shape) * width  # NumPy wants even an empty shape to be addressable
    _require(largest <= MAX_COUNT, f"tensor {_show(name)} is too large for an array: shape {shape}")
    needed = math.prod(shape) * width
    _require(needed == found, f"tensor {_show(name)}: {dtype} {shape} is {needed} bytes, its data_offsets hold {found}")


def _check_layout(tensors: dict[str, Entry], size: int) -> None:
    """The tensors must tile the data: each starts where the one before it stops, and the last stops at the end."""
    end = 0
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)):
        fault = "overlaps the one before it" if entry.start < end else "leaves a hole before it"
        _require(entry.start == end, f"tensor {_show(name)} {fault}: it starts at {entry.start}, expected {end}")
        end = entry.stop
    _require(end == size, f"the header describes {end} bytes of data, the file has {size}")


# ---- writing -----------------------------------------------------------------------------------------------------


def save_file(
    tensors: Mapping[str, np.ndarray], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes named arrays to a file, whole or not at all; the same arrays always give the same bytes.

    Any memory layout and byte order is taken: what is stored is row-major and little-endian. `metadata` maps text to
    text and says what the weights are. The folder must exist.

    Raises ValueError, naming the file and the reason, for a name, dtype or metadata that the format cannot hold.
    """
    with _naming(path):
        pieces = _pieces(tensors, metadata)
        with atomic_write(path) as file:
            for piece in pieces:
                file.write(piece)


def save(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes that `save_file` would write."""
    with _naming("safetensors bytes"):
        return b"".join(_pieces(tensors, metadata))


def _pieces(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None) -> Iterator[Any]:
    """The header, checked at once, then one tensor after the other, made contiguous only when its turn comes."""
    dtypes = {name: _dtype(name, array) for name, array in tensors.items()}
    order = sorted(tensors, key=lambda name: (RANK[dtypes[name]], name))
    header: dict[str, Any] = {"__metadata__": dict(sorted(_text_to_text(metadata).items()))} if metadata else {}
    end = 0
    for name in order:
        start, end = end, end + tensors[name].nbytes
        header[name] = {"dtype": dtypes[name], "shape": tensors[name].shape, "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)  # so that the data starts at a multiple of 8
    _require(len(text) <= MAX_HEADER, f"a header of {len(text)} bytes is over the limit of {MAX_HEADER}")
    arrays = (np.ascontiguousarray(tensors[name], DTYPES[dtypes[name]]) for name in order)
    return _chain(len(text).to_bytes(8, "little") + text, arrays)


def _chain(first: bytes, rest: Iterator[np.ndarray]) -> Iterator[Any]:
    yield first
    yield from rest


def _dtype(name: Any, array: Any) -> str:
    _require(_is_text(name), f"a tensor's name must be Unicode text, found {_show(name)}")
    _require(name != "__metadata__", "no tensor can be called __metadata__: the format keeps that name for itself")
    _require(isinstance(array, np.ndarray), f"tensor {_show(name)} must be a NumPy array, found {type(array).__name__}")
    dtype = NAMES.get(array.dtype.newbyteorder("<").str)
    _require(dtype, f"tensor {_show(name)} has the dtype {array.dtype}, which safetensors cannot hold")
    return str(dtype)


# ---- messages ----------------------------------------------------------------------------------------------------


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever is wrong inside the block is reported as a ValueError that names the file."""
    try:
        yield
    except (ValueError, RecursionError) as error:  # the latter from JSON nested by the thousand
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _require(condition: Any, reason: str) -> None:
    if not condition:
        raise ValueError(reason)


def _show(value: Any) -> str:
    """At most 200 characters of a value from the file: a message stays readable whatever the file holds."""
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
