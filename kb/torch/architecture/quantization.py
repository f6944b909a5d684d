"""Torch twin of `kb.architecture.quantization`: the same names and arguments; runs where its tensors live.

torch's own quantised tensors (`torch.quantize_per_tensor`) are on their way out of torch; the tests compare with them.
"""

import torch
from torch.nn import functional as F

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "code_range": "two integers; there is nothing for torch to compute",
    "bits_per_weight": "counts; there is nothing for torch to compute",
    "float_range": "torch.finfo knows its own formats",
}


@checked
def quantize(weight, bits=8, per="channel", symmetric=True):
    """The codes of a matrix of weights, a scale and a zero point for each part of it.

    weight (m, n) -> (m, n), (m|1, k), (m|1, k)
    """
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    m, n = weight.shape
    length = {"tensor": m * n, "channel": n}.get(per, per)
    parts = weight.reshape(1 if per == "tensor" else m, -1, length)
    if symmetric:
        scale = parts.abs().amax(-1) / highest
        scale = torch.where(scale > 0, scale, 1)
        zero_point = torch.zeros_like(scale)
    else:
        low, high = parts.amin(-1).clamp(max=0), parts.amax(-1).clamp(min=0)
        scale = (high - low) / (highest - lowest)
        scale = torch.where(scale > 0, scale, 1)
        zero_point = (lowest - torch.round(low / scale)).clamp(lowest, highest)
    codes = (torch.round(parts / scale[..., None]) + zero_point[..., None]).clamp(lowest, highest)
    return codes.to(torch.int8).reshape(weight.shape), scale, zero_point.to(torch.int8)


@checked
def dequantize(codes, scale, zero_point):
    """The weights that the codes stand for.

    codes (m, n), scale (m|1, k), zero_point (m|1, k) -> (m, n)
    """
    steps = codes.reshape(len(codes), scale.shape[-1], -1).to(scale.dtype) - zero_point[..., None]
    return (steps * scale[..., None]).reshape(codes.shape)


@checked
def quantized_linear(x, codes, scale, zero_point, bias=None):
    """A linear layer whose weights are kept as codes.

    x (..., n), codes (m, n), scale (m|1, k), zero_point (m|1, k), bias (m) -> (..., m)
    """
    return F.linear(x, dequantize(codes, scale, zero_point), bias)


@checked
def int8_linear(x, codes, scale):
    """A linear layer that multiplies integers.

    x (t, n), codes (m, n), scale (m|1, 1) -> (t, m)

    Whole numbers in float64, where their sums are exact too; the GPU's int8 units ask for sizes divisible by 8 and are
    reached through torch._int_mm.
    """
    x_codes, x_scale, _ = quantize(x, 8, "channel")
    return (x_codes.double() @ codes.double().mT).to(x.dtype) * (x_scale * scale[:, 0])


@checked
def pack_int4(codes):
    """Two codes of 4 bits in one byte.

    codes (m, 2n) -> (m, n)
    """
    halves = codes.to(torch.uint8) & 15
    return halves[:, 0::2] | (halves[:, 1::2] << 4)


@checked
def unpack_int4(packed):
    """The codes that pack_int4 put into bytes.

    packed (m, n) -> (m, 2n)
    """
    halves = torch.stack([packed & 15, packed >> 4], -1).to(torch.int8)
    return torch.where(halves > 7, halves - 16, halves).reshape(len(packed), -1)


@checked
def bf16_bits(x):
    """The 16 bits of a bf16.

    x (...) -> (...)

    torch chooses other bits than NumPy for nan; both are nan.
    """
    return x.bfloat16().view(torch.uint16)


@checked
def round_to_bf16(x):
    """The nearest number that bf16 can hold.

    x (...) -> (...)
    """
    return x.bfloat16().to(x.dtype)


@checked
def round_to_fp16(x):
    """The nearest number that fp16 can hold.

    x (...) -> (...)
    """
    return x.half().to(x.dtype)
