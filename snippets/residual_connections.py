"""x + f(x): the identity path carries the gradient through 100 layers, and a block may say nothing."""

import numpy as np

from kb.foundations.residual_connections import forward_stack, gradient_norms, init_stack, residual
from kb.structure.activation_functions import tanh, tanh_slope
from kb.structure.layers import layer

rng = np.random.default_rng(0)
weight, bias = init_stack(layers=100, width=64, rng=rng, scale=0.1)
x, grad = rng.standard_normal((2, 32, 64)).astype("float32")
grad = grad / np.sqrt(np.sum(grad * grad))

# One block, then a hundred; a block whose weights are zero hands x on as it is.
y = residual(x, lambda x: layer(x, weight[0], bias[0], tanh))
print(np.allclose(y, forward_stack(x, weight, bias, tanh)[0]), np.array_equal(residual(x, np.zeros_like), x))
#> True True

# The gradient has length 1 behind layer 100. In front of layers 100, 67, 34 and 1 it has:
print(gradient_norms(x, weight, bias, grad, tanh, tanh_slope)[::-33].round(3))
#> [1.005 1.177 1.36  1.605]

# The long skips of a U-Net concatenate instead: twice the channels, and the next convolution has to mix them.
decoder, encoder = np.zeros((1, 320, 64, 64), "float32"), np.zeros((1, 320, 64, 64), "float32")
print(np.concatenate([decoder, encoder], axis=1).shape)
#> (1, 640, 64, 64)
