"""The convolutional network: what proves kb.structure.convolutional_network and the shipped weights."""

import math
import re

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import kb.structure.convolutional_network as kb
import kb.torch.structure.convolutional_network as kt
from figures import shifted_digits as measured
from kb.autograd.tensor import Tensor, value_and_grad, vjp
from kb.checkpoints import shipped
from kb.data.digits import load_digits, split
from kb.structure.layers import linear
from tests.contract import Case, contract, gives_the_same_as_torch, gpu_contract, has_the_gradients_of_torch
from training import cnn as training

TIES = np.random.default_rng(0).integers(0, 3, (2, 3, 7, 6)).astype(float)
SHAPES = {k: v.shape for k, v in kb.init_cnn(np.random.default_rng(0)).items()}
CASES = [
    Case(kb.conv2d, x=(2, 3, 6, 5), weight=(4, 3, 3, 3), bias=(4,)),
    Case(kb.conv2d, x=(3, 6, 5), weight=(4, 3, 3, 3)),
    Case(kb.conv2d, x=(2, 2, 1, 6, 5), weight=(4, 1, 2, 3), bias=(4,), padding=[0, 2]),
    Case(
        kb.conv2d, x=(2, 4, 9, 8), weight=(6, 2, 3, 2), bias=(6,), stride=[2, 1], padding=1, dilation=[1, 2], groups=2
    ),
    Case(kb.conv2d, x=(1, 3, 5, 5), weight=(6, 1, 5, 5), padding=2, groups=3),
    Case(kb.conv2d, x=(1, 2, 4, 4), weight=(3, 2, 1, 1), stride=3),
    Case(kb.max_pool2d, x=(2, 3, 6, 8), kernel_size=2),
    Case(kb.max_pool2d, x=TIES, kernel_size=3, stride=2, padding=1),
    Case(kb.max_pool2d, x=(6, 5), kernel_size=[2, 3], stride=[1, 2], padding=[1, 0]),
    Case(kb.max_pool2d, x=(2, 2, 3, 6, 5), kernel_size=5, stride=1, padding=2),
    Case(kb.avg_pool2d, x=(2, 3, 6, 8), kernel_size=2),
    Case(kb.avg_pool2d, x=(3, 7, 6), kernel_size=3, stride=2, padding=1),
    Case(kb.avg_pool2d, x=(6, 5), kernel_size=[2, 3], stride=[1, 2], padding=[1, 0]),
    Case(kb.sobel, x=(5, 6)),
    Case(kb.sobel, x=(2, 3, 5, 6)),
    Case(kb.shift, x=(2, 4, 5), down=1, right=-2),
    Case(kb.shift, x=(4, 5), down=0, right=0),
    Case(kb.shift, x=(4, 5), down=-6, right=9),
    Case(kb.as_matrix, weight=(3, 2), rows=4, cols=5),
    Case(kb.feature_maps, params=kb.init_cnn(np.random.default_rng(0), dtype="float64"), x=(3, 1, 8, 8)),
    Case(kb.cnn_logits, params=kb.init_cnn(np.random.default_rng(0), dtype="float64"), x=(3, 1, 8, 8)),
    Case(kb.cnn_logits, params=kb.init_cnn(np.random.default_rng(0), (3, 2, 4), 12, 5), x=(2, 3, 12, 12)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)
seeds = st.integers(0, 2**16)


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """cuDNN would round the factors of a float32 convolution to 10 bits (TF32)."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def by_a_plain_loop(x, weight, bias, stride, padding, dilation, groups):
    """One image (c, rows, cols), one number at a time."""
    (rows, cols), (m, g, p, q) = x.shape[1:], weight.shape
    out_rows = (rows + 2 * padding[0] - dilation[0] * (p - 1) - 1) // stride[0] + 1
    out_cols = (cols + 2 * padding[1] - dilation[1] * (q - 1) - 1) // stride[1] + 1
    out = np.zeros((m, out_rows, out_cols))
    for f, r, s in np.ndindex(*out.shape):
        total = bias[f]
        for k, i, j in np.ndindex(g, p, q):
            y = r * stride[0] + i * dilation[0] - padding[0]
            z = s * stride[1] + j * dilation[1] - padding[1]
            if 0 <= y < rows and 0 <= z < cols:
                total += weight[f, k, i, j] * x[f // (m // groups) * g + k, y, z]
        out[f, r, s] = total
    return out


@st.composite
def convolutions(draw):
    """Arguments of conv2d in which the filter fits."""
    groups, g, per_group = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pairs = {name: draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for name in ("stride", "dilation")}
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    image = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    for n, k, pad, d in zip(image, size, padding, pairs["dilation"], strict=True):
        assume(n + 2 * pad >= d * (k - 1) + 1)
    rng = np.random.default_rng(draw(seeds))
    arrays = {"x": rng.standard_normal((groups * g, *image)), "bias": rng.standard_normal(groups * per_group)}
    arrays["weight"] = rng.standard_normal((groups * per_group, g, *size))
    return {**arrays, **pairs, "padding": padding, "groups": groups}


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=100)
@given(convolutions())
def test_conv2d_is_the_plain_loop(arguments):
    """At most 2 * 3 * 3 products of normal numbers are added in another order: a hundred roundings of 10."""
    np.testing.assert_allclose(kb.conv2d(**arguments), by_a_plain_loop(**arguments), rtol=0, atol=100 * 10 * 2.3e-16)


@settings(max_examples=60)
@given(convolutions())
def test_values_and_gradients_of_any_convolution_are_those_of_torch(arguments):
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in arguments.items()}
    gives_the_same_as_torch(Case(kb.conv2d, **lists), kt)
    has_the_gradients_of_torch(Case(kb.conv2d, **lists), kt)


@settings(max_examples=60)
@given(st.data())
def test_pools_and_their_ties_are_those_of_torch(data):
    """Whole numbers tie often: the gradient has to go to the winner that torch picks."""
    size = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = [data.draw(st.integers(0, k // 2)) for k in size]
    stride = data.draw(st.one_of(st.none(), st.lists(st.integers(1, 3), min_size=2, max_size=2)))
    image = [data.draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(size, padding, strict=True)]
    x = np.random.default_rng(data.draw(seeds)).integers(-2, 3, (2, *image)).astype(float)
    for fn in (kb.max_pool2d, kb.avg_pool2d):
        case = Case(fn, x=x, kernel_size=list(size), stride=stride, padding=padding)
        gives_the_same_as_torch(case, kt)
        has_the_gradients_of_torch(case, kt)


@pytest.mark.parametrize("position", [(0, 0), (1, 1), (2, 3)])
def test_nan_and_infinity_pass_through_a_pool_as_in_torch(position):
    for value in (np.nan, np.inf, -np.inf):
        x = np.random.default_rng(0).standard_normal((4, 4))
        x[position] = value
        np.testing.assert_array_equal(kb.max_pool2d(x, 2), kt.max_pool2d(torch.tensor(x), 2).numpy())
    np.testing.assert_array_equal(kb.max_pool2d(np.full((4, 4), -np.inf), 3, 1, 1), np.full((4, 4), -np.inf))


def test_conv2d_is_scipys_correlation_and_not_its_convolution():
    x, weight = (np.random.default_rng(0).standard_normal(shape) for shape in ((9, 8), (3, 3)))
    ours = kb.conv2d(x[None], weight[None, None])[0]
    np.testing.assert_allclose(ours, scipy.signal.correlate2d(x, weight, mode="valid"), rtol=1e-12, atol=1e-12)
    flipped = kb.conv2d(x[None], weight[None, None, ::-1, ::-1])[0]
    np.testing.assert_allclose(flipped, scipy.signal.convolve2d(x, weight, mode="valid"), rtol=1e-12, atol=1e-12)
    assert np.abs(ours - flipped).max() > 1


def test_a_large_batch_image_by_image_gives_the_same(monkeypatch):
    x, weight, bias = (
        np.random.default_rng(0).standard_normal(shape) for shape in ((2, 3, 4, 6, 5), (6, 2, 3, 2), (6,))
    )

    def by_weight(weight):
        return kb.conv2d(x, weight, bias, (2, 1), 1, (1, 2), 2)

    whole, pullback = vjp(by_weight, weight)
    monkeypatch.setattr(kb, "MANY", 0)
    one_by_one, again = vjp(by_weight, weight)
    np.testing.assert_allclose(one_by_one, whole, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(again(whole), pullback(whole), rtol=1e-12, atol=1e-12)


@settings(max_examples=50)
@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 5), st.integers(0, 4), st.integers(1, 4))
def test_output_size_counts_the_positions(size, kernel, stride, padding, dilation):
    span = dilation * (kernel - 1) + 1
    starts = range(-padding, size + padding - span + 1, stride)
    assume(len(starts) > 0)
    assert kb.output_size(size, kernel, stride, padding, dilation) == len(starts)


def test_as_matrix_is_the_dense_layer_that_does_the_same():
    x, weight = (np.random.default_rng(0).standard_normal(shape) for shape in ((6, 7), (3, 2)))
    matrix = kb.as_matrix(weight, 6, 7)
    np.testing.assert_allclose(linear(x.ravel(), matrix), kb.conv2d(x[None], weight[None, None]).ravel(), atol=1e-13)
    assert np.all(np.count_nonzero(matrix, axis=1) == 6)
    assert set(np.unique(matrix)) == {0.0, *weight.ravel()}


# ---- equivariance and invariance ---------------------------------------------------------------------------------
def framed(rng, margin=3):
    """An image with nothing in its outermost pixels, so that nothing leaves the frame when it is shifted."""
    return np.pad(rng.standard_normal((2, 6, 6)), [(0, 0), (margin, margin), (margin, margin)])


def test_shift_is_scipys_shift():
    x = np.random.default_rng(0).standard_normal((5, 6))
    for down, right in ((0, 0), (1, 2), (-2, 1), (3, -4), (-1, -1), (5, 0), (0, -9)):
        expected = scipy.ndimage.shift(x, (down, right), order=0, mode="constant")
        np.testing.assert_array_equal(kb.shift(x, down, right), expected)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (2, 1)])
def test_a_convolution_is_equivariant_where_nothing_meets_the_border(down, right):
    rng = np.random.default_rng(0)
    x, weight = framed(rng), rng.standard_normal((4, 2, 3, 3))
    one = kb.conv2d(kb.shift(x, down, right), weight, padding=1)
    other = kb.shift(kb.conv2d(x, weight, padding=1), down, right)
    np.testing.assert_array_equal(one, other)


def test_at_the_border_it_is_not():
    """A full image: the shift pulls in zeros where the filter had seen pixels. Two columns differ, no others."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 6, 6)), rng.standard_normal((1, 1, 3, 3))
    gap = kb.conv2d(kb.shift(x, 0, 1), weight, padding=1) - kb.shift(kb.conv2d(x, weight, padding=1), 0, 1)
    columns = np.abs(gap).max(axis=(0, 1)) > 1e-12
    assert columns.tolist() == [True, False, False, False, False, True]


def test_pooling_follows_whole_strides_only():
    x = framed(np.random.default_rng(0))
    np.testing.assert_array_equal(kb.max_pool2d(kb.shift(x, 0, 2), 2), kb.shift(kb.max_pool2d(x, 2), 0, 1))
    half = kb.max_pool2d(kb.shift(x, 0, 1), 2)
    assert all(np.abs(half - kb.shift(kb.max_pool2d(x, 2), 0, n)).max() > 0.1 for n in (0, 1))


def test_a_pool_over_the_whole_image_is_invariant():
    x = np.abs(framed(np.random.default_rng(0)))
    for pool in (kb.max_pool2d, kb.avg_pool2d):
        np.testing.assert_allclose(pool(kb.shift(x, 2, -3), 12), pool(x, 12), rtol=1e-14)


# ---- hand-computed examples --------------------------------------------------------------------------------------
def test_one_filter_by_hand():
    x = np.array([[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]])
    weight = np.array([[[[1.0, 0], [0, -1]]]])
    assert kb.conv2d(x, weight).tolist() == [[[-4, -4], [-4, -4]]]  # 1 - 5, 2 - 6, 4 - 8, 5 - 9
    assert kb.conv2d(x, weight, np.array([10.0]), stride=2, padding=1).tolist() == [[[9, 7], [3, 6]]]
    assert kb.max_pool2d(x, 2, 1).tolist() == [[[5, 6], [8, 9]]]
    assert kb.avg_pool2d(x, 2, 1).tolist() == [[[3, 4], [6, 7]]]
    assert kb.avg_pool2d(x, 2, 2, 1).tolist() == [[[0.25, 1.25], [2.75, 7]]]  # zeros count: 1 / 4, (2 + 3) / 4


def test_sobel_on_a_step_and_a_ramp():
    step = np.where(np.arange(6) < 3, 0.0, 1.0) * np.ones((5, 1))
    right, down, strength = kb.sobel(step)
    assert right.tolist() == [[0, 4, 4, 0]] * 3
    assert not down.any()
    np.testing.assert_array_equal(strength, right)
    ramp = np.arange(6.0) * np.ones((5, 1))
    assert np.all(kb.sobel(ramp)[0] == 8)


def test_sobel_is_scipys():
    x = np.random.default_rng(0).standard_normal((7, 6))
    right, down, _ = kb.sobel(x)
    np.testing.assert_allclose(right, scipy.ndimage.sobel(x, axis=1)[1:-1, 1:-1], atol=1e-13)
    np.testing.assert_allclose(down, scipy.ndimage.sobel(x, axis=0)[1:-1, 1:-1], atol=1e-13)


def test_parameters_are_those_of_torchs_layers():
    def count(module):
        return sum(p.numel() for p in module.parameters())

    assert kb.conv_parameters(1, 8, 3) == 80 == count(torch.nn.Conv2d(1, 8, 3))
    assert kb.conv_parameters(6, 4, (3, 5), groups=2) == count(torch.nn.Conv2d(6, 4, (3, 5), groups=2))
    assert kb.dense_parameters((2, 5, 4), (3, 5, 4)) == count(torch.nn.Linear(40, 60))
    assert sum(map(math.prod, SHAPES.values())) == 3818 == count(kt.CNN())


# ---- the small network -------------------------------------------------------------------------------------------
def test_torchs_network_takes_the_weights_and_gives_the_same():
    params = shipped.digits_cnn()
    x = load_digits().images[:50, None]
    model = kt.CNN()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in params.items()}, strict=True)
    theirs = model(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(kb.cnn_logits(params, x), theirs, rtol=1e-4, atol=1e-4)


def test_the_starting_weights_are_hes():
    params = kb.init_cnn(np.random.default_rng(0), channels=(4, 64, 64))
    assert [v.shape for v in params.values()] == [(64, 4, 3, 3), (64,), (64, 64, 3, 3), (64,), (10, 1024), (10,)]
    for name, inputs in (("0.weight", 36), ("2.weight", 576), ("6.weight", 1024)):
        assert params[name].dtype == np.float32
        assert abs(params[name].std() / math.sqrt(2 / inputs) - 1) < 5 / math.sqrt(2 * params[name].size)


def test_the_shipped_network_reads_97_percent_of_the_held_out_digits():
    held_out = split(load_digits())[1]
    facts = shipped.digits_cnn_facts()
    accuracy = training.accuracy(kb.cnn_logits, shipped.digits_cnn(), held_out.images[:, None], held_out.labels)
    assert accuracy >= 0.97
    assert f"{accuracy:.4f}" == facts["held_out_accuracy"]
    assert facts["made_by"] == "python -m training.cnn"
    assert all(value.dtype == np.float32 for value in shipped.digits_cnn().values())
    assert training.PATH.stat().st_size < 60_000


def test_what_the_page_measures_on_moved_digits_is_what_torch_measures():
    images, labels = measured.held_out()
    model = kt.CNN()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in shipped.digits_cnn().items()})
    right = []
    for axis, step in ((2, 2), (2, -2), (1, 2), (1, -2)):
        moved = np.roll(images, step, axis)
        edge = [slice(None)] * 3
        edge[axis] = slice(0, step) if step > 0 else slice(step, None)
        moved[tuple(edge)] = 0
        right.append(model(torch.from_numpy(moved[:, None])).argmax(dim=1).numpy() == labels)
    assert measured.accuracy_when_moved("cnn", 2) == pytest.approx(np.mean(right), abs=1e-12)
    assert measured.change(lambda x: x, 0, 0) == 0
    assert measured.change(lambda x: x, 16, 0) == 1  # nothing is left


def test_a_moved_digit_is_moved_by_at_most_one_pixel():
    x = np.random.default_rng(0).random((200, 1, 8, 8))
    copies = [kb.shift(x, i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    out = training.moved(x, np.random.default_rng(1))
    hits = np.array([[np.array_equal(a, b) for a, b in zip(out, copy, strict=True)] for copy in copies])
    assert np.all(hits.sum(axis=0) == 1)
    assert hits.sum(axis=1).min() >= 10  # each of the nine about 22 times


def test_training_is_seeded_and_lowers_the_cost():
    (x, y), _ = training.load()
    runs = [training.fit(kb.cnn_logits, kb.init_cnn(np.random.default_rng(0)), x, y, epochs=2) for _ in range(2)]
    (params, costs), (again, _) = runs
    assert all(np.array_equal(params[name], again[name]) for name in params)
    assert np.mean(costs[-5:]) < 0.5 * np.mean(costs[:5])


def test_the_gradient_of_the_whole_network_is_torchs():
    rng = np.random.default_rng(0)
    params, x, labels = kb.init_cnn(rng, dtype="float64"), rng.random((5, 1, 8, 8)), np.array([3, 1, 4, 1, 5])
    _, ours = value_and_grad(training.cost_of(kb.cnn_logits))(params, x, labels)
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    torch.nn.functional.cross_entropy(kt.cnn_logits(theirs, torch.tensor(x)), torch.tensor(labels)).backward()
    for name in params:
        np.testing.assert_allclose(ours[name], theirs[name].grad.numpy(), rtol=1e-10, atol=1e-12)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weight": np.ones((4, 2, 3, 3))}, ["weight (4, 2, 3, 3)", "x (2, 3, 6, 5)", "g * groups = c"]),
        ({"groups": 3}, ["3 groups", "(4, 3, 3, 3)", "(2, 3, 6, 5)"]),
        ({"groups": 0}, ["0 groups"]),
        ({"stride": 0}, ["stride is 0", "at least 1"]),
        ({"padding": -1}, ["padding is -1", "at least 0"]),
        ({"padding": (1, 2, 3)}, ["padding is (1, 2, 3)", "pair"]),
        ({"dilation": 1.5}, ["dilation is 1.5"]),
        ({"dilation": (1, 3)}, ["(3, 3)", "(2, 3, 6, 5)"]),
    ],
)
def test_conv2d_refuses(arguments, words):
    good = {"x": np.ones((2, 3, 6, 5)), "weight": np.ones((4, 3, 3, 3))}
    with pytest.raises(ValueError, match=re.escape(words[0])) as caught:
        kb.conv2d(**{**good, **arguments})
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("pool", [kb.max_pool2d, kb.avg_pool2d])
def test_pools_refuse(pool):
    with pytest.raises(ValueError, match=r"padding is \(2, 2\), expected at most half of kernel_size \(3, 3\)"):
        pool(np.ones((6, 6)), 3, padding=2)
    with pytest.raises(ValueError, match=r"a window \(7, 7\).*does not fit into x padded to \(6, 6\)"):
        pool(np.ones((6, 6)), 7)
    with pytest.raises(ValueError, match="kernel_size is 0"):
        pool(np.ones((6, 6)), 0)


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_a_dense_layer_is_not_equivariant():
    """The same weights, not shared: a matrix with random entries instead of one filter in every row."""
    rng = np.random.default_rng(0)
    x = framed(rng)[0]
    shared, free = kb.as_matrix(rng.standard_normal((3, 3)), 12, 12), rng.standard_normal((100, 144))

    def gap(matrix):
        moved = (matrix @ kb.shift(x, 0, 1).ravel()).reshape(10, 10)
        return np.abs(moved - kb.shift((matrix @ x.ravel()).reshape(10, 10), 0, 1)).max()

    assert gap(shared) < 1e-12
    assert gap(free) > 1


def test_padding_with_zeros_instead_of_minus_infinity_spoils_a_maximum_of_negative_numbers():
    x = -np.ones((1, 4, 4))
    assert kb.max_pool2d(x, 3, 1, 1).max() == -1
    assert kb.max_pool2d(np.pad(x, [(0, 0), (1, 1), (1, 1)]), 3, 1).max() == 0


def test_a_shared_gradient_of_ties_would_not_be_torchs():
    """What np.max would do: the reason for _larger."""
    x = Tensor(np.zeros((2, 2)))
    kb.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[1, 0], [0, 0]]
