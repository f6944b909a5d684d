"""The computation graph: what proves kb.learning.computation_graph."""

import gc
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.autograd.tensor import Tensor
from kb.learning import computation_graph as kb
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.cost_function import cost
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp
from kb.torch.learning import computation_graph as kt
from tests.contract import Case, contract, gpu_contract


def three_from_two(x):
    """Three results of two numbers, with every operation that torch's tensors have too; both inputs are used again."""
    a, b = x
    c = (a * b + a).tanh()
    return [c * c - 2 / (b * b + 1), (a - b).sigmoid() + (a + 3).relu(), (b.exp() + 1).log() ** 2 - 0.5 * -c]


def one_from_four(x):
    a, b, c, d = x
    return [(a * b + c * d) * (a - d)]


# torch's forward mode loads a module of its own on first use, which uses its own deprecated torch.jit.script
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
CASES = [
    Case(fn, differentiable=False, f=f, x=shape)
    for fn in (kb.jacobian_forward, kb.jacobian_reverse)
    for f, shape in ((three_from_two, (2,)), (one_from_four, (4,)))
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def the_page_example():
    a, b = kb.Value(2.0), kb.Value(-3.0)
    return a, b, (a + b) * b + a


# ---- invariants --------------------------------------------------------------------------------------------------
OPERATIONS = ("add", "subtract", "multiply", "divide", "exp", "log", "tanh", "sigmoid", "relu", "square", "constant")
programs = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=25
)


def run(program, numbers):
    """A random straight-line program on any kind of number; arguments are kept where every function is tame."""
    found = list(numbers)
    for op, i, j in program:
        x, y = found[i % len(found)], found[j % len(found)]
        step = {
            "add": lambda x, y: (x + y) * 0.5,
            "subtract": lambda x, y: x - y,
            "multiply": lambda x, y: x.tanh() * y,
            "divide": lambda x, y: x / (y * y + 1.0),
            "exp": lambda x, y: x.tanh().exp(),
            "log": lambda x, y: (x * x + 1.0).log(),
            "tanh": lambda x, y: x.tanh(),
            "sigmoid": lambda x, y: x.sigmoid(),
            "relu": lambda x, y: x.relu(),
            "square": lambda x, y: x.tanh() ** 2,
            "constant": lambda x, y: 1.5 - x,
        }[op]
        found.append(step(x, y))
    return found[-1]


@settings(max_examples=100)
@given(programs, st.tuples(*[st.floats(-2, 2)] * 3))
def test_any_program_has_torchs_gradient_in_both_modes(program, numbers):
    leaves = [torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers]
    result = run(program, leaves)
    result.backward()
    expected = [0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves]
    inputs = [kb.Value(n) for n in numbers]
    y = run(program, inputs)
    assert y.data == pytest.approx(result.item(), rel=1e-12, abs=1e-14)
    found = kb.gradients(y)
    assert [found.get(v, 0.0) for v in inputs] == pytest.approx(expected, rel=1e-10, abs=1e-12)
    for i in range(3):
        dual = run(program, [kb.Dual(n, float(i == j)) for j, n in enumerate(numbers)])
        assert dual.slope == pytest.approx(expected[i], rel=1e-10, abs=1e-12)


@settings(max_examples=50)
@given(programs)
def test_the_tape_has_each_value_once_and_after_all_its_users(program):
    root = run(program, [kb.Value(n) for n in (0.3, -0.7, 1.1)])
    tape = kb.tape(root)
    place = {value: i for i, value in enumerate(tape)}
    assert tape[0] is root
    assert len(place) == len(tape)
    assert all(place[parent] > place[value] for value in tape for parent in value.parents)


def test_the_scalar_graph_of_the_network_has_the_gradient_of_backpropagation():
    """kb's own forward pass and cost, run on arrays of Values: a node per product, sum and sigmoid."""
    rng = np.random.default_rng(0)
    params, x, y = init_mlp((784, 16, 16, 10), rng, dtype="float64"), rng.random(784), np.eye(10)[3]
    leaves = {name: kb.values(array) for name, array in params.items()}
    found = kb.gradients(cost(forward(leaves, x, np.frompyfunc(kb.Value.sigmoid, 1, 1)), y))
    ops = [value.op for value in found]
    assert ops.count("") == 13_002
    assert ops.count("sigmoid") == 42
    assert ops.count("multiply") == 12_544 + 256 + 160 + 10 + 1  # weights, squares, the scale of the cost
    _, grads = squared_error_gradients(params, x[None], y[None])
    for name, grad in grads.items():
        np.testing.assert_allclose(np.vectorize(found.get)(leaves[name]), grad, rtol=1e-10, atol=1e-14)


def test_the_scalar_graph_is_the_tensor_graph_number_by_number():
    rng = np.random.default_rng(1)
    weight, x, y = rng.normal(size=(3, 4)), rng.normal(size=4), rng.random(3)
    tensor, leaves = Tensor(weight), kb.values(weight)
    np.sum((np.tanh(tensor @ x) - y) ** 2).backward()
    found = kb.gradients(np.sum((np.tanh(leaves @ x) - y) ** 2))
    np.testing.assert_allclose(np.vectorize(found.get)(leaves), tensor.grad, rtol=1e-12)


def test_a_graph_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        y = run([("multiply", i, i + 1) for i in range(50)], [kb.Value(n) for n in (0.5, 1.5)])
        kb.gradients(y)
        y.backward()
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_chain_deeper_than_the_stack():
    y = x = kb.Value(1.0)
    for _ in range(5000):
        y = y + x
    assert y.depth == 5000
    assert kb.gradients(y)[x] == 5001


# ---- a hand-computed example -------------------------------------------------------------------------------------
def test_the_page_example_by_hand():
    """y = (a + b) b + a at a = 2, b = -3: dy/da = b + 1 = -2, dy/db = (a + b) + b = -4."""
    a, b, y = the_page_example()
    found = kb.gradients(y)
    assert (y.data, found[a], found[b]) == (5, -2, -4)
    assert [(v.op, v.data, g) for v, g in found.items()] == [
        ("add", 5, 1),
        ("multiply", 3, 1),
        ("add", -1, -3),
        ("", 2, -2),
        ("", -3, -4),
    ]
    assert repr(found) == (
        "{Value(5, 'add'): 1.0, Value(3, 'multiply'): 1.0, Value(-1, 'add'): -3.0, Value(2): -2.0, Value(-3): -4.0}"
    )


def test_backward_adds_up_until_the_gradients_are_cleared():
    a, b, y = the_page_example()
    y.backward()
    assert (a.grad, b.grad, y.grad) == (-2, -4, 1)
    y.backward()
    assert (a.grad, b.grad) == (-4, -8)


def test_forward_mode_by_hand():
    a, b = kb.Dual(2.0), kb.Dual(-3.0, 1.0)
    y = (a + b) * b + a
    assert (y.data, y.slope) == (5, -4)
    assert repr(y) == "Dual(5, -4)"


def test_powers_of_numbers_and_of_exponents():
    x = kb.Value(-3.0)
    assert kb.gradients(x**2)[x] == -6
    assert kb.gradients(2**x)[x] == pytest.approx(2**-3 * math.log(2))


def test_passes_one_per_input_and_one_per_output():
    """f itself tells how often it was called; a walk back is one row."""
    calls = []

    def f(x):
        calls.append(type(x[0]))
        return three_from_two(x)

    kb.jacobian_forward(f, np.array([0.3, 0.4]))
    kb.jacobian_reverse(f, np.array([0.3, 0.4]))
    assert calls == [kb.Dual, kb.Dual, kb.Value]


# ---- error messages ----------------------------------------------------------------------------------------------
def test_inputs_are_one_vector():
    with pytest.raises(ValueError, match=r"jacobian_forward: x has shape \(2, 2\), expected \(n\)"):
        kb.jacobian_forward(three_from_two, np.ones((2, 2)))


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def hasty(root):
    """A walk back in which a Value passes its gradient on as soon as it is reached, instead of when it is complete."""
    found, waiting = {root: 1.0}, [root]
    while waiting:
        value = waiting.pop()
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            if parent not in found:
                waiting.append(parent)
            found[parent] = found.get(parent, 0.0) + found[value] * slope
    return found


def test_passing_on_before_the_gradient_is_complete_is_wrong():
    """c = a + b = -1 is used twice in y = c c + c, which changes by 2c + 1 = -1 for each step of a."""
    a, b = kb.Value(2.0), kb.Value(-3.0)
    c = a + b
    y = c * c + c
    assert kb.gradients(y)[a] == -1
    assert hasty(y)[c] == -1  # what arrived in the end is right ...
    assert hasty(y)[a] == 1  # ... but it had been passed on before the longer path came in


def test_overwriting_instead_of_adding_is_wrong():
    a, b, y = the_page_example()
    found = dict.fromkeys(kb.tape(y), 0.0) | {y: 1.0}
    for value in found:
        found |= {p: found[value] * s for p, s in zip(value.parents, value.slopes, strict=True)}
    assert (found[a], found[b]) != (-2, -4)
