import dataclasses

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given
from hypothesis import strategies as st

from kb.checkpoints.safetensors import read_header
from kb.data.digits import PATH, Digits, load_digits, resize, split
from training.pack_digits import pack

rng = np.random.default_rng(0)

# ---- invariants --------------------------------------------------------------------------------------------------


def test_equal_to_scikit_learns_copy():
    theirs = sklearn.datasets.load_digits()
    ours = load_digits()
    np.testing.assert_array_equal(ours.images * 16, theirs.images)  # exact: sixteenths are binary fractions
    np.testing.assert_array_equal(ours.labels, theirs.target)


def test_the_shipped_file_is_made_again_byte_for_byte(tmp_path):
    pack(tmp_path / "digits")
    assert (tmp_path / "digits").read_bytes() == PATH.read_bytes()


def test_the_attribution_travels_in_the_file():
    metadata = read_header(PATH).metadata
    assert "Alpaydin" in metadata["creators"]
    assert "10.24432/C50P49" in metadata["source"]
    assert "CC BY 4.0" in metadata["licence"]
    readme = PATH.with_name("README.md").read_text(encoding="utf-8")
    assert all(word in readme for word in ("E. Alpaydin", "10.24432/C50P49", "CC BY 4.0", PATH.name))


@pytest.mark.parametrize("size", [8, 28])
def test_pixels_run_from_0_to_1(size):
    images = load_digits(size).images
    assert images.shape == (1797, size, size)
    assert images.min() == 0
    assert 0.99 < images.max() <= 1 + 2 * np.finfo(np.float32).eps  # a row of weights sums to 1 within rounding
    assert images.flags.c_contiguous


def test_each_call_gives_arrays_of_its_own():
    load_digits().images[:] = 7
    assert load_digits().images.max() == 1


@given(st.integers(1, 1796), st.integers(0, 2**32))
def test_the_parts_are_disjoint_complete_stratified_and_in_order(held_out, seed):
    marked = Digits(np.arange(1797.0).reshape(-1, 1, 1), load_digits().labels)  # each image holds its own index
    train, other = split(marked, held_out, seed)
    indices = [part.images.ravel().astype(int) for part in (train, other)]
    assert len(other) == held_out
    np.testing.assert_array_equal(np.sort(np.concatenate(indices)), np.arange(1797))
    for part, index in zip((train, other), indices, strict=True):
        assert (np.diff(index) > 0).all()
        np.testing.assert_array_equal(part.labels, marked.labels[index])
    shares = np.bincount(other.labels, minlength=10)
    assert (np.abs(shares - np.bincount(marked.labels) * held_out / 1797) < 1).all()


def test_the_seed_decides():
    digits = load_digits()
    (_, a), (_, b), (_, c) = split(digits), split(digits, seed=0), split(digits, seed=1)
    np.testing.assert_array_equal(a.images, b.images)
    assert (a.images != c.images).any()
    np.testing.assert_array_equal(np.bincount(a.labels), np.bincount(c.labels))


def test_seed_0_holds_out_what_it_always_did():
    """Not a proof but an alarm: the accuracies that the pages print are those of this split."""
    index = np.arange(1797.0).reshape(-1, 1, 1)
    held_out = split(Digits(index, load_digits().labels))[1].images.ravel()
    assert held_out[:8].tolist() == [5, 9, 12, 14, 16, 17, 19, 23]
    assert held_out.sum() == 326571


def test_nothing_is_done_in_place():
    digits = load_digits()
    before = digits.images.copy(), digits.labels.copy()
    split(digits)
    resize(digits.images, 28)
    np.testing.assert_array_equal(digits.images, before[0])
    np.testing.assert_array_equal(digits.labels, before[1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.labels = None


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 30))
def test_interpolation_keeps_a_constant_and_stays_within_the_old_values(h, w, size):
    np.testing.assert_allclose(resize(np.full((h, w), 3.0), size), 3, rtol=1e-15)
    images = rng.uniform(size=(2, h, w))
    out = resize(images, size)
    assert images.min() - 1e-15 <= out.min() <= out.max() <= images.max() + 1e-15
    np.testing.assert_allclose(resize(images.mT, size), out.mT, rtol=1e-14)  # rows and columns are treated alike


def test_the_old_size_changes_nothing():
    images = rng.standard_normal((3, 8, 8))
    np.testing.assert_array_equal(resize(images, 8), images)


# ---- by hand -----------------------------------------------------------------------------------------------------


def test_counts_of_each_digit():
    assert np.bincount(load_digits().labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert len(load_digits()) == 1797


def test_two_pixels_become_four():
    expected = np.array([0, 0.25, 0.75, 1])  # centres at -0.25 (clamped), 0.25, 0.75 and 1.25 (clamped)
    np.testing.assert_array_equal(resize(np.array([[0.0, 1], [0, 1]]), 4), np.tile(expected, (4, 1)))


def test_shares_are_rounded_by_the_largest_remainder():
    digits = Digits(np.zeros((10, 1, 1)), np.repeat([0, 1, 2], [5, 3, 2]))  # half of them: 2.5, 1.5, 1
    assert np.bincount(split(digits, 5)[1].labels).tolist() == [3, 1, 1]


def test_28_pixels_are_the_8_pixels_interpolated():
    small, large = load_digits(), load_digits(28)
    np.testing.assert_array_equal(large.images, resize(small.images, 28))
    np.testing.assert_array_equal(large.labels, small.labels)
    assert "interpolated" in load_digits.__doc__


# ---- dtypes ------------------------------------------------------------------------------------------------------


def test_dtypes():
    assert load_digits().images.dtype == load_digits(28).images.dtype == np.float32
    assert load_digits(28, dtype=np.float64).images.dtype == np.float64
    assert load_digits().labels.dtype == np.int64
    for dtype in (np.float16, np.float32, np.float64):
        assert resize(np.zeros((2, 2), dtype), 3).dtype == dtype
    assert all(part.images.dtype == np.float32 for part in split(load_digits()))


# ---- errors ------------------------------------------------------------------------------------------------------


def test_errors():
    digits = load_digits()
    with pytest.raises(ValueError, match=r"size must be 8 .* or 28 .*, got 16"):
        load_digits(16)
    with pytest.raises(ValueError, match="dtype must be floating-point, got int64"):
        load_digits(dtype=np.int64)
    for held_out in (0, 1797, -1, 0.2):
        with pytest.raises(ValueError, match=f"whole number from 1 to 1796, got {held_out}"):
            split(digits, held_out)
    with pytest.raises(ValueError, match=r"\(3, 8, 8\), \(2,\)"):
        Digits(digits.images[:3], digits.labels[:2])
    with pytest.raises(ValueError, match=r"\(8, 8\), \(8,\)"):
        Digits(digits.images[0], digits.labels[:8])


def test_resize_errors():
    with pytest.raises(ValueError, match="floating-point, got int64"):
        resize(np.zeros((8, 8), np.int64), 28)
    for shape in ((8,), (0, 8), (2, 8, 0)):
        with pytest.raises(ValueError, match=r"\(\.\.\., h, w\)"):
            resize(np.zeros(shape), 28)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        resize(np.zeros((8, 8)), 0)


# ---- torch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(8, 8), (5, 9), (1, 1), (28, 28)])
@pytest.mark.parametrize("size", [1, 3, 8, 28, 29])
def test_the_same_as_torch(shape, size, dtype):
    torch = pytest.importorskip("torch")
    images = rng.uniform(size=(2, *shape)).astype(dtype)
    theirs = torch.nn.functional.interpolate(
        torch.tensor(images)[None], size=(size, size), mode="bilinear", align_corners=False
    )[0]
    # torch computes centres and weights in the images' dtype: a centre near 28 is off by up to 28 eps / 2
    np.testing.assert_allclose(resize(images, size), theirs.numpy(), rtol=0, atol=4 * 28 * np.finfo(dtype).eps)
