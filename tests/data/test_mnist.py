import contextlib
import functools
import gzip
import hashlib
import http.server
import os
import socket
import struct
import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.data import mnist as kb

rng = np.random.default_rng(0)
CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
IMAGES, LABELS = rng.integers(0, 256, (5, 28, 28), np.uint8), np.array([7, 2, 1, 0, 9], np.uint8)


def idx(array, shape=None):
    """The bytes of an IDX file; another shape than the array's makes a false header."""
    shape = array.shape if shape is None else shape
    magic = bytes([0, 0, CODES[array.dtype.name], len(shape)])
    return magic + struct.pack(f">{len(shape)}I", *shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_split(root, split="train", images=IMAGES, labels=LABELS, suffix=""):
    pack = gzip.compress if suffix else bytes
    names = [name + suffix for name in kb.SPLITS[split]]
    for name, array in zip(names, (images, labels), strict=True):
        (root / name).write_bytes(pack(idx(array)))
    return names


def peak(function, *args):
    tracemalloc.start()
    try:
        function(*args)
    except ValueError:
        pass
    finally:
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return used


# ---- invariants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 3, 1, 2), (0,), (2, 0, 3)])
def test_read_idx_gives_back_what_was_written(tmp_path, pack, dtype, shape):
    array = (rng.uniform(size=shape) * 100).astype(dtype)
    (tmp_path / "a").write_bytes(pack(idx(array)))
    np.testing.assert_array_equal(kb.read_idx(tmp_path / "a"), array, strict=True)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_load_mnist(tmp_path, split, suffix):
    write_split(tmp_path, split, suffix=suffix)
    digits = kb.load_mnist(tmp_path, split)
    np.testing.assert_array_equal(digits.images, (IMAGES / 255).astype(np.float32), strict=True)
    np.testing.assert_array_equal(digits.labels, LABELS.astype(np.int64), strict=True)
    assert kb.load_mnist(str(tmp_path), split, dtype=np.float64).images.dtype == np.float64


def test_gzip_is_known_by_its_content_not_by_its_name(tmp_path):
    names = write_split(tmp_path, suffix=".gz")
    for name in names:
        (tmp_path / name).rename(tmp_path / name.removesuffix(".gz"))
    assert len(kb.load_mnist(tmp_path)) == 5


def test_only_the_split_that_is_asked_for_is_needed(tmp_path):
    write_split(tmp_path, "test")
    assert len(kb.load_mnist(tmp_path, "test")) == 5
    with pytest.raises(FileNotFoundError):
        kb.load_mnist(tmp_path, "train")


def test_memory_is_that_of_the_file_whatever_the_header_says(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(idx(np.zeros(1_000_000, np.uint8)))
    assert peak(kb.read_idx, path) < 1_400_000  # the growing buffer is at most an eighth too large, and one piece
    path.write_bytes(idx(np.zeros(10, np.uint8), shape=(1 << 30,)))
    assert peak(kb.read_idx, path) < 200_000
    path.write_bytes(gzip.compress(idx(np.zeros(10, np.uint8), shape=(1 << 30,))))
    assert peak(kb.read_idx, path) < 400_000
    path.write_bytes(gzip.compress(idx(np.zeros(20_000_000, np.uint8), shape=(10,))))  # 20 kB that would be 20 MB
    assert peak(kb.read_idx, path) < 400_000


@given(st.data(), st.booleans())
def test_a_changed_file_is_refused_or_read(tmp_path_factory, draw, packed):
    data = bytearray(idx(np.arange(12, dtype=np.uint8).reshape(3, 4)))
    data = bytearray(gzip.compress(data, mtime=0)) if packed else data
    at = draw.draw(st.integers(0, len(data)))
    data[at : at + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(max_size=3))
    path = tmp_path_factory.mktemp("idx") / "a"
    path.write_bytes(data)
    try:
        complaint, size = str(path), kb.read_idx(path).nbytes
    except ValueError as error:
        complaint, size = str(error), 0
    assert complaint.startswith(str(path))
    assert size <= 1032 * len(data)  # the most that deflate can pack


# ---- by hand -----------------------------------------------------------------------------------------------------


def test_an_idx_file_by_hand(tmp_path):
    (tmp_path / "a").write_bytes(bytes.fromhex("00000b02 00000001 00000002 0100 fffe"))
    np.testing.assert_array_equal(kb.read_idx(tmp_path / "a"), np.array([[256, -2]], np.int16), strict=True)


def test_the_archives_are_the_published_ones():
    assert set(kb.ARCHIVES) == {f"{name}.gz" for names in kb.SPLITS.values() for name in names}
    assert sum(size for size, _ in kb.ARCHIVES.values()) == 11_594_722
    assert all(len(bytes.fromhex(sha256)) == 32 for _, sha256 in kb.ARCHIVES.values())
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in kb.MIRRORS)


# ---- files that are refused --------------------------------------------------------------------------------------

GOOD = idx(np.arange(6, dtype=np.uint8))
REFUSED = {
    "empty": (b"", "not an IDX file, .*found nothing"),
    "cut magic": (GOOD[:3], "not an IDX file, .*found 00 00 08"),
    "wrong magic": (b"PK\3\4" + GOOD[4:], "not an IDX file, which starts with 00 00.*found 50 4b 03 04"),
    "wrong type code": (b"\0\0\x0a\1" + GOOD[4:], "type code .08, 09, 0b, 0c, 0d, 0e.*found 00 00 0a 01"),
    "no dimensions": (b"\0\0\x08\0" + GOOD[4:], "found 00 00 08 00"),
    "65 dimensions": (b"\0\0\x08\x41" + bytes(300), "1 to 64 dimensions .*found 00 00 08 41"),
    "cut sizes": (GOOD[:6], "expected 1 sizes of 4 bytes in the header, found 2 bytes"),
    "truncated": (GOOD[:-1], r"uint8 \(6,\) is 6 bytes after the header, found 5"),
    "too long": (GOOD + b"x", r"uint8 \(6,\) is 6 bytes after the header, found more"),
    "wrong length": (idx(np.zeros(6, np.uint8), shape=(2, 4)), r"uint8 \(2, 4\) is 8 bytes after the header, found 6"),
    "absurd": (
        idx(np.zeros(6, np.uint8), shape=(2**32 - 1,) * 3),
        "expected at most 1073741824 bytes, the header says",
    ),
    "empty but absurd": (idx(np.zeros(0, np.uint8), shape=(0, *[2**32 - 1] * 3)), "expected at most"),
}
REFUSED_GZIP = {
    "cut": (gzip.compress(GOOD)[:-9], "gzip file is damaged or cut off"),
    "cut to the magic": (gzip.compress(GOOD)[:2], "gzip file is damaged or cut off"),
    "wrong checksum": (gzip.compress(GOOD)[:-8] + struct.pack("<I", zlib.crc32(GOOD) ^ 1) + b"\x0e\0\0\0", "CRC"),
    "garbage": (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 20, "gzip file is damaged or cut off"),
    "garbage after it": (gzip.compress(GOOD) + b"x" * 20, "gzip file is damaged or cut off"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files_that_are_refused(tmp_path, case, pack):
    data, reason = REFUSED[case]
    (tmp_path / "some-idx").write_bytes(pack(data))
    with pytest.raises(ValueError, match=f"some-idx: .*{reason}"):
        kb.read_idx(tmp_path / "some-idx")


@pytest.mark.parametrize("case", REFUSED_GZIP)
def test_gzip_files_that_are_refused(tmp_path, case):
    data, reason = REFUSED_GZIP[case]
    (tmp_path / "some-idx").write_bytes(data)
    with pytest.raises(ValueError, match=f"some-idx: .*{reason}"):
        kb.read_idx(tmp_path / "some-idx")


def test_the_limit_can_be_moved(tmp_path):
    (tmp_path / "a").write_bytes(GOOD)
    assert len(kb.read_idx(tmp_path / "a", max_bytes=6)) == 6
    with pytest.raises(ValueError, match="at most 5 bytes"):
        kb.read_idx(tmp_path / "a", max_bytes=5)


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (IMAGES, LABELS[:4], "images-idx3-ubyte has 5 images, .*labels-idx1-ubyte has 4 labels"),
        (IMAGES[:, :27], LABELS, r"images-idx3-ubyte: expected uint8 images \(n, 28, 28\), found uint8 \(5, 27, 28\)"),
        (IMAGES.astype(np.int16), LABELS, "images-idx3-ubyte: expected uint8 .*found int16"),
        (LABELS, LABELS, r"images-idx3-ubyte: expected uint8 images \(n, 28, 28\), found uint8 \(5,\)"),
        (IMAGES, IMAGES, r"labels-idx1-ubyte: expected uint8 labels .*found uint8 \(5, 28, 28\)"),
        (IMAGES, LABELS[:, None], r"labels-idx1-ubyte: expected uint8 labels .*found uint8 \(5, 1\)"),
        (IMAGES, LABELS + np.uint8(1), "labels-idx1-ubyte: expected uint8 labels .* from 0 to 9"),
    ],
)
def test_files_that_are_not_mnist_are_refused(tmp_path, images, labels, reason):
    write_split(tmp_path, images=images, labels=labels)
    with pytest.raises(ValueError, match=reason):
        kb.load_mnist(tmp_path)


def test_a_missing_file_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte is missing.*\.gz.*download=True.*https://"):
        kb.load_mnist(tmp_path)
    assert os.listdir(tmp_path) == []


def test_unknown_split():
    with pytest.raises(ValueError, match="'train' or 'test', got 'valid'"):
        kb.load_mnist("anywhere", "valid")


# ---- download, from a server on this machine ---------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, files, *args):
        self.files = files
        super().__init__(*args)

    def do_GET(self):
        body, length = self.files.get(self.path, (None, 0))
        if body is None:
            return self.send_error(404)
        if length == "not HTTP":
            return self.wfile.write(body)
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who has heard enough hangs up
            self.wfile.write(body)
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """A mirror at (address, files): files maps a path to (what is sent, the length that is announced)."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = {}
    with http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Handler, files)) as mirror:
        thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{mirror.server_port}/", files
        mirror.shutdown()
        thread.join()


@pytest.fixture
def archives(server, monkeypatch):
    """The mirror serves a small MNIST, and kb expects just that."""
    address, files = server
    arrays = dict(zip(kb.SPLITS["train"], (IMAGES, LABELS), strict=True))
    bodies = {f"{name}.gz": gzip.compress(idx(array)) for name, array in arrays.items()}
    files.update({f"/{name}": (body, len(body)) for name, body in bodies.items()})
    expected = {name: (len(body), hashlib.sha256(body).hexdigest()) for name, body in bodies.items()}
    monkeypatch.setattr(kb, "ARCHIVES", expected)
    monkeypatch.setattr(kb, "MIRRORS", (address,))
    return files


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_missing_files_are_fetched_once(tmp_path, archives):
    root = tmp_path / "new" / "folder"
    told = []
    digits = kb.load_mnist(root, download=True, progress=lambda *state: told.append(state))
    np.testing.assert_array_equal(digits.labels, LABELS)
    assert sorted(os.listdir(root)) == sorted(kb.ARCHIVES)
    for name, (size, _) in kb.ARCHIVES.items():
        steps = [done for who, done, total in told if (who, total) == (name, size)]
        assert steps == sorted(steps)
        assert steps[-1] == size
    archives.clear()  # the mirror is empty now
    np.testing.assert_array_equal(kb.load_mnist(root, download=True).labels, LABELS)


def test_the_bar_is_quiet_by_default_in_a_pipe(tmp_path, archives, capsys):
    kb.load_mnist(tmp_path, download=True)
    assert capsys.readouterr() == ("", "")


def test_progress_is_told_of_each_piece(tmp_path, server):
    address, files = server
    body = bytes(3 * kb.CHUNK + 5)
    files["/a"] = (body, len(body))
    told = []
    kb.download(address + "a", tmp_path / "a", len(body), hashlib.sha256(body).hexdigest(), lambda *s: told.append(s))
    assert told == [("a", min(i * kb.CHUNK, len(body)), len(body)) for i in range(1, 5)]
    assert (tmp_path / "a").read_bytes() == body


@pytest.mark.parametrize(
    ("body", "announced", "found"),
    [
        (b"right bytf", 10, "found 10 bytes, [0-9a-f]{64}"),
        (b"right byt", 9, "found 9 bytes"),
        (b"right byt", 10, "found 9 bytes"),  # the connection breaks
        (b"right bytes and more", 20, "found more bytes"),
        (b"right bytes and more", None, "found more bytes"),
        (b"", 0, "found 0 bytes"),
    ],
)
def test_what_is_not_the_file_is_refused_and_nothing_left(tmp_path, server, body, announced, found):
    address, files = server
    files["/a"] = (body, announced)
    sha256 = hashlib.sha256(b"right byte").hexdigest()
    with pytest.raises(ValueError, match=f"expected 10 bytes with SHA-256 {sha256}, {found}"):
        kb.download(address + "a", tmp_path / "a", 10, sha256)
    assert os.listdir(tmp_path) == []


def test_an_old_file_outlives_a_bad_download(tmp_path, server):
    address, files = server
    files["/a"] = (b"wrong", 5)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="SHA-256"):
        kb.download(address + "a", tmp_path / "a", 5, "0" * 64)
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_endless_answer_is_cut_off(tmp_path, server):
    address, files = server
    files["/a"] = (bytes(5_000_000), None)
    told = []
    with pytest.raises(ValueError, match="found more"):
        kb.download(address + "a", tmp_path / "a", 10, "0" * 64, lambda *state: told.append(state))
    assert told == [("a", 10, 10)]  # one piece, and nobody is told of more than there is
    assert os.listdir(tmp_path) == []


def test_every_mirror_is_tried_and_every_reason_told(tmp_path, archives, monkeypatch):
    name = kb.SPLITS["train"][0] + ".gz"
    archives["/wrong/" + name] = (b"not it", 6)
    archives["/mad/" + name] = (b"wat\r\n\r\n", "not HTTP")
    refusing = f"http://127.0.0.1:{closed_port()}/"
    bad = (refusing, *(kb.MIRRORS[0] + folder for folder in ("none/", "wrong/", "mad/")))
    monkeypatch.setattr(kb, "MIRRORS", bad)
    with pytest.raises(ConnectionError, match=r"(?s)could not be fetched:.*refused.*404.*SHA-256.*wat") as caught:
        kb.load_mnist(tmp_path, download=True)
    assert all(mirror + name in str(caught.value) for mirror in bad)
    assert os.listdir(tmp_path) == []


def test_the_second_mirror_helps_out(tmp_path, archives, monkeypatch):
    monkeypatch.setattr(kb, "MIRRORS", (f"http://127.0.0.1:{closed_port()}/", kb.MIRRORS[0] + "none/", kb.MIRRORS[0]))
    assert len(kb.load_mnist(tmp_path, download=True)) == 5
