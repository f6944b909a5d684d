"""Gradient descent: the step, the bowl on which its limit is known exactly, and places where it stops."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import root

import kb.learning.gradient_descent as kb
import kb.torch.learning.gradient_descent as kt
from figures import digit_landscape
from kb.autograd.tensor import grad
from kb.learning.gradient_descent import step
from kb.structure.multilayer_perceptron import init_mlp, mlp
from kb.torch.learning.cost_function import cost as torch_cost
from kb.torch.structure.multilayer_perceptron import mlp as torch_mlp
from tests.contract import Case, contract, gpu_contract

BOWL = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])
TURN = math.sqrt(0.5) * np.array([[1.0, -1.0], [1.0, 1.0]])
RAVINE = TURN @ np.diag([10.0, 1.0]) @ TURN.T  # curvature 10 and 1, along the diagonals
CASES = [
    Case(kb.step, params={"w": (3, 2), "b": (3,)}, grads={"b": (3,), "w": (3, 2)}, lr=0.1),
    Case(kb.descend, gradient=kb.hills_gradient, x=(3, 2), lr=0.3, steps=4),
    Case(kb.descend, gradient=kb.product_fit_gradient, x=(2,), lr=0.01, steps=2),
    Case(kb.interpolate, params={"w": (3, 2), "b": (3,)}, other={"b": (3,), "w": (3, 2)}, fraction=0.3),
    Case(kb.interpolate, params={"w": (3,)}, other={"w": (3,)}, fraction=-1.5),
    Case(kb.quadratic, x=(5, 3), hessian=BOWL),
    Case(kb.quadratic, x=(3,), hessian=BOWL),
    Case(kb.quadratic_gradient, x=(5, 3), hessian=BOWL),
    Case(kb.step_factors, differentiable=False, hessian=BOWL, lr=0.3),
    Case(kb.largest_stable_lr, differentiable=False, hessian=BOWL),
    Case(kb.hills, x=(4, 2)),
    Case(kb.hills_gradient, x=(4, 2)),
    Case(kb.product_fit, x=(4, 2)),
    Case(kb.product_fit_gradient, x=(2,)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants: the method --------------------------------------------------------------------------------------
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


def test_descend_takes_the_steps_of_step():
    path = kb.descend(kb.hills_gradient, np.array([0.5, 2.0]), 0.3, 5)
    params = {"x": path[0]}
    for point in path[1:]:
        params = step(params, {"x": kb.hills_gradient(params["x"])}, 0.3)
        np.testing.assert_array_equal(params["x"], point)


def test_interpolate_meets_both_ends_and_goes_on():
    a, b = {"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, -2.0])}
    for fraction, expected in ((0, [1, 2]), (0.5, [2, 0]), (1, [3, -2]), (2, [5, -6]), (-1, [-1, 6])):
        np.testing.assert_array_equal(kb.interpolate(a, b, fraction)["w"], expected)


# ---- invariants: the bowl ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("lr", "shrinks"), [(0.1, True), (0.249, True), (0.251, False)])
def test_on_a_quadratic_it_diverges_beyond_two_over_the_curvature(lr, shrinks):
    """C = 4 x^2 has curvature 8: each step multiplies x by 1 - 8 lr, and 2 / 8 = 0.25."""
    params = {"x": np.array(1.0)}
    for _ in range(50):
        params = step(params, {"x": 8 * params["x"]}, lr)
    assert params["x"] == pytest.approx((1 - 8 * lr) ** 50, rel=1e-10)
    assert (abs(params["x"]) < 1) == shrinks


@pytest.mark.parametrize(
    "hessian", [BOWL, RAVINE, np.eye(4), np.diag([7.0, 0.01])], ids=["bowl", "ravine", "round", "flat"]
)
@pytest.mark.parametrize("share", [0.3, 0.999, 1.0, 1.001, 1.5])
def test_the_walk_comes_down_exactly_below_the_largest_stable_rate(hessian, share):
    """At the limit itself it jumps between two points along the steepest axis for ever."""
    lr = share * kb.largest_stable_lr(hessian)
    x = np.random.default_rng(0).normal(size=len(hessian))
    steepest = np.linalg.eigh(hessian)[1][:, -1]
    path = kb.descend(lambda x: kb.quadratic_gradient(x, hessian), x, lr, 60)
    along = np.abs(path @ steepest)
    np.testing.assert_allclose(along, along[0] * abs(1 - 2 * share) ** np.arange(61), rtol=1e-9, atol=1e-12)
    assert (along[-1] < along[0] * (1 - 1e-9)) == (share < 1)
    assert (along[-1] > along[0] * (1 + 1e-9)) == (share > 1)


def test_step_factors_are_what_happens_along_each_axis():
    values, axes = np.linalg.eigh(BOWL)
    for value, axis, factor in zip(values[::-1], axes.T[::-1], kb.step_factors(BOWL, 0.3), strict=True):
        assert factor == pytest.approx(1 - 0.3 * value, rel=1e-13)
        stepped = kb.descend(lambda x: kb.quadratic_gradient(x, BOWL), axis, 0.3, 1)[1]
        np.testing.assert_allclose(stepped, factor * axis, atol=1e-14)


def test_the_best_rate_balances_the_steepest_and_the_flattest_axis():
    best = 2 / (10 + 1)
    np.testing.assert_allclose(kb.step_factors(RAVINE, best), [-9 / 11, 9 / 11], rtol=1e-12)
    for lr in (0.98 * best, 1.02 * best):
        assert np.max(np.abs(kb.step_factors(RAVINE, lr))) > 9 / 11


# ---- invariants: hills and valleys -------------------------------------------------------------------------------
@pytest.mark.parametrize(("f", "gradient"), [(kb.hills, kb.hills_gradient), (kb.product_fit, kb.product_fit_gradient)])
def test_gradients_are_those_of_the_computation_graph(f, gradient):
    x = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(gradient(x), grad(lambda x: np.sum(f(x)))(x), rtol=1e-12, atol=1e-13)


def test_the_hessian_is_torchs():
    for gradient, f in ((kb.hills_gradient, kt.hills), (kb.product_fit_gradient, kt.product_fit)):
        for x in np.random.default_rng(0).normal(size=(5, 2)):
            expected = torch.autograd.functional.hessian(f, torch.tensor(x)).numpy()
            np.testing.assert_allclose(kb.hessian(gradient, x), expected, atol=1e-9)
    np.testing.assert_allclose(kb.hessian(lambda x: kb.quadratic_gradient(x, BOWL), np.ones(3)), BOWL, atol=1e-9)


def test_where_a_walk_ends_is_decided_by_where_it_begins():
    """Three valleys of hills, found by scipy; the middle one is the deepest."""
    ends = []
    for start, near in (([-0.5, 1.5], [-1.4, 0]), ([1.0, 1.8], [1.4, 2.8]), ([3.2, 0.4], [4.3, 0])):
        end = kb.descend(kb.hills_gradient, np.array(start), 0.5, 200)[-1]
        np.testing.assert_allclose(end, root(kb.hills_gradient, near, tol=1e-13).x, atol=1e-10)
        assert kb.kind_of_point(kb.hessian(kb.hills_gradient, end)) == "minimum"
        ends.append(float(kb.hills(end)))
    assert ends == pytest.approx([-0.888, -0.440, 0.008], abs=5e-4)


def test_a_saddle_point_holds_a_walk_on_its_ridge_only():
    """From (1, -1) straight into 0, 0, where the curvatures are -2 and 2; the smallest sideways step grows."""
    on = kb.descend(kb.product_fit_gradient, np.array([1.0, -1.0]), 0.1, 100)
    np.testing.assert_allclose(on[-1], [0, 0], atol=1e-7)
    np.testing.assert_allclose(np.linalg.eigvalsh(kb.hessian(kb.product_fit_gradient, np.zeros(2))), [-2, 2], atol=1e-9)
    beside = kb.descend(kb.product_fit_gradient, np.array([1.0, -1.0 + 1e-8]), 0.1, 300)
    assert kb.product_fit(beside[-1]) < 1e-12
    assert 90 < np.argmax(kb.product_fit(beside) < 0.5) < 150


def test_along_the_flat_valley_the_cost_does_not_change():
    u = np.linspace(0.2, 5, 9)
    valley = np.stack([u, 1 / u], axis=-1)
    np.testing.assert_allclose(kb.product_fit(valley), 0, atol=1e-30)
    np.testing.assert_allclose(kb.product_fit_gradient(valley), 0, atol=1e-14)
    for x in valley:
        curvatures = np.linalg.eigvalsh(kb.hessian(kb.product_fit_gradient, x))
        np.testing.assert_allclose(curvatures, [0, 2 * (x @ x)], atol=1e-8 * (1 + x @ x))
        assert kb.kind_of_point(kb.hessian(kb.product_fit_gradient, x)) == "flat"


@pytest.mark.parametrize(
    ("curvatures", "kind"),
    [
        ([3, 1], "minimum"),
        ([-3, -1], "maximum"),
        ([3, -1], "saddle point"),
        ([3, 0], "flat"),
        ([-3, 0], "flat"),
        ([0, 0], "flat"),
        ([3, 1e-8], "flat"),
        ([3, 0, -1], "saddle point"),
    ],
)
def test_kinds_of_points(curvatures, kind):
    n = len(curvatures)
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    assert kb.kind_of_point(turned @ np.diag(np.array(curvatures, dtype=float)) @ turned.T) == kind


# ---- invariants: the digit network's landscape -------------------------------------------------------------------
def test_a_shuffled_network_computes_the_same_and_lies_behind_a_ridge():
    _, shipped, _, copy = digit_landscape.networks()
    x = digit_landscape.digits()[0]
    np.testing.assert_allclose(mlp(copy, x), mlp(shipped, x), atol=1e-5)
    assert digit_landscape.distance(shipped, copy) > digit_landscape.distance(shipped, digit_landscape.networks()[0])
    ends = digit_landscape.along(shipped, copy, [0, 0.5, 1])
    assert ends[1] > 100 * max(ends[0], ends[2])


def test_from_the_start_to_the_trained_network_it_goes_down_all_the_way():
    start, shipped, *_ = digit_landscape.networks()
    assert np.all(np.diff(digit_landscape.along(start, shipped, np.linspace(0, 1, 41))) < 0)


def test_the_largest_curvature_of_a_network_is_that_of_its_hessian():
    """Power iteration against torch's Hessian of a network with 23 parameters, by size."""
    rng = np.random.default_rng(0)
    params, x, y = init_mlp((4, 3, 2), rng, "normal", "float64"), rng.normal(size=(30, 4)), rng.random((30, 2))
    shapes = {name: p.shape for name, p in params.items()}
    sizes = [p.size for p in params.values()]

    def cost_of(flat):
        parts = [p.reshape(s) for p, s in zip(flat.split(sizes), shapes.values(), strict=True)]
        return torch_cost(torch_mlp(dict(zip(shapes, parts, strict=True)), torch.tensor(x)), torch.tensor(y))

    flat = torch.tensor(np.concatenate([p.ravel() for p in params.values()]))
    curvatures = np.linalg.eigvalsh(torch.autograd.functional.hessian(cost_of, flat).numpy())
    largest = curvatures[np.argmax(np.abs(curvatures))]
    assert digit_landscape.largest_curvature(params, x, y, rounds=300) == pytest.approx(largest, rel=1e-5)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_one_step_by_hand():
    stepped = step({"w": np.array([1.0, 2.0])}, {"w": np.array([4.0, -2.0])}, 0.5)
    np.testing.assert_array_equal(stepped["w"], [-1, 3])


def test_bowl_by_hand():
    x, hessian = np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 4.0]])
    assert kb.quadratic(x, hessian) == 0.5 * (2 + 2 * 2 + 16)
    np.testing.assert_array_equal(kb.quadratic_gradient(x, hessian), [4, 9])
    np.testing.assert_allclose(kb.step_factors(np.diag([1.0, 4.0]), 0.5), [-1, 0.5], rtol=1e-15)
    assert kb.largest_stable_lr(np.diag([1.0, 4.0])) == 0.5


def test_landscapes_by_hand():
    assert kb.product_fit(np.array([2.0, 3.0])) == 25
    np.testing.assert_array_equal(kb.product_fit_gradient(np.array([2.0, 3.0])), [30, 20])
    assert kb.hills(np.array([math.pi / 2, math.pi])) == pytest.approx(-1 + 1.25 * math.pi**2 / 20, rel=1e-14)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_names_and_shapes_must_fit():
    params = {"w": np.ones((3, 2)), "b": np.ones(3)}
    with pytest.raises(ValueError, match=r"grads has the names \['w'\], expected those of params \['w', 'b'\]"):
        step(params, {"w": np.ones((3, 2))}, 0.1)
    with pytest.raises(ValueError, match=r"grads\['w'\] has shape \(2,\), expected \(3, 2\)"):
        step(params, {"w": np.ones(2), "b": np.ones(3)}, 0.1)
    with pytest.raises(ValueError, match=r"other has the names \['b'\], expected those of params \['w', 'b'\]"):
        kb.interpolate(params, {"b": np.ones(3)}, 0.5)


def test_a_ridge_has_no_stable_rate():
    with pytest.raises(ValueError, match=r"hessian has the largest eigenvalue -1.0, expected one above 0"):
        kb.largest_stable_lr(-np.eye(2))
