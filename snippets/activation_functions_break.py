"""The textbook formulas, typed in as they stand: right near zero, nan or infinite where networks really go."""

import numpy as np

from kb.autograd.tensor import grad
from kb.structure.activation_functions import sigmoid, softplus, tanh

textbook = {
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}
z = np.array([-1.0, 1.0, -1000.0, 1000.0])
with np.errstate(all="ignore"):  # NumPy would warn: overflow in exp
    for name, fn in {"tanh": tanh, "softplus": softplus, "sigmoid": sigmoid}.items():
        for source, a in (("textbook", textbook[name](z)), ("kb", fn(z))):
            print(f"{name:9} {source:8}", *(f"{v:9.3f}" for v in a))
            #> tanh      textbook    -0.762     0.762       nan       nan
            #> tanh      kb          -0.762     0.762    -1.000     1.000
            #> softplus  textbook     0.313     1.313     0.000       inf
            #> softplus  kb           0.313     1.313     0.000  1000.000
            #> sigmoid   textbook     0.269     0.731     0.000     1.000
            #> sigmoid   kb           0.269     0.731     0.000     1.000

    # The sigmoid gets away with it, 1 / inf = 0. Its slope does not: the chain rule meets inf * 0.
    for name, fn in (("textbook", textbook["sigmoid"]), ("kb", sigmoid)):
        slopes = grad(lambda z, fn=fn: np.sum(fn(z)))(z)
        print(f"slope     {name:8}", *(f"{v:9.3f}" for v in slopes))
        #> slope     textbook     0.197     0.197       nan     0.000
        #> slope     kb           0.197     0.197     0.000     0.000
