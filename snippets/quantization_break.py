"""One large weight, and one scale for the whole matrix: everybody else has few steps left."""

import numpy as np

from kb.architecture.quantization import dequantize, quantize

rng = np.random.default_rng(0)
for largest in (4, 40):
    weight = rng.standard_normal((64, 256)).astype("float32")
    weight[0, 0] = largest
    for per in ("tensor", "channel", 32):
        codes, scale, zero_point = quantize(weight, bits=4, per=per)
        wrong = dequantize(codes, scale, zero_point) - weight
        error, at_zero = np.linalg.norm(wrong) / np.linalg.norm(weight), np.mean(codes == 0)
        print(f"largest {largest:2}, a scale per {per:7}: error {error:5.1%}, rounded to zero {at_zero:4.0%}")
        #> largest  4, a scale per tensor : error 16.7%, rounded to zero  22%
        #> largest  4, a scale per channel: error 12.8%, rounded to zero  17%
        #> largest  4, a scale per      32: error  9.8%, rounded to zero  13%
        #> largest 40, a scale per tensor : error 94.7%, rounded to zero 100%
        #> largest 40, a scale per channel: error 17.1%, rounded to zero  19%
        #> largest 40, a scale per      32: error 10.1%, rounded to zero  13%
