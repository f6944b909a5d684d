"""Two convolutions with no ReLU between them are one: the same results from a single 5 x 5 filter."""

import numpy as np

from kb.structure.convolutional_network import conv2d

rng = np.random.default_rng(0)
x, first, second = (rng.standard_normal((1, 1, n, n)) for n in (12, 3, 3))
both = conv2d(first, second[..., ::-1, ::-1], padding=2)  # the two filters folded into one
print(both.shape)
#> (1, 1, 5, 5)

without = conv2d(conv2d(x, first), second)
print("without:", np.allclose(without, conv2d(x, both)))
#> without: True

# With a ReLU no single filter does it: turning the image's sign around no longer turns the result's.
with_relu = conv2d(np.maximum(conv2d(x, first), 0), second)
turned = conv2d(np.maximum(conv2d(-x, first), 0), second)
print("with:   ", np.allclose(with_relu, conv2d(x, both)), np.allclose(turned, -with_relu))
#> with:    False False
