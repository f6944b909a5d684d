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
        error = np.linalg.norm(wrong) / np.linalg.norm(weight)
        print(f"{largest:2} per {per:7}: error {error:5.1%}, {np.mean(codes == 0):4.0%} become 0")
        #>  4 per tensor : error 16.7%,  22% become 0
        #>  4 per channel: error 12.8%,  17% become 0
        #>  4 per      32: error  9.8%,  13% become 0
        #> 40 per tensor : error 94.7%, 100% become 0
        #> 40 per channel: error 17.1%,  19% become 0
        #> 40 per      32: error 10.1%,  13% become 0
