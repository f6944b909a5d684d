import numpy as np
import pytest
import torch

import kb.torch.learning.gradient_descent as kt
from kb.learning.gradient_descent import step
from tests.contract import Case, contract, gpu_contract

CASES = [Case(step, params={"w": (3, 2), "b": (3,)}, grads={"b": (3,), "w": (3, 2)}, lr=0.1)]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_ten_steps_are_those_of_torchs_sgd():
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=0.05)
    for _ in range(10):
        params = step(params, {name: np.cos(value) for name, value in params.items()}, 0.05)  # the slope of sin
        optimizer.zero_grad()
        sum(torch.sin(value).sum() for value in leaves.values()).backward()
        optimizer.step()
    for name, value in params.items():
        np.testing.assert_allclose(value, leaves[name].detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize(("lr", "shrinks"), [(0.1, True), (0.249, True), (0.251, False)])
def test_on_a_quadratic_it_diverges_beyond_two_over_the_curvature(lr, shrinks):
    """C = 4 x^2 has curvature 8: each step multiplies x by 1 - 8 lr, and 2 / 8 = 0.25."""
    params = {"x": np.array(1.0)}
    for _ in range(50):
        params = step(params, {"x": 8 * params["x"]}, lr)
    assert params["x"] == pytest.approx((1 - 8 * lr) ** 50, rel=1e-10)
    assert (abs(params["x"]) < 1) == shrinks


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_one_step_by_hand():
    stepped = step({"w": np.array([1.0, 2.0])}, {"w": np.array([4.0, -2.0])}, 0.5)
    np.testing.assert_array_equal(stepped["w"], [-1, 3])


# ---- errors ------------------------------------------------------------------------------------------------------
def test_names_and_shapes_must_fit():
    params = {"w": np.ones((3, 2)), "b": np.ones(3)}
    with pytest.raises(ValueError, match=r"grads has the names \['w'\], expected those of params \['w', 'b'\]"):
        step(params, {"w": np.ones((3, 2))}, 0.1)
    with pytest.raises(ValueError, match=r"grads\['w'\] has shape \(2,\), expected \(3, 2\)"):
        step(params, {"w": np.ones(2), "b": np.ones(3)}, 0.1)
