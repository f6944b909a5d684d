"""The step h as small as it can be: the slope gets worse and worse, and in the end it is 0 or nonsense."""

import numpy as np

from kb.foundations.gradient import numerical_gradient


def f(x):
    return np.sum(x * x * x * x)


x = np.array([1.5])
true = 4 * 1.5**3


def errors(dtype, steps):
    return [f"{abs(float(numerical_gradient(f, x.astype(dtype), h)[0]) - true):.0e}" for h in steps]


# The error of the slope for h = 1e-1, 1e-3, 1e-5, 1e-7, 1e-10, 1e-13 and 1e-17.
print(errors(np.float64, (1e-1, 1e-3, 1e-5, 1e-7, 1e-10, 1e-13, 1e-17)))
#> ['6e-02', '6e-06', '7e-10', '7e-09', '1e-06', '9e-03', '1e+01']
print(errors(np.float32, (1e-1, 1e-3, 1e-5, 1e-7)))
#> ['6e-02', '7e-04', '2e-02', '3e+00']
print("at 1e-17 the slope is", numerical_gradient(f, x, 1e-17)[0], "and should be", true)
#> at 1e-17 the slope is 0.0 and should be 13.5
