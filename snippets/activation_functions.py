"""Eight functions at five pre-activations, the lowest point of GELU, and a gated layer."""

import numpy as np

from kb.structure.activation_functions import (
    gelu,
    gelu_slope,
    leaky_relu,
    relu,
    sigmoid,
    sigmoid_slope,
    silu,
    softplus,
    swiglu,
    tanh,
)

z = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
for fn in (sigmoid, tanh, relu, leaky_relu, softplus, silu, gelu):
    print(f"{fn.__name__:10}", *(f"{a:7.3f}" for a in fn(z)))
    #> sigmoid      0.047   0.269   0.500   0.731   0.953
    #> tanh        -0.995  -0.762   0.000   0.762   0.995
    #> relu         0.000   0.000   0.000   1.000   3.000
    #> leaky_relu  -0.030  -0.010   0.000   1.000   3.000
    #> softplus     0.049   0.313   0.693   1.313   3.049
    #> silu        -0.142  -0.269   0.000   0.731   2.858
    #> gelu        -0.004  -0.159   0.000   0.841   2.996
print(f"{'slope':10}", *(f"{a:7.3f}" for a in gelu_slope(z)), " of gelu")
#> slope       -0.012  -0.083   0.500   1.083   1.012  of gelu

# Where GELU turns round, its slope is 0: halve the interval in which the slope changes its sign.
low, high = -2.0, 0.0
for _ in range(50):
    middle = (low + high) / 2
    low, high = (middle, high) if gelu_slope(np.float64(middle)) < 0 else (low, middle)
print(f"lowest point of gelu: {gelu(np.float64(low)):.4f} at {low:.4f}")
#> lowest point of gelu: -0.1700 at -0.7518
many = np.linspace(-6, 6, 120_001)
print(f"exact and tanh form differ by at most {abs(gelu(many) - gelu(many, 'tanh')).max():.5f}")
#> exact and tanh form differ by at most 0.00047
print("steepest sigmoid:", sigmoid_slope(many).max(), " at 10,000:", sigmoid(np.array([-1e4, 1e4])))
#> steepest sigmoid: 0.25  at 10,000: [0. 1.]

# SwiGLU is a layer: 8 hidden pairs between 3 numbers and 3 numbers, three matrices.
rng = np.random.default_rng(0)
w_gate, w_up, w_down = rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), rng.normal(size=(3, 8))
print(swiglu(np.array([1.0, 0.5, -0.5]), w_gate, w_up, w_down).round(3))
#> [-2.244  4.586 -3.314]
