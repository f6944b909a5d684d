"""Record an expression and walk back through the record; then forward mode; then the same record for arrays."""

import numpy as np

from kb.autograd.backward import tape as tensor_tape
from kb.autograd.tensor import Tensor
from kb.learning.computation_graph import Dual, Value, gradients, values
from kb.learning.cost_function import cost
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp


def f(a, b):
    return (a + b) * b + a


# Reverse mode: one walk back gives the gradient of the result by everything it was made from.
for value, gradient in gradients(f(Value(2.0), Value(-3.0))).items():
    print(value, "made from", value.parents, "gradient", gradient)
    #> Value(5, 'add') made from (Value(3, 'multiply'), Value(2)) gradient 1.0
    #> Value(3, 'multiply') made from (Value(-1, 'add'), Value(-3)) gradient 1.0
    #> Value(-1, 'add') made from (Value(2), Value(-3)) gradient -3.0
    #> Value(2) made from () gradient -2.0
    #> Value(-3) made from () gradient -4.0

# Forward mode: one pass by a, one pass by b.
print(f(Dual(2.0, 1.0), Dual(-3.0)), f(Dual(2.0), Dual(-3.0, 1.0)))
#> Dual(5, -2) Dual(5, -4)

# kb's own forward pass and cost, on a network of single numbers and on arrays: the same gradient.
rng = np.random.default_rng(0)
params = init_mlp((4, 3, 2), rng, dtype="float64")
x, y = rng.random(4), np.array([1.0, 0.0])
numbers = {name: values(array) for name, array in params.items()}
arrays = {name: Tensor(array) for name, array in params.items()}
small = cost(forward(numbers, x, np.tanh), y)
large = cost(forward(arrays, x, np.tanh), y)
large.backward()
print(f"{len(gradients(small))} nodes of one number, {len(tensor_tape(large))} nodes of whole arrays")
#> 70 nodes of one number, 16 nodes of whole arrays
print(np.allclose(np.vectorize(gradients(small).get)(numbers["0.weight"]), arrays["0.weight"].grad))
#> True
