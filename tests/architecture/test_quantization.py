"""Quantisation: what proves kb.architecture.quantization."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.ao.quantization import MinMaxObserver, PerChannelMinMaxObserver

from kb.architecture import quantization as kb
from kb.torch.architecture import quantization as kt
from tests.contract import Case, contract, gpu_contract

rng = np.random.default_rng(0)
CODES = rng.integers(-8, 8, (3, 8)).astype(np.int8)
ZEROS = {k: rng.integers(-8, 8, (3, k)).astype(np.int8) for k in (1, 2)}
WIDE = rng.integers(-127, 128, (5, 8)).astype(np.int8)
CASES = [
    Case(kb.quantize, differentiable=False, weight=(3, 8)),
    *(
        Case(kb.quantize, differentiable=False, weight=(3, 8), bits=bits, per=per, symmetric=symmetric)
        for bits, per, symmetric in ((8, "tensor", True), (4, 4, True), (4, "channel", False), (8, 2, False))
    ),
    Case(kb.quantize, differentiable=False, weight=np.zeros((2, 4)), symmetric=False),
    Case(kb.dequantize, differentiable=False, codes=CODES, scale=(3, 2), zero_point=ZEROS[2]),
    Case(kb.dequantize, differentiable=False, codes=CODES, scale=(1, 1), zero_point=ZEROS[1][:1]),
    Case(
        kb.quantized_linear,
        differentiable=["x", "bias"],
        x=(2, 4, 8),
        codes=CODES,
        scale=(1, 2),
        zero_point=ZEROS[2][:1],
        bias=(3,),
    ),
    Case(kb.quantized_linear, differentiable=["x"], x=(8,), codes=CODES, scale=(3, 2), zero_point=ZEROS[2]),
    Case(kb.int8_linear, differentiable=False, x=(4, 8), codes=WIDE, scale=np.abs(rng.standard_normal((5, 1)))),
    Case(kb.int8_linear, differentiable=False, x=(4, 8), codes=WIDE, scale=np.array([[0.01]])),
    Case(kb.pack_int4, differentiable=False, codes=CODES),
    Case(kb.unpack_int4, differentiable=False, packed=rng.integers(0, 256, (3, 4)).astype(np.uint8)),
    Case(kb.bf16_bits, differentiable=False, x=(2, 50)),
    Case(kb.round_to_bf16, differentiable=False, x=(2, 50)),
    Case(kb.round_to_fp16, differentiable=False, x=(2, 50)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def matrix(m=6, n=32, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((m, n)).astype(dtype)


# ---- torch's quantised tensors -----------------------------------------------------------------------------------
def of_torch(make):
    """torch's own codes; it says that its quantised tensors will go, which is no concern of an oracle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make().int_repr().numpy()


@pytest.mark.parametrize("symmetric", [True, False])
def test_one_scale_for_all_gives_the_codes_of_quantize_per_tensor(symmetric):
    weight = matrix(40, 50)
    codes, scale, zero = kb.quantize(weight, per="tensor", symmetric=symmetric)
    s, z = float(scale[0, 0]), int(zero[0, 0])
    theirs = of_torch(lambda: torch.quantize_per_tensor(torch.tensor(weight), s, z, torch.qint8))
    np.testing.assert_array_equal(codes, theirs)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_scale_for_each_row_gives_the_codes_of_quantize_per_channel(symmetric):
    weight = matrix(40, 50) * np.linspace(0.1, 9, 40, dtype=np.float32)[:, None]
    codes, scale, zero = kb.quantize(weight, symmetric=symmetric)
    s, z = torch.tensor(scale[:, 0]), torch.tensor(zero[:, 0].astype(np.int64))
    theirs = of_torch(lambda: torch.quantize_per_channel(torch.tensor(weight), s, z, 0, torch.qint8))
    np.testing.assert_array_equal(codes, theirs)


def test_scale_and_zero_point_are_those_of_torchs_observers():
    weight = matrix(7, 64) + np.float32(0.7)
    for per, observer in (
        ("tensor", MinMaxObserver(dtype=torch.qint8, qscheme=torch.per_tensor_affine)),
        ("channel", PerChannelMinMaxObserver(0, dtype=torch.qint8, qscheme=torch.per_channel_affine)),
    ):
        observer(torch.tensor(weight))
        scale, zero = observer.calculate_qparams()
        _, ours, our_zero = kb.quantize(weight, per=per, symmetric=False)
        np.testing.assert_allclose(ours[:, 0], scale, rtol=1e-6)
        np.testing.assert_array_equal(our_zero[:, 0], zero)


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=60)
@given(st.integers(2, 8), st.sampled_from(["tensor", "channel", 4, 8]), st.booleans(), st.integers(0, 99))
def test_no_weight_moves_by_more_than_half_a_step(bits, per, symmetric, seed):
    """With a zero point the rounding of the zero point may cut the ends off by another half step."""
    weight = matrix(5, 16, seed, np.float64) * np.logspace(-3, 3, 5)[:, None]
    codes, scale, zero = kb.quantize(weight, bits, per, symmetric)
    low, high = kb.code_range(bits)
    assert codes.min() >= low
    assert codes.max() <= high
    step = np.repeat(np.broadcast_to(scale, (5, scale.shape[1])), 16 // scale.shape[1], axis=1)
    error = np.abs(kb.dequantize(codes, scale, zero) - weight)
    assert np.all(error <= step * (0.5 if symmetric else 1.0) * (1 + 1e-9))


def test_zero_stays_zero():
    weight = np.array([[0.0, 0.3, 5.0, 0.0], [-2.0, 0.0, -1.0, 0.0]], np.float32)
    for symmetric in (True, False):
        for bits in (4, 8):
            again = kb.dequantize(*kb.quantize(weight, bits, symmetric=symmetric))
            assert (again[weight == 0] == 0).all()


def test_with_one_large_weight_finer_scales_have_smaller_errors():
    weight = matrix(8, 64)
    weight[3, 5] = 40.0  # one large weight
    errors = [
        np.abs(kb.dequantize(*kb.quantize(weight, 4, per)) - weight).mean() for per in ("tensor", "channel", 32, 8)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 3 * errors[1]


def test_the_error_of_random_weights_is_that_of_a_uniform_rounding():
    """An error between -step / 2 and step / 2 has standard deviation step / sqrt(12); 100,000 weights: 1 %."""
    weight = matrix(100, 1000, dtype=np.float64)
    codes, scale, zero = kb.quantize(weight, 8, "tensor")
    error = kb.dequantize(codes, scale, zero) - weight
    assert error.std() == pytest.approx(scale[0, 0] / math.sqrt(12), rel=0.01)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 99))
def test_packing_comes_back(m, n, seed):
    codes = np.random.default_rng(seed).integers(-8, 8, (m, 2 * n)).astype(np.int8)
    packed = kb.pack_int4(codes)
    assert packed.nbytes * 2 == codes.nbytes
    again = kb.unpack_int4(packed)
    assert again.dtype == np.int8
    np.testing.assert_array_equal(again, codes)


def test_the_integer_product_is_exact():
    """Against Python's integers; the largest codes, 127 x 127 summed 1,000 times, would overflow int16 and float16."""
    x, codes = np.full((1, 1000), 3.0), np.full((2, 1000), 127, np.int8)
    out = kb.int8_linear(x, codes, np.array([[1.0]]))
    np.testing.assert_allclose(out, (127 * 127 * 1000) * (3.0 / 127), rtol=1e-15)


def test_the_integer_product_is_near_the_real_one():
    """Both factors err by up to half a step: relative to the norms about 1 / (127 sqrt(12)) times peak over rms."""
    x, weight = matrix(20, 256, 1), matrix(30, 256, 2)
    codes, scale, _ = kb.quantize(weight)
    out, real = kb.int8_linear(x, codes, scale), x @ weight.T
    assert np.linalg.norm(out - real) < 0.015 * np.linalg.norm(real)


# ---- hand-computed examples --------------------------------------------------------------------------------------
def test_four_weights_by_hand():
    """int4, symmetric: 1.4 is 7 steps of 0.2. -0.5 / 0.2 = -2.5 goes to the even -2, 0.09 to 0, -1 to -5."""
    codes, scale, zero = kb.quantize(np.array([[1.4, -0.5, 0.09, -1.0]]), bits=4)
    np.testing.assert_allclose(scale, [[0.2]])
    np.testing.assert_array_equal(codes, [[7, -2, 0, -5]])
    np.testing.assert_array_equal(zero, [[0]])
    np.testing.assert_allclose(kb.dequantize(codes, scale, zero), [[1.4, -0.4, 0, -1.0]])
    np.testing.assert_array_equal(kb.pack_int4(codes), [[0xE7, 0xB0]])  # -2 is 0xE, -5 is 0xB


def test_a_zero_point_by_hand():
    """0..3 in 4 bits: steps of 0.2, and 0 is at the lowest code, -8."""
    codes, scale, zero = kb.quantize(np.array([[0.0, 1.0, 3.0, 2.0]]), bits=4, symmetric=False)
    np.testing.assert_allclose(scale, [[0.2]])
    np.testing.assert_array_equal(zero, [[-8]])
    np.testing.assert_array_equal(codes, [[-8, -3, 7, 2]])


def test_sizes():
    assert kb.bits_per_weight(4, 32) == 4.5
    assert kb.bits_per_weight(4, 128, zero_bits=4) == 4.15625


# ---- half precision ----------------------------------------------------------------------------------------------
def every_kind_of_float():
    """Ties and their neighbours at every exponent, subnormals, infinities, the largest numbers, and random bits."""
    top = np.arange(0, 1 << 16, 37, dtype=np.uint32) << 16
    ties = np.concatenate([top | low for low in (0x7FFF, 0x8000, 0x8001, 0xFFFF, 0)])
    extremes = np.array([0x7F7FFFFF, 0x7F7F8000, 0x7F7F7FFF, 0x7F800000, 0xFF800000, 1, 0x8000, 0x8001], np.uint32)
    random = np.random.default_rng(0).integers(0, 1 << 32, 20_000, dtype=np.uint32)
    return np.concatenate([ties, extremes, random]).view(np.float32)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(kb.round_to_bf16, torch.bfloat16), (kb.round_to_fp16, torch.float16)], ids=["bf16", "fp16"]
)
def test_rounding_is_torchs_cast(ours, theirs):
    x = every_kind_of_float()
    expected = torch.tensor(x).to(theirs).float().numpy()
    np.testing.assert_array_equal(ours(x), expected)  # nan equals nan here
    assert np.isnan(expected).sum() > 50
    np.testing.assert_array_equal(np.signbit(ours(x[x == 0])), np.signbit(x[x == 0]))


def test_the_bits_are_torchs_where_it_is_a_number():
    x = every_kind_of_float()
    x = x[~np.isnan(x)]
    np.testing.assert_array_equal(kb.bf16_bits(x), torch.tensor(x).bfloat16().view(torch.uint16).numpy())


def test_nan_stays_nan_even_where_its_bits_are_cut_off():
    """0x7F800001 without its lower half would be infinity; 0x7FFFFFFF plus a half would become -0."""
    x = np.array([0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF], np.uint32).view(np.float32)
    assert np.isnan(kb.round_to_bf16(x)).all()


def test_ties_go_to_the_even_neighbour():
    """bf16 keeps 7 bits of fraction: behind 1 the steps are 1/128."""
    step = 2.0**-7
    x = np.array([1 + 0.5 * step, 1 + 1.5 * step, 1 + 0.51 * step], np.float32)
    np.testing.assert_array_equal(kb.round_to_bf16(x), [1, 1 + 2 * step, 1 + step])


def test_ranges_are_those_that_torch_knows():
    for bits, dtype in (((8, 23), torch.float32), ((5, 10), torch.float16), ((8, 7), torch.bfloat16)):
        info = torch.finfo(dtype)
        smallest = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
        assert kb.float_range(*bits) == (info.max, info.smallest_normal, smallest, info.eps)


# ---- error messages ----------------------------------------------------------------------------------------------
def test_errors():
    with pytest.raises(ValueError, match=r"bits is 9, expected 2\.\.8"):
        kb.quantize(matrix(), bits=9)
    for per in (5, "row", 0, 2.0):
        with pytest.raises(ValueError, match=r'per is .*, expected "tensor", "channel" or a divisor of n = 32'):
            kb.quantize(matrix(), per=per)
    with pytest.raises(ValueError, match=r"the 3 groups of scale \(3, 3\) do not divide the rows of \(3, 8\)"):
        kb.dequantize(CODES, np.ones((3, 3)), np.zeros((3, 3), np.int8))
    with pytest.raises(ValueError, match=r"-8\.\.7"):
        kb.pack_int4(np.array([[8, 0]], np.int8))
    with pytest.raises(TypeError, match="codes are int32, expected int8"):
        kb.int8_linear(matrix(6, 8), CODES.astype(np.int32), np.ones((3, 1)))


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_cutting_off_instead_of_rounding_doubles_the_error_and_shifts_it():
    weight = matrix(50, 200, dtype=np.float64)
    codes, scale, zero = kb.quantize(weight, 8, "tensor")
    cut = np.floor(weight / scale) * scale - weight
    rounded = kb.dequantize(codes, scale, zero) - weight
    assert abs(rounded.mean()) < 0.02 * scale[0, 0]
    assert cut.mean() == pytest.approx(-scale[0, 0] / 2, rel=0.02)
