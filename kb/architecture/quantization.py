"""Quantisation: weights as small integers that share a scale, weight = scale (code - zero point), up to rounding.

One scale for the whole matrix, for each row (what one output neuron reads) or for each group of neighbours in a row.
The finer, the less does one large weight cost the others, and the more scales there are to keep. Half precision is the
same thought with floating point: fewer bits for the fraction (fp16 and bf16) or for the exponent (fp16).

Source: Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", equation 1, https://arxiv.org/abs/1712.05877; integer matmul with one scale per row: Dettmers et al. 2022,
"LLM.int8()", section 3.1, https://arxiv.org/abs/2208.07339; bf16: Kalamkar et al. 2019, "A study of bfloat16 for deep
learning training", https://arxiv.org/abs/1905.12322
"""

import numpy as np

from kb.shapes import checked


# ---- integers ----------------------------------------------------------------------------------------------------
def code_range(bits):
    """The smallest and the largest of the integers that fit: -128..127 for 8 bits, -8..7 for 4.

    Raises ValueError for other bits than 2..8: codes are kept in int8.
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"code_range: bits is {bits}, expected 2..8")
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


@checked
def quantize(weight, bits=8, per="channel", symmetric=True):
    """The codes of a matrix of weights, and what they mean: a scale and a zero point for each part of it.

    weight (m, n) -> (m, n), (m|1, k), (m|1, k)

    per: "tensor" (k = 1, one row), "channel" (k = 1) or the length of a group, which divides n (k = n / length).
    symmetric: zero points of 0, and as many steps below 0 as above it; otherwise the codes cover what is between the
    smallest and the largest weight of the part, and 0, which always has a code of its own.
    Codes and zero points are int8. Raises ValueError for an unknown `per` or a length that does not divide n.
    """
    lowest, highest = code_range(bits)
    parts = _parts(weight, per)  # (m|1, k, whatever belongs together)
    if symmetric:
        scale = np.max(np.abs(parts), axis=-1) / highest
        scale = np.where(scale > 0, scale, 1).astype(weight.dtype)  # a part of nothing but zeros
        zero_point = np.zeros(scale.shape, np.int8)
    else:
        low, high = np.minimum(np.min(parts, axis=-1), 0), np.maximum(np.max(parts, axis=-1), 0)
        scale = (high - low) / (highest - lowest)
        scale = np.where(scale > 0, scale, 1).astype(weight.dtype)
        zero_point = np.clip(lowest - np.rint(low / scale), lowest, highest).astype(np.int8)
    codes = np.rint(parts / scale[..., None]) + zero_point[..., None]
    return np.clip(codes, lowest, highest).astype(np.int8).reshape(weight.shape), scale, zero_point


@checked
def dequantize(codes, scale, zero_point):
    """The weights that the codes stand for: scale (code - zero point), in the dtype of the scale.

    codes (m, n), scale (m|1, k), zero_point (m|1, k) -> (m, n)
    """
    k = scale.shape[-1]
    if codes.shape[-1] % k:
        raise ValueError(f"dequantize: the {k} groups of scale {scale.shape} do not divide the rows of {codes.shape}")
    steps = codes.reshape(len(codes), k, -1) - zero_point.astype(np.int16)[..., None]
    return (steps.astype(scale.dtype) * scale[..., None]).reshape(codes.shape)


@checked
def quantized_linear(x, codes, scale, zero_point, bias=None):
    """A linear layer whose weights are kept as codes: they become numbers again on the way into the product.

    x (..., n), codes (m, n), scale (m|1, k), zero_point (m|1, k), bias (m) -> (..., m)
    """
    z = x @ dequantize(codes, scale, zero_point).T
    return z if bias is None else z + bias


@checked
def int8_linear(x, codes, scale):
    """A linear layer that multiplies integers: x is quantised too, row by row, and the scales come in at the end.

    x (t, n), codes (m, n), scale (m|1, 1) -> (t, m)

    Symmetric codes of 8 bits, one scale per row of the weights (or one for all). The products of two int8 are summed up
    in int32, where they are exact for n below 130,000. Raises TypeError for codes of another dtype.
    """
    if codes.dtype != np.int8:
        raise TypeError(f"int8_linear: codes are {codes.dtype}, expected int8")
    x_codes, x_scale, _ = quantize(x, 8, "channel")
    total = x_codes.astype(np.int32) @ codes.astype(np.int32).T
    return total.astype(x.dtype) * (x_scale * scale[:, 0])


@checked
def pack_int4(codes):
    """Two codes of 4 bits in one byte: the first of each pair in the lower half, the second in the upper.

    codes (m, 2n) -> (m, n)

    Codes from -8 to 7, as two's complement; the result is uint8. Raises ValueError for a code that needs more bits.
    """
    if np.any((codes < -8) | (codes > 7)):
        raise ValueError("pack_int4: codes must lie in -8..7")
    halves = codes.astype(np.uint8) & 15
    return halves[:, 0::2] | (halves[:, 1::2] << 4)


@checked
def unpack_int4(packed):
    """The codes, int8, that pack_int4 put into bytes.

    packed (m, n) -> (m, 2n)
    """
    halves = np.stack([packed & 15, packed >> 4], axis=-1).astype(np.int8)
    return np.where(halves > 7, halves - np.int8(16), halves).reshape(len(packed), -1)


def bits_per_weight(bits, group, scale_bits=16, zero_bits=0):
    """What a weight takes up, with its share of the scale and the zero point of its group."""
    return bits + (scale_bits + zero_bits) / group


def _parts(weight, per):
    """What shares a scale, on the last axis."""
    m, n = weight.shape
    if per == "tensor":
        return weight.reshape(1, 1, m * n)
    length = n if per == "channel" else per
    if not isinstance(length, int) or length < 1 or n % length:
        raise ValueError(f'quantize: per is {per!r}, expected "tensor", "channel" or a divisor of n = {n}')
    return weight.reshape(m, n // length, length)


# ---- half precision ----------------------------------------------------------------------------------------------
@checked
def bf16_bits(x):
    """The 16 bits of a bf16: those of a float32 without the lower half, rounded to the nearest, ties to the even one.

    x (...) -> (...)

    uint16: a sign, the 8 bits of exponent that float32 has, 7 bits of fraction. float64 goes through float32.
    """
    with np.errstate(over="ignore"):
        bits = x.astype(np.float32).view(np.uint32)
    keep = (bits >> 16).astype(np.uint16)
    up = (bits + 0x7FFF + (keep & 1)) >> 16  # adds just under a half; just a half where the last kept bit is odd
    return np.where(np.isnan(x), keep | 0x40, up).astype(np.uint16)  # nan stays nan, whatever the bits cut off


@checked
def round_to_bf16(x):
    """The nearest number that bf16 can hold, in the dtype of x: beyond 3.39e38 infinity, and 2 to 3 digits.

    x (...) -> (...)
    """
    return (bf16_bits(x).astype(np.uint32) << 16).view(np.float32).astype(x.dtype)


@checked
def round_to_fp16(x):
    """The nearest number that fp16 can hold, in the dtype of x: from 65,520 on infinity, and 3 to 4 digits.

    x (...) -> (...)
    """
    with np.errstate(over="ignore"):
        return x.astype(np.float16).astype(x.dtype)


def float_range(exponent_bits, fraction_bits):
    """What a format with infinities can hold: the largest number, the smallest with all digits, the smallest above 0,
    and the gap behind 1. fp32 is (8, 23), fp16 (5, 10), bf16 (8, 7)."""
    bias = 2 ** (exponent_bits - 1) - 1
    gap = 2.0**-fraction_bits
    return (2 - gap) * 2.0**bias, 2.0 ** (1 - bias), 2.0 ** (1 - bias - fraction_bits), gap
