"""Weights as small integers that share a scale: codes, bytes, and what the rounding costs."""

import numpy as np

from kb.architecture import quantization as q

weight = np.array([[1.4, -0.46, 0.09, -1.0]])
codes, scale, zero_point = q.quantize(weight, bits=4)
print(codes.tolist(), scale.round(3).tolist())
#> [[7, -2, 0, -5]] [[0.2]]
print(q.dequantize(codes, scale, zero_point).round(2).tolist())
#> [[1.4, -0.4, 0.0, -1.0]]
packed = q.pack_int4(codes)  # two codes in each byte
print([f"{byte:08b}" for byte in packed[0]], q.unpack_int4(packed).tolist())
#> ['11100111', '10110000'] [[7, -2, 0, -5]]

# A linear layer whose weights are codes: how far its output is off, in float32.
rng = np.random.default_rng(0)
weight = rng.standard_normal((64, 256)).astype("float32")
x = rng.standard_normal((100, 256)).astype("float32")
exact = x @ weight.T
for bits, per in ((8, "tensor"), (8, "channel"), (4, "tensor"), (4, "channel"), (4, 32)):
    error = np.linalg.norm(q.quantized_linear(x, *q.quantize(weight, bits, per)) - exact)
    print(f"int{bits}, a scale per {per}: {error / np.linalg.norm(exact):.1%}")
    #> int8, a scale per tensor: 0.9%
    #> int8, a scale per channel: 0.7%
    #> int4, a scale per tensor: 16.7%
    #> int4, a scale per channel: 12.7%
    #> int4, a scale per 32: 9.7%

# Integers on both sides, the scales at the end.
codes, scale, _ = q.quantize(weight)
error = np.linalg.norm(q.int8_linear(x, codes, scale) - exact)
print(f"int8 times int8: {error / np.linalg.norm(exact):.1%}")
#> int8 times int8: 1.0%

# Half precision: fp16 is finer, bf16 reaches further.
x = np.array([1.001, 70_000, 1e-8], "float32")
print(q.round_to_fp16(x), q.round_to_bf16(x))
#> [1.0009766       inf 0.       ] [1.0000000e+00 7.0144000e+04 1.0011718e-08]
