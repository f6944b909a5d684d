"""Two dials and one cost: measure the gradient, step against it, and check a computed gradient."""

import numpy as np

from kb.foundations.gradient import directional_derivative, gradient_check, numerical_gradient
from kb.foundations.vectors_and_dot_products import dot, norm, normalize


def cost(w):
    return 1.5 * w[0] ** 2 + 0.5 * w[1] ** 2


def gradient(w):  # by the rules of calculus
    return np.array([3.0, 1.0]) * w


w = np.array([1.0, 1.0])
g = numerical_gradient(cost, w)
print(cost(w), g.round(6), norm(g).round(3))
#> 2.0 [3. 1.] 3.162

# The slope along any direction is a dot product; along the gradient itself it is the largest.
u = normalize(np.array([1.0, 1.0]))
print(directional_derivative(cost, w, u).round(3), dot(g, u).round(3))
#> 2.828 2.828
print(directional_derivative(cost, w, normalize(g)).round(3))
#> 3.162

# A step against the gradient lowers the cost, if it is not too long.
print([round(float(cost(w - lr * g)), 2) for lr in (0.0, 0.1, 0.5, 1.0)])
#> [2.0, 1.14, 0.5, 6.0]

# Is a computed gradient right? The right one, one with a lost factor 2, one with a wrong sign.
factors = [np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([1.0, -1.0])]
print([f"{gradient_check(cost, w, gradient(w) * factor):.0e}" for factor in factors])
#> ['1e-11', '5e-01', '7e-01']
